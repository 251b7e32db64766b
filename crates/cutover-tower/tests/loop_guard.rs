//! A shadow never has a shadow, also when the new side is a proxy that points back at the application.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;
mod net_common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use common::{Bench, LEGACY_ONLY, LIVE, NEW_ONLY, PARALLEL, Script, reader};
use cutover::{Route, Side};
use cutover_tower::{MigrationLayer, SHADOW_HEADER};
use http::Request;
use net_common::{client, listener, local, patient, proxy, serve, settled, uri};
use tower::Layer;

fn marked(by: &str) -> Request<Script> {
    Request::get("/").header(SHADOW_HEADER, by).body(Script::full("")).expect("a request")
}

#[test]
fn a_marked_request_is_served_as_ever_and_has_no_shadow() {
    for route in [LEGACY_ONLY, PARALLEL, NEW_ONLY, LIVE] {
        for mark in ["orders", "another", "", "orders, another"] {
            let ((legacy, of_legacy), (new, of_new)) = (reader(Script::full("legacy")), reader(Script::full("new")));
            let bench = Bench::new(route, legacy, new);
            assert_eq!(bench.exchange(marked(mark)).1.data(), route.serve.name().as_bytes());
            let [serving, other] = if route.serve == Side::Legacy { [of_legacy, of_new] } else { [of_new, of_legacy] };
            assert_eq!(serving.lock().expect("nobody panics")[0].0.headers[SHADOW_HEADER], mark);
            assert!(other.lock().expect("nobody panics").is_empty());
            let counted = u64::from(route.shadow == cutover::Shadow::Run);
            assert_eq!((bench.layer.request_counts().already_shadow, bench.counts().selected), (counted, 0));
        }
    }
}

#[test]
fn the_mark_is_the_migrations_name_as_far_as_a_header_can_say_it() {
    for (name, mark) in [("orders", "orders"), ("Ordnung der Bücher\n", "Ordnung?der?B?cher?")] {
        let ((legacy, _), (new, seen)) = (reader(Script::full("a")), reader(Script::full("a")));
        let runtime = cutover::testing::VirtualRuntime::new();
        let virtually = runtime.clone();
        let layer = MigrationLayer::builder(name, PARALLEL, new).runner(|runner| runner.runtime(virtually)).build();
        let answer =
            runtime.run(tower::ServiceExt::oneshot(layer.layer(legacy), common::get("/"))).expect("it answers");
        runtime.run(common::read(answer.into_body()));
        runtime.run_until_idle();
        assert_eq!(seen.lock().expect("nobody panics")[0].0.headers[SHADOW_HEADER], mark);
    }
}

/// An application whose new side is a proxy to itself; says how often its legacy side ran.
async fn application(route: Route) -> (std::net::SocketAddr, Arc<AtomicU64>, MigrationLayer<net_common::HttpSide>) {
    let ran = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&ran);
    let handler = move || {
        counts.fetch_add(1, Ordering::Relaxed);
        async { "legacy" }
    };
    let legacy = Router::new().fallback(handler);
    let (listener, address) = listener().await;
    let layer =
        MigrationLayer::builder("loop", route, proxy(address)).runner(|runner| runner.shadow_policy(patient())).build();
    serve(listener, Router::new().fallback_service(layer.layer(local(legacy))));
    (address, ran, layer)
}

#[tokio::test]
async fn a_new_side_that_points_back_at_the_application_ends_after_one_round() {
    let (address, ran, layer) = application(PARALLEL).await;
    let client = client();
    for round in 1..=5 {
        let request = Request::get(uri(address, "/")).body(Body::empty()).expect("a request");
        let response = client.request(request).await.expect("it answers");
        let body = axum::body::to_bytes(Body::new(response.into_body()), 100).await.expect("a body");
        assert_eq!(body, "legacy");
        settled(layer.runner()).await;
        assert_eq!(ran.load(Ordering::Relaxed), 2 * round, "one for the client, one for its shadow");
        assert_eq!((layer.runner().counts().matched, layer.request_counts().already_shadow), (round, round));
    }
}
