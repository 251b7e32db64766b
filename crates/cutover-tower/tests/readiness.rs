//! The clone that was ready is the one that is called, and no side waits for the other one.

mod common;

use std::future::Ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use common::{Answered, Asked, Bench, Broken, LEGACY_ONLY, LIVE, NEW_ONLY, PARALLEL, Script, TestSide, get};
use cutover::Side;
use futures::FutureExt;
use http::Response;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

/// When a clone becomes ready.
#[derive(Clone, Copy)]
enum When {
    AfterPolls(usize),
    Never,
    Fails,
}

/// Insists on the contract of `Service`: each clone has to become ready by itself, and is called once after that.
struct Strict {
    when: When,
    polls: usize,
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Strict {
    fn side(when: When) -> (TestSide, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let side = Self { when, polls: 0, ready: false, calls: Arc::clone(&calls) };
        (BoxCloneSyncService::new(side), calls)
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { when: self.when, polls: 0, ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Asked> for Strict {
    type Response = Response<Script>;
    type Error = Broken;
    type Future = Ready<Answered>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.polls += 1;
        match self.when {
            When::Never => Poll::Pending,
            When::Fails => Poll::Ready(Err(Broken(9))),
            When::AfterPolls(polls) if self.polls > polls => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
            When::AfterPolls(_) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn call(&mut self, _: Asked) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been ready");
        self.calls.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Response::new(Script::full("ok"))))
    }
}

fn bench(route: cutover::Route, serving: When, other: When) -> (Bench, [Arc<AtomicUsize>; 2]) {
    let ((serving, of_serving), (other, of_other)) = (Strict::side(serving), Strict::side(other));
    let (legacy, new) = if route.serve == Side::Legacy { (serving, other) } else { (other, serving) };
    (Bench::new(route, legacy, new), [of_serving, of_other])
}

#[test]
fn a_side_is_called_on_the_clone_that_was_ready() {
    for route in [LEGACY_ONLY, PARALLEL, NEW_ONLY, LIVE] {
        let (bench, [serving, other]) = bench(route, When::AfterPolls(3), When::AfterPolls(2));
        for _ in 0..5 {
            assert_eq!(bench.exchange(get("/")).1.data(), b"ok");
        }
        let shadows = if route.shadow == cutover::Shadow::Run { 5 } else { 0 };
        assert_eq!((serving.load(Ordering::Relaxed), other.load(Ordering::Relaxed)), (5, shadows));
        assert_eq!(bench.counts().matched, shadows as u64);
    }
}

#[test]
fn a_side_that_is_never_ready_does_not_hold_up_the_other_one() {
    for route in [LEGACY_ONLY, PARALLEL, NEW_ONLY, LIVE] {
        let (bench, [serving, other]) = bench(route, When::AfterPolls(0), When::Never);
        let answer = bench.service.clone().oneshot(get("/")).now_or_never().expect("it answers at once");
        assert!(answer.is_ok());
        drop(answer);
        bench.settle();
        assert_eq!((serving.load(Ordering::Relaxed), other.load(Ordering::Relaxed)), (1, 0));
        assert_eq!(bench.counts().timed_out, bench.counts().selected);
    }
}

#[test]
fn the_service_is_always_ready_and_a_request_waits_for_its_side() {
    let (bench, [serving, _]) = bench(LEGACY_ONLY, When::Never, When::Never);
    let mut service = bench.service;
    assert!(service.ready().now_or_never().is_some());
    assert!(service.call(get("/")).now_or_never().is_none());
    assert_eq!(serving.load(Ordering::Relaxed), 0);
}

#[test]
fn an_error_of_readiness_is_that_of_the_request() {
    for route in [LEGACY_ONLY, PARALLEL, NEW_ONLY, LIVE] {
        let (bench, _) = bench(route, When::Fails, When::AfterPolls(0));
        assert_eq!(bench.send(get("/")).map(|_| ()).expect_err("the side failed"), Broken(9));
        bench.settle();
        assert_eq!(bench.counts().one_failed, bench.counts().selected);
    }
}

#[test]
fn a_shadow_that_fails_to_become_ready_is_a_failed_shadow() {
    let (bench, [_, other]) = bench(PARALLEL, When::AfterPolls(0), When::Fails);
    assert_eq!(bench.exchange(get("/")).1.data(), b"ok");
    assert_eq!((other.load(Ordering::Relaxed), bench.counts().one_failed), (0, 1));
}

#[test]
fn many_requests_of_one_service_do_not_wait_for_each_other() {
    let (bench, [serving, _]) = bench(PARALLEL, When::AfterPolls(1), When::AfterPolls(1));
    let mut service = bench.service.clone();
    let calls: Vec<_> = (0..20).map(|_| service.call(get("/"))).collect();
    let answers = bench.runtime.run(futures::future::join_all(calls));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(serving.load(Ordering::Relaxed), 20);
}
