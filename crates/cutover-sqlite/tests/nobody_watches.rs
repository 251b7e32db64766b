//! A store that nobody watches looks at nothing: the thread that looks lives as long as somebody watches.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::thread;
use std::time::Duration;

use cutover::StateStore;
use cutover::store::{MigrationId, WakeUps};
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;

#[test]
fn the_thread_that_looks_ends_with_the_last_stream() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    assert_eq!(looking(), 0, "nobody watches");
    let streams = [watch(&store, "a"), watch(&store, "b")];
    await_looking(1);
    drop(streams);
    await_looking(0);
    let again = watch(&store, "a");
    await_looking(1);
    drop((store, again));
    await_looking(0);
}

fn watch(store: &SqliteStore, id: &str) -> WakeUps {
    block_on(store.watch(&id.parse::<MigrationId>().unwrap())).unwrap().unwrap()
}

/// How many threads look at files for watchers.
fn looking() -> usize {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let names = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "cutover-watch").count()
}

fn await_looking(count: usize) {
    let came = (0..2_000).any(|_| {
        thread::park_timeout(Duration::from_millis(5));
        looking() == count
    });
    assert!(came, "{} threads look, expected {count}", looking());
}
