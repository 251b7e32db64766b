//! What clients send and sides answer is in no discrepancy and no debug output, unless the host asked for it.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Bench, LIVE, PARALLEL, Script, answers, json};
use cutover_tower::{HttpFailure, MigrationLayer, by_header};
use http::{HeaderName, Request};
use serde_json::json as value;

const SECRET: &str = "s3cret-canary";

fn request() -> Request<Script> {
    request_with("")
}

fn request_with(body: &str) -> Request<Script> {
    Request::get(format!("/{SECRET}"))
        .header("authorization", SECRET)
        .header("x-user", SECRET)
        .body(Script::full(body.to_owned()))
        .expect("a request")
}

fn benches(describe: bool, capture: bool) -> Vec<Bench> {
    let key = || by_header(HeaderName::from_static("x-user"));
    let benches = [PARALLEL, LIVE].map(|route| {
        let legacy = answers(|| json(&format!(r#"{{"name": "{SECRET}", "a": 1}}"#)));
        let new = answers(|| json(&format!(r#"{{"name": "{SECRET}!", "a": 1}}"#)));
        Bench::with(route, legacy, new, |mut builder| {
            builder = builder.key(key());
            if describe {
                builder = builder.describe(|head| value!({ "path": head.uri.path() }));
            }
            if capture { builder.runner(cutover::dual::DualRunnerBuilder::capture_differences) } else { builder }
        })
    });
    benches.into()
}

#[test]
fn a_discrepancy_says_where_and_not_what() {
    for bench in benches(false, false) {
        bench.exchange(request());
        let found = bench.found();
        let written = serde_json::to_string(&found).expect("it can be written");
        assert_eq!(found[0].differences[0].path, "/body/name");
        assert!(!written.contains(SECRET), "{written}");
        assert!(found[0].context.is_none() && found[0].key.as_ref().is_some_and(|key| key.len() == 16));
        for shown in [format!("{:?}", bench.layer), format!("{:?}", bench.service), format!("{found:?}")] {
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}

#[test]
fn what_the_host_asks_for_is_there() {
    for bench in benches(true, true) {
        bench.exchange(request());
        let found = bench.found().remove(0);
        assert_eq!(
            found.context.map(|context| context.text),
            Some(value!({ "path": format!("/{SECRET}") }).to_string())
        );
        assert_eq!(found.differences[0].legacy, Some(SECRET.into()));
    }
}

#[test]
fn bodies_and_answers_do_not_show_what_they_hold() {
    let (legacy, _) = common::reader(Script::full(SECRET));
    let shown = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let writes = std::sync::Arc::clone(&shown);
    let new = common::side(move |request: common::Asked| {
        *writes.lock().expect("nobody panics") = format!("{:?}", request.body());
        async { Ok(http::Response::new(Script::full("a"))) }
    });
    let tells_nothing =
        |legacy: &cutover_tower::HttpAnswer, _: &cutover_tower::HttpAnswer| !format!("{legacy:?}").contains(SECRET);
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.comparator(tells_nothing));
    bench.exchange(request_with(SECRET));
    assert_eq!(bench.counts().matched, 1);
    let shown = shown.lock().expect("nobody panics");
    assert!(!shown.is_empty() && !shown.contains(SECRET), "{shown}");
}

#[test]
fn a_failure_says_its_status_only() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = std::sync::Arc::clone(&seen);
    let status =
        move |failure: &HttpFailure| notes.lock().expect("nobody panics").push((failure.status(), failure.to_string()));
    let down = || answers(|| http::Response::builder().status(503).body(Script::full(SECRET)).expect("a response"));
    let fails = || common::side(|_| async { Err(common::Broken(1)) });
    for (legacy, new) in [(down(), down()), (fails(), fails())] {
        let status = status.clone();
        let bench = Bench::with(PARALLEL, legacy, new, |builder| {
            builder.runner(|runner| runner.error_comparator(status, |(): &(), (): &()| true))
        });
        bench.send(request()).ok();
        bench.settle();
    }
    let seen = seen.lock().expect("nobody panics");
    assert_eq!(seen[0], (http::StatusCode::from_u16(503).ok(), "the side answered with status 503".to_owned()));
    assert_eq!(seen[2], (None, "the side's service returned an error".to_owned()));
    let _: fn(&MigrationLayer<()>) = |_| ();
}
