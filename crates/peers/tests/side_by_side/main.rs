//! What each library does, in facts: of cutover, and of its peers in the versions of the lock file.
//!
//! One program, since linking all of them takes longer than running the tests.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod benchmarks;
mod dropped_calls;
mod guarantees;
mod moving_between_threads;
mod odd_percentages;
mod percentiles;
mod readme;
mod served_answers;
mod two_flags;

use cutover_peers::dual::{Faulty, all_faulty};
use cutover_peers::flags::{Shares, all_shares};

fn dual(name: &str) -> Box<dyn Faulty> {
    all_faulty().into_iter().find(|library| library.name() == name).unwrap_or_else(|| panic!("no {name}"))
}

fn shares(name: &str) -> Box<dyn Shares> {
    all_shares().into_iter().find(|library| library.name() == name).unwrap_or_else(|| panic!("no {name}"))
}
