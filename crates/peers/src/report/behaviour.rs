//! What every library does when something fails, or when a number is odd.

use std::panic;

use crate::dual::{Books, Fault, Faulty, all_faulty, observe};
use crate::flags::{Shares, all_shares};

/// Heads, then one row for each library.
pub(super) fn faults() -> Vec<Vec<String>> {
    // Panics are what is looked at; their messages would hide the progress.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let heads = ["the caller gets, when"].into_iter().chain(Fault::ALL.map(Fault::words));
    let heads = heads.chain(["a call that is dropped half way", "may move between threads"]).map(ToOwned::to_owned);
    let rows = all_faulty().into_iter().map(|library| faults_of(library.as_ref()));
    let table = [heads.collect()].into_iter().chain(rows).collect();
    panic::set_hook(hook);
    table
}

fn faults_of(library: &dyn Faulty) -> Vec<String> {
    let mut row = vec![library.name().to_owned()];
    row.extend(Fault::ALL.map(|fault| observe(library, fault).to_string()));
    row.extend([Books::of(library).words().to_owned(), yes(library.is_send())]);
    row
}

fn yes(it_does: bool) -> String {
    if it_does { "yes" } else { "**no**" }.to_owned()
}

/// Percentages that are given.
const GIVEN: [(&str, f64); 6] =
    [("NaN", f64::NAN), ("-5", -5.0), ("0", 0.0), ("0.5", 0.5), ("100", 100.0), ("250", 250.0)];
const USERS: usize = 20_000;

/// Heads, then one row for each library.
pub(super) fn shares() -> Vec<Vec<String>> {
    let given = GIVEN.map(|(words, _)| format!("{words} %"));
    let mut heads = vec!["who is in, of 20,000 users".to_owned()];
    heads.extend(given);
    heads.push("pairs of flags that are correlated, of 780".to_owned());
    let rows = all_shares().into_iter().map(|library| shares_of(library.as_ref()));
    [heads].into_iter().chain(rows).collect()
}

fn shares_of(library: &dyn Shares) -> Vec<String> {
    let mut row = vec![library.name().to_owned()];
    row.extend(GIVEN.map(|(_, percent)| library.share(percent, USERS).to_string()));
    row.push(library.correlated_pairs().map_or_else(|| "(random per call)".to_owned(), |pairs| pairs.to_string()));
    row
}
