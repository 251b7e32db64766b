//! A plan and the guard itself: what is good is promoted to the end, and what breaks on the way is rolled back.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod plan_common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::guard::{Guard, GuardReport, Trigger};
use cutover::monitor::{
    Baseline, Evidence, LatencyFactors, MeanDurations, PairTally, PhaseCounts, ServedCounts, SideCounts, SideFailures,
};
use cutover::plan::PlanEnd;
use cutover::testing::{ManualClock, VirtualRuntime};
use cutover::{Claims, Clock, MemoryStore, MigrationController, PlanDriver, Side, SystemMode};
use plan_common::{MINUTE, audit, builder, entered, ramp};

const STEPS: [&str; 4] = ["compare", "tenth", "half", "all"];

/// What a monitor would have counted: ten calls a second since the epoch was seen first.
struct Traffic {
    controller: MigrationController,
    clock: Arc<ManualClock>,
    /// Of a thousand calls of new that many fail, by the mode and the rollout.
    failing: fn(SystemMode, u32) -> u64,
    since: Mutex<(u64, u64)>,
}

impl Traffic {
    fn of(
        controller: &MigrationController,
        runtime: &VirtualRuntime,
        failing: fn(SystemMode, u32) -> u64,
    ) -> Arc<Self> {
        let (controller, clock) = (controller.clone(), runtime.clock());
        Arc::new(Self { controller, clock, failing, since: Mutex::default() })
    }

    /// Calls since the epoch began.
    fn calls(&self, epoch: u64) -> u64 {
        let now = self.clock.now().as_nanos() / 100_000_000;
        let mut since = self.since.lock().unwrap();
        if since.0 != epoch {
            *since = (epoch, now);
        }
        now - since.1
    }
}

impl Evidence for Traffic {
    fn counts(&self) -> PhaseCounts {
        let status = self.controller.status();
        let calls = self.calls(status.epoch);
        let percent = u64::from(status.rollout.ppm() / 10_000);
        let (new, pairs) = match status.mode {
            SystemMode::Parallel => (calls, calls),
            SystemMode::GradualRollout => (calls * percent / 100, 0),
            SystemMode::NewOnly => (calls, 0),
            SystemMode::LegacyOnly | SystemMode::EmergencyRollback => (0, 0),
        };
        let side = |started: u64, failed: u64| SideCounts {
            started,
            failed,
            succeeded: started - failed,
            timed: started,
            ..SideCounts::default()
        };
        let failed = new * (self.failing)(status.mode, status.rollout.ppm()) / 1000;
        let new_serves = status.mode.routing(true).serves == Side::New;
        let served_new = if new_serves {
            ServedCounts { started: new, failed, ..ServedCounts::default() }
        } else {
            ServedCounts::default()
        };
        let legacy = if new_serves { calls - new } else { calls };
        PhaseCounts {
            legacy: side(legacy, 0),
            new: side(new, failed),
            served_legacy: ServedCounts { started: legacy, ..ServedCounts::default() },
            served_new,
            pairs: PairTally { pairs, compared: pairs, timed: pairs, ..PairTally::default() },
            ..PhaseCounts::empty(status.epoch, status.mode)
        }
    }

    fn health_failures(&self) -> SideFailures {
        SideFailures::default()
    }

    fn mean_durations(&self) -> MeanDurations {
        MeanDurations::default()
    }

    fn baseline(&self) -> Option<Baseline> {
        Some(Baseline { p95: Duration::from_millis(50), calls: 10_000, calls_per_second: 10.0, error_rate: 0.0 })
    }

    fn latency_factors(&self) -> LatencyFactors {
        LatencyFactors::default()
    }
}

/// Drives the ramp with the guard itself.
fn guarded(
    runtime: &VirtualRuntime,
    store: &MemoryStore,
    failing: fn(SystemMode, u32) -> u64,
) -> (MigrationController, PlanDriver) {
    let controller = runtime.run(builder(runtime, store.clone(), 1).open()).unwrap();
    let claims = Claims::new(&controller, store.clone(), "a process").unwrap();
    let evidence = Traffic::of(&controller, runtime, failing);
    let driver = PlanDriver::new(ramp(), &controller, claims, evidence, Guard::default());
    (controller, driver)
}

#[test]
fn with_the_guard_itself_a_good_new_side_is_promoted_to_the_end() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let (controller, driver) = guarded(&runtime, &store, |_, _| 1);
    assert_eq!((runtime.run(driver.run()), controller.mode()), (PlanEnd::Done, SystemMode::NewOnly));
    assert_eq!(entered(&audit(&runtime, &store)), STEPS);
}

#[test]
fn with_the_guard_itself_a_new_side_that_breaks_under_load_is_rolled_back() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let (controller, driver) = guarded(&runtime, &store, |_, rollout| if rollout >= 500_000 { 300 } else { 1 });
    let end = runtime.run(driver.run());
    assert_eq!((end, controller.mode()), (PlanEnd::RolledBack, SystemMode::EmergencyRollback));
    let audit = audit(&runtime, &store);
    assert_eq!(entered(&audit), STEPS[..3]);
    let last = audit.last().unwrap();
    assert_eq!(last.reason.as_str(), "EMERGENCY: half: regressed: error_rate");
    assert!(last.at.duration_since(audit[2].at).unwrap() < 5 * MINUTE);
    let evidence = last.evidence.as_ref().unwrap();
    assert_eq!((&evidence["step"], &evidence["guard"]["verdict"]), (&"half".into(), &"regressed".into()));
    let report = GuardReport::of(last).unwrap();
    assert!(report.to_string().contains("calls of new failed"), "{report}");
    assert_eq!(report.regressed().map(|report| report.trigger).collect::<Vec<_>>(), [Trigger::ErrorRate]);
}

#[test]
fn a_note_in_a_step_does_not_let_its_evidence_begin_anew() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let (_, driver) = guarded(&runtime, &store, |_, _| 0);
    runtime.run(driver.look_once());
    for _ in 0..10 {
        runtime.clock().advance(MINUTE);
        runtime.run(driver.look_once());
    }
    let before = runtime.run(driver.look_once()).samples;
    runtime.run(driver.pause("ana", "a break")).unwrap();
    runtime.clock().advance(MINUTE);
    runtime.run(driver.look_once());
    runtime.clock().advance(MINUTE);
    let after = runtime.run(driver.look_once()).samples;
    assert!(before >= 5_400 && after > before, "{before} and then {after}");
}
