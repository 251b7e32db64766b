//! Whatever the side in the shadow does, the answer is that of the side that serves, at once.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Answered, Asked, Bench, Broken, LIVE, PARALLEL, Script, Step, TestSide, answers, get, panicking, side};
use cutover::dual::ShadowPolicy;
use cutover::{Clock, Runtime, Side, Verdict};
use cutover_tower::HttpAnswer;
use futures::FutureExt;
use http::{Response, StatusCode};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt, service_fn};

fn fine() -> TestSide {
    answers(|| Response::new(Script::full("fine")))
}

fn failing(status: u16) -> Response<Script> {
    let mut response = Response::new(Script::full("down"));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            common::planned_panic();
        }
    }
}

/// A side that can be cloned so many times, and panics then.
struct Uncloneable(Arc<AtomicUsize>);

impl Clone for Uncloneable {
    fn clone(&self) -> Self {
        if self.0.load(Ordering::Relaxed) == 0 {
            common::planned_panic();
        }
        self.0.fetch_sub(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl Service<Asked> for Uncloneable {
    type Response = Response<Script>;
    type Error = Broken;
    type Future = std::future::Ready<Answered>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Broken>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Asked) -> Self::Future {
        unreachable!("it was never cloned")
    }
}

/// All kinds of trouble, and the verdict on each.
fn troubles() -> Vec<(&'static str, TestSide, Verdict)> {
    let called = |_: Asked| -> std::future::Ready<Answered> { common::planned_panic() };
    let dropped = |_: Asked| {
        let bomb = Bomb;
        async move {
            let _bomb = bomb;
            Ok(Response::new(Script::full("fine")))
        }
    };
    let hanging_with_a_bomb = |_: Asked| {
        let bomb = Bomb;
        async move {
            let _bomb = bomb;
            pending().await
        }
    };
    vec![
        ("panics when it is called", BoxCloneSyncService::new(service_fn(called)), Verdict::Panicked),
        ("panics when it is polled", side(|_| panicking()), Verdict::Panicked),
        ("panics when its future is dropped", side(dropped), Verdict::Panicked),
        ("panics when it is given up", side(hanging_with_a_bomb), Verdict::TimedOut),
        (
            "panics in its body",
            answers(|| Response::new(Script::new([Step::data("fi"), Step::Panic]))),
            Verdict::Mismatched,
        ),
        ("fails", side(|_| async { Err(Broken(1)) }), Verdict::OneFailed),
        ("answers 500", answers(|| failing(500)), Verdict::OneFailed),
        ("answers 404", answers(|| failing(404)), Verdict::Mismatched),
        ("hangs", side(|_| pending()), Verdict::TimedOut),
        (
            "hangs in its body",
            answers(|| Response::new(Script::new([Step::data("fi"), Step::Never]))),
            Verdict::Mismatched,
        ),
        (
            "breaks off",
            answers(|| Response::new(Script::new([Step::data("fi"), Step::Fail(Broken(2))]))),
            Verdict::Mismatched,
        ),
        ("is fine", fine(), Verdict::Matched),
    ]
}

#[test]
fn the_answer_is_there_at_once_and_the_trouble_is_counted() {
    for route in [PARALLEL, LIVE] {
        for (trouble, shadow, verdict) in troubles() {
            let (legacy, new) = if route.serve == Side::Legacy { (fine(), shadow) } else { (shadow, fine()) };
            let bench = Bench::new(route, legacy, new);
            let answer = bench.service.clone().oneshot(get("/")).now_or_never();
            let response = answer.unwrap_or_else(|| panic!("{trouble}: it answers at once")).expect("it answers");
            assert_eq!(response.status(), StatusCode::OK, "{trouble}");
            let body = common::read(response.into_body()).now_or_never().expect("it streams at once");
            assert_eq!(body.data(), b"fine", "{trouble}");
            bench.settle();
            assert_eq!(bench.counts().of(verdict), 1, "{trouble}: {:?}", bench.counts());
            assert_eq!((bench.counts().in_flight(), bench.runtime.panicked_tasks()), (0, 0), "{trouble}");
        }
    }
}

#[test]
fn a_side_whose_clone_panics_has_no_shadow() {
    // The layer makes the first clone, the request the second.
    let new = BoxCloneSyncService::new(Uncloneable(Arc::new(AtomicUsize::new(1))));
    let mut bench = Bench::new(PARALLEL, fine(), new);
    let answer = bench.service.call(get("/")).now_or_never().expect("at once").expect("it answers");
    assert_eq!(common::read(answer.into_body()).now_or_never().expect("at once").data(), b"fine");
    bench.settle();
    assert_eq!((bench.layer.request_counts().faults, bench.counts().abandoned), (1, 1));
}

#[test]
fn a_panic_or_an_error_of_the_side_that_serves_is_that_of_the_request() {
    for route in [PARALLEL, LIVE, common::LEGACY_ONLY, common::NEW_ONLY] {
        let both = |serving: TestSide| {
            let (legacy, new) = if route.serve == Side::Legacy { (serving, fine()) } else { (fine(), serving) };
            Bench::new(route, legacy, new)
        };
        let bench = both(side(|_| async { Err(Broken(3)) }));
        assert_eq!(bench.send(get("/")).map(|_| ()).expect_err("it fails"), Broken(3));
        bench.settle();
        assert_eq!(bench.counts().one_failed, bench.counts().selected);
        let bench = both(side(|_| panicking()));
        let thrown = std::panic::catch_unwind(AssertUnwindSafe(|| bench.send(get("/"))));
        assert!(thrown.is_err());
        assert_eq!(bench.counts().panicked, bench.counts().selected);
    }
}

#[test]
fn a_shadow_that_takes_its_time_is_stopped_at_its_timeout_and_takes_none_of_the_clients() {
    let slow = |runtime: cutover::testing::VirtualRuntime| {
        side(move |_| {
            let sleep = runtime.sleep(Duration::from_secs(30));
            async move {
                sleep.await;
                Ok(Response::new(Script::full("late")))
            }
        })
    };
    let runtime = cutover::testing::VirtualRuntime::new();
    let (virtually, policy) = (runtime.clone(), ShadowPolicy::new().timeout(Duration::from_millis(250)));
    let bench = Bench::with(PARALLEL, fine(), slow(runtime.clone()), |builder| {
        builder.runner(|runner| runner.clock(virtually.clock()).runtime(virtually).shadow_policy(policy))
    });
    assert!(bench.service.clone().oneshot(get("/")).now_or_never().is_some());
    assert_eq!(runtime.clock().now().as_nanos(), 0);
    assert!(runtime.settle(Duration::from_millis(250)));
    assert_eq!((bench.counts().timed_out, bench.counts().new_nanos), (1, 250_000_000));
}

#[test]
fn shadows_that_fail_again_and_again_are_stopped_by_the_breaker() {
    let bench = Bench::new(PARALLEL, fine(), side(|_| panicking()));
    for _ in 0..30 {
        assert_eq!(bench.exchange(get("/")).1.data(), b"fine");
    }
    assert_eq!((bench.counts().panicked, bench.counts().skipped.breaker_open), (10, 20));
}

#[test]
fn functions_of_the_host_that_panic_touch_no_answer() {
    let bench = Bench::with(PARALLEL, fine(), fine(), |builder| builder.shadow_when(|_| common::planned_panic()));
    assert_eq!(bench.exchange(get("/")).1.data(), b"fine");
    assert_eq!((bench.layer.request_counts().faults, bench.layer.request_counts().not_allowed), (1, 1));
    let bench = Bench::with(PARALLEL, fine(), fine(), |builder| builder.failure(|_, _| common::planned_panic()));
    assert_eq!(bench.exchange(get("/")).1.data(), b"fine");
    assert_eq!((bench.layer.request_counts().faults, bench.counts().matched), (2, 1));
    let bench = Bench::with(PARALLEL, fine(), fine(), |builder| builder.edit_shadow(|_| common::planned_panic()));
    assert_eq!(bench.exchange(get("/")).1.data(), b"fine");
    assert_eq!(bench.counts().panicked, 1);
    let other = answers(|| failing(404));
    let bench = Bench::with(PARALLEL, fine(), other, |builder| builder.describe(|_| common::planned_panic()));
    assert_eq!(bench.exchange(get("/")).1.data(), b"fine");
    assert_eq!((bench.counts().mismatched, bench.counts().faults.capture), (1, 1));
    let compares = |_: &HttpAnswer, _: &HttpAnswer| -> bool { common::planned_panic() };
    let bench = Bench::with(PARALLEL, fine(), fine(), |builder| builder.comparator(compares));
    assert_eq!(bench.exchange(get("/")).1.data(), b"fine");
    assert_eq!((bench.counts().ignored, bench.counts().faults.comparator), (1, 1));
}
