//! The schema can be applied again and by several at once, under other names, and with the least privileges.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Database, id, put, request};
use cutover::StateStore as _;
use cutover::store::{ClaimError, ClaimStore as _, DiscrepancyStore as _, Expect, StoreError};
use cutover::testing::discrepancy;
use cutover_postgres::{Names, PostgresStore};
use cutover_test_servers::PostgresServer;
use tokio::task::JoinSet;

/// Every call of the store, once.
async fn everything_works(store: &PostgresStore) {
    let a = id("a");
    let expect = Expect::of(store.load(&a).await.unwrap().as_ref());
    let (kept, released) = (request("x", 1, expect), request("y", 2, expect));
    let token = store.claim(&a, &kept).await.unwrap().token;
    store.renew(&a, &kept.item, token, Duration::from_secs(9)).await.unwrap();
    store.complete(&a, &kept.item, token).await.unwrap();
    let token = store.claim(&a, &released).await.unwrap().token;
    store.release(&a, &released.item, token).await.unwrap();
    assert!(store.claimed(&a, &kept.item).await.unwrap().is_some());
    assert!(store.expired(&a, 10).await.unwrap().is_empty());
    let first = put(store, &a, None, 1).await.unwrap();
    let second = put(store, &a, Some(&first), 2).await.unwrap();
    assert!(matches!(put(store, &a, Some(&first), 3).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.load(&a).await.unwrap(), Some(second));
    assert_eq!(store.history(&a, 0, 10).await.unwrap().len(), 2);
    assert!(store.watch(&a).await.unwrap().is_some());
    assert_eq!(store.add(&a, &[discrepancy("runner", 1)]).await.unwrap().added, 1);
    assert_eq!(store.page(&a, None, 10).await.unwrap().len(), 1);
    store.clear(&a).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_is_applied_again_and_by_several_at_once_without_harm() {
    let database = Database::empty(PostgresServer::shared().unwrap());
    let mut applying = JoinSet::new();
    for _ in 0..8 {
        let client = database.client().await;
        applying.spawn(async move { client.batch_execute(PostgresStore::SCHEMA).await });
    }
    applying.join_all().await.into_iter().for_each(|applied| applied.unwrap());
    everything_works(&database.store()).await;
    let before = database.ask("SELECT count(*) FROM cutover_audit").await;
    database.client().await.batch_execute(PostgresStore::SCHEMA).await.unwrap();
    assert_eq!(database.ask("SELECT count(*) FROM cutover_audit").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_may_have_another_schema_and_prefix_and_do_not_mix() {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute("CREATE SCHEMA \"user\"").await.unwrap();
    let elsewhere = Names::new("user", "co_").unwrap();
    let beside = Names::with_prefix("select_").unwrap();
    for names in [elsewhere, beside] {
        client.batch_execute(&names.schema_sql()).await.unwrap();
        client.batch_execute(&names.schema_sql()).await.unwrap();
        everything_works(&database.listening(PostgresStore::with_names(database.connections(), names))).await;
    }
    everything_works(&database.store()).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'user' AND tablename LIKE 'co\\_%'";
    assert_eq!(database.ask(tables).await, ["6"]);
}

/// The privileges are those that the schema names in its last lines.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_privileges_are_enough_and_the_audit_only_grows() {
    let database = Database::new().await;
    let role = format!("app_{}", database.name);
    let mut sql = format!("CREATE ROLE {role} LOGIN;");
    let grants = PostgresStore::SCHEMA
        .lines()
        .filter_map(|line| line.strip_prefix("-- "))
        .filter(|line| line.starts_with("GRANT"));
    let grants: Vec<_> = grants.map(|line| line.replace("TO app;", &format!("TO {role};"))).collect();
    assert_eq!(grants.len(), 3);
    sql.extend(grants);
    database.client().await.batch_execute(&sql).await.unwrap();
    let mut as_role = database.clone();
    as_role.config.user(&role);
    everything_works(&as_role.store()).await;

    let refused = async |database: &Database, sql: &str| {
        let error = database.client().await.batch_execute(sql).await.unwrap_err();
        assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("42501"), "{sql}");
    };
    for sql in ["UPDATE cutover_audit SET entry = ''", "DELETE FROM cutover_audit", "TRUNCATE cutover_audit"] {
        refused(&as_role, sql).await;
        refused(&database, sql).await; // the owner too, by the triggers
    }
    refused(&as_role, "DELETE FROM cutover_state").await;
    refused(&as_role, "DELETE FROM cutover_claims").await;
    assert_eq!(database.ask("SELECT count(*) FROM cutover_audit").await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_privileges_is_denied() {
    let database = Database::new().await;
    let role = format!("nobody_{}", database.name);
    database.ask(&format!("CREATE ROLE {role} LOGIN")).await;
    let mut as_role = database.clone();
    as_role.config.user(&role);
    let store = as_role.store();
    assert!(matches!(store.load(&id("a")).await, Err(StoreError::Denied(_))));
    assert!(matches!(put(&store, &id("a"), None, 1).await, Err(StoreError::Denied(_))));
    let claimed = store.claim(&id("a"), &request("x", 1, Expect::Absent)).await;
    assert!(matches!(claimed, Err(ClaimError::Store(StoreError::Denied(_)))), "{claimed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_connection_is_unavailable_for_writes() {
    let database = Database::new().await;
    let mut read_only = database.clone();
    read_only.config.options("-c default_transaction_read_only=on");
    let store = read_only.store();
    assert_eq!(store.load(&id("a")).await.unwrap(), None);
    assert!(matches!(put(&store, &id("a"), None, 1).await, Err(StoreError::Unavailable(_))));
}

/// What somebody else did to the tables is found, and nothing is written over it.
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_without_its_record_is_corrupt_and_stays() {
    let (database, a) = (Database::new().await, id("a"));
    let store = database.store();
    put(&store, &a, None, 1).await.unwrap();
    database.ask("DELETE FROM cutover_state").await;
    assert_eq!(store.load(&a).await.unwrap(), None);
    assert!(matches!(put(&store, &a, None, 2).await, Err(StoreError::Corrupt(_))));
    assert_eq!(store.history(&a, 0, 10).await.unwrap().len(), 1);
    assert_eq!(store.load(&a).await.unwrap(), None);
}
