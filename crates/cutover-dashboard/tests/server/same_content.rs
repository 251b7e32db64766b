//! The API shows what the controller and its parts know.

use std::time::Duration;

use cutover::observe::Sample;
use cutover::plan::Decision;
use cutover::testing::Fault;
use cutover::{Outcome, Percentage, Route, Side, SystemMode};
use serde_json::{Value, json};

use crate::common::World;

#[tokio::test(start_paused = true)]
async fn the_status_is_that_of_the_controller() {
    let world = World::new().await;
    for mode in [None, Some(SystemMode::GradualRollout), Some(SystemMode::NewOnly)] {
        if let Some(mode) = mode {
            world.to(mode).await;
            world.search.set_rollout(Percentage::new(12.5).unwrap(), "ana <b>", "half & half").await.unwrap();
        }
        let view = world.get("/api/v1/migrations/search").await.json();
        assert_eq!(view["status"], json!(world.search.status()));
        let overview = world.get("/api/v1/migrations").await.json();
        let of =
            |id: &str| overview["migrations"].as_array().unwrap().iter().find(|one| one["status"]["id"] == id).cloned();
        assert_eq!(of("search").unwrap()["status"], json!(world.search.status()));
        assert_eq!(of("cart").unwrap()["status"], json!(world.cart.status()));
        assert_eq!(of("search").unwrap()["attention"], view["attention"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_view_says_who_asked_and_what_they_may_do() {
    let world = World::new().await;
    for role in ["view", "operate", "override"] {
        for path in ["/api/v1/migrations", "/api/v1/migrations/search"] {
            let view = world.get_as(role, path).await.json();
            assert_eq!((&view["actor"], &view["role"]), (&json!("ana"), &json!(role)), "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_needs_somebody_most_comes_first() {
    let world = World::new().await;
    let ids = |overview: &Value| -> Vec<String> {
        let all = overview["migrations"].as_array().unwrap().iter();
        all.map(|one| one["status"]["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&world.get("/api/v1/migrations").await.json()), ["cart", "search"]);
    world.search.emergency_rollback("ben", "wrong totals").await;
    let overview = world.get("/api/v1/migrations").await.json();
    assert_eq!(ids(&overview), ["search", "cart"]);
    let text = overview["migrations"][0]["attention"][0]["text"].as_str().unwrap();
    assert!(text.contains("EMERGENCY: wrong totals") && text.contains("legacy_only"), "{text}");

    // Among those that are as bad, the one that was rolled back.
    world.store.set_standing(Some(Fault::Unavailable));
    for _ in 0..40 {
        world.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let overview = world.get("/api/v1/migrations").await.json();
    let severities: Vec<_> = (0..2).map(|at| overview["migrations"][at]["attention"][0]["severity"].clone()).collect();
    assert_eq!((severities, ids(&overview)), (vec![json!("warning"); 2], vec!["search".to_owned(), "cart".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_shown_with_where_it_stands_and_what_it_needs() {
    let world = World::new().await;
    let states = |view: &Value| -> Vec<String> {
        let steps = view["plan"]["steps"].as_array().unwrap().iter();
        steps.map(|step| step["state"].as_str().unwrap().to_owned()).collect()
    };
    let view = world.get("/api/v1/migrations/search").await.json();
    assert_eq!(states(&view), ["next", "ahead", "ahead"]);
    assert_eq!((&view["plan"]["report"], &view["plan"]["name"]), (&json!(null), &json!("ramp")));

    let report = world.driver.look_once().await;
    assert_eq!(report.decision, Decision::AwaitApproval { step: "compare".to_owned() });
    let view = world.get("/api/v1/migrations/search").await.json();
    assert_eq!(view["plan"]["report"], json!(world.driver.report()));
    assert_eq!(view["plan"]["steps"][0]["needs"], json!(["An approval of compare by a person."]));

    world.driver.approve("compare", "ana", "yes").await.unwrap();
    world.driver.look_once().await;
    world.driver.look_once().await;
    let view = world.get("/api/v1/migrations/search").await.json();
    assert_eq!(states(&view), ["present", "next", "ahead"]);
    let needs: Vec<_> =
        view["plan"]["steps"][1]["needs"].as_array().unwrap().iter().map(|need| need.as_str().unwrap()).collect();
    assert!(needs.contains(&"1000 more calls.") && needs.contains(&"An approval of tenth."), "{needs:?}");
    assert_eq!(view["plan"]["steps"][2]["needs"], json!([]));
    assert_eq!(view["plan"]["steps"][1]["step"]["name"], json!("tenth"));
    assert!(view["guard"].is_object(), "the plan's guard is shown: {view}");
}

#[tokio::test(start_paused = true)]
async fn charts_are_sampled_from_the_monitor() {
    let world = World::new().await;
    let route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
    let sample = |outcome, millis| Sample::new(Side::Legacy, outcome, Duration::from_millis(millis));
    for second in 0..200 {
        if second > 0 {
            for _ in 0..3 {
                world.monitor.record(&route, &sample(Outcome::Ok, 5));
            }
            world.monitor.record(&route, &sample(Outcome::Err, 50));
        }
        world.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let series = world.get("/api/v1/migrations/search/series").await.json();
    let points = series["points"].as_array().unwrap();
    assert_eq!((series["every"].as_u64(), points.len()), (Some(5_000_000_000), 39));
    let last = points.last().unwrap();
    assert_eq!(
        (&last["mode"], &last["epoch"], &last["mismatch_rate"]),
        (&json!("legacy_only"), &json!(0), &json!(null))
    );
    assert_eq!((last["legacy"]["success_rate"].as_f64(), last["legacy"]["calls"].as_u64()), (Some(0.75), Some(20)));
    assert_eq!((last["new"]["calls"].as_u64(), &last["new"]["success_rate"]), (Some(0), &json!(null)));
    let p99 = last["legacy"]["p99"].as_u64().unwrap();
    assert!((46_000_000..54_000_000).contains(&p99), "{p99}");
    assert_eq!(world.get("/api/v1/migrations/search").await.json()["series"], series);
    let none = world.get("/api/v1/migrations/cart/series").await;
    assert_eq!((none.status, none.problem().as_str()), (404, "not_shown"));
}
