//! No change is lost, however many write at once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its figures"
)]

mod common;

use std::time::Duration;

use common::{Database, id, percentiles, put, timed};
use cutover::StateStore as _;
use cutover::random::RandomSource as _;
use cutover::store::{AuditVerifier, StoreError};
use cutover::testing::SeededRandom;
use cutover_postgres::PostgresStore;
use tokio::task::JoinSet;

const WRITERS: u128 = 8;
const CHANGES: u128 = 50;

/// Makes its changes on whatever record it finds. Gives the number of conflicts, and how long each attempt took.
async fn write(store: PostgresStore, name: String, writer: u128, seed: u64) -> (u64, Vec<Duration>) {
    let (random, id, mut conflicts, mut times) = (SeededRandom::new(seed), id(&name), 0, Vec::new());
    let mut believed = store.load(&id).await.unwrap();
    for number in 1..=CHANGES {
        loop {
            if random.next_u64() % 4 == 0 {
                tokio::task::yield_now().await;
            }
            let (answer, time) = timed(put(&store, &id, believed.as_ref(), writer << 64 | number)).await;
            times.push(time);
            match answer {
                Ok(record) => {
                    believed = Some(record);
                    break;
                }
                Err(StoreError::Conflict { current }) => (believed, conflicts) = (current.map(|c| *c), conflicts + 1),
                Err(error) => panic!("seed {seed}: {error:?}"),
            }
        }
    }
    (conflicts, times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_writers_of_fifty_changes_lose_none_for_each_of_twenty_seeds() {
    let database = Database::new().await;
    let handles: Vec<PostgresStore> = (0..4).map(|_| database.store()).collect();
    let (mut conflicts, mut times) = (0, Vec::new());
    for seed in 0..20 {
        let name = format!("race-{seed}");
        let mut writers = JoinSet::new();
        for (writer, store) in (1..=WRITERS).zip(handles.iter().cycle()) {
            writers.spawn(write(store.clone(), name.clone(), writer, seed));
        }
        for (refused, took) in writers.join_all().await {
            conflicts += refused;
            times.extend(took);
        }
        let all = WRITERS * CHANGES;
        let record = handles[0].load(&id(&name)).await.unwrap().unwrap();
        assert_eq!(u128::from(record.epoch), all, "seed {seed}");
        let audit = handles[1].history(&id(&name), 0, 1000).await.unwrap();
        assert_eq!(
            audit.iter().map(|entry| u128::from(entry.epoch)).collect::<Vec<_>>(),
            (1..=all).collect::<Vec<_>>()
        );
        let mut verifier = AuditVerifier::new();
        audit.iter().try_for_each(|entry| verifier.follow(entry)).unwrap();
        assert_eq!(verifier.head().hash, record.audit_hash, "seed {seed}");
    }
    let (median, p99) = percentiles(times);
    println!("8 writers: {conflicts} conflicts in 8000 changes; an attempt took {median:?} (p50), {p99:?} (p99)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_nobody_disturbs_takes_one_round_trip() {
    let server = cutover_test_servers::PostgresServer::start(&[("fsync", "on")]).unwrap();
    let (durable, fast) = (Database::on(&server).await, Database::new().await);
    for (what, database) in [("with fsync", durable), ("without fsync", fast)] {
        let (store, a, mut last, mut times) = (database.store(), id("a"), None, Vec::new());
        for op_id in 1..=500 {
            let (stored, time) = timed(put(&store, &a, last.as_ref(), op_id)).await;
            last = Some(stored.unwrap());
            times.push(time);
        }
        let (median, p99) = percentiles(times);
        println!("alone, {what}, a change took {median:?} (p50), {p99:?} (p99)");
    }
}
