//! Two responses are the same when status, chosen headers, trailers and body are; a difference says where.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Bench, Broken, PARALLEL, Script, Step, TestSide, answers, get, json};
use cutover::compare::{By, DifferenceKind};
use cutover::{Structural, Verdict};
use cutover_tower::{HttpAnswer, HttpComparator};
use http::{HeaderMap, HeaderName, Request, Response};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

fn responds(response: impl Fn() -> Response<Script> + Clone + Send + Sync + 'static) -> TestSide {
    answers(response)
}

fn with(comparator: HttpComparator, legacy: TestSide, new: TestSide) -> Bench {
    let bench = Bench::with(PARALLEL, legacy, new, |builder| {
        builder.comparator(comparator).runner(cutover::dual::DualRunnerBuilder::capture_differences)
    });
    bench.exchange(get("/"));
    bench
}

fn status(code: u16, body: &'static str) -> TestSide {
    responds(move || Response::builder().status(code).body(Script::full(body)).expect("a response"))
}

fn typed(content_type: &'static str, body: &'static str) -> TestSide {
    responds(move || {
        Response::builder().header("content-type", content_type).body(Script::full(body)).expect("a response")
    })
}

fn lines(bench: &Bench) -> Vec<String> {
    bench.found().iter().flat_map(|found| &found.differences).map(ToString::to_string).collect()
}

#[test]
fn equal_responses_match() {
    let same = || responds(|| json(r#"{"a":1}"#));
    assert_eq!(with(HttpComparator::new(), same(), same()).counts().matched, 1);
}

#[test]
fn a_status_that_differs_is_the_one_difference() {
    let bench = with(HttpComparator::new(), status(200, "a"), status(404, "not found"));
    assert_eq!(lines(&bench), ["/status: value, 200 -> 404"]);
}

#[test]
fn a_chosen_header_that_differs_is_named_and_others_do_not_matter() {
    let side = |content_type: Option<&'static str>, id: &'static str| {
        responds(move || {
            let mut response = Response::builder().header("x-request-id", id);
            if let Some(content_type) = content_type {
                response = response.header("content-type", content_type);
            }
            response.body(Script::full("a")).expect("a response")
        })
    };
    let bench = with(HttpComparator::new(), side(Some("text/plain"), "1"), side(Some("text/html"), "2"));
    assert_eq!(lines(&bench), [r#"/headers/content-type: value, "text/plain" -> "text/html""#]);
    let bench = with(HttpComparator::new(), side(Some("text/plain"), "1"), side(None, "2"));
    assert_eq!(bench.found()[0].differences[0].kind, DifferenceKind::OnlyLegacy);
    let chosen = HttpComparator::new().headers([HeaderName::from_static("x-request-id")]);
    let bench = with(chosen, side(Some("text/plain"), "1"), side(None, "2"));
    assert_eq!(bench.paths(), ["/headers/x-request-id"]);
}

#[test]
fn several_values_of_a_header_are_compared_in_their_order() {
    let side = |values: [&'static str; 2]| {
        responds(move || {
            let response = Response::builder().header("vary", values[0]).header("vary", values[1]);
            response.body(Script::full("a")).expect("a response")
        })
    };
    let vary = || HttpComparator::new().headers([http::header::VARY]);
    assert_eq!(with(vary(), side(["a", "b"]), side(["a", "b"])).counts().matched, 1);
    let bench = with(vary(), side(["a", "b"]), side(["b", "a"]));
    assert_eq!(lines(&bench), [r#"/headers/vary: value, ["a","b"] -> ["b","a"]"#]);
}

#[test]
fn json_bodies_are_compared_place_by_place() {
    let legacy = || responds(|| json(r#"{"took_ms": 3, "hits": [{"id": 1, "price": 10}, {"id": 2, "price": 20}]}"#));
    let new = || responds(|| json(r#"{"hits": [{"price": 20, "id": 2}, {"id": 1, "price": 11}], "took_ms": 1}"#));
    let structural = Structural::new().ignore("/took_ms").unordered("/hits", By::Key("/id"));
    let bench = with(HttpComparator::new().json(structural.clone()), legacy(), new());
    assert_eq!(lines(&bench), ["/body/hits/0/price: value, 10 -> 11"]);
    let tolerant = HttpComparator::new().json(structural.tolerance("/hits/*/price", 1.0));
    assert_eq!(with(tolerant, legacy(), new()).counts().matched, 1);
}

#[test]
fn json_is_what_says_so_and_is_so() {
    for (content_type, legacy, new, paths) in [
        ("application/json; charset=utf-8", r#"{"a": 1}"#, r#"{"a":1}"#, vec![]),
        ("application/problem+json", "[1, 2]", "[1,2]", vec![]),
        ("APPLICATION/JSON", "1.0", "1", vec![]),
        ("text/plain", r#"{"a": 1}"#, r#"{"a":1}"#, vec!["/body"]),
        ("application/json", "{broken", "{ broken", vec!["/body"]),
        ("application/json", "1", "{broken", vec!["/body"]),
        ("application/json", "1", "", vec!["/body"]),
        ("application/jsonx", "1.0", "1", vec!["/body"]),
    ] {
        let bench = with(HttpComparator::new(), typed(content_type, legacy), typed(content_type, new));
        assert_eq!(bench.paths(), paths, "{content_type}: {legacy} and {new}");
    }
}

#[test]
fn differences_beyond_the_list_are_still_a_difference() {
    let side = |body: &'static str| responds(move || json(body));
    let none = HttpComparator::new().json(Structural::new().max_differences(0));
    assert_eq!(with(none, side("1"), side("2")).paths(), ["/body"]);
}

#[test]
fn trailers_of_the_chosen_names_are_compared() {
    let side = |code: &'static str| {
        responds(move || {
            let mut trailers = HeaderMap::new();
            trailers.insert(GRPC_STATUS, code.parse().expect("a value"));
            trailers.insert("x-took", code.parse().expect("a value"));
            Response::new(Script::new([Step::data("message"), Step::Trailers(trailers)]))
        })
    };
    let grpc = || HttpComparator::new().headers([GRPC_STATUS]);
    assert_eq!(lines(&with(grpc(), side("0"), side("5"))), [r#"/trailers/grpc-status: value, "0" -> "5""#]);
    assert_eq!(with(grpc(), side("0"), side("0")).counts().matched, 1);
    assert_eq!(with(HttpComparator::new(), side("0"), side("5")).counts().matched, 1);
}

#[test]
fn bodies_can_be_left_out() {
    let bench = with(HttpComparator::new().without_bodies(), status(200, "a"), status(200, "b"));
    assert_eq!(bench.counts().matched, 1);
}

#[test]
fn a_response_to_head_has_no_body_to_compare() {
    let ((legacy, new), head) = ((status(200, "a"), status(200, "b")), Request::head("/"));
    let bench = Bench::new(PARALLEL, legacy, new);
    drop(bench.send(head.body(Script::full("")).expect("a request")));
    bench.settle();
    assert_eq!(bench.counts().matched, 1);
}

#[test]
fn validators_that_only_one_side_knows_are_ignored() {
    for (codes, verdict) in
        [([304, 200], Verdict::Ignored), ([200, 304], Verdict::Ignored), ([304, 404], Verdict::Mismatched)]
    {
        let bench = Bench::new(PARALLEL, status(codes[0], ""), status(codes[1], "fresh"));
        bench.exchange(Request::get("/").header("if-none-match", "\"1\"").body(Script::full("")).expect("a request"));
        assert_eq!(bench.counts().of(verdict), 1, "{codes:?}");
    }
    let bench = Bench::new(PARALLEL, status(304, ""), status(200, "fresh"));
    bench.exchange(get("/"));
    assert_eq!(bench.paths(), ["/status"]);
}

#[test]
fn each_condition_explains_the_statuses_that_it_can_bring_about_and_no_others() {
    for (condition, value, codes, verdict) in [
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT", [200, 304], Verdict::Ignored),
        ("if-range", "\"1\"", [206, 200], Verdict::Ignored),
        ("if-range", "\"1\"", [200, 206], Verdict::Ignored),
        ("if-match", "\"1\"", [200, 412], Verdict::Ignored),
        ("if-match", "\"1\"", [412, 204], Verdict::Ignored),
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT", [412, 200], Verdict::Ignored),
        ("if-match", "*", [412, 200], Verdict::Mismatched),
        ("if-match", "\"1\"", [412, 404], Verdict::Mismatched),
        ("if-match", "\"1\"", [304, 200], Verdict::Mismatched),
        ("if-none-match", "\"1\"", [206, 200], Verdict::Mismatched),
        ("range", "bytes=0-9", [206, 200], Verdict::Mismatched),
    ] {
        let bench = Bench::new(PARALLEL, status(codes[0], ""), status(codes[1], ""));
        bench.exchange(Request::get("/").header(condition, value).body(Script::full("")).expect("a request"));
        assert_eq!(bench.counts().of(verdict), 1, "{condition}: {value}, {codes:?}");
    }
}

#[test]
fn two_failures_are_no_discrepancy_and_one_is() {
    let bench = Bench::new(PARALLEL, status(500, "a"), status(503, "b"));
    bench.exchange(get("/"));
    assert_eq!((bench.counts().both_failed, bench.found().len()), (1, 0));
    let bench = Bench::new(PARALLEL, status(200, "a"), status(503, "b"));
    bench.exchange(get("/"));
    assert_eq!((bench.counts().one_failed, bench.found().len()), (1, 1));
}

#[test]
fn what_counts_as_a_failure_is_up_to_the_host() {
    let trailers_only = |code: &'static str| {
        responds(move || Response::builder().header("grpc-status", code).body(Script::full("")).expect("a response"))
    };
    let fails = |status: http::StatusCode, headers: &HeaderMap| {
        status.is_server_error() || headers.get("grpc-status").is_some_and(|code| code != "0")
    };
    let bench = Bench::with(PARALLEL, trailers_only("0"), trailers_only("14"), |builder| builder.failure(fails));
    bench.exchange(get("/"));
    assert_eq!(bench.counts().one_failed, 1);
}

#[test]
fn a_comparator_of_the_host_sees_the_whole_answer() {
    let same_length = |legacy: &HttpAnswer, new: &HttpAnswer| {
        let length = |answer: &HttpAnswer| answer.body().map(bytes::Bytes::len);
        assert_eq!(legacy.status().as_u16(), 200);
        assert!(legacy.trailers().is_none() && legacy.headers().is_empty() && !legacy.asked_conditionally());
        length(legacy).is_some() && length(legacy) == length(new)
    };
    for (new, verdict) in [("abd", Verdict::Matched), ("abcd", Verdict::Mismatched)] {
        let bench =
            Bench::with(PARALLEL, status(200, "abc"), status(200, new), |builder| builder.comparator(same_length));
        bench.exchange(get("/"));
        assert_eq!(bench.counts().of(verdict), 1);
    }
}

#[test]
fn a_rule_that_cannot_be_used_makes_nothing_equal_and_says_so() {
    let bad = || HttpComparator::new().json(Structural::new().ignore("no-slash"));
    assert!(bad().check().is_err());
    let bench = with(bad(), status(200, "a"), status(200, "a"));
    assert_eq!((bench.counts().ignored, bench.counts().faults.comparator), (1, 1));
}

#[test]
fn a_body_that_breaks_off_on_both_sides_is_unknown_and_on_one_side_differs() {
    let broken = || responds(|| Response::new(Script::new([Step::data("a"), Step::Fail(Broken(1))])));
    assert_eq!(with(HttpComparator::new(), broken(), broken()).counts().ignored, 1);
    assert_eq!(with(HttpComparator::new(), broken(), status(200, "a")).paths(), ["/body"]);
}
