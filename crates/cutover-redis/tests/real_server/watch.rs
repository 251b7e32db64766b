//! A change wakes those who watch its migration; a lost connection ends the watching, and a load then shows the newest.

use std::time::Duration;

use cutover::StateStore;
use cutover::store::WakeUps;
use cutover_redis::RedisStore;
use cutover_test_servers::RedisServer;
use futures_util::StreamExt;

use super::common::{client, id, put, put_many, server, store};

async fn watched(server: &RedisServer) -> (RedisStore, WakeUps) {
    let store = store(server).await.watched_by(client(server));
    let wake_ups = store.watch(&id("a")).await.unwrap().unwrap();
    (store, wake_ups)
}

async fn next(wake_ups: &mut WakeUps) -> Option<()> {
    tokio::time::timeout(Duration::from_secs(10), wake_ups.next()).await.unwrap()
}

#[tokio::test]
async fn without_a_client_there_are_no_wake_ups() {
    let server = server();
    assert!(store(&server).await.watch(&id("a")).await.unwrap().is_none());
}

#[tokio::test]
async fn each_change_wakes_a_watcher_unless_it_is_awake_and_only_that_of_its_migration() {
    let server = server();
    let (store, mut wake_ups) = watched(&server).await;
    let mut of_others = store.watch(&id("b")).await.unwrap().unwrap();
    let first = put(&store, None, 1, 1).await.unwrap();
    assert_eq!(next(&mut wake_ups).await, Some(()));
    put(&store, Some(&first), 2, 2).await.unwrap();
    assert_eq!(next(&mut wake_ups).await, Some(()));
    // A refusal and a repetition change nothing.
    assert!(put(&store, None, 3, 3).await.is_err());
    put(&store, None, 1, 1).await.unwrap();
    let quiet = tokio::time::timeout(
        Duration::from_millis(100),
        futures_util::future::select(wake_ups.next(), of_others.next()),
    );
    assert!(quiet.await.is_err());
}

#[tokio::test]
async fn a_killed_connection_ends_the_stream_and_a_load_shows_what_was_missed() {
    let server = server();
    let (store, mut wake_ups) = watched(&server).await;
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
    let last = put_many(&store, 3).await;
    assert_eq!(next(&mut wake_ups).await, None);
    let mut again = store.watch(&id("a")).await.unwrap().unwrap();
    assert_eq!(store.load(&id("a")).await.unwrap(), Some(last.clone()));
    put(&store, Some(&last), 4, 4).await.unwrap();
    assert_eq!(next(&mut again).await, Some(()));
}

#[tokio::test]
async fn a_stream_that_is_dropped_closes_its_connection() {
    let server = server();
    let (_store, wake_ups) = watched(&server).await;
    let subscribers = || server.command(&["PUBSUB", "NUMSUB", "{cutover:a}:changes"]).unwrap();
    assert!(subscribers().ends_with('1'), "{}", subscribers());
    drop(wake_ups);
    super::common::until(async || subscribers().ends_with('0')).await;
}

#[tokio::test]
async fn a_store_with_another_prefix_neither_sees_nor_wakes() {
    let server = server();
    let (store, mut wake_ups) = watched(&server).await;
    let other = store.clone().with_prefix("other").unwrap();
    put(&other, None, 1, 1).await.unwrap();
    assert_eq!(store.load(&id("a")).await.unwrap(), None);
    assert!(tokio::time::timeout(Duration::from_millis(100), wake_ups.next()).await.is_err());
}
