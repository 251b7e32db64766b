//! An hour in which both sides are equally good and nothing is broken: the plan comes to its end, and nobody is disturbed.
//! Runner, monitor, guard, driver and store are the real ones, call by call; only time is virtual.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "nothing_happens/equal_sides.rs"]
mod equal_sides;

use std::sync::Arc;
use std::time::Duration;

use cutover::guard::{Criterion, Guard, GuardVerdict};
use cutover::monitor::Evidence;
use cutover::plan::{Decision, PlanEnd, Step};
use cutover::random::RandomSource;
use cutover::testing::{ManualClock, SeededRandom, VirtualRuntime};
use cutover::{
    Claims, Clock, DualRunner, Equality, MemoryStore, MigrationController, Percentage, PerformanceMonitor, PlanDriver,
    RolloutPlan, SystemMode,
};

const QUARTER_HOUR: Duration = Duration::from_secs(15 * 60);
const PAUSE: Duration = Duration::from_millis(40);
const SEED: u64 = 17;

fn plan() -> RolloutPlan {
    let half = Step::gradual("half", Percentage::new(50.0).unwrap());
    RolloutPlan::builder("one-hour")
        .step(Step::parallel("compare").hold(QUARTER_HOUR))
        .step(Step::gradual("tenth", Percentage::new(10.0).unwrap()).hold(QUARTER_HOUR).gate([Criterion::Throughput]))
        .step(half.hold(QUARTER_HOUR))
        .step(Step::new_only("all").hold(QUARTER_HOUR))
        .build()
        .unwrap()
}

/// One side of one call: 2 % fail, and the others take 5 to 21 milliseconds.
fn side(clock: &ManualClock, random: &SeededRandom) -> Result<u64, ()> {
    let draw = random.next_u64();
    clock.advance(Duration::from_millis(5 + draw % 9 + (draw >> 8) % 9));
    if (draw >> 16) % 100 < 2 { Err(()) } else { Ok(7) }
}

#[test]
fn an_hour_with_equal_sides_ends_the_plan_without_an_alarm() {
    let (runtime, random) = (VirtualRuntime::new(), SeededRandom::new(SEED));
    let clock = runtime.clock();
    let store = MemoryStore::with_clock(clock.clone());
    let monitor = Arc::new(PerformanceMonitor::builder().clock(clock.clone()).build().unwrap());
    let controller =
        MigrationController::builder("prices", store.clone()).clock(clock.clone()).runtime(runtime.clone());
    let controller = runtime.run(controller.performance(Arc::clone(&monitor)).open()).unwrap();
    let claims = Claims::new(&controller, store, "test").unwrap();
    let evidence: Arc<dyn Evidence> = Arc::<PerformanceMonitor>::clone(&monitor);
    let driver = PlanDriver::new(plan(), &controller, claims, evidence, Guard::default());
    let prices = DualRunner::builder("price", controller.clone())
        .comparator(Equality)
        .clock(clock.clone())
        .observe(Arc::clone(&monitor))
        .build();

    let mut calls = 0_u64;
    for minute in 0..64 {
        let report = runtime.run(driver.look_once());
        assert!(
            !matches!(report.decision, Decision::Rollback | Decision::Freeze { .. } | Decision::Ask),
            "seed {SEED}, minute {minute}: {report:?}"
        );
        let guard = report.guard.unwrap();
        assert!(
            guard.verdict != GuardVerdict::Regressed && guard.action.is_none(),
            "seed {SEED}, minute {minute}: {guard}"
        );
        if report.end == Some(PlanEnd::Done) {
            assert_eq!((controller.mode(), minute >= 60), (SystemMode::NewOnly, true), "minute {minute}");
            assert!(calls > 60_000, "{calls} calls in an hour");
            return;
        }
        let next = (minute + 1) * 60;
        while clock.now().as_nanos() < next * 1_000_000_000 {
            runtime.run_until_idle();
            clock.advance(PAUSE);
            let served = prices.run_sync(random.next_u64() % 5_000, || side(&clock, &random), || side(&clock, &random));
            calls += u64::from(served.is_ok() || served == Err(()));
        }
    }
    panic!("no end after an hour and a few minutes, at {:?}", driver.report());
}
