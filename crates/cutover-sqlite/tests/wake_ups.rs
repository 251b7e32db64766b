//! Watchers are woken by the changes of their migration: at once by this store's, soon by those of others.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it measured")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cutover::store::{ClaimRequest, ClaimStore, Expect, WakeUps};
use cutover::{Clock, Side, StateStore, SystemClock};
use cutover_sqlite::SqliteStore;
use futures::StreamExt;
use futures::executor::block_on;

mod common;

use common::{advance, id};

const WATCHERS: usize = 50;
const CHANGES: u128 = 20;
/// How long a wake-up that never comes is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_change_of_this_store_wakes_all_watchers_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    let [half, most] = propagation(&store, &store);
    println!("commit to {WATCHERS} watchers of the same store: p50 {half:.1?}, p99 {most:.1?}");
    assert!(half < Duration::from_millis(250), "{half:?}");
}

#[test]
fn a_change_of_another_process_wakes_all_watchers_soon() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    // Two stores share nothing but the file, as those of two processes do.
    let [writer, watcher] = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    let [half, most] = propagation(&writer, &watcher);
    println!("commit to {WATCHERS} watchers of another store: p50 {half:.1?}, p99 {most:.1?}");
    assert!(half < Duration::from_millis(250), "{half:?}");
}

/// The median and the 99th percentile of the time from a commit to each wake-up.
fn propagation(writer: &SqliteStore, watched: &SqliteStore) -> [Duration; 2] {
    let clock = SystemClock::new();
    let (woken, wakes) = mpsc::channel();
    for _ in 0..WATCHERS {
        let mut stream = watch(watched);
        let (woken, clock) = (woken.clone(), clock.clone());
        thread::spawn(move || {
            block_on(async { while stream.next().await.is_some() && woken.send(clock.now()).is_ok() {} });
        });
    }
    let mut times = Vec::new();
    for op_id in 0..CHANGES {
        block_on(advance(writer, op_id)).unwrap();
        let committed = clock.now();
        let wake = || wakes.recv_timeout(PATIENCE).unwrap().since(committed);
        times.extend((0..WATCHERS).map(|_| wake()));
        // One that saw the commit before its own wake-up is woken twice; the next round begins without these.
        while wakes.recv_timeout(Duration::from_millis(120)).is_ok() {}
    }
    times.sort_unstable();
    [50, 99].map(|percent| *times.get(times.len() * percent / 100).unwrap())
}

fn watch(store: &SqliteStore) -> WakeUps {
    block_on(store.watch(&id())).unwrap().unwrap()
}

#[tokio::test]
async fn a_change_between_asking_and_the_first_look_is_not_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let [writer, watcher] = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    for op_id in 0..50 {
        let mut stream = watcher.watch(&id()).await.unwrap().unwrap();
        advance(&writer, op_id).await.unwrap();
        assert_eq!(tokio::time::timeout(PATIENCE, stream.next()).await, Ok(Some(())), "change {op_id}");
    }
}

#[tokio::test]
async fn claims_and_other_migrations_wake_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let [writer, watcher] = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    let mut stream = watcher.watch(&id()).await.unwrap().unwrap();
    for op_id in 0..50 {
        let request = ClaimRequest {
            item: format!("item {op_id}").parse().unwrap(),
            side: Side::Legacy,
            expect: Expect::Absent,
            holder: "test".parse().unwrap(),
            op_id,
            ttl: Duration::from_secs(60),
        };
        writer.claim(&id(), &request).await.unwrap();
        let other = "other".parse().unwrap();
        writer.compare_and_swap(&other, Expect::Absent, &common::change(None, 7)).await.unwrap();
    }
    let quiet = tokio::time::timeout(Duration::from_millis(300), stream.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    advance(&writer, 1).await.unwrap();
    assert_eq!(tokio::time::timeout(PATIENCE, stream.next()).await, Ok(Some(())));
}
