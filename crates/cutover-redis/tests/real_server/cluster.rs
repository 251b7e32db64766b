//! A Redis cluster refuses scripts whose keys are in several slots: none of the store's are.

use std::net::TcpListener;

use cutover::store::{ClaimStore, DiscrepancyStore, StateStore};
use cutover::testing::discrepancy;
use cutover_test_servers::RedisServer;

use super::common::{claim, id, put, put_many, store, until};

#[tokio::test]
async fn every_operation_stays_in_one_slot() {
    let bus = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let server = RedisServer::start(&[("cluster-enabled", "yes"), ("cluster-port", &bus)]).unwrap();
    server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    until(async || server.command(&["CLUSTER", "INFO"]).unwrap().contains("cluster_state:ok")).await;
    let (store, a) = (store(&server).await, id("a"));

    claim(&store, "x", 1).await;
    claim(&store, "}{", 2).await;
    store.complete(&a, &"x".parse().unwrap(), 1).await.unwrap();
    assert!(store.expired(&a, 10).await.unwrap().is_empty());
    assert!(store.claimed(&a, &"x".parse().unwrap()).await.unwrap().is_some());
    put_many(&store, 2).await;
    server.command(&["DEL", "{cutover:a}:record"]).unwrap();
    put(&store, None, 9, 9).await.unwrap();
    assert_eq!(store.history(&a, 0, 10).await.unwrap().len(), 1);
    store.add(&a, &[discrepancy("search", 1)]).await.unwrap();
    assert_eq!(store.page(&a, None, 10).await.unwrap().len(), 1);
    store.clear(&a).await.unwrap();
    let keys = server.command(&["KEYS", "*"]).unwrap();
    let slots: Vec<_> = keys.lines().map(|key| server.command(&["CLUSTER", "KEYSLOT", key]).unwrap()).collect();
    assert!(slots.len() >= 5 && slots.iter().all(|slot| *slot == slots[0]), "{keys} {slots:?}");
}
