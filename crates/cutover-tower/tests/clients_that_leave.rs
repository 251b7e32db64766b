//! A client may leave at any moment: what it asked for is dropped, nothing hangs, and every call is counted once.

mod common;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Asked, Bench, LIVE, PARALLEL, Script, Step, get, post, reader, side};
use cutover::dual::ShadowPolicy;
use cutover::{Runtime, Side};
use futures::FutureExt;
use http::Response;
use http_body::Body;
use tower::ServiceExt;

/// Counts up when it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_request_dropped_before_its_answer_drops_the_side_and_starts_no_shadow() {
    for route in [PARALLEL, LIVE] {
        let dropped = Arc::new(AtomicUsize::new(0));
        let guard = Arc::clone(&dropped);
        let hangs = side(move |_| {
            let guard = Dropped(Arc::clone(&guard));
            async move {
                let _guard = guard;
                pending().await
            }
        });
        let (other, seen) = reader(Script::default());
        let (legacy, new) = if route.serve == Side::Legacy { (hangs, other) } else { (other, hangs) };
        let bench = Bench::new(route, legacy, new);
        assert!(bench.service.clone().oneshot(get("/")).now_or_never().is_none());
        bench.settle();
        assert_eq!((dropped.load(Ordering::Relaxed), seen.lock().expect("nobody panics").len()), (1, 0));
        assert_eq!((bench.counts().abandoned, bench.counts().in_flight()), (1, 0));
    }
}

#[test]
fn a_call_that_was_never_polled_is_not_counted_and_gives_its_place_back() {
    let ((legacy, _), (new, _)) = (reader(Script::full("a")), reader(Script::full("a")));
    let one = ShadowPolicy::new().max_in_flight(1);
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.runner(|runner| runner.shadow_policy(one)));
    drop(bench.service.clone().oneshot(get("/")));
    drop(tower::Service::call(&mut bench.service.clone(), get("/")));
    assert_eq!(bench.counts().selected, 0);
    bench.exchange(get("/"));
    assert_eq!((bench.counts().matched, bench.counts().skipped.in_flight), (1, 0));
}

#[test]
fn a_response_dropped_in_the_middle_is_not_compared_and_holds_nobody() {
    for steps in 0..3 {
        let body = || Script::new([Step::data("one"), Step::data("two"), Step::data("three")]);
        let ((legacy, _), (new, _)) = (reader(body()), reader(body()));
        let bench = Bench::new(PARALLEL, legacy, new);
        let mut response = Box::pin(bench.send(get("/")).expect("it answers").into_body());
        for _ in 0..steps {
            bench.runtime.run(std::future::poll_fn(|cx| response.as_mut().poll_frame(cx)));
        }
        drop(response);
        assert!(bench.runtime.settle(std::time::Duration::ZERO), "nobody waits for the rest");
        assert_eq!((bench.counts().ignored, bench.counts().in_flight()), (1, 0));
    }
}

#[test]
fn a_client_that_leaves_does_not_hide_a_status_that_differs() {
    let (legacy, _) = reader(Script::full("a"));
    let new = common::answers(|| {
        let mut response = Response::new(Script::full("a"));
        *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
        response
    });
    let bench = Bench::new(PARALLEL, legacy, new);
    drop(bench.send(get("/")));
    bench.settle();
    assert_eq!(bench.paths(), ["/status"]);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_request_drops_it_at_the_side() {
    let (legacy, seen) = reader(Script::default());
    let (new, _) = reader(Script::default());
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.shadow_when(|_| true));
    let request = post(Script::new([Step::data("half"), Step::Never]));
    assert!(bench.service.clone().oneshot(request).now_or_never().is_none());
    bench.settle();
    assert!(seen.lock().expect("nobody panics").is_empty());
    assert_eq!((bench.counts().abandoned, bench.counts().in_flight()), (1, 0));
}

#[test]
fn at_whatever_moment_it_leaves_every_call_is_counted_once() {
    for polls in 0..40 {
        let body = || Script::new([Step::Wait, Step::data("one"), Step::Wait, Step::data("two"), Step::Wait]);
        let answer = move |request: Asked| async move {
            let asked = common::read(request.into_body()).await;
            assert_eq!(asked.data(), b"onetwo");
            Ok(Response::new(body()))
        };
        let bench = Bench::with(PARALLEL, side(answer), side(answer), |builder| builder.shadow_when(|_| true));
        let whole = async {
            let response = bench.service.clone().oneshot(post(body())).await.expect("it answers");
            common::read(response.into_body()).await
        };
        let mut whole = Box::pin(whole.fuse());
        for _ in 0..polls {
            whole.as_mut().now_or_never();
            bench.runtime.run_until_idle();
        }
        drop(whole);
        bench.settle();
        let counts = bench.counts();
        assert_eq!((counts.in_flight(), counts.ended()), (0, u64::from(polls > 0)), "{polls} polls: {counts:?}");
        assert_eq!(bench.runtime.panicked_tasks(), 0);
    }
}

#[test]
fn a_runtime_that_is_shut_down_loses_the_shadow_and_no_answer() {
    let ((legacy, _), (new, _)) = (reader(Script::full("a")), reader(Script::full("a")));
    let bench = Bench::new(PARALLEL, legacy, new);
    let response = bench.send(get("/")).expect("it answers");
    assert_eq!(bench.runtime.drop_tasks(), 1);
    assert_eq!(bench.runtime.run(common::read(response.into_body())).data(), b"a");
    assert_eq!((bench.counts().abandoned, bench.counts().in_flight()), (1, 0));
    bench.runtime.spawn(Box::pin(async {}));
}
