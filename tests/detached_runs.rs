//! A detached shadow starts after the answer has left, goes on without the caller, and is counted whatever becomes of it.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{pending, poll_fn, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use cutover::dual::{DualRunnerBuilder, ShadowPolicy};
use cutover::observe::{Event, SkipReason};
use cutover::record::MemoryRecorder;
use cutover::runtime::ThreadRuntime;
use cutover::testing::VirtualRuntime;
use cutover::{Clock, DualRunner, Equality, Observer, Outcome, Route, Runtime, Side, SystemMode, Verdict};
use futures::channel::oneshot;
use futures::executor::block_on;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const LIVE: Route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();

type Runner = DualRunner<u32, String>;

fn builder(route: Route, runtime: impl Runtime + 'static) -> DualRunnerBuilder<u32, String> {
    Runner::builder("search", route).comparator(Equality).runtime(runtime)
}

fn on(runtime: &VirtualRuntime) -> DualRunnerBuilder<u32, String> {
    builder(PARALLEL, runtime.clone()).clock(runtime.clock())
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn the_answer_is_there_before_the_shadow_is_polled() {
    for (route, [legacy, new]) in [(PARALLEL, [0, 1]), (LIVE, [1, 0])] {
        let runtime = VirtualRuntime::new();
        let runner = builder(route, runtime.clone()).build();
        let polls: [Arc<AtomicUsize>; 2] = [Arc::default(), Arc::default()];
        let side = |at: usize| {
            let polls = Arc::clone(&polls[at]);
            poll_fn(move |_| Poll::Ready(Ok(polls.fetch_add(1, Ordering::Relaxed).try_into().unwrap_or(9))))
        };
        assert_eq!(block_on(runner.run_detached("anna", side(legacy), side(new))), Ok(0));
        let polled = |at: usize| polls[at].load(Ordering::Relaxed);
        assert_eq!((polled(0), polled(1), runner.counts().in_flight()), (1, 0, 1));
        runtime.run_until_idle();
        assert_eq!((polled(0), polled(1), runner.counts().matched), (1, 1, 1));
    }
}

#[test]
fn the_shadow_goes_on_after_the_caller_has_gone() {
    let (runtime, recorder) = (VirtualRuntime::new(), Arc::new(MemoryRecorder::new()));
    let runner = on(&runtime).record_to(Arc::clone(&recorder)).build();
    let sleep = runtime.sleep(millis(900));
    let new = async move {
        sleep.await;
        Ok(2)
    };
    let call = runner.call("anna").context(|| "late");
    assert_eq!(runtime.run(call.run_detached(ready(Ok(1)), new)), Ok(1));
    assert!(recorder.is_empty() && runtime.clock().now().as_nanos() == 0);
    assert!(runtime.settle(millis(900)));
    let found = recorder.discrepancies().remove(0);
    assert_eq!((found.legacy.elapsed, found.new.elapsed), (Duration::ZERO, millis(900)));
    assert_eq!(found.context.unwrap().text, r#""late""#);
    assert_eq!(runner.counts().mismatched, 1);
}

#[test]
fn a_served_error_is_judged_although_the_caller_has_taken_it() {
    for (new, verdict) in [("E17: no such row", Verdict::Matched), ("E42: timeout", Verdict::Mismatched)] {
        let (runtime, recorder) = (VirtualRuntime::new(), Arc::new(MemoryRecorder::new()));
        let code = |error: &String| error.split(':').next().map(str::to_owned);
        let runner = on(&runtime)
            .error_comparator(code, Equality)
            .capture_errors(|error, out| std::fmt::Write::write_str(out, error))
            .record_to(Arc::clone(&recorder))
            .build();
        let legacy = ready(Err("E17: not found".to_owned()));
        assert_eq!(
            block_on(runner.run_detached("anna", legacy, ready(Err(new.to_owned())))).unwrap_err(),
            "E17: not found"
        );
        runtime.run_until_idle();
        assert_eq!(runner.counts().of(verdict), 1);
        let shown: Vec<_> = recorder.discrepancies().into_iter().filter_map(|found| found.legacy.value).collect();
        assert!(shown.iter().all(|value| value.text == "E17: not found"), "{shown:?}");
        assert_eq!(shown.len(), usize::from(verdict == Verdict::Mismatched));
    }
}

/// Sends each pair of outcomes to a test that waits for it.
struct Pairs(Mutex<mpsc::Sender<(Outcome, Outcome, Verdict)>>);

impl Observer for Pairs {
    fn observe(&self, _: &str, event: &Event) {
        if let Event::Compared { legacy, new, verdict, .. } = event {
            self.0.lock().unwrap().send((legacy.outcome, new.outcome, *verdict)).ok();
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

#[test]
fn dropping_the_runner_loses_no_shadow_that_is_under_way() {
    let (runtime, (sender, pairs)) = (VirtualRuntime::new(), mpsc::channel());
    let runner = on(&runtime).observe(Pairs(Mutex::new(sender))).build();
    let clone = runner.clone();
    for number in 0..10_u64 {
        block_on(runner.run_detached(number, ready(Ok(1)), ready(Ok(1)))).unwrap();
    }
    drop(runner);
    runtime.run_until_idle();
    assert_eq!((clone.counts().selected, clone.counts().matched), (10, 10));
    block_on(clone.run_detached("last", ready(Ok(1)), ready(Ok(2)))).unwrap();
    drop(clone);
    runtime.run_until_idle();
    let verdicts: Vec<_> = pairs.iter().map(|(.., verdict)| verdict).collect();
    assert_eq!((verdicts.len(), verdicts.last()), (11, Some(&Verdict::Mismatched)));
}

#[test]
fn a_shadow_that_hangs_is_stopped_at_its_timeout() {
    let runtime = VirtualRuntime::new();
    let runner = on(&runtime).shadow_policy(ShadowPolicy::new().timeout(millis(250))).build();
    runtime.run(runner.run_detached("anna", ready(Ok(1)), pending())).unwrap();
    assert!(!runtime.settle(millis(249)));
    assert_eq!(runner.counts().in_flight(), 1);
    assert!(runtime.settle(millis(1)));
    assert_eq!((runner.counts().timed_out, runner.counts().in_flight()), (1, 0));
    assert_eq!(runner.counts().new_nanos, 250_000_000);
}

#[test]
fn shadows_that_a_runtime_drops_are_abandoned() {
    let (runtime, (sender, pairs)) = (VirtualRuntime::new(), mpsc::channel());
    let runner = on(&runtime).observe(Pairs(Mutex::new(sender))).build();
    for number in 0..5_u64 {
        block_on(runner.run_detached(number, ready(Ok(1)), pending())).unwrap();
    }
    assert_eq!((runtime.drop_tasks(), runner.counts().abandoned), (5, 5));
    assert_eq!(runner.counts().ended(), runner.counts().selected);
    assert_eq!(pairs.recv().unwrap(), (Outcome::Ok, Outcome::Abandoned, Verdict::Abandoned));
}

/// Drops every task, as a runtime that is shut down.
#[derive(Debug)]
struct ShutDown;

impl Runtime for ShutDown {
    fn spawn(&self, _: futures::future::BoxFuture<'static, ()>) {}

    fn sleep(&self, _: Duration) -> futures::future::BoxFuture<'static, ()> {
        Box::pin(pending())
    }
}

#[test]
fn a_runtime_that_takes_no_tasks_loses_no_answer_and_no_count() {
    let runner = builder(PARALLEL, ShutDown).build();
    assert_eq!(block_on(runner.run_detached("anna", ready(Ok(1)), ready(Ok(1)))), Ok(1));
    assert_eq!((runner.counts().abandoned, runner.counts().in_flight()), (1, 0));
}

#[test]
fn at_most_1024_shadows_run_at_a_time_by_default() {
    let runtime = VirtualRuntime::new();
    let skipped = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&skipped);
    let count = move |_: &str, event: &Event| {
        let full = matches!(event, Event::Skipped { reason: SkipReason::InFlight, .. });
        heard.fetch_add(usize::from(full), Ordering::Relaxed);
    };
    let runner = on(&runtime).observe(count).build();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = futures::FutureExt::shared(stopped);
    let call = |number: u64| {
        let stopped = stopped.clone();
        let new = async move { stopped.await.map(|()| 1).map_err(|_| String::new()) };
        block_on(runner.run_detached(number, ready(Ok(1)), new)).unwrap()
    };
    (0..1_100).for_each(|number| assert_eq!(call(number), 1));
    runtime.run_until_idle();
    assert_eq!((runner.counts().selected, runner.counts().skipped.in_flight), (1_024, 76));
    stop.send(()).unwrap();
    runtime.run_until_idle();
    assert_eq!(runner.counts().matched, 1_024);
    call(2_000);
    assert_eq!((runner.counts().selected, runner.counts().skipped.in_flight), (1_025, 76));
    runner.flush(Duration::from_secs(60)).unwrap();
    assert_eq!(skipped.load(Ordering::Relaxed), 76);
}

#[test]
fn a_shadow_that_blocks_its_thread_slows_nobody_on_a_runtime_of_its_own() {
    let runner = builder(PARALLEL, ThreadRuntime::new("shadows")).build();
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let blocking = async move {
        started.send(thread::current().name().map(str::to_owned)).unwrap();
        released.recv().unwrap();
        Ok(1)
    };
    assert_eq!(block_on(runner.run_detached("first", ready(Ok(1)), blocking)), Ok(1));
    assert_eq!(has_started.recv().unwrap().as_deref(), Some("shadows"));
    // The shadow's thread is blocked from here on, until it is released below.
    for number in 0..100_u64 {
        assert_eq!(block_on(runner.run_detached(number, ready(Ok(7)), ready(Ok(7)))), Ok(7));
    }
    let counts = runner.counts();
    assert_eq!((counts.selected, counts.ended()), (101, 0));
    release.send(()).unwrap();
    while runner.counts().in_flight() > 0 {
        thread::yield_now();
    }
    assert_eq!(runner.counts().matched, 101);
}

#[test]
fn dropping_a_call_before_it_answers_never_starts_its_shadow() {
    let runtime = VirtualRuntime::new();
    let runner = on(&runtime).build();
    assert_eq!(runtime.try_run(runner.run_detached("anna", pending(), ready(Ok(1)))), None);
    assert_eq!((runtime.pending_tasks(), runner.counts().abandoned), (0, 1));
}

#[test]
fn a_spawned_shadow_runs_on_the_tokio_runtime_of_its_caller() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let runner = Runner::builder("search", PARALLEL).comparator(Equality).build();
    let (sender, receiver) = oneshot::channel();
    let new = async move {
        sender.send(tokio::runtime::Handle::try_current().is_ok()).unwrap();
        Ok(1)
    };
    assert_eq!(tokio.block_on(runner.run_detached("anna", ready(Ok(1)), new)), Ok(1));
    assert_eq!(block_on(receiver), Ok(cfg!(feature = "tokio")));
}
