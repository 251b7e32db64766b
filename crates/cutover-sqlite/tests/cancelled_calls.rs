//! A call never blocks its caller's thread, its future may be dropped at any moment, and too many calls are refused at once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cutover::store::Expect;
use cutover::{StateStore, StoreError};
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;
use futures::future::{join_all, poll_immediate};
use rusqlite::Connection;

mod common;

use common::{advance, change, id};

#[test]
fn a_write_that_nobody_waits_for_is_stored_completely_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    let search = id();
    for op_id in 0..200 {
        let before = block_on(store.load(&id())).unwrap();
        let change = change(before.as_ref(), op_id);
        let swap = store.compare_and_swap(&search, Expect::of(before.as_ref()), &change);
        assert!(block_on(poll_immediate(swap)).is_none(), "it was begun, and is not over");
        // What stands in the queue behind it is answered after it.
        let repeated = block_on(store.compare_and_swap(&search, Expect::of(before.as_ref()), &change)).unwrap();
        assert_eq!(repeated, *change.record());
        let history = block_on(store.history(&id(), 0, 1_000)).unwrap();
        assert_eq!(history.len() as u64, repeated.epoch, "record and audit agree");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn calls_wait_for_a_locked_file_off_the_callers_thread_and_then_give_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::builder().busy_timeout(Duration::from_millis(300)).queue(4).open(&path).unwrap();
    let first = advance(&store, 1).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    // On this one thread, a blocked call would let no other future go on.
    let (search, next) = (id(), change(Some(&first), 2));
    let locked = store.compare_and_swap(&search, Expect::of(Some(&first)), &next);
    let reads = async {
        for _ in 0..20 {
            assert_eq!(store.load(&id()).await.unwrap().as_ref(), Some(&first), "reads go on");
        }
    };
    let (locked, ()) = futures::join!(locked, reads);
    assert!(matches!(locked, Err(StoreError::Unavailable(_))), "{locked:?}");

    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.compare_and_swap(&search, Expect::of(Some(&first)), &next).await.unwrap(), *next.record());
}

#[tokio::test(flavor = "current_thread")]
async fn calls_beyond_the_queue_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::builder().busy_timeout(Duration::from_millis(200)).queue(4).open(&path).unwrap();
    advance(&store, 1).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let changes: Vec<_> = (2..40).map(|op_id| change(None, op_id)).collect();
    let search = id();
    let calls = changes.iter().map(|change| store.compare_and_swap(&search, Expect::Absent, change));
    let refused = |error: &StoreError| {
        std::error::Error::source(error).is_some_and(|cause| cause.to_string().contains("calls wait"))
    };
    let answers = join_all(calls).await;
    let full = answers.iter().filter(|answer| answer.as_ref().is_err_and(refused)).count();
    assert!((30..=34).contains(&full), "{full} of 38 found the queue full");
    other.execute_batch("ROLLBACK").unwrap();
    advance(&store, 50).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_whose_caller_has_gone_before_it_began_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let (a, b, search) = (change(None, 1), change(None, 2), id());
    let mut begun = store.compare_and_swap(&search, Expect::Absent, &a);
    assert!(poll_immediate(&mut begun).await.is_none(), "it waits for the lock");
    let elsewhere = "elsewhere".parse().unwrap();
    let queued = store.compare_and_swap(&elsewhere, Expect::Absent, &b);
    assert!(poll_immediate(queued).await.is_none(), "it waits for the one before it, and is dropped");
    other.execute_batch("ROLLBACK").unwrap();

    assert_eq!(begun.await.unwrap(), *a.record());
    advance(&store, 3).await.unwrap();
    assert_eq!(store.load(&elsewhere).await.unwrap(), None);
}
