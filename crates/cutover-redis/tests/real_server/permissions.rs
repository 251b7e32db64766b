//! The user that the README proposes may do all that the store does, and nothing elsewhere.

use std::time::Duration;

use cutover::store::{ClaimStore, DiscrepancyStore, StateStore};
use cutover::testing::discrepancy;
use cutover_redis::RedisStore;
use futures_util::StreamExt;

use super::common::{claim, claim_of, connect, id, put, put_many, server, until};

fn proposed() -> Vec<&'static str> {
    let readme = include_str!("../../README.md");
    let line = readme.lines().find(|line| line.starts_with("ACL SETUSER cutover")).unwrap();
    line.split(' ').collect()
}

#[tokio::test]
async fn the_proposed_user_may_do_everything_that_a_store_does() {
    let server = server();
    server.command(&proposed()).unwrap();
    let client = redis::Client::open(format!("redis://cutover:PASSWORD@{}/", server.addr())).unwrap();
    let store = RedisStore::new(connect(&client).await).watched_by(client.clone());
    let (a, item) = (id("a"), "x".parse().unwrap());
    let mut wake_ups = store.watch(&a).await.unwrap().unwrap();

    claim(&store, "x", 1).await;
    store.renew(&a, &item, 1, Duration::from_secs(1)).await.unwrap();
    store.release(&a, &item, 1).await.unwrap();
    claim(&store, "x", 2).await;
    store.complete(&a, &item, 2).await.unwrap();
    let short = cutover::store::ClaimRequest { ttl: Duration::ZERO, ..claim_of("y", 3) };
    store.claim(&a, &short).await.unwrap();
    until(async || store.expired(&a, 10).await.unwrap().len() == 1).await;
    assert!(store.claimed(&a, &item).await.unwrap().is_some());

    put_many(&store, 2).await;
    assert_eq!(wake_ups.next().await, Some(()));
    assert_eq!(store.history(&a, 0, 10).await.unwrap().len(), 2);
    server.command(&["DEL", "{cutover:a}:record"]).unwrap();
    put(&store, None, 9, 9).await.unwrap();
    put(&store, None, 9, 9).await.unwrap();

    let samples = [discrepancy("search", 1), discrepancy("search", 1)];
    store.add(&a, &samples).await.unwrap();
    assert_eq!(store.page(&a, None, 10).await.unwrap().len(), 1);
    store.clear(&a).await.unwrap();
    let waiting = store.clone().require_replicas(1, Duration::from_millis(1));
    assert!(put(&waiting, None, 9, 9).await.is_err());

    let elsewhere = store.with_prefix("other").unwrap();
    assert!(put(&elsewhere, None, 1, 1).await.is_err());
    assert!(elsewhere.load(&a).await.is_err());
    assert_eq!(server.command(&["EXISTS", "{other:a}:record"]).unwrap(), "0");
}
