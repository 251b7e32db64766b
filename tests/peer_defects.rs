//! What other libraries for dual runs get wrong, and this one does not.
#![cfg(feature = "testing")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cutover::compare::Comparison;
use cutover::dual::{DualRunnerBuilder, ShadowPolicy};
use cutover::observe::Event;
use cutover::record::{DiscrepancyKind, MemoryRecorder, RecordError};
use cutover::testing::{PanickingRecorder, VirtualRuntime};
use cutover::{
    BucketKey, Clock, Discrepancy, DualRunner, Equality, Observer, Percentage, Recorder, Route, Runtime, Side,
    Structural, SystemMode, Verdict,
};
use futures::executor::block_on;
use serde_json::{Value, json};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const LIVE: Route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();

type Runner = DualRunner<u32, String>;

fn builder() -> DualRunnerBuilder<u32, String> {
    Runner::builder("search", PARALLEL).comparator(Equality)
}

/// An observer, called in place, that panics at everything.
struct Panicking;

impl Observer for Panicking {
    fn observe(&self, _: &str, event: &Event) {
        panic!("an observer of {event:?}");
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// A recorder, called in place, that panics at everything.
struct PanickingInPlace;

impl Recorder for PanickingInPlace {
    fn record(&self, _: Discrepancy) -> Result<(), RecordError> {
        panic!("a recorder");
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// A hook that fails before the run means that legacy never runs, or that the call counts as cancelled.
#[test]
fn an_observer_that_panics_neither_keeps_legacy_from_running_nor_cancels_the_call() {
    let runner = builder().shadow_policy(ShadowPolicy::new().max_in_flight(0)).observe(Panicking).build();
    assert_eq!(runner.run_sync("anna", || Ok(1), || Ok(1)), Ok(1));
    let runner = builder().observe(Panicking).build();
    assert_eq!(runner.run_sync("anna", || Ok(1), || Ok(1)), Ok(1));
    assert_eq!(block_on(runner.run("anna", ready(Ok(1)), ready(Ok(1)))), Ok(1));
    let counts = runner.counts();
    assert_eq!((counts.matched, counts.abandoned, counts.faults.observer), (2, 0, 2));
}

/// A hook or a publisher that fails after the run loses the answer.
#[test]
fn publishing_that_panics_loses_no_answer() {
    for runner in [builder().record_to(PanickingInPlace).build(), builder().record_to(PanickingRecorder::new()).build()]
    {
        assert_eq!(runner.run_sync("anna", || Ok(1), || Ok(2)), Ok(1));
        assert_eq!(block_on(runner.run("anna", ready(Ok(1)), ready(Ok(2)))), Ok(1));
        assert_eq!(block_on(runner.run_detached("anna", ready(Ok(1)), ready(Ok(1)))), Ok(1));
        runner.flush(Duration::from_secs(60)).unwrap();
        assert!(runner.counts().faults.recorder >= 1);
    }
}

/// Ignoring sees values only, and nothing when a side fails.
#[test]
fn errors_can_be_ignored_by_what_they_say() {
    let transient = |legacy: &String, new: &String| match (legacy.as_str(), new.as_str()) {
        ("timeout", _) | (_, "timeout") => Comparison::Ignored,
        (legacy, new) => (legacy == new).into(),
    };
    let runner = builder().error_comparator(Clone::clone, transient).build();
    for (legacy, new) in [("timeout", "no row"), ("no row", "no row"), ("no row", "denied")] {
        runner.run_sync("anna", || Err(legacy.into()), || Err(new.into())).unwrap_err();
    }
    let counts = runner.counts();
    assert_eq!((counts.ignored, counts.matched, counts.mismatched), (1, 1, 1));
}

/// One ignored pair hides the mismatch of another.
#[test]
fn what_is_ignored_hides_nothing_else() {
    let recorder = Arc::new(MemoryRecorder::new());
    let rules = Structural::new().ignore("/took_ms").ignore("/hits/*/score");
    let runner = DualRunner::<Value, String>::builder("search", PARALLEL).comparator(rules);
    let runner = runner.record_to(Arc::clone(&recorder)).build();
    let answer =
        |took: u32, score: u32, id: u32| Ok(json!({ "took_ms": took, "hits": [{ "score": score, "id": id }] }));
    runner.run_sync("anna", || answer(1, 1, 1), || answer(2, 2, 1)).unwrap();
    assert!(recorder.is_empty());
    runner.run_sync("anna", || answer(1, 1, 1), || answer(2, 2, 9)).unwrap();
    runner.run_sync("anna", || answer(1, 1, 1), || answer(2, 2, 1)).unwrap();
    let found = recorder.discrepancies().remove(0);
    assert_eq!((found.occurrences, found.differences[0].path.as_str()), (1, "/hits/0/id"));
}

/// A comparator or a gate that throws reaches the caller, or lets the candidate run.
#[test]
fn a_comparator_that_panics_reaches_nobody_and_a_router_that_panics_runs_legacy_only() {
    let same = |_: &u32, _: &u32| -> bool { panic!("the comparator") };
    let runner = Runner::builder("search", PARALLEL).comparator(same).build();
    assert_eq!(runner.run_sync("anna", || Ok(1), || Ok(1)), Ok(1));
    assert_eq!((runner.counts().ignored, runner.counts().faults.comparator), (1, 1));
    let gate = |_: BucketKey<'_>| -> Route { panic!("the router") };
    let runner = Runner::builder("search", gate).comparator(Equality).build();
    assert_eq!(runner.run_sync("anna", || Ok(1), || panic!("new was called")), Ok(1));
    assert_eq!(block_on(runner.run("anna", ready(Ok(1)), async { panic!("new was polled") })), Ok(1));
    assert_eq!((runner.counts().selected, runner.counts().faults.router), (0, 2));
}

/// Nothing is published when the control fails; `(Ok, Err)` skips the handler, and two errors are never a mismatch.
#[test]
fn every_failure_of_one_side_and_two_errors_that_differ_are_published() {
    let recorder = Arc::new(MemoryRecorder::new());
    let runner = builder().error_comparator(Clone::clone, Equality).record_to(Arc::clone(&recorder)).build();
    runner.run_sync("anna", || Err("a".into()), || Ok(1)).unwrap_err();
    runner.run_sync("anna", || Ok(1), || Err("b".into())).unwrap();
    runner.run_sync("anna", || Err("a".into()), || Err("b".into())).unwrap_err();
    let kinds = [DiscrepancyKind::LegacyFailed, DiscrepancyKind::NewFailed, DiscrepancyKind::ErrorsDiffer];
    assert!(kinds.iter().all(|kind| recorder.by_kind(*kind).len() == 1));
    assert_eq!((runner.counts().one_failed, runner.counts().mismatched), (2, 1));
}

/// A mismatch with nothing breaks the comparison, and the caller gets that failure.
#[test]
fn nothing_and_something_are_compared_like_all_values() {
    let runner = DualRunner::<Option<u32>, String>::builder("search", PARALLEL).comparator(Structural::new()).build();
    for (legacy, new) in [(None, Some(1)), (Some(1), None), (None, None)] {
        assert_eq!(runner.run_sync("anna", || Ok(legacy), || Ok(new)), Ok(legacy));
    }
    let counts = runner.counts();
    assert_eq!((counts.mismatched, counts.matched, counts.faults.comparator), (2, 1, 0));
}

/// Notes that it is still alive.
struct Held {
    _alive: Arc<()>,
}

impl Recorder for Held {
    fn record(&self, _: Discrepancy) -> Result<(), RecordError> {
        Ok(())
    }
}

impl Observer for Held {
    fn observe(&self, _: &str, _: &Event) {}
}

/// Threads are leaked.
#[test]
fn the_threads_of_a_runner_end_with_it() {
    let alive = Arc::new(());
    let held = |alive: &Arc<()>| Held { _alive: Arc::clone(alive) };
    let runner = builder().record_to(held(&alive)).observe(held(&alive)).build();
    runner.run_sync("anna", || Ok(1), || Ok(2)).unwrap();
    let (alive, unused) = (Arc::downgrade(&alive), alive);
    drop(unused);
    assert!(alive.upgrade().is_some());
    drop(runner);
    while alive.upgrade().is_some() {
        thread::yield_now();
    }
}

/// A rollout of p % runs p + 1 %, and NaN, -5 and 1e9 are taken for percentages.
#[test]
fn a_share_is_exact_at_its_ends_and_nonsense_is_refused() {
    let none = builder().shadow_policy(ShadowPolicy::new().sample(Percentage::ZERO)).build();
    (0..10_000_u64).for_each(|key| drop(none.run_sync(key, || Ok(1), || panic!("new was called"))));
    assert_eq!(none.counts().selected, 0);
    assert!([f64::NAN, -5.0, 1e9, f64::INFINITY].into_iter().all(|percent| Percentage::new(percent).is_err()));
}

/// The caller waits for the shadow: for all of it, for its timeout, or for ever.
#[test]
fn the_caller_waits_for_a_slow_shadow_no_longer_than_its_patience_and_not_at_all_when_detached() {
    let runtime = VirtualRuntime::new();
    let runner = builder().runtime(runtime.clone()).clock(runtime.clock()).patience(Duration::from_millis(5)).build();
    let slow = || {
        let sleep = runtime.sleep(Duration::from_millis(500));
        async {
            sleep.await;
            Ok(1)
        }
    };
    let millis = || runtime.clock().now().as_nanos() / 1_000_000;
    assert_eq!((runtime.run(runner.run("anna", ready(Ok(1)), slow())), millis()), (Ok(1), 5));
    assert_eq!((runtime.run(runner.run("anna", ready(Ok(1)), pending())), millis()), (Ok(1), 10));
    assert_eq!((runtime.run(runner.run_detached("anna", ready(Ok(1)), slow())), millis()), (Ok(1), 10));
    assert_eq!((runtime.run(runner.run_detached("anna", ready(Ok(1)), pending())), millis()), (Ok(1), 10));
    assert!(runtime.settle(Duration::from_secs(1)));
    assert_eq!((runner.counts().timed_out, runner.counts().matched), (3, 1));
}

/// A panic of the candidate loses the control's answer, above all where it is async.
#[test]
fn a_shadow_that_panics_loses_no_answer() {
    let runtime = VirtualRuntime::new();
    let runner = builder().runtime(runtime.clone()).build();
    assert_eq!(runner.run_sync("anna", || Ok(1), || panic!("new")), Ok(1));
    assert_eq!(block_on(runner.run("anna", ready(Ok(1)), async { panic!("new") })), Ok(1));
    assert_eq!(block_on(runner.run_detached("anna", ready(Ok(1)), async { panic!("new") })), Ok(1));
    runtime.run_until_idle();
    assert_eq!((runner.counts().panicked, runtime.panicked_tasks()), (3, 0));
}

/// No durations are reported.
#[test]
fn both_sides_are_timed() {
    let (runtime, recorder) = (VirtualRuntime::new(), Arc::new(MemoryRecorder::new()));
    let builder = builder().runtime(runtime.clone()).clock(runtime.clock());
    let runner = builder.patience(Duration::from_secs(1)).record_to(Arc::clone(&recorder)).build();
    let after = |millis: u64, answer: u32| {
        let sleep = runtime.sleep(Duration::from_millis(millis));
        async move {
            sleep.await;
            Ok(answer)
        }
    };
    runtime.run(runner.run("anna", after(30, 1), after(70, 2))).unwrap();
    let found = recorder.discrepancies().remove(0);
    assert_eq!([found.legacy.elapsed, found.new.elapsed].map(|elapsed| elapsed.as_millis()), [30, 70]);
    assert_eq!((runner.counts().legacy_nanos, runner.counts().new_nanos), (30_000_000, 70_000_000));
}

/// Comparator arguments swap sides once new is live.
#[test]
fn the_comparator_always_gets_legacy_first() {
    for route in [PARALLEL, LIVE] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (values, errors) = (Arc::clone(&seen), Arc::clone(&seen));
        let runtime = VirtualRuntime::new();
        let runner = Runner::builder("search", route)
            .comparator(move |legacy: &u32, new: &u32| {
                values.lock().unwrap().push([legacy.to_string(), new.to_string()]);
                true
            })
            .error_comparator(Clone::clone, move |legacy: &String, new: &String| {
                errors.lock().unwrap().push([legacy.clone(), new.clone()]);
                true
            })
            .runtime(runtime.clone())
            .build();
        let (legacy, new) = (|| Err("1".to_owned()), || Err("2".to_owned()));
        drop(runner.run_sync("anna", || Ok(1), || Ok(2)));
        drop(block_on(runner.run("anna", ready(Ok(1)), ready(Ok(2)))));
        drop(block_on(runner.run_detached("anna", ready(Ok(1)), ready(Ok(2)))));
        drop(runner.run_sync("anna", legacy, new));
        drop(block_on(runner.run("anna", ready(legacy()), ready(new()))));
        drop(block_on(runner.run_detached("anna", ready(legacy()), ready(new()))));
        runtime.run_until_idle();
        assert_eq!(*seen.lock().unwrap(), vec![["1", "2"]; 6], "{route:?}");
    }
}

/// Dropping a call splits the pair without a trace, and a cancelled call counts as a mismatch.
#[test]
fn a_call_that_is_dropped_is_counted_and_is_no_mismatch() {
    let recorder = Arc::new(MemoryRecorder::new());
    let runner = builder().record_to(Arc::clone(&recorder)).build();
    for (legacy_hangs, new_hangs) in [(true, false), (true, true)] {
        let side = move |hangs: bool| async move { if hangs { pending().await } else { Ok(1) } };
        assert!(VirtualRuntime::new().try_run(runner.run("anna", side(legacy_hangs), side(new_hangs))).is_none());
    }
    let counts = runner.counts();
    assert_eq!((counts.of(Verdict::Abandoned), counts.mismatched, counts.ended()), (2, 0, 2));
    assert!(recorder.is_empty());
}

/// A field that is noisy in more than two of three calls can never be reported.
#[test]
fn a_very_noisy_field_that_new_breaks_is_reported() {
    let runner = DualRunner::<Value, String>::builder("search", PARALLEL).comparator(Structural::new()).build();
    for call in 0..300_u32 {
        let twin = u32::from(call % 5 != 0);
        let [legacy, twin, new] = [0, twin, 2].map(|note| ready(Ok(json!({ "note": note }))));
        block_on(runner.call("anna").twin(twin).run(legacy, new)).unwrap();
    }
    assert!(runner.counts().mismatched > 0, "{:?}", runner.counts());
}

/// Several configurations need globals, and mutable access to one runner a lock.
#[test]
fn one_runner_is_shared_by_threads_and_runners_of_one_name_count_apart() {
    let (runner, other) = (builder().build(), builder().build());
    let calls = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..250_u64).for_each(|key| {
                    runner.run_sync(key, || Ok(1), || Ok(1)).unwrap();
                    calls.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
    });
    assert_eq!((runner.counts().matched, calls.into_inner(), other.counts().matched), (1_000, 1_000, 0));
}
