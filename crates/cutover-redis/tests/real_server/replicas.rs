//! With `require_replicas`, a write that too few replicas have is an unknown outcome, which the same operation settles.

use std::time::Duration;

use cutover::store::{ClaimError, ClaimStore, Expect, StateStore};
use cutover::{MigrationController, StoreError, SystemMode};
use cutover_redis::RedisStore;
use cutover_test_servers::RedisServer;

use super::common::{change, claim_of, client, connect, epochs, id, put, server, until};

const PATIENCE: Duration = Duration::from_millis(100);

async fn waiting_store(primary: &RedisServer) -> RedisStore {
    RedisStore::new(connect(&client(primary)).await).require_replicas(1, PATIENCE)
}

/// The answer that is sure in the end: a replica on a busy machine may be slow.
async fn confirmed(store: &RedisStore, op_id: u128) {
    until(async || put(store, None, 1, op_id).await.is_ok()).await;
}

#[tokio::test]
async fn a_write_that_no_replica_has_is_not_confirmed_and_settled_by_repeating_it() {
    let primary = server();
    let replica = RedisServer::start_replica_of(&primary).unwrap();
    let store = waiting_store(&primary).await;
    confirmed(&store, 1).await;
    let first = store.load(&id("a")).await.unwrap().unwrap();

    replica.pause().unwrap();
    let unknown = put(&store, Some(&first), 2, 2).await;
    let Err(StoreError::OutcomeUnknown(cause)) = unknown else { panic!("{unknown:?}") };
    assert_eq!(cause.to_string(), "0 replicas have the write, 1 were asked for; the primary has it");
    assert_eq!(store.load(&id("a")).await.unwrap().unwrap().epoch, 2);
    // A new connection has written nothing yet: without a write of its own it would be told that all is well.
    let reconnected = waiting_store(&primary).await;
    let unknown = put(&reconnected, Some(&first), 2, 2).await;
    assert!(matches!(unknown, Err(StoreError::OutcomeUnknown(_))), "{unknown:?}");

    replica.resume().unwrap();
    let record = change(Some(&first), 2, 2).record().clone();
    until(async || put(&reconnected, Some(&first), 2, 2).await.is_ok_and(|stored| stored == record)).await;
    assert_eq!(epochs(&store).await, [1, 2]);
    let xlen = replica.command(&["XLEN", "{cutover:a}:audit"]).unwrap();
    assert_eq!(xlen, "2");
}

/// `WAIT` covers what its own connection has written. So a repetition writes too, or it would be told that all is well.
#[tokio::test]
async fn a_repetition_writes_again_what_is_stored() {
    let server = server();
    let store = RedisStore::new(connect(&client(&server)).await);
    let (a, item) = (id("a"), "x".parse().unwrap());
    let writes = || {
        let info = server.command(&["INFO", "persistence"]).unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:")).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    store.claim(&a, &claim_of("x", 1)).await.unwrap();
    let before = writes();
    store.claim(&a, &claim_of("x", 1)).await.unwrap();
    assert!(writes() > before);
    store.complete(&a, &item, 1).await.unwrap();
    let before = writes();
    store.complete(&a, &item, 1).await.unwrap();
    assert!(writes() > before);
    put(&store, None, 1, 1).await.unwrap();
    let before = writes();
    put(&store, None, 1, 1).await.unwrap();
    assert!(writes() > before);
    let before = writes();
    assert!(put(&store, None, 2, 2).await.is_err());
    assert_eq!(writes(), before);
}

#[tokio::test]
async fn a_refusal_needs_no_replica() {
    let primary = server();
    let store = waiting_store(&primary).await;
    let plain = RedisStore::new(connect(&client(&primary)).await);
    let first = put(&plain, None, 1, 1).await.unwrap();
    let refused = put(&store, None, 2, 2).await;
    let Err(StoreError::Conflict { current }) = refused else { panic!("{refused:?}") };
    assert_eq!(current.as_deref(), Some(&first));
}

#[tokio::test]
async fn a_server_without_scripts_in_its_cache_is_waited_for_too() {
    let primary = server();
    let store = waiting_store(&primary).await;
    let unknown = put(&store, None, 1, 1).await;
    assert!(matches!(unknown, Err(StoreError::OutcomeUnknown(_))), "{unknown:?}");
    let _replica = RedisServer::start_replica_of(&primary).unwrap();
    primary.command(&["SCRIPT", "FLUSH"]).unwrap();
    confirmed(&store, 1).await;
    assert_eq!(epochs(&store).await, [1]);
}

#[tokio::test]
async fn a_controller_repeats_the_operation_until_a_replica_has_it() {
    let primary = server();
    let replica = RedisServer::start_replica_of(&primary).unwrap();
    let store = waiting_store(&primary).await;
    let store = store.require_replicas(1, PATIENCE * 10);
    confirmed(&store, 1).await;
    let controller = MigrationController::builder("a", store.clone()).manual_refresh().open().await.unwrap();
    replica.pause().unwrap();
    let changing = controller.transition(SystemMode::Parallel, "ana", "look again");
    let resuming = async {
        // The change is stored on the primary by then, and not confirmed.
        until(async || epochs(&observer(&primary).await).await.len() == 2).await;
        replica.resume().unwrap();
    };
    let (changed, ()) = tokio::join!(changing, resuming);
    assert_eq!(changed.unwrap().epoch, 2);
    assert_eq!(epochs(&store).await, [1, 2]);
}

async fn observer(primary: &RedisServer) -> RedisStore {
    RedisStore::new(connect(&client(primary)).await)
}

#[tokio::test]
async fn claims_wait_for_replicas_too() {
    let primary = server();
    let replica = RedisServer::start_replica_of(&primary).unwrap();
    let store = waiting_store(&primary).await;
    let (a, item) = (id("a"), "x".parse().unwrap());
    let unknown = |error: &ClaimError| matches!(error, ClaimError::Store(StoreError::OutcomeUnknown(_)));
    replica.pause().unwrap();
    let claimed = store.claim(&a, &claim_of("x", 1)).await;
    assert!(claimed.as_ref().is_err_and(unknown), "{claimed:?}");
    replica.resume().unwrap();
    until(async || store.claim(&a, &claim_of("x", 1)).await.is_ok_and(|grant| grant.token == 1)).await;
    replica.pause().unwrap();
    for result in [
        waiting_store(&primary).await.claim(&a, &claim_of("x", 1)).await.map(drop),
        store.renew(&a, &item, 1, PATIENCE * 100).await,
        store.complete(&a, &item, 1).await,
        waiting_store(&primary).await.complete(&a, &item, 1).await,
    ] {
        assert!(result.as_ref().is_err_and(unknown), "{result:?}");
    }
    replica.resume().unwrap();
    until(async || store.complete(&a, &item, 1).await.is_ok()).await;
    assert!(matches!(store.claim(&a, &claim_of("x", 2)).await, Err(ClaimError::Completed)));
}

#[tokio::test]
async fn no_replicas_are_required_unless_asked_for() {
    let primary = server();
    let store = waiting_store(&primary).await.require_replicas(0, PATIENCE);
    assert_eq!(store.compare_and_swap(&id("a"), Expect::Absent, &change(None, 1, 1)).await.unwrap().epoch, 1);
}
