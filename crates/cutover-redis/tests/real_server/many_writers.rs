//! Many writers at once lose nothing: each epoch is one change, and the audit has them all.

use std::time::Duration;

use cutover::StoreError;
use cutover::random::RandomSource as _;
use cutover::store::{Expect, MigrationId, StateStore};
use cutover::testing::SeededRandom;
use cutover_redis::RedisStore;
use cutover_test_servers::RedisServer;

use super::common::{change, client, connect, id, quantile, server, timed};

const WRITERS: u64 = 8;
const CHANGES: u64 = 50;
const HANDLES: u64 = 4;

/// What the writers of one run saw.
#[derive(Default)]
struct Seen {
    commits: Vec<Duration>,
    conflicts: usize,
}

async fn write(store: RedisStore, id: MigrationId, writer: u64, random: SeededRandom) -> Seen {
    let mut seen = Seen::default();
    let mut made = 0;
    while made < CHANGES {
        let current = store.load(&id).await.unwrap();
        for _ in 0..random.next_u64() % 4 {
            tokio::task::yield_now().await;
        }
        let op_id = u128::from(writer * 1_000_000 + random.next_u64() % 1_000_000) << 64 | u128::from(made);
        let change = change(current.as_ref(), 1, op_id);
        let swap = store.compare_and_swap(&id, Expect::of(current.as_ref()), &change);
        match timed(swap).await {
            (took, Ok(_)) => {
                made += 1;
                seen.commits.push(took);
            }
            (_, Err(StoreError::Conflict { .. })) => seen.conflicts += 1,
            (_, Err(error)) => panic!("{error:?}"),
        }
    }
    seen
}

/// As many writers as asked for, on one migration, until each has made its changes.
async fn race(handles: &[RedisStore], id: &MigrationId, writers: u64, seed: u64) -> Seen {
    let racing: Vec<_> = (0..writers)
        .zip(handles.iter().cycle())
        .map(|(writer, store)| {
            let random = SeededRandom::new(seed * WRITERS + writer);
            tokio::spawn(write(store.clone(), id.clone(), writer, random))
        })
        .collect();
    let mut all = Seen::default();
    for writer in racing {
        let one = writer.await.unwrap();
        all.commits.extend(one.commits);
        all.conflicts += one.conflicts;
    }
    assert_whole(&handles[0], id, writers * CHANGES, seed).await;
    all
}

async fn assert_whole(store: &RedisStore, id: &MigrationId, changes: u64, seed: u64) {
    let record = store.load(id).await.unwrap().unwrap();
    assert_eq!(record.epoch, changes, "seed {seed}");
    let audit = store.history(id, 0, usize::MAX).await.unwrap();
    let epochs: Vec<_> = audit.iter().map(|entry| entry.epoch).collect();
    assert_eq!(epochs, (1..=changes).collect::<Vec<_>>(), "seed {seed}");
}

async fn connected(server: &RedisServer) -> Vec<RedisStore> {
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        handles.push(RedisStore::new(connect(&client(server)).await));
    }
    handles
}

fn report(who: &str, mut seen: Seen) {
    let (median, p99) = (quantile(&mut seen.commits, 50), quantile(&mut seen.commits, 99));
    println!("{who}: {} commits, {} conflicts, p50 {median:?}, p99 {p99:?}", seen.commits.len(), seen.conflicts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_make_four_hundred_epochs_with_every_seed() {
    let server = server();
    let handles = connected(&server).await;
    let mut all = Seen::default();
    for seed in 0..20 {
        let seen = race(&handles, &id(&format!("seed-{seed}")), WRITERS, seed).await;
        all.commits.extend(seen.commits);
        all.conflicts += seen.conflicts;
    }
    assert!(all.conflicts > 0, "nobody raced");
    report("eight writers", all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_writer_alone_meets_no_conflict() {
    let server = server();
    let handles = connected(&server).await;
    let mut all = Seen::default();
    for seed in 0..20 {
        let seen = race(&handles, &id(&format!("seed-{seed}")), 1, seed).await;
        assert_eq!(seen.conflicts, 0, "seed {seed}");
        all.commits.extend(seen.commits);
    }
    report("one writer", all);
}
