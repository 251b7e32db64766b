//! Without a plan, a guard that asks for a rollback gets it, with its counts in the audit, and nothing else is done.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutover::guard::{Action, RollbackTriggers, Trigger};
use cutover::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideCounts, SideFailures};
use cutover::testing::VirtualRuntime;
use cutover::{AutoRollback, Guard, MemoryStore, MigrationController, PromotionCriteria, SystemMode};

const SECOND: Duration = Duration::from_secs(1);

/// Counts that a test changes while somebody looks.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Option<PhaseCounts>>>);

impl Shared {
    fn hold(&self) -> MutexGuard<'_, Option<PhaseCounts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self, epoch: u64, started: u64, failed: u64) {
        let new = SideCounts { started, failed, succeeded: started - failed, ..SideCounts::default() };
        *self.hold() = Some(PhaseCounts { new, ..PhaseCounts::empty(epoch, SystemMode::NewOnly) });
    }
}

impl Evidence for Shared {
    /// Panics as long as nothing was given.
    fn counts(&self) -> PhaseCounts {
        self.hold().unwrap()
    }

    fn health_failures(&self) -> SideFailures {
        SideFailures::default()
    }

    fn mean_durations(&self) -> MeanDurations {
        MeanDurations::default()
    }

    fn baseline(&self) -> Option<Baseline> {
        None
    }

    fn latency_factors(&self) -> LatencyFactors {
        LatencyFactors::default()
    }
}

struct World {
    runtime: VirtualRuntime,
    controller: MigrationController,
    counts: Shared,
}

impl World {
    fn new() -> Self {
        let runtime = VirtualRuntime::new();
        let builder = MigrationController::builder("prices", MemoryStore::new());
        let builder = builder.clock(runtime.clock()).runtime(runtime.clone()).manual_refresh();
        let controller = runtime.run(builder.open()).unwrap();
        for mode in [SystemMode::Parallel, SystemMode::NewOnly] {
            runtime.run(controller.transition(mode, "ana", "test")).unwrap();
        }
        let counts = Shared::default();
        counts.calls(2, 0, 0);
        Self { runtime, controller, counts }
    }

    fn start(&self, guard: Guard) -> AutoRollback {
        AutoRollback::start(&self.controller, guard, Arc::new(self.counts.clone()))
    }

    fn pass(&self, duration: Duration) {
        self.runtime.settle(duration);
    }
}

#[test]
fn it_rolls_back_within_a_second_and_the_audit_says_why() {
    let world = World::new();
    let watching = world.start(Guard::default());
    world.counts.calls(2, 100, 4);
    world.pass(100 * SECOND);
    assert_eq!((world.controller.mode(), watching.report().unwrap().action), (SystemMode::NewOnly, None));
    world.counts.calls(2, 400, 100);
    world.pass(SECOND);
    assert_eq!(world.controller.mode(), SystemMode::EmergencyRollback);
    world.pass(10 * SECOND);
    let audit = world.runtime.run(world.controller.history(0, 200)).unwrap();
    assert_eq!((audit.len(), audit[2].actor.as_str()), (3, "guard"));
    assert_eq!(
        audit[2].reason.as_str(),
        "EMERGENCY: error rate by the latest calls; in all: 100 of 400 calls of new failed (25.0 %); the limit is 5 %"
    );
    let evidence = audit[2].evidence.clone().unwrap();
    assert_eq!((&evidence["action"], &evidence["mode"]), (&"rollback".into(), &"new_only".into()));
    let errors = &evidence["triggers"][1];
    assert_eq!(
        (&errors["trigger"], &errors["events"], &errors["trials"]),
        (&"error_rate".into(), &100.into(), &400.into())
    );
}

#[test]
fn what_is_no_rollback_changes_nothing() {
    let world = World::new();
    let triggers = RollbackTriggers::builder().action(Trigger::ErrorRate, Action::Freeze).build().unwrap();
    let watching = world.start(Guard::new(triggers, PromotionCriteria::default()));
    world.counts.calls(2, 400, 100);
    world.pass(10 * SECOND);
    assert_eq!(watching.report().unwrap().action, Some(Action::Freeze));
    assert_eq!(world.controller.mode(), SystemMode::NewOnly);
    watching.begin_anew();
    world.pass(SECOND);
    assert_eq!(watching.report().unwrap().action, None);
}

#[test]
fn what_was_counted_before_a_rollback_is_no_evidence_after_it() {
    let world = World::new();
    let watching = world.start(Guard::default());
    world.counts.calls(2, 400, 100);
    world.pass(SECOND);
    assert_eq!(world.controller.mode(), SystemMode::EmergencyRollback);
    // Somebody mends it and exposes it again, all of it between two looks.
    for mode in [SystemMode::LegacyOnly, SystemMode::Parallel, SystemMode::NewOnly] {
        world.runtime.run(world.controller.transition(mode, "ana", "mended")).unwrap();
    }
    world.counts.calls(world.controller.status().epoch, 1_000, 0);
    world.pass(10 * SECOND);
    assert_eq!((world.controller.mode(), watching.report().unwrap().action), (SystemMode::NewOnly, None));
    world.counts.calls(world.controller.status().epoch, 1_400, 200);
    world.pass(2 * SECOND);
    assert_eq!(world.controller.mode(), SystemMode::EmergencyRollback, "it still looks");
}

#[test]
fn evidence_that_panics_is_looked_at_again() {
    let world = World::new();
    *world.counts.hold() = None;
    let watching = world.start(Guard::default());
    world.pass(SECOND);
    assert!(watching.report().is_none());
    world.counts.calls(2, 400, 100);
    world.pass(SECOND);
    assert_eq!(world.controller.mode(), SystemMode::EmergencyRollback);
}

#[test]
fn it_ends_with_its_last_handle() {
    let world = World::new();
    let watching = world.start(Guard::default());
    let clone = watching.clone();
    drop(watching);
    world.pass(5 * SECOND);
    assert_eq!(world.runtime.pending_tasks(), 1);
    drop(clone);
    world.pass(SECOND);
    assert_eq!(world.runtime.pending_tasks(), 0);
    world.counts.calls(2, 400, 100);
    world.pass(5 * SECOND);
    assert_eq!(world.controller.mode(), SystemMode::NewOnly);
}

#[test]
fn it_keeps_no_controller_alive() {
    let World { runtime, controller, counts } = World::new();
    let watching = AutoRollback::start(&controller, Guard::default(), Arc::new(counts));
    runtime.settle(5 * SECOND);
    drop(controller);
    runtime.settle(SECOND);
    assert_eq!(runtime.pending_tasks(), 0);
    assert!(watching.report().is_some());
}
