//! The future of `run` keeps its sides where they were first put, and keeps nothing once it has answered.
#![cfg(feature = "testing")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::mem::size_of_val;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cutover::dual::Fallback;
use cutover::record::MemoryRecorder;
use cutover::{DualRunner, Equality, Route, Side, SystemMode};
use futures::future::{pending, poll_fn};

type Runner = DualRunner<u8, String>;

const LEGACY_ONLY: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
const NEW_ONLY: Route = Route::new(SystemMode::NewOnly, Side::New);
const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
/// What a call may need beside its sides, in bytes.
const BESIDE: usize = 400;

fn runner(route: Route) -> Runner {
    DualRunner::builder("price", route).comparator(Equality).patience(Duration::ZERO).build()
}

/// A side that is as large as `size`, and answers at its second poll.
async fn large<const SIZE: usize>() -> Result<u8, String> {
    let kept = [7; SIZE];
    let mut polls = 0;
    poll_fn(|_| {
        polls += 1;
        if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Ok(kept.iter().fold(0, |_, last| *last))
}

/// A side that holds `held` for as long as it lives.
async fn holding(held: Arc<()>, ends: impl Future<Output = Result<u8, String>>) -> Result<u8, String> {
    let answer = ends.await;
    drop(held);
    answer
}

#[test]
fn a_call_is_as_large_as_its_two_sides_and_little_more() {
    let runner = runner(PARALLEL);
    let sides = size_of_val(&large::<4_000>()) + size_of_val(&large::<9_000>());
    let call = size_of_val(&runner.run("key", large::<4_000>(), large::<9_000>()));
    assert!(call <= sides + BESIDE, "{call} bytes for sides of {sides}");
}

#[test]
fn a_call_that_has_answered_holds_neither_side() {
    for route in [LEGACY_ONLY, NEW_ONLY, PARALLEL] {
        let (runner, held) = (runner(route), Arc::new(()));
        let side = |serves: Side| async move { if route.serve == serves { Ok(1) } else { pending().await } };
        let legacy = holding(Arc::clone(&held), side(Side::Legacy));
        let new = holding(Arc::clone(&held), side(Side::New));
        let mut call = pin!(runner.run("key", legacy, new));
        assert_eq!(Arc::strong_count(&held), 3);
        assert_eq!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(1)), "{route:?}");
        assert_eq!(Arc::strong_count(&held), 1, "{route:?}");
    }
}

#[test]
fn a_call_whose_served_side_has_panicked_holds_neither_side() {
    let (runner, held) = (runner(PARALLEL), Arc::new(()));
    let panics = async { resume_unwind(Box::new("legacy is broken")) };
    let legacy = holding(Arc::clone(&held), panics);
    let new = holding(Arc::clone(&held), pending());
    let mut call = pin!(runner.run("key", legacy, new));
    let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    assert_eq!(polled.unwrap_err().downcast_ref(), Some(&"legacy is broken"));
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_call_that_waits_goes_on_where_it_was() {
    for route in [LEGACY_ONLY, NEW_ONLY, PARALLEL] {
        let runner = runner(route);
        let mut call = pin!(runner.run("key", large::<100>(), large::<100>()));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(call.as_mut().poll(&mut context), Poll::Pending, "{route:?}");
        assert_eq!(call.as_mut().poll(&mut context), Poll::Ready(Ok(7)), "{route:?}");
        assert_eq!(runner.counts().matched, u64::from(route == PARALLEL), "{route:?}");
    }
}

#[test]
fn a_quiet_call_that_has_answered_holds_no_context() {
    for route in [LEGACY_ONLY, NEW_ONLY, PARALLEL] {
        let (runner, held) = (runner(route), Arc::new(()));
        let inside = Arc::clone(&held);
        let call = runner.call("key").context(move || Arc::strong_count(&inside));
        let mut call = pin!(call.run(async { Ok(1) }, async { Ok(1) }));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        assert_eq!(Arc::strong_count(&held), 1, "{route:?}");
    }
}

/// A future that panics when it is polled, and is a leaf: nothing in it drops what it holds.
struct Broken(#[expect(dead_code, reason = "it is held")] Arc<()>);

impl Future for Broken {
    type Output = Result<u8, String>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        resume_unwind(Box::new("it is broken"))
    }
}

#[test]
fn a_call_of_one_side_that_panics_drops_it_at_once_and_has_ended() {
    for route in [LEGACY_ONLY, NEW_ONLY] {
        let (runner, held) = (runner(route), Arc::new(()));
        let broken = || Broken(Arc::clone(&held));
        let mut call = pin!(runner.run("key", broken(), broken()));
        let mut polled = || {
            let poll = || call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            catch_unwind(AssertUnwindSafe(poll)).unwrap_err()
        };
        assert_eq!(polled().downcast_ref(), Some(&"it is broken"), "{route:?}");
        assert_eq!(Arc::strong_count(&held), 1, "{route:?}");
        assert_eq!(polled().downcast_ref(), Some(&"`run` was polled after it had ended"), "{route:?}");
    }
}

/// A side that holds the lock for ever.
async fn holding_a_lock(lock: &Mutex<()>) -> Result<u8, String> {
    let _held = lock.lock();
    pending().await
}

fn is_free(lock: &Mutex<()>) -> bool {
    lock.try_lock().is_ok()
}

fn context_of(recorder: &MemoryRecorder) -> String {
    recorder.discrepancies()[0].context.as_ref().unwrap().text.clone()
}

#[test]
fn a_shadow_is_gone_before_anybody_is_told_of_the_panic_that_ended_the_call() {
    let (lock, recorder) = (Mutex::new(()), Arc::new(MemoryRecorder::new()));
    let runner = Runner::builder("price", PARALLEL).comparator(Equality).record_to(Arc::clone(&recorder)).build();
    let call = runner.call("key").context(|| is_free(&lock));
    let call = call.run(async { resume_unwind(Box::new("legacy is broken")) }, holding_a_lock(&lock));
    let polled = catch_unwind(AssertUnwindSafe(|| pin!(call).poll(&mut Context::from_waker(Waker::noop()))));
    assert!(polled.is_err());
    assert_eq!(context_of(&recorder), "true");
}

#[test]
fn a_twin_is_gone_before_anybody_is_told_of_the_failure_that_legacy_answered_for() {
    let (lock, recorder) = (Mutex::new(()), Arc::new(MemoryRecorder::new()));
    let live = NEW_ONLY.with_shadow();
    let runner = Runner::builder("price", live).comparator(Equality).fallback(Fallback::ToLegacy);
    let runner = runner.record_to(Arc::clone(&recorder)).build();
    let call = runner.call("key").context(|| is_free(&lock)).twin(holding_a_lock(&lock));
    let call = call.run(async { Ok(1) }, async { Err("new is broken".to_owned()) });
    assert_eq!(pin!(call).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(1)));
    assert_eq!(context_of(&recorder), "true");
}

#[test]
#[should_panic(expected = "polled after it had ended")]
fn a_call_that_has_answered_says_so_when_it_is_polled_again() {
    let runner = runner(LEGACY_ONLY);
    let mut call = pin!(runner.run("key", async { Ok(1) }, async { Ok(2) }));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(call.as_mut().poll(&mut context), Poll::Ready(Ok(1)));
    let _again = call.as_mut().poll(&mut context);
}
