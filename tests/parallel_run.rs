//! A parallel run lasts as long as it was told, ends in promote, hold or a rollback, and never leaves `Parallel` behind.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod plan_common;

use std::sync::Arc;
use std::time::Duration;

use cutover::guard::{Action, Criterion, Guard};
use cutover::monitor::{
    Baseline, Evidence, LatencyFactors, MeanDurations, PairTally, PhaseCounts, SideCounts, SideFailures,
};
use cutover::plan::{ParallelEnd, ParallelError};
use cutover::testing::{FailingStore, Fault, SlowStore, VirtualRuntime};
use cutover::{Clock, MemoryStore, MigrationController, ParallelRun, Runtime, StateStore, SystemMode};
use futures::future::join;
use plan_common::{Checks, HOUR, MINUTE, Scripted, audit, builder};

struct World {
    runtime: VirtualRuntime,
    memory: MemoryStore,
    store: FailingStore<MemoryStore>,
    controller: MigrationController,
    judge: Scripted,
}

fn world() -> World {
    let runtime = VirtualRuntime::new();
    let memory = MemoryStore::with_clock(runtime.clock());
    let store = FailingStore::new(memory.clone(), runtime.clone());
    let controller = runtime.run(builder(&runtime, store.clone(), 1).open()).unwrap();
    World { runtime, memory, store, controller, judge: Scripted::new() }
}

impl World {
    fn run(&self) -> ParallelRun {
        ParallelRun::new(&self.controller, Arc::new(Checks::default()), self.judge.clone())
    }

    fn stored_mode(&self) -> SystemMode {
        self.runtime.run(self.memory.load(&"search".parse().unwrap())).unwrap().unwrap().mode
    }

    /// Does something after a while, during a run.
    async fn after<T>(&self, wait: Duration, then: impl AsyncFnOnce() -> T) -> T {
        self.runtime.sleep(wait).await;
        then().await
    }
}

#[test]
fn it_lasts_a_day_looks_every_minute_and_says_that_new_may_be_promoted() {
    let world = world();
    let report = world.runtime.run(world.run().run("ana", "first day")).unwrap();
    assert_eq!((report.end, report.lasted, report.mode), (ParallelEnd::Promote, 24 * HOUR, SystemMode::Parallel));
    assert!((1_380..=1_500).contains(&report.looks), "{}", report.looks);
    world.runtime.settle(HOUR);
    assert_eq!((world.stored_mode(), audit(&world.runtime, &world.memory).len()), (SystemMode::Parallel, 1));
}

#[test]
fn what_is_not_proven_at_its_end_holds() {
    for change in [
        (|script| script.proven = vec![Criterion::Latency, Criterion::Throughput]) as fn(&mut plan_common::Script),
        |script| script.trials = 0,
        |script| script.panics = true,
    ] {
        let world = world();
        world.judge.set(change);
        let report = world.runtime.run(world.run().lasts(HOUR).run("ana", "first look")).unwrap();
        assert_eq!((report.end, world.stored_mode()), (ParallelEnd::Hold, SystemMode::Parallel));
        assert_eq!(report.lasted, HOUR);
    }
    let world = world();
    world.judge.set(|script| script.proven = vec![Criterion::Latency]);
    let fewer = world.run().lasts(HOUR).gate([Criterion::Latency]);
    assert_eq!(world.runtime.run(fewer.run("ana", "first look")).unwrap().end, ParallelEnd::Promote);
}

#[test]
fn a_regression_ends_it_at_the_next_look_and_puts_legacy_back_alone() {
    let world = world();
    let regress = world.after(3 * HOUR, async || world.judge.set(|script| script.action = Some(Action::Rollback)));
    let (report, ()) = world.runtime.run(join(world.run().run("ana", "first day"), regress));
    let report = report.unwrap();
    assert_eq!(
        (report.end, report.mode, world.stored_mode()),
        (ParallelEnd::RolledBack, SystemMode::LegacyOnly, SystemMode::LegacyOnly)
    );
    assert!((3 * HOUR..=3 * HOUR + 2 * MINUTE).contains(&report.lasted), "{:?}", report.lasted);
    let evidence = audit(&world.runtime, &world.memory).pop().unwrap().evidence.unwrap();
    assert_eq!((&evidence["parallel_run"], &evidence["guard"]["action"]), (&"regressed".into(), &"rollback".into()));
}

#[test]
fn when_the_store_does_not_take_the_way_back_it_is_an_emergency_here() {
    let world = world();
    let regress = world.after(HOUR, async || {
        world.store.set_standing(Some(Fault::Unavailable));
        world.judge.set(|script| script.action = Some(Action::Rollback));
    });
    let (report, ()) = world.runtime.run(join(world.run().run("ana", "first day"), regress));
    assert_eq!(
        (report.unwrap().end, world.controller.mode()),
        (ParallelEnd::RolledBack, SystemMode::EmergencyRollback)
    );
    world.store.heal();
    world.runtime.settle(MINUTE);
    assert_eq!(world.stored_mode(), SystemMode::EmergencyRollback);
}

#[test]
fn a_guard_that_asks_ends_it_and_changes_nothing() {
    for action in [Action::Ask, Action::Freeze] {
        let world = world();
        world.judge.set(|script| script.action = Some(action));
        let report = world.runtime.run(world.run().run("ana", "first day")).unwrap();
        assert_eq!((report.end, report.looks, world.stored_mode()), (ParallelEnd::Hold, 1, SystemMode::Parallel));
    }
}

#[test]
fn a_run_that_is_dropped_puts_legacy_back_alone() {
    for wait in [Duration::ZERO, MINUTE, 5 * HOUR] {
        let world = world();
        {
            let mut run = Box::pin(world.run().run("ana", "first day"));
            let gave_up = world.runtime.run(futures::future::select(&mut run, world.runtime.sleep(wait + MINUTE)));
            assert!(matches!(gave_up, futures::future::Either::Right(_)));
            assert_eq!(world.controller.mode(), SystemMode::Parallel);
        }
        world.runtime.settle(MINUTE);
        assert_eq!((world.controller.mode(), world.stored_mode()), (SystemMode::LegacyOnly, SystemMode::LegacyOnly));
    }
}

#[test]
fn a_run_that_is_dropped_while_it_begins_leaves_nothing_behind() {
    for millis in 0..40 {
        let runtime = VirtualRuntime::new();
        let memory = MemoryStore::with_clock(runtime.clock());
        let slow = SlowStore::new(memory.clone(), runtime.clone(), Duration::from_millis(3));
        let controller = runtime.run(builder(&runtime, slow, 1).open()).unwrap();
        let run = ParallelRun::new(&controller, Arc::new(Checks::default()), Scripted::new());
        let begun = Box::pin(run.run("ana", "first day"));
        drop(runtime.run(futures::future::select(begun, runtime.sleep(Duration::from_millis(millis)))));
        runtime.settle(MINUTE);
        let stored = runtime.run(memory.load(&"search".parse().unwrap())).unwrap();
        let mode = stored.map(|record| record.mode).unwrap_or_default();
        assert_eq!((mode, controller.mode()), (SystemMode::LegacyOnly, SystemMode::LegacyOnly), "after {millis} ms");
    }
}

#[test]
fn who_goes_to_parallel_by_hand_meanwhile_stays_there() {
    let mut refused = 0;
    for millis in 0..40 {
        let runtime = VirtualRuntime::new();
        let memory = MemoryStore::with_clock(runtime.clock());
        let slow = SlowStore::new(memory.clone(), runtime.clone(), Duration::from_millis(3));
        let controller = runtime.run(builder(&runtime, slow, 1).open()).unwrap();
        let operator = runtime.run(builder(&runtime, memory.clone(), 2).open()).unwrap();
        let run = ParallelRun::new(&controller, Arc::new(Checks::default()), Scripted::new()).lasts(MINUTE);
        let by_hand = async {
            runtime.sleep(Duration::from_millis(millis)).await;
            operator.transition(SystemMode::Parallel, "ben", "by hand").await.unwrap()
        };
        let (report, _) = runtime.run(join(run.run("ana", "first look"), by_hand));
        refused += u32::from(report.is_err());
        runtime.settle(MINUTE);
        let mode = runtime.run(memory.load(&"search".parse().unwrap())).unwrap().unwrap().mode;
        assert_eq!(mode, SystemMode::Parallel, "after {millis} ms: {report:?}");
    }
    assert!(refused > 5, "{refused} times it came in between");
}

#[test]
fn who_changes_the_mode_by_hand_takes_over() {
    for (by_hand, end) in [
        (SystemMode::GradualRollout, ParallelEnd::Hold),
        (SystemMode::LegacyOnly, ParallelEnd::RolledBack),
        (SystemMode::EmergencyRollback, ParallelEnd::RolledBack),
    ] {
        let world = world();
        let operator =
            world.after(HOUR, async || world.controller.transition(by_hand, "ben", "by hand").await.unwrap());
        let (report, _) = world.runtime.run(join(world.run().run("ana", "first day"), operator));
        assert_eq!(report.unwrap().end, end);
        world.runtime.settle(MINUTE);
        assert_eq!(world.stored_mode(), by_hand);
    }
}

#[test]
fn it_does_not_begin_where_new_serves_or_the_store_does_not_take_it() {
    let world = world();
    world.store.set_standing(Some(Fault::Unavailable));
    let refused = world.runtime.run(world.run().run("ana", "first day"));
    assert!(matches!(refused, Err(ParallelError::Begin(_))), "{refused:?}");
    world.store.heal();
    world.runtime.settle(MINUTE);
    assert!(audit(&world.runtime, &world.memory).is_empty());

    world.runtime.run(world.controller.transition(SystemMode::GradualRollout, "ben", "by hand")).unwrap();
    let refused = world.runtime.run(world.run().run("ana", "first day")).unwrap_err();
    assert_eq!(refused.to_string(), "a parallel run begins in legacy_only or parallel, not in gradual_rollout");
    assert_eq!(world.stored_mode(), SystemMode::GradualRollout);
}

#[test]
fn a_beginning_of_unknown_outcome_is_taken_back_and_pulls_no_emergency() {
    for fault in [Fault::Hang, Fault::UnknownAfterApplying, Fault::UnknownWithoutApplying] {
        let world = world();
        world.store.script_writes([Some(fault); 4]);
        let refused = world.runtime.run(world.run().run("ana", "first day"));
        assert!(matches!(refused, Err(ParallelError::Begin(_))), "{refused:?}");
        world.store.set_standing(Some(Fault::Unavailable));
        world.runtime.settle(MINUTE / 2);
        world.store.heal();
        world.runtime.settle(MINUTE);
        let modes: Vec<_> = audit(&world.runtime, &world.memory).iter().map(|entry| entry.after.mode).collect();
        assert!(modes.is_empty() || modes == [SystemMode::Parallel, SystemMode::LegacyOnly], "{fault:?}: {modes:?}");
        assert_eq!(modes.is_empty(), fault != Fault::UnknownAfterApplying);
    }
}

/// What a monitor would have counted of calls at one a second.
struct Traffic {
    controller: MigrationController,
    clock: Arc<cutover::testing::ManualClock>,
    /// One of so many comparisons disagrees.
    mismatch_every: u64,
}

impl Evidence for Traffic {
    fn counts(&self) -> PhaseCounts {
        let status = self.controller.status();
        let started = self.clock.now().as_nanos() / 1_000_000_000;
        let side = SideCounts { started, succeeded: started, timed: started, ..SideCounts::default() };
        let mismatched = started / self.mismatch_every;
        let pairs = PairTally { pairs: started, compared: started, mismatched, timed: started, ..PairTally::default() };
        PhaseCounts { legacy: side, new: side, pairs, ..PhaseCounts::empty(status.epoch, status.mode) }
    }

    fn health_failures(&self) -> SideFailures {
        SideFailures::default()
    }

    fn mean_durations(&self) -> MeanDurations {
        MeanDurations::default()
    }

    fn baseline(&self) -> Option<Baseline> {
        Some(Baseline { p95: Duration::from_millis(50), calls: 10_000, calls_per_second: 1.0, error_rate: 0.0 })
    }

    fn latency_factors(&self) -> LatencyFactors {
        LatencyFactors::default()
    }
}

#[test]
fn with_the_guard_itself_a_good_new_side_is_proven_and_a_bad_one_rolled_back() {
    for (mismatch_every, end) in [(1_000, ParallelEnd::Promote), (2, ParallelEnd::RolledBack)] {
        let world = world();
        let evidence = Traffic { controller: world.controller.clone(), clock: world.runtime.clock(), mismatch_every };
        let run = ParallelRun::new(&world.controller, Arc::new(evidence), Guard::default());
        let report = world.runtime.run(run.run("ana", "first day")).unwrap();
        assert_eq!(report.end, end, "{report:?}");
    }
}
