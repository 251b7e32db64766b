//! However many processes add discrepancies at once, the counts add up and the room is kept.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Database, id, number};
use cutover::Discrepancy;
use cutover::record::Fingerprint;
use cutover::store::{Added, DiscrepancyStore as _, MAX_DISTINCT};
use cutover::testing::discrepancy;
use tokio::task::JoinSet;

fn numbered(number: usize) -> Discrepancy {
    let mut numbered = discrepancy("runner", 1);
    numbered.fingerprint = Fingerprint::try_from(format!("{number:032x}")).unwrap();
    numbered
}

async fn kept(database: &Database) -> u64 {
    number(database, "SELECT count(*) FROM cutover_discrepancies").await
}

async fn taken(database: &Database) -> u64 {
    number(database, "SELECT taken FROM cutover_discrepancy_room").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_room_is_never_exceeded_and_what_is_kept_counts_on() {
    let (database, a) = (Database::new().await, id("a"));
    let most = MAX_DISTINCT - 100;
    let fill: Vec<_> = (0..most).map(numbered).collect();
    assert_eq!(database.store().add(&a, &fill).await.unwrap(), Added { added: most, merged: 0, dropped: 0 });

    let mut adding = JoinSet::new();
    for worker in 0..6 {
        let store = database.store();
        adding.spawn(async move {
            let mut sum = Added::default();
            for round in 0..10 {
                // Half of them are the same for all workers.
                let batch = (0..10)
                    .map(|n| most + round * 10 + n)
                    .chain((0..10).map(|n| 1_000_000 + worker * 1000 + round * 10 + n));
                let batch: Vec<_> = batch.map(numbered).chain([numbered(0), numbered(0)]).collect();
                let Added { added, merged, dropped } = store.add(&id("a"), &batch).await.unwrap();
                assert_eq!(added + merged + dropped, 22);
                sum = Added { added: sum.added + added, merged: sum.merged + merged, dropped: sum.dropped + dropped };
            }
            sum
        });
    }
    let added: usize = adding.join_all().await.iter().map(|sum| sum.added).sum();
    assert_eq!((kept(&database).await, taken(&database).await), (MAX_DISTINCT as u64, MAX_DISTINCT as u64));
    assert_eq!(added, 100);
    let first = database.store().page(&a, None, 1).await.unwrap().remove(0);
    assert_eq!(first.occurrences, 1 + 6 * 10 * 2);
    let over = database.store().add(&a, &[numbered(7_000_000), numbered(0)]).await.unwrap();
    assert_eq!(over, Added { added: 0, merged: 1, dropped: 1 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clearing_while_others_add_gives_the_room_back() {
    let (database, a) = (Database::new().await, id("a"));
    let mut adding = JoinSet::new();
    for worker in 0..4 {
        let store = database.store();
        adding.spawn(async move {
            for round in 0..30 {
                let batch: Vec<_> = (0..20).map(|n| numbered(round % 3 * 100 + worker % 2 * 10 + n)).collect();
                store.add(&id("a"), &batch).await.unwrap();
            }
        });
    }
    let store = database.store();
    for _ in 0..20 {
        store.clear(&a).await.unwrap();
    }
    adding.join_all().await;
    assert_eq!(taken(&database).await, kept(&database).await);
    store.clear(&a).await.unwrap();
    assert_eq!((taken(&database).await, kept(&database).await), (0, 0));
    assert_eq!(store.page(&a, None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_stop_at_the_largest_number() {
    let (database, a) = (Database::new().await, id("a"));
    let mut many = numbered(1);
    many.occurrences = u64::MAX - 1;
    let store = database.store();
    store.add(&a, std::slice::from_ref(&many)).await.unwrap();
    store.add(&a, &[many]).await.unwrap();
    assert_eq!(store.page(&a, None, 1).await.unwrap()[0].occurrences, u64::MAX);
}
