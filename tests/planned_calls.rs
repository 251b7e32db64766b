//! A planned call knows before its sides are made who serves and whether a shadow runs, and counts what `run_detached` counts.
#![cfg(feature = "testing")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::dual::{DualRunnerBuilder, ShadowPolicy, Skipped};
use cutover::observe::Event;
use cutover::record::MemoryRecorder;
use cutover::testing::VirtualRuntime;
use cutover::{Clock, DualRunner, Equality, Observer, Outcome, Percentage, Route, Runtime, Side, SystemMode, Verdict};
use futures::FutureExt;
use futures::executor::block_on;

mod dual_common;
use dual_common::{Planned, assert_settled, silence_planned_panics};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const LIVE: Route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();

type Runner = DualRunner<u32, String>;

fn builder(runtime: &VirtualRuntime, route: Route) -> DualRunnerBuilder<u32, String> {
    Runner::builder("search", route).comparator(Equality).runtime(runtime.clone()).clock(runtime.clock())
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A side that answers after a while.
async fn after(runtime: VirtualRuntime, wait: Duration, answer: u32) -> Result<u32, String> {
    runtime.sleep(wait).await;
    Ok(answer)
}

#[test]
fn it_says_who_serves_and_whether_a_shadow_runs() {
    let runtime = VirtualRuntime::new();
    for (route, side, has_shadow) in [
        (PARALLEL, Side::Legacy, true),
        (LIVE, Side::New, true),
        (Route::new(SystemMode::LegacyOnly, Side::Legacy), Side::Legacy, false),
        (Route::new(SystemMode::NewOnly, Side::New), Side::New, false),
    ] {
        let runner = builder(&runtime, route).build();
        let planned = runner.call("anna").plan();
        assert_eq!((planned.route(), planned.route().serve, planned.has_shadow()), (route, side, has_shadow));
        let (answer, shadow) = block_on(planned.serve(ready(Ok(7))));
        assert_eq!((answer, shadow.map(|shadow| shadow.side())), (Ok(7), has_shadow.then(|| side.other())));
    }
}

#[test]
fn a_shadow_that_the_policy_leaves_out_is_counted_and_not_planned() {
    let runtime = VirtualRuntime::new();
    let policy = ShadowPolicy::new().sample(Percentage::ZERO);
    let runner = builder(&runtime, PARALLEL).shadow_policy(policy).build();
    assert!(!runner.call("anna").plan().has_shadow());
    assert_eq!((runner.counts().skipped.not_sampled, runner.counts().selected), (1, 0));
}

#[test]
fn a_call_planned_alone_asks_nothing_of_the_policy() {
    let runtime = VirtualRuntime::new();
    let policy = ShadowPolicy::new().max_in_flight(0);
    let runner = builder(&runtime, PARALLEL).shadow_policy(policy).build();
    let planned = runner.call("anna").plan_alone();
    assert_eq!((planned.route(), planned.has_shadow()), (PARALLEL, false));
    let (answer, shadow) = block_on(planned.serve(ready(Ok(7))));
    assert_eq!((answer, shadow.is_none()), (Ok(7), true));
    assert_eq!((runner.counts().skipped, runner.counts().selected), (Skipped::default(), 0));
}

#[test]
fn the_places_of_calls_and_shadows_that_are_dropped_are_given_back() {
    let runtime = VirtualRuntime::new();
    let policy = ShadowPolicy::new().max_in_flight(1);
    let runner = builder(&runtime, PARALLEL).shadow_policy(policy).build();
    let held = runner.call("anna").plan();
    assert!(!runner.call("anna").plan().has_shadow(), "the one place is taken");
    drop(held);
    let held = runner.call("anna").plan().serve(pending());
    drop(held);
    let (_, shadow) = block_on(runner.call("anna").plan().serve(ready(Ok(1))));
    assert!(!runner.call("anna").plan().has_shadow(), "the one place is taken");
    drop(shadow);
    assert!(runner.call("anna").plan().has_shadow());
    assert_eq!((runner.counts().skipped.in_flight, runner.counts().selected), (2, 1));
}

#[test]
fn the_answer_is_there_before_the_shadow_starts_and_the_pair_is_compared() {
    let (runtime, recorder) = (VirtualRuntime::new(), Arc::new(MemoryRecorder::new()));
    let runner = builder(&runtime, PARALLEL).record_to(Arc::clone(&recorder)).build();
    let planned = runner.call("anna").plan().context(|| "late");
    let (answer, shadow) = runtime.run(planned.serve(after(runtime.clone(), millis(20), 1)));
    assert_eq!((answer, runner.counts().in_flight(), runtime.clock().now().as_nanos()), (Ok(1), 1, 20_000_000));
    shadow.unwrap().start(after(runtime.clone(), millis(300), 2));
    assert!(runtime.settle(millis(300)));
    let found = recorder.discrepancies().remove(0);
    assert_eq!((found.legacy.elapsed, found.new.elapsed), (millis(20), millis(300)));
    assert_eq!(found.context.unwrap().text, r#""late""#);
    assert_eq!(found.key.unwrap().len(), 16);
    assert_settled(&runner.counts(), "one call");
}

#[test]
fn what_a_side_waits_for_its_caller_is_not_its_time() {
    for route in [PARALLEL, Route::new(SystemMode::LegacyOnly, Side::Legacy)] {
        let (runtime, legacy) = (VirtualRuntime::new(), Arc::new(Taken::default()));
        let runner = builder(&runtime, route).observe(Arc::clone(&legacy)).build();
        let mut planned = runner.call("anna").plan();
        let waits = planned.waits().unwrap();
        let served = async {
            runtime.sleep(millis(10)).await;
            for wait in [300, 500] {
                waits.begin();
                runtime.sleep(millis(wait)).await;
                waits.begin();
                waits.end();
                waits.end();
                runtime.sleep(millis(20)).await;
            }
            waits.begin();
            runtime.sleep(millis(40)).await;
            Ok(1)
        };
        drop(runtime.run(planned.serve(served)));
        assert_eq!(*legacy.0.lock().unwrap(), millis(90), "the last wait was in vain, and stays");
    }
}

/// How long legacy took, as an observer is told.
#[derive(Default)]
struct Taken(Mutex<Duration>);

impl Observer for Taken {
    fn observe(&self, _: &str, event: &Event) {
        if let Event::Served { sample, .. } | Event::Compared { legacy: sample, .. } = event {
            *self.0.lock().unwrap() = sample.elapsed;
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

#[test]
fn nothing_is_taken_off_where_nobody_is_told_the_time() {
    let runtime = VirtualRuntime::new();
    let runner = builder(&runtime, Route::new(SystemMode::LegacyOnly, Side::Legacy)).build();
    assert!(runner.call("anna").plan().waits().is_none());
}

#[test]
fn a_shadow_that_is_not_started_is_abandoned() {
    let runtime = VirtualRuntime::new();
    let runner = builder(&runtime, LIVE).build();
    drop(block_on(runner.call("anna").plan().serve(ready(Ok(1)))));
    assert_eq!((runner.counts().abandoned, runner.counts().selected), (1, 1));
}

#[test]
fn a_panic_of_the_served_side_reaches_the_caller_and_no_shadow_runs() {
    silence_planned_panics();
    for route in [PARALLEL, LIVE, Route::new(SystemMode::NewOnly, Side::New)] {
        let runtime = VirtualRuntime::new();
        let runner = builder(&runtime, route).build();
        let served = runner.call("anna").plan().serve(async { Planned::throw(1, false) });
        let payload = catch_unwind(AssertUnwindSafe(|| block_on(served).0)).unwrap_err();
        assert_eq!(payload.downcast_ref::<Planned>().unwrap().id, 1);
        assert_eq!(runner.counts().panicked, u64::from(route.shadow == cutover::Shadow::Run));
    }
}

#[test]
fn what_is_gathered_belongs_to_no_sides_time_and_comes_before_the_comparison() {
    let (runtime, recorder) = (VirtualRuntime::new(), Arc::new(MemoryRecorder::new()));
    let late = Arc::new(Mutex::new(1));
    let seen = Arc::clone(&late);
    let runner = Runner::builder("search", PARALLEL)
        .comparator(move |_: &u32, _: &u32| *seen.lock().unwrap() == 2)
        .runtime(runtime.clone())
        .clock(runtime.clock())
        .record_to(Arc::clone(&recorder))
        .build();
    let (_, shadow) = runtime.run(runner.call("anna").plan().serve(ready(Ok(1))));
    let wait = runtime.sleep(millis(700));
    let gathers = Arc::clone(&late);
    shadow.unwrap().start_and_gather(after(runtime.clone(), millis(200), 1), async move {
        wait.await;
        *gathers.lock().unwrap() = 2;
    });
    assert!(runtime.settle(millis(900)));
    assert_eq!((runner.counts().matched, runner.counts().new_nanos), (1, 200_000_000));
}

#[test]
fn gathering_ends_with_the_shadows_timeout_and_its_panics_are_contained() {
    silence_planned_panics();
    let runtime = VirtualRuntime::new();
    let runner = builder(&runtime, PARALLEL).build();
    let serve = || block_on(runner.call("anna").plan().serve(ready(Ok(1)))).1.unwrap();
    serve().start_and_gather(after(runtime.clone(), millis(400), 1), pending());
    assert!(!runtime.settle(millis(999)));
    assert!(runtime.settle(millis(1)), "the timeout is one second");
    serve().start_and_gather(ready(Ok(1)), async { Planned::throw(2, true) });
    assert!(runtime.settle(millis(0)));
    assert_eq!((runner.counts().matched, runner.counts().faults.capture), (2, 1));
    assert_eq!(runtime.panicked_tasks(), 0);
}

#[test]
fn nothing_is_gathered_where_a_side_failed() {
    let runtime = VirtualRuntime::new();
    let runner = builder(&runtime, PARALLEL).build();
    for [legacy, new] in [[Err(()), Ok(1)], [Ok(1), Err(())]] {
        let result = |side: Result<u32, ()>| ready(side.map_err(|()| "down".to_owned()));
        let (_, shadow) = block_on(runner.call("anna").plan().serve(result(legacy)));
        shadow.unwrap().start_and_gather(result(new), pending());
        assert!(runtime.settle(millis(0)));
    }
    assert_eq!(runner.counts().one_failed, 2);
}

/// What an observer is told, as words.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Observer for Told {
    fn observe(&self, _: &str, event: &Event) {
        let words = if let Event::Started { both, .. } = event {
            format!("started {both}")
        } else if let Event::Served { sample, key, .. } = event {
            format!("served {} {} {}", sample.side.name(), sample.outcome.name(), key.is_some())
        } else if let Event::Compared { verdict, key, .. } = event {
            format!("compared {} {}", verdict.name(), key.is_some())
        } else {
            "else".to_owned()
        };
        self.0.lock().unwrap().push(words);
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn hears_starts(&self) -> bool {
        true
    }

    fn hears_keys(&self) -> bool {
        true
    }
}

#[test]
fn observers_hear_one_start_and_one_end() {
    let alone = Route::new(SystemMode::NewOnly, Side::New);
    for (route, told) in
        [(PARALLEL, ["started true", "compared matched true"]), (alone, ["started false", "served new ok true"])]
    {
        let (runtime, observer) = (VirtualRuntime::new(), Arc::new(Told::default()));
        let runner = builder(&runtime, route).observe(Arc::clone(&observer)).build();
        let (_, shadow) = block_on(runner.call("anna").plan().serve(ready(Ok(1))));
        if let Some(shadow) = shadow {
            shadow.start(ready(Ok(1)));
        }
        runtime.run_until_idle();
        assert_eq!(*observer.0.lock().unwrap(), told);
    }
}

#[test]
fn a_call_planned_inside_its_own_new_side_runs_legacy_alone() {
    for route in [LIVE, Route::new(SystemMode::NewOnly, Side::New)] {
        let runtime = VirtualRuntime::new();
        let runner = builder(&runtime, route).build();
        let inner = runner.clone();
        let (answer, _) = block_on(runner.call("anna").plan().serve(async move {
            let planned = inner.call("anna").plan();
            assert_eq!((planned.route().serve, planned.has_shadow()), (Side::Legacy, false));
            planned.serve(ready(Ok(3))).await.0
        }));
        assert_eq!((answer, runner.counts().skipped.nested), (Ok(3), 1));
    }
}

#[test]
fn a_call_planned_alone_inside_its_own_new_side_runs_legacy_and_skips_nothing() {
    for route in [LIVE, Route::new(SystemMode::NewOnly, Side::New)] {
        let runtime = VirtualRuntime::new();
        let runner = builder(&runtime, route).build();
        let inner = runner.clone();
        let (answer, _) = block_on(runner.call("anna").plan().serve(async move {
            let planned = inner.call("anna").plan_alone();
            assert_eq!((planned.route().serve, planned.has_shadow()), (Side::Legacy, false));
            planned.serve(ready(Ok(3))).await.0
        }));
        assert_eq!((answer, runner.counts().skipped), (Ok(3), Skipped::default()));
    }
}

#[test]
fn a_call_dropped_half_way_is_abandoned() {
    let runtime = VirtualRuntime::new();
    let runner = builder(&runtime, PARALLEL).build();
    let served = runner.call("anna").plan().serve(pending());
    assert!(served.now_or_never().is_none());
    assert_eq!(runner.counts().of(Verdict::Abandoned), 1);
    assert_eq!(Outcome::Abandoned.name(), "abandoned");
}
