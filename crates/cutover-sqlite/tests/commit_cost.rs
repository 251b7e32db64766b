//! A change costs about one flush of the device, and no more.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it measured")]

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use cutover::{Clock, SystemClock};
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;

mod common;

use common::advance;

const CHANGES: u128 = 300;

#[test]
fn a_change_takes_at_most_three_flushes() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    let mut plain = File::create(folder.path().join("plain")).unwrap();
    let clock = SystemClock::new();
    let timed = |action: &mut dyn FnMut()| {
        let start = clock.now();
        action();
        clock.now().since(start)
    };
    // Taken in turns, so that both meet the same load of the device.
    let (changes, flushes): (Vec<_>, Vec<_>) = (0..CHANGES)
        .map(|op_id| {
            let change = timed(&mut || drop(block_on(advance(&store, op_id)).unwrap()));
            let flush = timed(&mut || plain.write_all(&[1; 4_096]).and_then(|()| plain.sync_data()).unwrap());
            (change, flush)
        })
        .unzip();
    let ([change, slow_change], [flush, slow_flush]) = (percentiles(changes), percentiles(flushes));
    println!("{CHANGES} changes, loaded and committed: p50 {change:.2?}, p99 {slow_change:.2?}");
    println!("as many plain writes and flushes: p50 {flush:.2?}, p99 {slow_flush:.2?}");
    assert!(change <= 3 * flush + THREADS, "{change:?}, {flush:?}");
}

/// For handing a call to a thread and back, twice, where a flush costs next to nothing.
const THREADS: Duration = Duration::from_millis(2);

/// The median and the 99th percentile.
fn percentiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort_unstable();
    [50, 99].map(|percent| *times.get(times.len() * percent / 100).unwrap())
}
