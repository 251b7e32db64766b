//! A call is decided when it starts, not when its future is made: what lies about unpolled follows the mode that holds
//! when it is polled, and takes nothing until then.
#![cfg(feature = "testing")]

use std::future::{pending, ready};
use std::time::Duration;

use cutover::dual::ShadowPolicy;
use cutover::testing::VirtualRuntime;
use cutover::{DualRunner, Equality, MemoryStore, MigrationController, Route, Runtime, Side, SystemMode};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

#[tokio::test]
async fn a_call_made_before_an_emergency_and_polled_after_it_is_served_by_legacy() {
    let controller = MigrationController::open("search", MemoryStore::new()).await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    controller.transition(SystemMode::NewOnly, "ana", "go").await.unwrap();
    let runner = DualRunner::<Side, ()>::builder("search", controller.clone()).comparator(Equality).build();
    let attached = runner.run("key", ready(Ok(Side::Legacy)), ready(Ok(Side::New)));
    let detached = runner.run_detached("key", ready(Ok(Side::Legacy)), ready(Ok(Side::New)));
    controller.emergency_rollback("ben", "wrong totals").await;
    assert_eq!((attached.await, detached.await), (Ok(Side::Legacy), Ok(Side::Legacy)));
}

#[tokio::test]
async fn a_call_that_is_an_argument_of_its_own_runner_runs_legacy_only() {
    let runner = DualRunner::<u32, ()>::builder("nested", PARALLEL).comparator(Equality).build();
    let inner = runner.run("key", ready(Ok(1)), ready(Ok(1)));
    assert_eq!(runner.run("key", ready(Ok(1)), inner).await, Ok(1));
    let counts = runner.counts();
    assert_eq!((counts.selected, counts.skipped.nested), (1, 1));
}

#[test]
fn a_call_dropped_unpolled_uses_up_neither_a_probe_nor_a_count() {
    let runtime = VirtualRuntime::new();
    let runner = DualRunner::<u32, ()>::builder("probe", PARALLEL)
        .comparator(Equality)
        .shadow_policy(ShadowPolicy::new().breaker(1, Duration::from_secs(60)))
        .clock(runtime.clock())
        .runtime(runtime.clone())
        .build();
    runtime.run(runner.run("key", ready(Ok(1)), pending())).unwrap();
    assert_eq!(runner.counts().timed_out, 1);
    runtime.clock().advance(Duration::from_secs(60));
    drop(runner.run("key", ready(Ok(1)), ready(Ok(1))));
    runtime.run(runner.run("key", ready(Ok(1)), ready(Ok(1)))).unwrap();
    let counts = runner.counts();
    assert_eq!((counts.selected, counts.matched, counts.skipped.breaker_open), (2, 1, 0));
}

#[test]
fn a_shadow_that_overruns_its_time_beside_a_slow_served_side_has_timed_out() {
    for (timeout, matched) in [(250, 0), (1_500, 1), (2_500, 1)] {
        let runtime = VirtualRuntime::new();
        let runner = DualRunner::<u32, ()>::builder("late", PARALLEL)
            .comparator(Equality)
            .shadow_policy(ShadowPolicy::new().timeout(Duration::from_millis(timeout)))
            .clock(runtime.clock())
            .runtime(runtime.clone())
            .build();
        let side = |millis| {
            let sleep = runtime.sleep(Duration::from_millis(millis));
            async {
                sleep.await;
                Ok(1)
            }
        };
        assert_eq!(runtime.run(runner.run("key", side(2_000), side(1_500))), Ok(1));
        let counts = runner.counts();
        assert_eq!((counts.matched, counts.timed_out), (matched, 1 - matched), "timeout {timeout} ms");
    }
}

#[test]
fn legacy_that_ended_late_as_a_shadow_still_answers_when_new_fails() {
    let runtime = VirtualRuntime::new();
    let new_serves = Route::new(SystemMode::NewOnly, Side::New).with_shadow();
    let runner = DualRunner::<u32, ()>::builder("fallback", new_serves)
        .comparator(Equality)
        .shadow_policy(ShadowPolicy::new().timeout(Duration::from_millis(250)))
        .fallback(cutover::dual::Fallback::ToLegacy)
        .clock(runtime.clock())
        .runtime(runtime.clone())
        .build();
    let after = |millis, answer| {
        let sleep = runtime.sleep(Duration::from_millis(millis));
        async move {
            sleep.await;
            answer
        }
    };
    assert_eq!(runtime.run(runner.run("key", after(1_000, Ok(7)), after(2_000, Err(())))), Ok(7));
    assert_eq!((runner.counts().fallbacks, runner.counts().one_failed), (1, 1));
}
