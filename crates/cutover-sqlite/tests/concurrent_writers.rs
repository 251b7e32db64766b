//! Of writers that decide on the same record, one is stored and the others are told.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it measured")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cutover::random::RandomSource;
use cutover::store::AuditVerifier;
use cutover::testing::SeededRandom;
use cutover::{Clock, StateStore, StoreError, SystemClock};
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;

mod common;

use common::{advance, id};

const WRITERS: u64 = 8;
const CHANGES: u64 = 50;
const SEEDS: u64 = 20;

#[test]
fn eight_writers_lose_no_change_in_twenty_runs() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SystemClock::new();
    let (start, conflicts) = (clock.now(), AtomicU64::new(0));
    for seed in 0..SEEDS {
        let path = folder.path().join(format!("{seed}.sqlite"));
        // Four connections that know nothing of each other, as four processes have; clones share one.
        let handles: Vec<_> = (0..WRITERS / 2).map(|_| SqliteStore::open(&path).unwrap()).collect();
        thread::scope(|scope| {
            for (writer, store) in (0..).zip(handles.iter().chain(&handles)) {
                let conflicts = &conflicts;
                scope.spawn(move || block_on(write(store.clone(), seed, writer, conflicts)));
            }
        });
        let history = block_on(handles[0].history(&id(), 0, usize::MAX)).unwrap();
        let mut verifier = AuditVerifier::new();
        let fault = history.iter().try_for_each(|entry| verifier.follow(entry));
        assert_eq!(fault, Ok(()), "seed {seed}");
        let record = block_on(handles[1].load(&id())).unwrap().unwrap();
        assert_eq!((record.epoch, verifier.head().epoch), (WRITERS * CHANGES, WRITERS * CHANGES), "seed {seed}");
    }
    let took = clock.now().since(start);
    let conflicts = conflicts.into_inner();
    println!("{SEEDS} seeds x {WRITERS} writers x {CHANGES}: 0 lost, {conflicts} conflicts, in {took:.1?}");
}

async fn write(store: SqliteStore, seed: u64, writer: u64, conflicts: &AtomicU64) {
    let random = SeededRandom::new(seed * WRITERS + writer);
    for change in 0..CHANGES {
        let op_id = u128::from((seed * WRITERS + writer) * CHANGES + change);
        while let Err(error) = advance(&store, op_id).await {
            assert!(matches!(error, StoreError::Conflict { .. }), "seed {seed}: {error:?}");
            conflicts.fetch_add(1, Ordering::Relaxed);
        }
        if random.next_u64().is_multiple_of(4) {
            thread::yield_now();
        }
    }
}
