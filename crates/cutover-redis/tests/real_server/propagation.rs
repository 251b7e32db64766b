//! A change reaches everybody who watches soon after it is stored.

use std::time::Duration;

use cutover::store::StateStore;
use cutover::{Clock, MigrationController, SystemClock, SystemMode};
use cutover_redis::RedisStore;
use futures_util::StreamExt;

use super::common::{client, connect, id, put, quantile, server};

const WATCHERS: usize = 50;
const CHANGES: u32 = 40;

/// From before the change is sent until each of the watchers is awake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_watchers_are_awake_soon_after_a_change() {
    let server = server();
    let store = RedisStore::new(connect(&client(&server)).await).watched_by(client(&server));
    let clock = SystemClock::new();
    let (sender, mut woken) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..WATCHERS {
        let mut wake_ups = store.watch(&id("a")).await.unwrap().unwrap();
        let (sender, clock) = (sender.clone(), clock.clone());
        tokio::spawn(async move {
            while wake_ups.next().await.is_some() {
                sender.send(clock.now()).unwrap();
            }
        });
    }
    let (mut times, mut record) = (Vec::new(), None);
    for change in 1..=CHANGES {
        let start = clock.now();
        record = Some(put(&store, record.as_ref(), change, change.into()).await.unwrap());
        for _ in 0..WATCHERS {
            let arrived = tokio::time::timeout(Duration::from_secs(20), woken.recv()).await;
            times.push(arrived.unwrap().unwrap().since(start));
        }
    }
    let (median, p99) = (quantile(&mut times, 50), quantile(&mut times, 99));
    println!("{} wake-ups, p50 {median:?}, p99 {p99:?}", times.len());
    assert!(p99 < Duration::from_millis(250), "{p99:?}");
}

/// The controllers wait up to 100 ms before they read, so that they do not all read at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn controllers_route_by_a_change_soon_after_it_is_made() {
    let server = server();
    let clock = SystemClock::new();
    let mut controllers = Vec::new();
    for _ in 0..10 {
        let store = RedisStore::new(connect(&client(&server)).await).watched_by(client(&server));
        let builder = MigrationController::builder("a", store).poll_interval(Duration::from_secs(600));
        controllers.push(builder.open().await.unwrap());
    }
    super::common::until(async || {
        server.command(&["PUBSUB", "NUMSUB", "{cutover:a}:changes"]).unwrap().ends_with("10")
    })
    .await;
    let mut times = Vec::new();
    for (at, mode) in [SystemMode::Parallel, SystemMode::GradualRollout].into_iter().cycle().take(12).enumerate() {
        let start = clock.now();
        controllers[at % 10].transition(mode, "ana", "step").await.unwrap();
        let mut waiting: Vec<_> = controllers.iter().collect();
        while !waiting.is_empty() {
            waiting.retain(|controller| {
                let arrived = controller.mode() == mode;
                if arrived {
                    times.push(clock.now().since(start));
                }
                !arrived
            });
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(clock.now().since(start) < Duration::from_secs(20), "somebody never followed");
        }
    }
    let (median, p99) = (quantile(&mut times, 50), quantile(&mut times, 99));
    println!("{} arrivals, p50 {median:?}, p99 {p99:?}", times.len());
    assert!(p99 < Duration::from_secs(1), "{p99:?}");
}
