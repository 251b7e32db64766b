//! Who asks for what: the same for every subject.

use std::hint::black_box;

use crate::Worker;

/// Which flag is asked for whom.
pub(crate) struct Ask {
    pub(crate) flag: String,
    pub(crate) key: String,
}

/// How many different calls are made in turn.
const CALLS: usize = 1_024;
/// Coprime to every number of flags, so that neighbours are not asked one after another.
const STRIDE: usize = 7_919;

/// Calls for `flags` flags, each for another key of 16 bytes.
pub(crate) fn asks(flags: usize) -> Vec<Ask> {
    (0..CALLS).map(|call| Ask { flag: flag_name(call * STRIDE % flags), key: key(call) }).collect()
}

/// The names of `flags` flags.
pub(crate) fn flag_names(flags: usize) -> impl Iterator<Item = String> {
    (0..flags).map(flag_name)
}

fn flag_name(number: usize) -> String {
    format!("new-search-{number}")
}

pub(crate) fn key(number: usize) -> String {
    format!("user-{number:011}")
}

/// Calls with each item in turn.
pub(crate) fn in_turn<'a, I, T>(items: &'a [I], mut call: impl FnMut(&'a I) -> T + 'a) -> Worker<'a> {
    let mut next = items.iter().cycle();
    Box::new(move |calls| {
        for item in next.by_ref().take(usize::try_from(calls).unwrap_or(usize::MAX)) {
            black_box(call(black_box(item)));
        }
    })
}

/// Calls without an argument.
pub(crate) fn repeated<'a, T>(mut call: impl FnMut() -> T + 'a) -> Worker<'a> {
    Box::new(move |calls| {
        for _ in 0..calls {
            black_box(call());
        }
    })
}

/// Calls that are awaited one after another in one task, as a service awaits them.
pub(crate) fn awaited<'a, T>(mut call: impl AsyncFnMut() -> T + 'a) -> Worker<'a> {
    let runtime = runtime();
    Box::new(move |calls| {
        runtime.block_on(async {
            for _ in 0..calls {
                black_box(call().await);
            }
        });
    })
}

/// A runtime of the thread that asks.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}
