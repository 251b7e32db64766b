//! What Redis has lost is noticed and never taken for a fresh start, and no audit is mixed with another.

use super::common::{change, contents, epochs, history, id, put, put_many, server, store};
use cutover::control::VerifyError;
use cutover::store::{AuditProblem, Doubt, Expect, StateStore};
use cutover::{MigrationController, StoreError, SystemMode};
use cutover_redis::RedisStore;
use cutover_test_servers::{RedisRestart, RedisServer};

/// A controller of `a` that brought it to `NewOnly`.
async fn cut_over(store: &RedisStore) -> MigrationController {
    let controller = MigrationController::builder("a", store.clone()).manual_refresh().open().await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    controller.transition(SystemMode::NewOnly, "ana", "equal").await.unwrap();
    controller
}

async fn assert_lost(controller: &MigrationController) {
    controller.refresh().await.unwrap();
    let status = controller.status();
    assert_eq!((status.mode, status.doubt), (SystemMode::NewOnly, Some(Doubt::StateLost { known_epoch: 2 })));
}

#[tokio::test]
async fn a_flushed_server_is_a_lost_state_until_an_operator_says_otherwise() {
    let server = server();
    let store = store(&server).await;
    let controller = cut_over(&store).await;
    server.command(&["FLUSHALL"]).unwrap();
    assert_eq!(store.load(&id("a")).await.unwrap(), None);
    assert_lost(&controller).await;
    controller.reconcile("ana", "the server was flushed").await.unwrap();
    let status = controller.status();
    assert_eq!((status.mode, status.doubt, status.epoch), (SystemMode::NewOnly, None, 1));
    controller.verify().await.unwrap();
}

#[tokio::test]
async fn a_server_that_restarts_empty_is_a_lost_state() {
    let server = server();
    let store = store(&server).await;
    let controller = cut_over(&store).await;
    server.restart(RedisRestart::LoseData).unwrap();
    // The open connection finds out that it is gone; the one after it is new.
    super::common::until(async || controller.refresh().await.is_ok()).await;
    assert_lost(&controller).await;
}

#[tokio::test]
async fn an_evicted_record_is_a_lost_state() {
    let server = RedisServer::start(&[("maxmemory-policy", "allkeys-random"), ("maxmemory-samples", "10")]).unwrap();
    let store = store(&server).await;
    let controller = cut_over(&store).await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    // Redis evicts before each command, until nothing is left.
    let gone = async || server.command(&["EXISTS", "{cutover:a}:record"]).unwrap() == "0";
    super::common::until(gone).await;
    assert_lost(&controller).await;
}

#[tokio::test]
async fn the_audit_of_a_lost_record_is_set_aside_and_kept() {
    let server = server();
    let store = store(&server).await;
    put_many(&store, 3).await;
    let audit = server.command(&["XRANGE", "{cutover:a}:audit", "-", "+"]).unwrap();
    let operations = server.command(&["HGETALL", "{cutover:a}:operations"]).unwrap();
    server.command(&["DEL", "{cutover:a}:record"]).unwrap();
    assert_eq!(store.load(&id("a")).await.unwrap(), None);
    assert_eq!(epochs(&store).await, [1, 2, 3]);

    put(&store, None, 9, 0xabc).await.unwrap();
    assert_eq!(epochs(&store).await, [1]);
    let aside = format!("{{cutover:a}}:aside:{:032x}", 0xabc);
    assert_eq!(server.command(&["XRANGE", &format!("{aside}:audit"), "-", "+"]).unwrap(), audit);
    assert_eq!(server.command(&["HGETALL", &format!("{aside}:operations")]).unwrap(), operations);
}

#[tokio::test]
async fn the_audit_of_a_lost_record_is_set_aside_by_a_creation_of_a_later_epoch_too() {
    let server = server();
    let store = store(&server).await;
    let last = put_many(&store, 3).await;
    server.command(&["DEL", "{cutover:a}:record"]).unwrap();
    let later = change(Some(&last), 9, 9);
    store.compare_and_swap(&id("a"), Expect::Absent, &later).await.unwrap();
    assert_eq!(epochs(&store).await, [4]);
    let aside = format!("{{cutover:a}}:aside:{:032x}:audit", 9);
    assert_eq!(server.command(&["XLEN", &aside]).unwrap(), "3");
}

#[tokio::test]
async fn a_refused_creation_sets_nothing_aside() {
    let server = server();
    let store = store(&server).await;
    let last = put_many(&store, 3).await;
    server.command(&["DEL", "{cutover:a}:record"]).unwrap();
    let before = contents(&server);
    let refused = store.compare_and_swap(&id("a"), Expect::of(Some(&last)), &change(Some(&last), 9, 9)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { current: None })), "{refused:?}");
    assert_eq!(contents(&server), before);
}

#[tokio::test]
async fn an_operation_that_was_stored_before_the_loss_is_still_not_stored_again() {
    let server = server();
    let store = store(&server).await;
    put_many(&store, 2).await;
    server.command(&["DEL", "{cutover:a}:record"]).unwrap();
    let repeated = put(&store, None, 1, 1).await.unwrap();
    assert_eq!(repeated, *change(None, 1, 1).record());
    assert_eq!(store.load(&id("a")).await.unwrap(), None);
    assert_eq!(epochs(&store).await, [1, 2]);
}

#[tokio::test]
async fn a_lost_audit_shows_in_the_history_and_in_the_verification_while_changes_go_on() {
    let server = server();
    let store = store(&server).await;
    let controller = cut_over(&store).await;
    server.command(&["DEL", "{cutover:a}:audit"]).unwrap();
    let Err(VerifyError::Fault(fault)) = controller.verify().await else { panic!("nothing was noticed") };
    assert_eq!(fault.problem, AuditProblem::Missing);
    let fresh = MigrationController::builder("a", store.clone()).manual_refresh().open().await.unwrap();
    fresh.refresh().await.unwrap();
    assert_eq!(fresh.status().doubt, Some(Doubt::AuditGap { known_epoch: 2 }));
    controller.transition(SystemMode::Parallel, "ana", "look again").await.unwrap();
    assert_eq!(epochs(&store).await, [3]);
    let Err(VerifyError::Fault(fault)) = controller.verify().await else { panic!("nothing was noticed") };
    assert_eq!((fault.epoch, fault.problem), (1, AuditProblem::Missing));
}

#[tokio::test]
async fn an_operation_whose_entry_is_lost_is_answered_by_the_record_that_it_made_or_not_at_all() {
    let server = server();
    let store = store(&server).await;
    let first = put(&store, None, 1, 1).await.unwrap();
    server.command(&["DEL", "{cutover:a}:audit"]).unwrap();
    assert_eq!(put(&store, None, 1, 1).await.unwrap(), first);
    let second = put(&store, Some(&first), 2, 2).await.unwrap();
    let unanswerable = put(&store, None, 1, 1).await;
    assert!(matches!(unanswerable, Err(StoreError::Corrupt(_))), "{unanswerable:?}");
    assert_eq!(store.load(&id("a")).await.unwrap(), Some(second));
}

#[tokio::test]
async fn the_last_operation_is_known_by_its_record_when_the_list_of_operations_is_lost() {
    let server = server();
    let store = store(&server).await;
    let first = put(&store, None, 1, 1).await.unwrap();
    server.command(&["DEL", "{cutover:a}:operations"]).unwrap();
    assert_eq!(put(&store, None, 1, 1).await.unwrap(), first);
    assert_eq!(epochs(&store).await, [1]);
}

#[tokio::test]
async fn an_audit_that_went_past_its_record_is_set_aside_when_the_record_goes_on() {
    let server = server();
    let store = store(&server).await;
    let first = put(&store, None, 1, 1).await.unwrap();
    let record: Vec<String> =
        server.command(&["HGETALL", "{cutover:a}:record"]).unwrap().lines().map(str::to_owned).collect();
    put_many(&store, 3).await;
    let old = history(&store).await;
    // Somebody restores the record alone.
    let restored: Vec<&str> =
        ["HSET", "{cutover:a}:record"].into_iter().chain(record.iter().map(String::as_str)).collect();
    server.command(&restored).unwrap();
    put(&store, Some(&first), 7, 7).await.unwrap();
    assert_eq!(epochs(&store).await, [2]);
    assert_eq!(old.len(), 3);
    let aside = server.command(&["XLEN", &format!("{{cutover:a}}:aside:{:032x}:audit", 7)]).unwrap();
    assert_eq!(aside, "3");
}
