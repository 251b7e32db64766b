//! Where a part that the dashboard asks panics, the answer says what was done before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use axum::body::Body;
use cutover::clock::Instant;
use cutover::testing::ManualClock;
use cutover::{Clock, SystemMode};
use http::Method;

use crate::common::{Reply, World, somebody};

/// A clock that panics when it is asked for the time of day, from a moment on.
#[derive(Debug, Clone)]
struct Broken {
    clock: ManualClock,
    breaks: Arc<AtomicBool>,
}

impl Clock for Broken {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn wall(&self) -> SystemTime {
        assert!(!self.breaks.load(Ordering::SeqCst), "canary: the clock is broken");
        self.clock.wall()
    }
}

/// A world whose pages cannot be made any more.
async fn broken() -> World {
    let breaks = Arc::new(AtomicBool::new(false));
    let clock = Broken { clock: ManualClock::new(), breaks: breaks.clone() };
    let world = World::with(|dashboard| dashboard.clock(clock)).await;
    world.to(SystemMode::Parallel).await;
    breaks.store(true, Ordering::SeqCst);
    world
}

async fn send(world: &World, path: &str, extra: &str) -> Reply {
    let status = world.search.status();
    let etag = status.etag.map(|etag| format!("{etag:032x}")).unwrap_or_default();
    let body = format!("epoch={}&etag={etag}&reason=because&confirm=search&{extra}", status.epoch);
    let post = somebody("override", Method::POST, path).header("sec-fetch-site", "same-origin");
    world.send(post.body(Body::from(body)).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn the_page_after_a_change_says_that_it_was_stored() {
    let world = broken().await;
    let sent = send(&world, "/m/search/rollout", "percent=40").await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let place = sent.headers["location"].to_str().unwrap().to_owned();
    let page = world.get_as("override", &place).await;
    assert_eq!((page.status, page.headers["content-type"].to_str().unwrap()), (500, "text/html; charset=utf-8"));
    assert!(page.body.contains("Stored.") && page.body.contains("Epoch 2 by ana"), "{}", page.body);
    assert!(page.body.contains("The page could not be shown"), "{}", page.body);
    assert!(page.body.contains("action=\"/m/search/emergency\""), "one can still roll back: {}", page.body);
    assert!(!page.body.contains("canary"), "{}", page.body);
}

#[tokio::test(start_paused = true)]
async fn the_page_after_what_held_already_says_so() {
    let world = broken().await;
    let page = send(&world, "/m/search/mode", "mode=parallel").await;
    assert_eq!(page.status, 500);
    assert!(page.body.contains("nothing was stored") && page.body.contains("could not be shown"), "{}", page.body);
}

#[tokio::test(start_paused = true)]
async fn the_page_after_a_refusal_says_that_nothing_was_changed() {
    let world = broken().await;
    let page = send(&world, "/m/search/mode", "mode=canary").await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("Refused.") && page.body.contains("Nothing was changed"), "{}", page.body);
    assert!(page.body.contains("The page could not be shown"), "{}", page.body);
    assert_eq!(world.search.status().epoch, 1);
}

#[tokio::test(start_paused = true)]
async fn the_page_after_an_emergency_says_that_it_holds() {
    for path in ["/emergency", "/m/search/emergency"] {
        let world = broken().await;
        let sent = send(&world, path, "").await;
        let page = match sent.headers.get("location") {
            Some(place) => world.get_as("override", place.to_str().unwrap()).await,
            None => sent,
        };
        assert_eq!((page.status, world.search.mode()), (500, SystemMode::EmergencyRollback), "{path}");
        assert!(page.body.contains("Emergency rollback") && page.body.contains("could not be shown"), "{}", page.body);
        assert!(page.body.contains("to legacy now") || page.body.contains("Epoch 2 by ana"), "{}", page.body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_only_looked_at_says_that_it_cannot_be_shown() {
    let world = broken().await;
    for path in ["/", "/m/search", "/m/search/audit", "/m/search/claims", "/m/search/discrepancies"] {
        let page = world.get_as("operate", path).await;
        assert_eq!(
            (page.status, page.headers["content-type"].to_str().unwrap()),
            (500, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(page.body.contains("panicked") && page.body.contains("emergency\""), "{path}: {}", page.body);
    }
}
