//! The mode and the key of a request say which side serves it; without a key the core's own rule does.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Bench, Script, get, reader};
use cutover::{BucketKey, FeatureFlag, MemoryStore, MigrationController, MissingKey, Percentage, Side, SystemMode};
use cutover_tower::by_header;
use futures::executor::block_on;
use http::{HeaderName, Request};

const USER: HeaderName = HeaderName::from_static("x-user");

fn of(user: &str) -> Request<Script> {
    Request::get("/").header(USER, user).body(Script::full("")).expect("a request")
}

fn bench(router: impl cutover::Router + 'static) -> (Bench, [common::Seen; 2]) {
    let (legacy, of_legacy) = reader(Script::full("legacy"));
    let (new, of_new) = reader(Script::full("new"));
    (Bench::with(router, legacy, new, |builder| builder.key(by_header(USER))), [of_legacy, of_new])
}

#[test]
fn each_mode_serves_and_shadows_as_its_table_says() {
    for (mode, in_rollout) in SystemMode::ALL.into_iter().flat_map(|mode| [(mode, false), (mode, true)]) {
        let routing = mode.routing(in_rollout);
        let router = move |key: BucketKey<'_>| {
            let is_in = key == BucketKey::Str("in");
            let routing = mode.routing(is_in);
            let route = cutover::Route::new(mode, routing.serves);
            if routing.shadow.is_some() { route.with_shadow() } else { route }
        };
        let (bench, [legacy, new]) = bench(router);
        let (_, body) = bench.exchange(of(if in_rollout { "in" } else { "out" }));
        assert_eq!(body.data(), routing.serves.name().as_bytes(), "{mode}, {in_rollout}");
        let ran = |side: Side| u64::from(routing.serves == side || routing.shadow == Some(side));
        let saw = |seen: &common::Seen| seen.lock().expect("nobody panics").len() as u64;
        assert_eq!((saw(&legacy), saw(&new)), (ran(Side::Legacy), ran(Side::New)), "{mode}, {in_rollout}");
        assert_eq!(bench.counts().mismatched, u64::from(routing.shadow.is_some()));
    }
}

#[test]
fn a_change_of_the_mode_holds_from_the_next_request_on() {
    let controller = block_on(MigrationController::open("orders", MemoryStore::new())).expect("it opens");
    let (bench, _) = bench(controller.clone());
    let serves = |user: &str| String::from_utf8(bench.exchange(of(user)).1.data()).expect("text");
    assert_eq!(serves("anna"), "legacy");
    for (mode, side) in
        [(SystemMode::Parallel, "legacy"), (SystemMode::NewOnly, "new"), (SystemMode::EmergencyRollback, "legacy")]
    {
        block_on(controller.transition(mode, "ana", "a test")).expect("it is allowed");
        assert_eq!(serves("anna"), side);
    }
}

#[test]
fn a_rollout_serves_each_user_by_the_same_side_every_time() {
    let flag = FeatureFlag::new("orders").rollout(Percentage::new(30.0).expect("a share"));
    let (bench, _) = bench(flag.clone());
    let mut served_by_new = 0;
    for user in 0..200 {
        let user = format!("user-{user}");
        let sides: Vec<_> = (0..3).map(|_| bench.exchange(of(&user)).1.data()).collect();
        assert_eq!((&sides[0], &sides[1]), (&sides[1], &sides[2]));
        let expected = if flag.is_enabled(&user) { "new" } else { "legacy" };
        assert_eq!(sides[0], expected.as_bytes());
        served_by_new += usize::from(expected == "new");
    }
    assert!((40..80).contains(&served_by_new), "{served_by_new} of 200 at 30 %");
}

#[test]
fn a_request_without_a_key_is_served_by_the_rule_for_missing_keys() {
    let everybody = FeatureFlag::new("orders").rollout(Percentage::new(99.99).expect("a share"));
    let (bench_of_legacy, _) = bench(everybody.clone().missing_key(MissingKey::Legacy));
    assert_eq!(bench_of_legacy.exchange(get("/")).1.data(), b"legacy");
    let (bench_of_chance, _) = bench(everybody.missing_key(MissingKey::Random));
    let by_new = (0..100).filter(|_| bench_of_chance.exchange(get("/")).1.data() == b"new").count();
    assert!(by_new > 90, "{by_new} of 100 at 99.99 %");
}

fn panicking_key(_: &http::request::Parts) -> BucketKey<'_> {
    common::planned_panic()
}

#[test]
fn a_key_function_that_panics_means_no_key_and_is_counted() {
    let (legacy, _) = reader(Script::full("legacy"));
    let (new, _) = reader(Script::full("new"));
    let all = FeatureFlag::new("orders").rollout(Percentage::new(99.99).expect("a share"));
    let bench = Bench::with(all, legacy, new, |builder| builder.key(panicking_key));
    assert_eq!(bench.exchange(get("/")).1.data(), b"legacy");
    assert_eq!(bench.layer.request_counts().faults, 1);
}

#[test]
fn a_router_that_panics_means_legacy() {
    let (bench, _) = bench(|_: BucketKey<'_>| common::planned_panic());
    assert_eq!(bench.exchange(of("anna")).1.data(), b"legacy");
    assert_eq!(bench.counts().faults.router, 1);
}

#[test]
fn clones_of_the_layer_and_its_services_count_together() {
    let (bench, _) = bench(common::PARALLEL);
    let (other, _) = reader(Script::full("new"));
    let again = bench.layer.clone();
    let second = tower::Layer::layer(&again, other);
    let request: Request<Script> = of("anna");
    let answer = bench.runtime.run(tower::ServiceExt::oneshot(second.clone(), request)).expect("it answers");
    bench.runtime.run(common::read(answer.into_body()));
    bench.exchange(of("anna"));
    assert_eq!((second.runner().counts().selected, bench.counts().selected), (2, 2));
}
