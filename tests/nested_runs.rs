//! A new side that calls its own runner runs legacy only, so that no runner feeds itself. Nobody else is held back.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{Future, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use cutover::dual::{Fallback, ShadowPolicy};
use cutover::observe::{Event, SkipReason};
use cutover::testing::VirtualRuntime;
use cutover::{DualRunner, Equality, Observer, Route, Side, SystemMode};
use futures::channel::oneshot;
use futures::executor::block_on;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const NEW_ONLY: Route = Route::new(SystemMode::NewOnly, Side::New);
const LIVE: Route = NEW_ONLY.with_shadow();

type Runner = DualRunner<&'static str, ()>;

fn runner(route: Route) -> Runner {
    Runner::builder("search", route).comparator(|_: &&str, _: &&str| true).build()
}

/// A call whose sides answer with their names.
async fn call(runner: &Runner) -> Result<&'static str, ()> {
    runner.run("inner", async { Ok("legacy") }, async { Ok("new") }).await
}

fn call_sync(runner: &Runner) -> Result<&'static str, ()> {
    runner.run_sync("inner", || Ok("legacy"), || Ok("new"))
}

/// Calls that were selected and those that were skipped as nested.
fn selected_and_nested(runner: &Runner) -> (u64, u64) {
    let counts = runner.counts();
    (counts.selected, counts.skipped.nested)
}

#[test]
fn new_calls_its_own_runner_and_gets_legacy() {
    for route in [PARALLEL, LIVE, NEW_ONLY] {
        let outer = u64::from(route.running_shadow().is_some());
        let (runner, inner) = (runner(route), Mutex::new(Vec::new()));
        let note = |answer| {
            inner.lock().unwrap().push(answer);
            answer
        };
        block_on(runner.run("outer", async { Ok("outer legacy") }, async { note(call(&runner).await) })).unwrap();
        runner.run_sync("outer", || Ok("outer legacy"), || note(call_sync(&runner))).unwrap();
        runner.run_sync("outer", || Ok("outer legacy"), || note(block_on(call(&runner)))).unwrap();
        let served = async { note(runner.run_detached("inner", ready(Ok("legacy")), ready(Ok("new"))).await) };
        block_on(runner.run("outer", async { Ok("outer legacy") }, served)).unwrap();
        assert_eq!(*inner.lock().unwrap(), [Ok("legacy"); 4], "{route:?}");
        assert_eq!(selected_and_nested(&runner), (4 * outer, 4), "{route:?}");
    }
}

#[test]
fn a_detached_new_side_calls_its_own_runner_and_gets_legacy() {
    for route in [PARALLEL, LIVE] {
        let runtime = VirtualRuntime::new();
        let builder = Runner::builder("search", route).comparator(|_: &&str, _: &&str| true);
        let runner = builder.runtime(runtime.clone()).build();
        let (inner, seen) = (runner.clone(), Arc::new(Mutex::new(None)));
        let note = Arc::clone(&seen);
        let new = async move {
            let answer = call(&inner).await;
            note.lock().unwrap().replace(answer);
            answer
        };
        block_on(runner.run_detached("outer", async { Ok("outer legacy") }, new)).unwrap();
        runtime.run_until_idle();
        assert_eq!(*seen.lock().unwrap(), Some(Ok("legacy")));
        assert_eq!(selected_and_nested(&runner), (1, 1));
    }
}

#[test]
fn new_calls_its_runner_by_way_of_another_runner_and_gets_legacy() {
    let (outer, between) = (runner(PARALLEL), runner(PARALLEL));
    for through_new in [false, true] {
        let way_back = async || if through_new { Ok("-") } else { call(&outer).await };
        let other_way_back = async || if through_new { call(&outer).await } else { Ok("-") };
        let new = async { between.run("between", way_back(), other_way_back()).await };
        block_on(outer.run("outer", async { Ok("outer legacy") }, new)).unwrap();
    }
    assert_eq!(selected_and_nested(&outer), (2, 2));
    assert_eq!(selected_and_nested(&between), (2, 0));
}

#[test]
fn new_may_call_other_runners() {
    let (outer, other) = (runner(PARALLEL), runner(PARALLEL));
    outer.run_sync("outer", || Ok("outer legacy"), || call_sync(&other)).unwrap();
    assert_eq!((selected_and_nested(&outer), selected_and_nested(&other)), ((1, 0), (1, 0)));
}

#[test]
fn legacy_may_call_its_own_runner() {
    for route in [PARALLEL, LIVE] {
        let runner = runner(route);
        block_on(runner.run("outer", call(&runner), async { Ok("outer new") })).unwrap();
        runner.run_sync("outer", || call_sync(&runner), || Ok("outer new")).unwrap();
        let twin = runner.call("outer").twin(call(&runner));
        block_on(twin.run(async { Ok("outer legacy") }, async { Ok("outer new") })).unwrap();
        assert_eq!(selected_and_nested(&runner), (6, 0), "{route:?}");
    }
}

#[test]
fn legacy_that_answers_because_new_failed_may_call_its_own_runner() {
    let builder = Runner::builder("search", NEW_ONLY).comparator(Equality);
    let runner = builder.fallback(Fallback::ToLegacy).build();
    let served = runner.run_sync("outer", || call_sync(&runner), || Err(()));
    assert_eq!((served, runner.counts().skipped.nested), (Ok("new"), 0));
}

#[test]
fn a_call_after_a_panic_of_new_is_not_nested() {
    let runner = runner(PARALLEL);
    for round in 1..=5 {
        runner.run_sync("outer", || Ok("legacy"), || panic!("new")).unwrap();
        block_on(runner.run("outer", async { Ok("legacy") }, async { panic!("new") })).unwrap();
        call_sync(&runner).unwrap();
        assert_eq!(selected_and_nested(&runner), (3 * round, 0));
    }
    let serving = self::runner(NEW_ONLY);
    let panicking = || serving.run_sync("outer", || Ok("legacy"), || panic!("new"));
    assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
    let panicking = || block_on(serving.run("outer", async { Ok("legacy") }, async { panic!("new") }));
    assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
    assert_eq!((call_sync(&serving), serving.counts().skipped.nested), (Ok("new"), 0));
}

/// Pending at its first poll.
async fn pause() {
    let mut paused = false;
    poll_fn(|_| if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

#[test]
fn between_the_polls_of_new_its_thread_is_free() {
    let runner = runner(PARALLEL);
    let (go_on, told) = oneshot::channel();
    let new = async {
        told.await.map_err(drop)?;
        call(&runner).await
    };
    let mut outer = pin!(runner.run("outer", async { Ok("outer legacy") }, new));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(outer.as_mut().poll(&mut cx).is_pending());
    call_sync(&runner).unwrap();
    assert_eq!(selected_and_nested(&runner), (2, 0));
    go_on.send(()).unwrap();
    assert_eq!(outer.as_mut().poll(&mut cx), Poll::Ready(Ok("outer legacy")));
    assert_eq!(selected_and_nested(&runner), (2, 1));
}

#[test]
fn new_is_known_on_every_thread_that_polls_it() {
    let runner = runner(NEW_ONLY);
    let inner = runner.clone();
    let new = async move {
        pause().await;
        let first = call(&inner).await;
        pause().await;
        if first == call(&inner).await { first } else { Ok("changed") }
    };
    let called = runner.clone();
    let mut outer = Box::pin(async move { called.run("outer", async { Ok("outer legacy") }, new).await });
    for last in [false, false, true] {
        outer = thread::spawn(move || {
            let polled = outer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(polled, if last { Poll::Ready(Ok("legacy")) } else { Poll::Pending });
            outer
        })
        .join()
        .unwrap();
    }
    assert_eq!((runner.counts().skipped.nested, call_sync(&runner)), (2, Ok("new")));
}

#[test]
fn a_new_side_that_calls_for_ever_ends() {
    fn search(runner: &Runner, depth: usize) -> Result<&'static str, ()> {
        assert!(depth < 3, "the runner feeds itself");
        runner.run_sync("deep", || Ok("legacy"), || search(runner, depth + 1))
    }
    let runner = runner(PARALLEL);
    assert_eq!(search(&runner, 0), Ok("legacy"));
    assert_eq!((selected_and_nested(&runner), runner.counts().panicked), ((1, 1), 0));
}

/// Collects why shadows were skipped.
#[derive(Default)]
struct Skips(Mutex<Vec<(Side, SkipReason)>>);

impl Observer for Skips {
    fn observe(&self, _: &str, event: &Event) {
        if let Event::Skipped { route, reason } = event {
            self.0.lock().unwrap().push((route.serve, *reason));
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

#[test]
fn the_observer_hears_of_nested_calls() {
    let skips = Arc::new(Skips::default());
    let builder = Runner::builder("search", LIVE).comparator(Equality).shadow_policy(ShadowPolicy::new());
    let runner = builder.observe(Arc::clone(&skips)).build();
    runner.run_sync("outer", || Ok("legacy"), || call_sync(&runner)).unwrap();
    assert_eq!(*skips.0.lock().unwrap(), [(Side::Legacy, SkipReason::Nested)]);
}
