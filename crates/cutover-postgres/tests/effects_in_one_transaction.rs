//! What a host does in its own transaction and the completion of the item commit together or not at all.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Database, id, request};
use cutover::store::{ClaimError, ClaimRequest, ClaimState, ClaimStore as _, Expect, ItemId};
use cutover_postgres::PostgresStore;
use tokio_postgres::Client;

async fn with_effects() -> (Database, PostgresStore, Client) {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute("CREATE TABLE effects (item text)").await.unwrap();
    (database.clone(), database.store(), client)
}

async fn effects(database: &Database) -> String {
    database.ask("SELECT count(*) FROM effects").await.remove(0)
}

async fn state(store: &PostgresStore, item: &ItemId) -> ClaimState {
    store.claimed(&id("a"), item).await.unwrap().unwrap().state
}

/// The pattern: effect, completion, commit.
async fn process(store: &PostgresStore, client: &mut Client, item: &ItemId, token: u64) -> Result<(), ClaimError> {
    let transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO effects VALUES ($1)", &[&item.as_str()]).await.unwrap();
    store.complete_in(&transaction, &id("a"), item, token).await?;
    transaction.commit().await.unwrap();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_does_both() {
    let (database, store, mut client) = with_effects().await;
    let claim = request("x", 1, Expect::Absent);
    let grant = store.claim(&id("a"), &claim).await.unwrap();
    process(&store, &mut client, &claim.item, grant.token).await.unwrap();
    assert_eq!((effects(&database).await.as_str(), state(&store, &claim.item).await), ("1", ClaimState::Completed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_undoes_both() {
    let (database, store, mut client) = with_effects().await;
    let claim = request("x", 1, Expect::Absent);
    let grant = store.claim(&id("a"), &claim).await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO effects VALUES ('x')", &[]).await.unwrap();
    store.complete_in(&transaction, &id("a"), &claim.item, grant.token).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(effects(&database).await, "0");
    assert!(matches!(state(&store, &claim.item).await, ClaimState::Held { .. }));
    process(&store, &mut client, &claim.item, grant.token).await.unwrap();
    assert_eq!(effects(&database).await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_after_a_lost_answer_is_refused_so_that_the_effect_is_not_repeated() {
    let (database, store, mut client) = with_effects().await;
    let claim = request("x", 1, Expect::Absent);
    let grant = store.claim(&id("a"), &claim).await.unwrap();
    process(&store, &mut client, &claim.item, grant.token).await.unwrap();
    let again = process(&store, &mut client, &claim.item, grant.token).await;
    assert!(matches!(again, Err(ClaimError::Completed)), "{again:?}");
    assert_eq!(effects(&database).await, "1");
    store.complete(&id("a"), &claim.item, grant.token).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_claim_refuses() {
    let (database, store, mut client) = with_effects().await;
    let claim = ClaimRequest { ttl: Duration::from_millis(50), ..request("x", 1, Expect::Absent) };
    let old = store.claim(&id("a"), &claim).await.unwrap();
    tokio::time::sleep(Duration::from_millis(80)).await;
    let lost = process(&store, &mut client, &claim.item, old.token).await;
    assert!(matches!(lost, Err(ClaimError::Lost { token: 1 })), "{lost:?}");

    let new = store.claim(&id("a"), &request("x", 2, Expect::Absent)).await.unwrap();
    let lost = process(&store, &mut client, &claim.item, old.token).await;
    assert!(matches!(lost, Err(ClaimError::Lost { token: 1 })), "{lost:?}");
    assert_eq!(effects(&database).await, "0");
    process(&store, &mut client, &claim.item, new.token).await.unwrap();
    assert_eq!(effects(&database).await, "1");
}

/// Of a holder whose lease ran out and the one who took over, both in the middle of their transactions, one commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_try_one_effect_is_committed() {
    let (database, store, _) = with_effects().await;
    let mut tries = tokio::task::JoinSet::new();
    for worker in 1..=8_u128 {
        let (store, database) = (store.clone(), database.clone());
        tries.spawn(async move {
            let mut client = database.client().await;
            let claim = ClaimRequest { ttl: Duration::from_millis(5), ..request("x", worker, Expect::Absent) };
            loop {
                match store.claim(&id("a"), &claim).await {
                    Ok(grant) => match process(&store, &mut client, &claim.item, grant.token).await {
                        Ok(()) => return true,
                        Err(ClaimError::Lost { .. }) => {}
                        Err(ClaimError::Completed) => return false,
                        Err(error) => panic!("{error:?}"),
                    },
                    Err(ClaimError::Completed) => return false,
                    Err(ClaimError::Held { remaining }) => tokio::time::sleep(remaining).await,
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
    }
    let committed = tries.join_all().await.into_iter().filter(|&committed| committed).count();
    assert_eq!((committed, effects(&database).await.as_str()), (1, "1"));
}
