//! Event streams say that something has changed, are bounded, and end.

use std::time::Duration;

use axum::body::Body;
use cutover::SystemMode;
use cutover::testing::Fault;
use futures::FutureExt;
use http::{Method, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tower::ServiceExt;

use crate::common::{World, somebody};

async fn open(world: &World, path: &str) -> Response<Body> {
    world.router.clone().oneshot(somebody("view", Method::GET, path).body(Body::empty()).unwrap()).await.unwrap()
}

/// What comes next; `None` at the end.
async fn next(stream: &mut Response<Body>) -> Option<String> {
    let frame = stream.body_mut().frame().await?.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

/// The stamp of the next event, past all comments.
async fn stamp(stream: &mut Response<Body>) -> String {
    loop {
        let text = next(stream).await.unwrap();
        if let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: ")) {
            assert!(text.contains("event: changed"), "{text}");
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!(data.as_object().unwrap().len(), 1, "it says nothing else: {data}");
            return data["stamp"].as_str().unwrap().to_owned();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_with_the_stamp_that_the_view_has_and_tells_of_each_change() {
    let world = World::new().await;
    for (path, view) in [("/m/search/live", "/api/v1/migrations/search"), ("/live", "/api/v1/migrations")] {
        let mut stream = open(&world, path).await;
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        let first = stamp(&mut stream).await;
        assert_eq!(world.get(view).await.json()["stamp"], json!(first));
        let to =
            if world.search.mode() == SystemMode::Parallel { SystemMode::LegacyOnly } else { SystemMode::Parallel };
        world.to(to).await;
        let second = stamp(&mut stream).await;
        assert_ne!(first, second);
        world.record_discrepancies([7]);
        world.recorder.clear();
        world.record_discrepancies([world.search.status().epoch, 100]);
        assert_ne!(second, stamp(&mut stream).await, "another number of discrepancies");
        world.recorder.clear();
    }
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_at_most_once_a_second() {
    let world = World::new().await;
    let mut stream = open(&world, "/m/search/live").await;
    stamp(&mut stream).await;
    let mut last = Instant::now();
    for round in 0..5 {
        world.to(if round % 2 == 0 { SystemMode::Parallel } else { SystemMode::LegacyOnly }).await;
        stamp(&mut stream).await;
        assert!(last.elapsed() >= Duration::from_secs(1), "{:?}", last.elapsed());
        last = Instant::now();
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_has_a_comment_every_fifteen_seconds() {
    let world = World::with(|dashboard| dashboard.sample_every(Duration::from_secs(3_600))).await;
    // The guard's first look is a change.
    tokio::time::sleep(Duration::from_secs(40)).await;
    let mut stream = open(&world, "/m/search/live").await;
    stamp(&mut stream).await;
    let comment = timeout(Duration::from_secs(16), next(&mut stream)).await.unwrap().unwrap();
    assert!(comment.starts_with(':'), "{comment}");
}

#[tokio::test(start_paused = true)]
async fn there_are_at_most_64_streams_and_one_that_is_closed_makes_room() {
    let world = World::new().await;
    let mut streams = Vec::new();
    for number in 0..64 {
        let path = if number % 2 == 0 { "/live" } else { "/m/cart/live" };
        streams.push(open(&world, path).await);
        assert_eq!(streams[number].status(), 200);
    }
    let refused = open(&world, "/live").await;
    assert_eq!(refused.status(), 503);
    assert_eq!(world.get("/api/v1/migrations").await.status, 200, "everything else goes on");
    drop(streams.pop());
    assert_eq!(open(&world, "/live").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_the_dashboard_is_dropped() {
    let world = World::new().await;
    let mut stream = open(&world, "/m/search/live").await;
    stamp(&mut stream).await;
    drop(world);
    let ended = timeout(Duration::from_secs(2), next(&mut stream)).await;
    assert_eq!(ended.ok(), Some(None));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_an_hour() {
    let world = World::new().await;
    let mut stream = open(&world, "/m/cart/live").await;
    let opened = Instant::now();
    while next(&mut stream).await.is_some() {}
    assert!((3_599..=3_602).contains(&opened.elapsed().as_secs()), "{:?}", opened.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_an_unknown_migration_is_not_found() {
    let world = World::new().await;
    assert_eq!(open(&world, "/m/nothing/live").await.status(), 404);
    assert!(open(&world, "/m/%ff/live").now_or_never().is_none_or(|reply| reply.status() == 404));
}

#[tokio::test(start_paused = true)]
async fn background_tasks_end_when_the_dashboard_is_dropped() {
    let world = World::new().await;
    let World { router, .. } = world;
    let World { router: other, .. } = World::new().await;
    drop((router, other));
    tokio::time::sleep(Duration::from_secs(120)).await;
    let none = cutover_dashboard::Dashboard::new(crate::common::by_header);
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let router = none.router().unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), before + 3);
    drop(router);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn what_moves_with_the_clock_alone_is_no_change() {
    let world = World::with(|dashboard| dashboard.sample_every(Duration::from_secs(3_600))).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    world.store.set_standing(Some(Fault::Unavailable));
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(world.cart.status().stale);
    let mut stream = open(&world, "/m/cart/live").await;
    stamp(&mut stream).await;
    for _ in 0..14 {
        world.clock.advance(Duration::from_secs(1));
        assert!(timeout(Duration::from_secs(1), next(&mut stream)).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_the_host_says_so() {
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let world = World::with(|dashboard| dashboard.until(ended.map(drop))).await;
    let mut stream = open(&world, "/live").await;
    stamp(&mut stream).await;
    end.send(()).unwrap();
    let last = timeout(Duration::from_secs(1), async { while next(&mut stream).await.is_some() {} }).await;
    assert_eq!(last, Ok(()));
    assert_eq!(world.get("/api/v1/migrations").await.status, 200, "everything else goes on");
}
