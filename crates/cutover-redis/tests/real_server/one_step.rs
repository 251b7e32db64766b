//! A write takes place completely or not at all, whatever Redis refuses, and the error says which.

use super::common::{
    change, claim, claim_of, client, connect, contents, epochs, id, put, put_many, server, store, until,
};
use cutover::StoreError;
use cutover::store::{ClaimError, ClaimStore, DiscrepancyStore, Expect, StateStore};
use cutover::testing::discrepancy;
use cutover_redis::RedisStore;
use cutover_test_servers::RedisServer;

const RECORD: &str = "{cutover:a}:record";
const AUDIT: &str = "{cutover:a}:audit";
const OPERATIONS: &str = "{cutover:a}:operations";

/// Puts something else where `key` was.
fn spoil(server: &RedisServer, key: &str) {
    server.command(&["DEL", key]).unwrap();
    server.command(&["SET", key, "something else"]).unwrap();
}

#[tokio::test]
async fn an_audit_that_cannot_be_written_leaves_everything_as_it_was() {
    let server = server();
    let store = store(&server).await;
    let first = put(&store, None, 1, 1).await.unwrap();
    spoil(&server, AUDIT);
    let before = contents(&server);
    let refused = put(&store, Some(&first), 2, 2).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    assert_eq!(contents(&server), before);
    assert_eq!(store.load(&id("a")).await.unwrap(), Some(first));
}

#[tokio::test]
async fn a_key_of_another_type_is_corrupt_and_never_overwritten() {
    for key in [RECORD, AUDIT, OPERATIONS] {
        for known in [true, false] {
            let server = server();
            let store = store(&server).await;
            let first = put(&store, None, 1, 1).await.unwrap();
            spoil(&server, key);
            let before = contents(&server);
            let known = known.then_some(&first);
            let refused = store.compare_and_swap(&id("a"), Expect::of(known), &change(known, 2, 2)).await;
            assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{key}: {refused:?}");
            assert_eq!(contents(&server), before, "{key}");
        }
    }
}

#[tokio::test]
async fn a_record_that_is_not_readable_is_corrupt_or_of_an_unknown_format_and_never_absent() {
    let server = server();
    let store = store(&server).await;
    let first = put(&store, None, 1, 1).await.unwrap();
    let json = first.to_json().unwrap();
    let newer = json.replace("\"format\":1", "\"format\":2");
    let other = json.replace("\"epoch\":1", "\"epoch\":2");
    let cases = [("json", "{}"), ("json", ""), ("json", &*other), ("epoch", "7"), ("etag", "x"), ("json", &*newer)];
    for (field, text) in cases {
        server.command(&["HSET", RECORD, field, text]).unwrap();
        let before = contents(&server);
        let loaded = store.load(&id("a")).await;
        let as_expected = if text == newer {
            matches!(loaded, Err(StoreError::UnknownFormat(_)))
        } else {
            matches!(loaded, Err(StoreError::Corrupt(_)))
        };
        assert!(as_expected, "{field} {text}: {loaded:?}");
        let created = put(&store, None, 2, 2).await;
        assert!(created.is_err(), "{field} {text}: {created:?}");
        assert_eq!(contents(&server), before, "{field} {text}");
        server
            .command(&["HSET", RECORD, "json", &json, "epoch", "1", "etag", &format!("{:032x}", first.etag)])
            .unwrap();
    }
    server.command(&["DEL", RECORD]).unwrap();
    server.command(&["HSET", RECORD, "foreign", "1"]).unwrap();
    assert!(matches!(store.load(&id("a")).await, Err(StoreError::Corrupt(_))));
    assert!(matches!(put(&store, None, 2, 2).await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_full_memory_refuses_writes_and_stores_nothing_while_reads_go_on() {
    let server = server();
    let store = store(&server).await;
    let grant = claim(&store, "held", 1).await;
    let first = put(&store, None, 1, 1).await.unwrap();
    let before = contents(&server);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let refused = put(&store, Some(&first), 2, 2).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let request = claim_of("other", 2);
    let refused = store.claim(&id("a"), &request).await;
    assert!(matches!(refused, Err(ClaimError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    let refused = store.complete(&id("a"), &"held".parse().unwrap(), grant.token).await;
    assert!(matches!(refused, Err(ClaimError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    let refused = store.add(&id("a"), &[discrepancy("search", 1)]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(store.load(&id("a")).await.unwrap(), Some(first.clone()));
    assert_eq!(epochs(&store).await, [1]);
    assert!(store.claimed(&id("a"), &"held".parse().unwrap()).await.unwrap().is_some());
    assert!(store.expired(&id("a"), 10).await.unwrap().is_empty());
    assert!(store.page(&id("a"), None, 10).await.unwrap().is_empty());
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    assert_eq!(contents(&server), before);
    assert_eq!(put(&store, Some(&first), 2, 2).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn a_replica_refuses_writes_and_stores_nothing() {
    let server = server();
    put_many(&store(&server).await, 1).await;
    let replica = RedisServer::start_replica_of(&server).unwrap();
    let store = store(&replica).await;
    let first = store.load(&id("a")).await.unwrap();
    let refused = put(&store, first.as_ref(), 2, 2).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(epochs(&store).await, [1]);
}

#[tokio::test]
async fn a_server_that_cannot_save_or_has_too_few_replicas_refuses_writes() {
    let server = RedisServer::start(&[("enable-protected-configs", "yes")]).unwrap();
    let store = store(&server).await;
    let first = put(&store, None, 1, 1).await.unwrap();
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]).unwrap();
    let refused = put(&store, Some(&first), 2, 2).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]).unwrap();

    server.command(&["CONFIG", "SET", "save", "3600 100000"]).unwrap();
    server.command(&["CONFIG", "SET", "dir", "/proc"]).unwrap();
    server.command(&["BGSAVE"]).unwrap();
    let failed = async || server.command(&["INFO", "persistence"]).unwrap().contains("rdb_last_bgsave_status:err");
    until(failed).await;
    let refused = put(&store, Some(&first), 2, 2).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(epochs(&store).await, [1]);
    assert_eq!(store.load(&id("a")).await.unwrap(), Some(first));
}

#[tokio::test]
async fn whoever_may_not_run_one_step_runs_none_of_them() {
    let steps = [
        ("HSET", "record"),
        ("XADD", "audit"),
        ("HGETALL", "record"),
        ("XRANGE", "audit"),
        ("EVALSHA", "all"),
        ("HINCRBY", "claims"),
        ("ZADD", "claims"),
    ];
    for (command, of) in steps {
        let server = server();
        let full = store(&server).await;
        let first = put(&full, None, 1, 1).await.unwrap();
        let denied = format!("-{}", command.to_lowercase());
        let user = ["ACL", "SETUSER", "app", "on", ">secret", "~{cutover:*", "&*", "+@all", &denied];
        server.command(&user).unwrap();
        let app = redis::Client::open(format!("redis://app:secret@{}/", server.addr())).unwrap();
        let store = RedisStore::new(connect(&app).await);
        let before = contents(&server);
        let answer = match command {
            "HGETALL" => store.load(&id("a")).await.map(drop),
            "XRANGE" => store.history(&id("a"), 0, 10).await.map(drop),
            _ if of == "claims" => {
                let request = cutover::store::ClaimRequest { expect: Expect::of(Some(&first)), ..claim_of("x", 1) };
                match store.claim(&id("a"), &request).await {
                    Err(ClaimError::Store(error)) => Err(error),
                    other => panic!("{command}: {other:?}"),
                }
            }
            _ => put(&store, Some(&first), 2, 2).await.map(drop),
        };
        assert!(matches!(answer, Err(StoreError::Denied(_))), "{command}: {answer:?}");
        assert_eq!(contents(&server), before, "{command}");
    }
}

#[tokio::test]
async fn whoever_may_not_publish_changes_all_the_same() {
    let server = server();
    server.command(&["ACL", "SETUSER", "app", "on", ">secret", "~*", "resetchannels", "+@all", "-publish"]).unwrap();
    let app = redis::Client::open(format!("redis://app:secret@{}/", server.addr())).unwrap();
    let store = RedisStore::new(connect(&app).await);
    assert_eq!(put_many(&store, 2).await.epoch, 2);
    let watched = store.watched_by(app).watch(&id("a")).await;
    assert!(matches!(watched, Err(StoreError::Denied(_))));
}

#[tokio::test]
async fn without_credentials_nothing_is_said_and_nothing_stored() {
    let server = RedisServer::start(&[("requirepass", "secret")]).unwrap();
    let connection = connect(&client(&server)).await;
    let store = RedisStore::new(connection.clone());
    let first = put(&store, None, 1, 1).await.unwrap();
    // The connection loses its user while it is open.
    server.command(&["ACL", "SETUSER", "app", "on", ">other", "~*", "&*", "+@all"]).unwrap();
    let app = redis::Client::open(format!("redis://app:other@{}/", server.addr())).unwrap();
    let store_of_app = RedisStore::new(connect(&app).await);
    server.command(&["ACL", "DELUSER", "app"]).unwrap();
    let refused = put(&store_of_app, Some(&first), 2, 2).await;
    // Redis closes the connections of a deleted user: the first call may find that out, those after it are denied.
    assert!(matches!(refused, Err(StoreError::OutcomeUnknown(_) | StoreError::Denied(_))), "{refused:?}");
    until(async || matches!(put(&store_of_app, Some(&first), 2, 2).await, Err(StoreError::Denied(_)))).await;
    assert!(matches!(store_of_app.load(&id("a")).await, Err(StoreError::Denied(_))));
    assert_eq!(epochs(&store).await, [1]);
}

#[tokio::test]
async fn an_entry_that_is_too_large_is_refused_before_it_is_sent() {
    let server = server();
    let store = store(&server).await;
    let large = change(None, 1, 1).with_evidence("x".repeat(70_000).into());
    let refused = store.compare_and_swap(&id("a"), Expect::Absent, &large).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { max: 65_536, .. })), "{refused:?}");
    assert_eq!(contents(&server), "");
}
