//! Charts lose nothing at a change, and whoever asks often need not take all of them.

use std::time::Duration;

use cutover::observe::{Event, Sample};
use cutover::{Clock, Observer, Outcome, Route, Side, SystemMode};
use serde_json::{Value, json};

use crate::common::World;

/// So many calls of legacy that succeed, as a runner tells of them.
fn calls(world: &World, mode: SystemMode, epoch: u64, number: u64) {
    let mut route = Route::new(mode, Side::Legacy);
    route.epoch = epoch;
    for _ in 0..number {
        let (started, key) = (world.clock.now(), None);
        let sample = Sample::new(Side::Legacy, Outcome::Ok, Duration::ZERO);
        world.monitor.observe("test", &Event::Started { route, started, both: false });
        world.monitor.observe("test", &Event::Served { route, sample, started, key });
    }
}

async fn second(world: &World) {
    world.clock.advance(Duration::from_secs(1));
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn points(world: &World, query: &str) -> Vec<Value> {
    let reply = world.get(&format!("/api/v1/migrations/search/series{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["points"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn what_comes_between_the_last_sample_and_a_change_is_in_a_point_of_the_mode_before() {
    // The change comes at every moment between two samples.
    for seconds in 6..=14 {
        let world = World::new().await;
        calls(&world, SystemMode::LegacyOnly, 0, 1);
        second(&world).await;
        for _ in 1..seconds {
            calls(&world, SystemMode::LegacyOnly, 0, 10);
            second(&world).await;
        }
        calls(&world, SystemMode::LegacyOnly, 0, 7);
        world.to(SystemMode::Parallel).await;
        calls(&world, SystemMode::Parallel, 1, 3);
        for _ in 0..20 {
            second(&world).await;
            calls(&world, SystemMode::Parallel, 1, 10);
        }
        for _ in 0..6 {
            second(&world).await;
        }
        let points = points(&world, "").await;
        let sum = |mode: &str| -> u64 {
            let of = points.iter().filter(|point| point["mode"] == mode);
            of.map(|point| point["legacy"]["calls"].as_u64().unwrap()).sum()
        };
        assert_eq!(sum("legacy_only"), 10 * (seconds - 1) + 7, "{seconds}: {points:#?}");
        assert_eq!(sum("parallel"), 200, "{seconds}");
        let times: Vec<_> = points.iter().map(|point| point["at"].as_u64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_in_the_charts_within_a_second_or_two() {
    let world = World::with(|dashboard| dashboard.sample_every(Duration::from_secs(3_600))).await;
    for mode in [SystemMode::LegacyOnly, SystemMode::Parallel, SystemMode::LegacyOnly] {
        let epoch = world.search.status().epoch;
        for _ in 0..5 {
            calls(&world, mode, epoch, 10);
            second(&world).await;
        }
        let to = if mode == SystemMode::Parallel { SystemMode::LegacyOnly } else { SystemMode::Parallel };
        world.to(to).await;
    }
    let of: Vec<_> = points(&world, "").await.iter().map(|point| point["epoch"].as_u64().unwrap()).collect();
    assert!(of.contains(&0) && of.contains(&1), "{of:?}");
}

#[tokio::test(start_paused = true)]
async fn who_asks_says_how_many_of_the_newest_points_they_want() {
    let world = World::new().await;
    for _ in 0..100 {
        calls(&world, SystemMode::LegacyOnly, 0, 5);
        second(&world).await;
    }
    let all = points(&world, "").await;
    assert!(all.len() > 15, "{}", all.len());
    for (query, number) in [("?points=0", 0), ("?points=3", 3), ("?points=720", all.len()), ("?points=", all.len())] {
        let newest = &all[all.len() - number..];
        assert_eq!(points(&world, query).await, newest, "{query}");
        let view = world.get(&format!("/api/v1/migrations/search{query}")).await.json();
        assert_eq!(view["series"]["points"], json!(newest), "{query}");
        assert_eq!(view["series"]["every"], json!(5_000_000_000_u64));
    }
    for path in ["/api/v1/migrations/search", "/api/v1/migrations/search/series"] {
        for bad in ["points=721", "points=-1", "points=canary", "points=1&points=2"] {
            let reply = world.get(&format!("{path}?{bad}")).await;
            assert_eq!((reply.status, reply.problem().as_str()), (422, "query"), "{path}?{bad}: {}", reply.body);
            assert!(!reply.body.contains("canary"), "{}", reply.body);
        }
    }
}
