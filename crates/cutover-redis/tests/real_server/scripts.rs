//! Redis may forget its scripts at any time: everything goes on.

use cutover::store::{ClaimStore, DiscrepancyStore, StateStore};
use cutover::testing::discrepancy;
use cutover_redis::RedisStore;
use cutover_test_servers::{RedisRestart, RedisServer};

use super::common::{claim, epochs, id, put, put_many, server, store, until};

async fn use_everything(store: &RedisStore, op_id: u128) {
    let present = store.load(&id("b")).await.unwrap();
    let change = super::common::change(present.as_ref(), 1, op_id);
    let expect = cutover::store::Expect::of(present.as_ref());
    store.compare_and_swap(&id("b"), expect, &change).await.unwrap();
    let item = format!("item {op_id}");
    let grant = claim(store, &item, op_id).await;
    let item = item.parse().unwrap();
    assert!(store.claimed(&id("a"), &item).await.unwrap().is_some());
    assert!(store.expired(&id("a"), 10).await.unwrap().is_empty());
    store.complete(&id("a"), &item, grant.token).await.unwrap();
    store.add(&id("a"), &[discrepancy("search", 1)]).await.unwrap();
    assert_eq!(store.page(&id("a"), None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_flush_of_the_scripts_is_not_noticed() {
    let server = server();
    let store = store(&server).await;
    for op_id in 1..=3 {
        use_everything(&store, op_id).await;
        server.command(&["SCRIPT", "FLUSH"]).unwrap();
    }
    assert_eq!(store.history(&id("b"), 0, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_restart_keeps_what_was_stored_and_the_open_store_goes_on() {
    let server = RedisServer::start(&[("appendonly", "yes"), ("appendfsync", "always")]).unwrap();
    let store = store(&server).await;
    let third = put_many(&store, 3).await;
    server.restart(RedisRestart::AsCrashed).unwrap();
    until(async || store.load(&id("a")).await.is_ok()).await;
    assert_eq!(store.load(&id("a")).await.unwrap(), Some(third.clone()));
    put(&store, Some(&third), 4, 4).await.unwrap();
    assert_eq!(epochs(&store).await, [1, 2, 3, 4]);
}
