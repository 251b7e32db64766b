//! A shadow does nothing twice that nobody allowed: only safe methods have one, unless the host says otherwise.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Bench, LEGACY_ONLY, PARALLEL, Script, get, reader};
use cutover_tower::RequestCounts;
use http::{Method, Request};

fn request(method: Method) -> Request<Script> {
    Request::builder().method(method).uri("/orders").body(Script::full("")).expect("a request")
}

fn methods() -> Vec<Method> {
    let own = Method::from_bytes(b"REPORT").expect("a method");
    vec![
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::TRACE,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        own,
    ]
}

fn bench(route: cutover::Route) -> (Bench, [common::Seen; 2]) {
    let ((legacy, of_legacy), (new, of_new)) = (reader(Script::full("a")), reader(Script::full("a")));
    (Bench::new(route, legacy, new), [of_legacy, of_new])
}

#[test]
fn only_safe_methods_have_a_shadow() {
    for method in methods() {
        let safe = ["GET", "HEAD", "OPTIONS", "TRACE"].contains(&method.as_str());
        let (bench, [legacy, new]) = bench(PARALLEL);
        bench.exchange(request(method.clone()));
        assert_eq!(legacy.lock().expect("nobody panics")[0].0.method, method);
        assert_eq!(new.lock().expect("nobody panics").len(), usize::from(safe), "{method}");
        assert_eq!(bench.layer.request_counts().not_allowed, u64::from(!safe));
        assert_eq!((bench.counts().selected, bench.counts().matched), (u64::from(safe), u64::from(safe)));
    }
}

#[test]
fn the_hosts_rule_takes_the_place_of_that() {
    let ((legacy, _), (new, seen)) = (reader(Script::full("a")), reader(Script::full("a")));
    let rule = |head: &http::request::Parts| head.method == Method::PUT && head.uri.path() == "/orders";
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.shadow_when(rule));
    for method in methods() {
        bench.exchange(request(method));
    }
    let seen: Vec<_> = seen.lock().expect("nobody panics").iter().map(|(head, _)| head.method.clone()).collect();
    assert_eq!((seen, bench.layer.request_counts().not_allowed), (vec![Method::PUT], methods().len() as u64 - 1));
}

#[test]
fn upgrades_and_tunnels_have_none_whatever_the_rule_says() {
    let websocket = Request::get("/").header("connection", "Upgrade").header("upgrade", "websocket");
    let websocket = websocket.body(Script::full("")).expect("a request");
    for request in [websocket, request(Method::CONNECT)] {
        let ((legacy, of_legacy), (new, of_new)) = (reader(Script::full("a")), reader(Script::full("a")));
        let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.shadow_when(|_| true));
        let headers = request.headers().clone();
        bench.exchange(request);
        assert_eq!(of_legacy.lock().expect("nobody panics")[0].0.headers, headers);
        assert_eq!((of_new.lock().expect("nobody panics").len(), bench.layer.request_counts().upgrade), (0, 1));
    }
}

#[test]
fn what_is_routed_to_one_side_is_not_counted_as_left_out() {
    let (bench, [_, new]) = bench(LEGACY_ONLY);
    for method in methods() {
        bench.exchange(request(method));
    }
    assert_eq!((bench.layer.request_counts(), new.lock().expect("nobody panics").len()), (RequestCounts::default(), 0));
    assert_eq!(bench.counts().selected, 0);
}

#[test]
fn a_request_left_out_takes_no_place_and_no_probe_of_the_breaker() {
    let ((legacy, _), (new, _)) = (reader(Script::full("a")), reader(Script::full("a")));
    let none = cutover::dual::ShadowPolicy::new().max_in_flight(0);
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.runner(|runner| runner.shadow_policy(none)));
    bench.exchange(request(Method::POST));
    assert_eq!((bench.counts().skipped.in_flight, bench.layer.request_counts().not_allowed), (0, 1));
    bench.exchange(get("/"));
    assert_eq!((bench.counts().skipped.in_flight, bench.layer.request_counts().not_allowed), (1, 1));
}
