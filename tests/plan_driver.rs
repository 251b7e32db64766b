//! A plan is followed step by step from the store alone: by one driver of many, and across crashes and outages.
#![cfg(feature = "testing")]

mod plan_common;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use cutover::guard::Action;
use cutover::plan::{Decision, Need, OnBreach, OperateError, PlanEnd, Step};
use cutover::store::ClaimStore;
use cutover::testing::{FailingStore, Fault, SlowStore, VirtualRuntime};
use cutover::{Clock, MemoryStore, Percentage, RolloutPlan, Runtime, SystemMode};
use futures::FutureExt;
use futures::future::join;
use plan_common::{HOUR, MINUTE, Process, audit, builder, entered, ramp};

const STEPS: [&str; 4] = ["compare", "tenth", "half", "all"];

fn promote(step: &str) -> Decision {
    Decision::Promote { step: step.to_owned() }
}

#[test]
fn it_enters_each_step_when_its_time_is_over_and_says_so_in_the_audit() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    let start = runtime.clock().now();
    assert_eq!(runtime.run(process.driver.run()), PlanEnd::Done);
    let took = runtime.clock().now().since(start);
    assert!((4 * HOUR..4 * HOUR + 5 * 72 * Duration::from_secs(1)).contains(&took), "{took:?}");
    let audit = audit(&runtime, &store);
    assert_eq!(entered(&audit), STEPS);
    assert_eq!(audit.len(), 5, "four steps and the end");
    for (entry, step) in audit.iter().zip(ramp().steps()) {
        assert_eq!((entry.after, entry.actor.as_str()), (step.settings(), "plan ramp"));
        assert_eq!(entry.evidence.as_ref().unwrap()["guard"]["verdict"], "healthy");
    }
    assert!(audit.windows(2).all(|pair| pair[1].at.duration_since(pair[0].at).unwrap() >= HOUR));
    assert_eq!(runtime.run(process.controller.verify()).unwrap().epoch, 5);
    // A process that comes later knows that it is over.
    let later = Process::start(&runtime, &store, 2);
    assert_eq!(runtime.run(later.driver.run()), PlanEnd::Done);
    assert_eq!(plan_common::audit(&runtime, &store).len(), 5);
}

/// Polls a future so many times and no more: the process ends there.
struct Crashing<F>(Pin<Box<F>>, u32);

impl<F: Future> Future for Crashing<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.1 == 0 {
            return Poll::Ready(None);
        }
        self.1 -= 1;
        self.0.as_mut().poll(context).map(Some)
    }
}

#[test]
fn after_a_crash_anywhere_each_step_is_entered_once() {
    for polls in 0_u32.. {
        let mut ended = 0;
        let runtime = VirtualRuntime::new();
        let store = MemoryStore::with_clock(runtime.clock());
        let slow = SlowStore::new(store.clone(), runtime.clone(), Duration::from_millis(3));
        // One look enters the first step, and one the second.
        for number in 0..2_usize {
            // Two processes never draw the same.
            let seed = |start: u64| u64::from(polls) * 1000 + number as u64 * 10 + start;
            let process = Process::start(&runtime, &slow, seed(1));
            let look = runtime.run(Crashing(Box::pin(process.driver.look_once()), polls));
            ended += u32::from(look.is_some());
            drop(process);
            runtime.drop_tasks();
            runtime.clock().advance(2 * HOUR);
            let process = Process::start(&runtime, &slow, seed(2));
            let report = runtime.run(process.driver.look_once());
            assert!(report.active, "the claim of the crashed one has run out");
            let steps = entered(&audit(&runtime, &store));
            assert!(
                steps == STEPS[..=number] || steps == STEPS[..number + 2],
                "{polls} polls, look {number}: {steps:?}"
            );
            drop(process);
            runtime.drop_tasks();
            runtime.clock().advance(2 * MINUTE);
        }
        let process = Process::start(&runtime, &slow, u64::from(polls) * 1000 + 500);
        assert_eq!(runtime.run(process.driver.run()), PlanEnd::Done);
        let audit = audit(&runtime, &store);
        assert_eq!((entered(&audit), audit.len()), (STEPS.map(str::to_owned).to_vec(), 5), "{polls} polls");
        if ended == 2 {
            assert!(polls > 8, "{polls} polls are too few to have stopped at each await");
            return;
        }
    }
}

#[test]
fn a_driver_that_begins_during_an_outage_rolls_back_all_the_same() {
    for (step, mode, allowed) in
        [(OnBreach::Rollback, SystemMode::EmergencyRollback, true), (OnBreach::Freeze, SystemMode::Parallel, false)]
    {
        let runtime = VirtualRuntime::new();
        let store = FailingStore::new(MemoryStore::with_clock(runtime.clock()), runtime.clone());
        let plan =
            RolloutPlan::builder("ramp").step(Step::parallel("compare").hold(HOUR).on_breach(step)).build().unwrap();
        let first = Process::of(&runtime, &store, 1, plan.clone());
        runtime.run(first.driver.look_once());
        // Its controller has read the record, and its driver has not looked yet.
        let second = Process::of(&runtime, &store, 2, plan);
        store.set_standing(Some(Fault::Unavailable));
        second.judge.set(|script| script.action = Some(Action::Rollback));
        let report = runtime.run(second.driver.look_once());
        assert_eq!((report.decision == Decision::Rollback, second.controller.mode()), (allowed, mode));
    }
}

#[test]
fn of_two_drivers_one_is_active_and_each_step_is_entered_once() {
    for seed in 0..10 {
        let runtime = VirtualRuntime::new();
        let store = MemoryStore::with_clock(runtime.clock());
        let slow = SlowStore::new(store.clone(), runtime.clone(), Duration::from_millis(5));
        let (one, other) = (Process::start(&runtime, &slow, seed), Process::start(&runtime, &slow, seed + 100));
        let reports = runtime.run(join(one.driver.look_once(), other.driver.look_once()));
        assert!(reports.0.active != reports.1.active, "seed {seed}: {reports:?}");
        let ends = runtime.run(join(one.driver.run(), other.driver.run()));
        assert_eq!(ends, (PlanEnd::Done, PlanEnd::Done), "seed {seed}");
        let audit = audit(&runtime, &store);
        assert_eq!((entered(&audit), audit.len()), (STEPS.map(str::to_owned).to_vec(), 5), "seed {seed}");
    }
}

#[test]
fn when_the_active_driver_is_gone_another_one_takes_over_within_two_minutes() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let (active, standby) = (Process::start(&runtime, &store, 1), Process::start(&runtime, &store, 2));
    assert!(runtime.run(active.driver.look_once()).active);
    assert!(!runtime.run(standby.driver.look_once()).active);
    // Its claim survives that the mode changes.
    runtime.clock().advance(HOUR);
    runtime.settle(MINUTE);
    assert_eq!(runtime.run(active.driver.look_once()).decision, promote("tenth"));
    runtime.settle(5 * MINUTE);
    let report = runtime.run(standby.driver.look_once());
    assert!(!report.active && report.step.as_deref() == Some("tenth"), "{report:?}");

    // It is killed: nothing renews its claim, and nothing gives it back.
    std::mem::forget(active);
    runtime.drop_tasks();
    runtime.clock().advance(HOUR);
    let report = runtime.run(standby.driver.look_once());
    assert!(report.active && report.decision == promote("half"), "{report:?}");
}

#[test]
fn a_driver_that_ends_in_order_does_not_let_others_wait() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let (active, standby) = (Process::start(&runtime, &store, 1), Process::start(&runtime, &store, 2));
    assert!(runtime.run(active.driver.look_once()).active);
    drop(active);
    runtime.run_until_idle();
    assert!(runtime.run(standby.driver.look_once()).active);
}

#[test]
fn an_item_that_somebody_completed_stops_no_plan() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let first = Process::start(&runtime, &store, 1);
    assert!(runtime.run(first.driver.look_once()).active);
    let item = "plan.ramp".parse().unwrap();
    let id = "search".parse().unwrap();
    let token = runtime.run(store.claimed(&id, &item)).unwrap().unwrap().token;
    runtime.run(store.complete(&id, &item, token)).unwrap();
    drop(first);
    let next = Process::start(&runtime, &store, 2);
    assert!(!runtime.run(next.driver.look_once()).active);
    assert!(runtime.run(next.driver.look_once()).active);
}

#[test]
fn while_the_store_is_out_nothing_goes_forward_and_a_rollback_does_not_wait() {
    for fault in [Fault::Unavailable, Fault::Hang, Fault::Corrupt, Fault::Panic] {
        let runtime = VirtualRuntime::new();
        let memory = MemoryStore::with_clock(runtime.clock());
        let store = FailingStore::new(memory.clone(), runtime.clone());
        let process = Process::start(&runtime, &store, 1);
        runtime.run(process.driver.look_once());
        runtime.clock().advance(2 * HOUR);
        store.set_standing(Some(fault));
        let report = runtime.run(process.driver.look_once());
        assert_eq!(report.decision, Decision::Hold { needs: vec![Need::Store] }, "{fault:?}");
        assert_eq!((report.stored, report.active, process.controller.mode()), (None, false, SystemMode::Parallel));

        process.judge.set(|script| script.action = Some(Action::Rollback));
        let report = runtime.run(process.driver.look_once());
        assert_eq!((report.decision, process.controller.mode()), (Decision::Rollback, SystemMode::EmergencyRollback));
        assert!(report.refused.is_some(), "it is not stored yet");
        store.heal();
        runtime.settle(MINUTE);
        let report = runtime.run(process.driver.look_once());
        assert_eq!((report.decision, report.end), (Decision::RolledBack, Some(PlanEnd::RolledBack)));
        let last = audit(&runtime, &memory).pop().unwrap();
        let evidence = last.evidence.unwrap();
        assert_eq!(
            (&evidence["plan"], &evidence["event"], &evidence["step"]),
            (&"ramp".into(), &"rolled_back".into(), &"compare".into())
        );
    }
}

#[test]
fn when_the_store_is_back_the_plan_goes_on() {
    let runtime = VirtualRuntime::new();
    let store = FailingStore::new(MemoryStore::with_clock(runtime.clock()), runtime.clone());
    let process = Process::start(&runtime, &store, 1);
    runtime.run(process.driver.look_once());
    store.set_standing(Some(Fault::Unavailable));
    runtime.clock().advance(2 * HOUR);
    runtime.run(process.driver.look_once());
    store.heal();
    assert_eq!(runtime.run(process.driver.look_once()).decision, promote("tenth"));
}

#[test]
fn a_look_with_nothing_to_do_reads_the_store_and_does_not_write() {
    let runtime = VirtualRuntime::new();
    let store = FailingStore::new(MemoryStore::with_clock(runtime.clock()), runtime.clone());
    let process = Process::start(&runtime, &store, 1);
    runtime.run(process.driver.look_once());
    let calls = store.calls();
    // A write would fail.
    store.script_writes([Some(Fault::Unavailable)]);
    assert!(matches!(runtime.run(process.driver.look_once()).decision, Decision::Hold { .. }));
    assert_eq!(store.calls() - calls, 2, "the record, and what the audit says after it");
}

#[test]
fn a_lost_answer_enters_no_step_twice() {
    for fault in [Fault::UnknownAfterApplying, Fault::UnknownWithoutApplying, Fault::Hang] {
        for repeated in 1..=4 {
            let runtime = VirtualRuntime::new();
            let memory = MemoryStore::with_clock(runtime.clock());
            let store = FailingStore::new(memory.clone(), runtime.clone());
            let process = Process::start(&runtime, &store, 1);
            // The first write is the claim.
            store.script_writes([None].into_iter().chain([Some(fault); 4].into_iter().take(repeated)));
            runtime.run(process.driver.look_once());
            store.heal();
            runtime.run(process.driver.look_once());
            assert_eq!(entered(&audit(&runtime, &memory)), ["compare"], "{fault:?} {repeated} times");
        }
    }
}

#[test]
fn what_is_changed_between_the_reading_and_the_step_stops_the_step() {
    for delay in 0..60 {
        let runtime = VirtualRuntime::new();
        let memory = MemoryStore::with_clock(runtime.clock());
        let slow = SlowStore::new(memory.clone(), runtime.clone(), Duration::from_millis(2));
        let process = Process::start(&runtime, &slow, 1);
        runtime.run(process.driver.look_once());
        runtime.clock().advance(2 * HOUR);
        let operator = runtime.run(builder(&runtime, memory.clone(), 2).open()).unwrap();
        let by_hand = async {
            runtime.sleep(Duration::from_millis(delay)).await;
            operator.set_shadow_share(Some(Percentage::ZERO), "ana", "too much load").await
        };
        let (report, by_hand) = runtime.run(join(process.driver.look_once(), by_hand));
        by_hand.unwrap();
        let audit = audit(&runtime, &memory);
        let by_hand_at = audit.iter().position(|entry| entry.actor.as_str() == "ana").unwrap();
        assert!(entered(&audit[by_hand_at..]).is_empty(), "{delay} ms: {report:?}");
    }
}

#[test]
fn a_judge_that_panics_is_an_outage_that_holds() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    runtime.run(process.driver.look_once());
    runtime.clock().advance(2 * HOUR);
    process.judge.set(|script| script.panics = true);
    let report = runtime.run(process.driver.look_once());
    let Decision::Hold { needs } = report.decision else { unreachable!("it holds") };
    assert!(needs.contains(&Need::Monitoring) && report.guard.is_none());
}

#[test]
fn what_was_judged_of_another_step_proves_nothing_of_this_one() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    runtime.run(process.driver.look_once());
    runtime.clock().advance(2 * HOUR);
    process.judge.set(|script| script.late = true);
    let report = runtime.run(process.driver.look_once());
    let Decision::Hold { needs } = report.decision else { unreachable!("it holds") };
    assert!(needs.contains(&Need::Monitoring) && needs.contains(&Need::Samples { missing: 1_000 }), "{needs:?}");
    process.judge.set(|script| script.late = false);
    assert_eq!(runtime.run(process.driver.look_once()).decision, promote("tenth"));
}

#[test]
fn a_step_has_held_since_its_entry_whatever_the_time_of_day_does_meanwhile() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    runtime.run(process.driver.look_once());
    let wall = runtime.clock().wall();
    // The clock of the machine is set to another century, and back to another one.
    for wall in [wall + 10_000 * 24 * HOUR, UNIX_EPOCH] {
        runtime.clock().set_wall(wall);
        let report = runtime.run(process.driver.look_once());
        assert!(report.held < MINUTE && matches!(report.decision, Decision::Hold { .. }), "{report:?}");
    }
    runtime.clock().set_wall(wall + HOUR / 2);
    drop(process);
    runtime.run_until_idle();
    // Another process goes by the entry in the audit; a time of day before that says nothing.
    let next = Process::start(&runtime, &store, 2);
    assert_eq!(runtime.run(next.driver.look_once()).held, HOUR / 2);
    runtime.clock().advance(HOUR / 2);
    assert_eq!(runtime.run(next.driver.look_once()).decision, promote("tenth"));
    runtime.clock().set_wall(UNIX_EPOCH);
    let early = Process::start(&runtime, &store, 3);
    assert_eq!(runtime.run(early.driver.look_once()).held, Duration::ZERO);
}

#[test]
fn what_another_guard_has_spent_is_not_spent_again() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    runtime.run(process.driver.look_once());
    drop(process);
    runtime.run_until_idle();
    let next = Process::start(&runtime, &store, 2);
    runtime.run(next.driver.look_once());
    assert_eq!(next.judge.script().after, Some(1));
}

#[test]
fn a_store_that_lost_records_holds_until_somebody_reconciles_it() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let forgetful = plan_common::Exchangeable::new(store);
    let process = Process::start(&runtime, &forgetful, 1);
    runtime.run(process.driver.look_once());
    runtime.clock().advance(2 * HOUR);
    forgetful.exchange(MemoryStore::with_clock(runtime.clock()));
    let report = runtime.run(process.driver.look_once());
    assert_eq!(report.decision, Decision::Hold { needs: vec![Need::Reconciliation] });
    assert!(matches!(runtime.run(process.driver.approve("tenth", "ana", "yes")), Err(OperateError::InDoubt(_))));
    runtime.run(process.controller.reconcile("ana", "restored")).unwrap();
    // The audit is another one now, in which the plan has not begun.
    let report = runtime.run(process.driver.look_once());
    assert_eq!(report.decision, promote("compare"));
    let audit = audit(&runtime, &forgetful);
    assert_eq!(entered(&audit), ["compare"]);
    assert_eq!(audit.last().unwrap().kind.name(), "step", "its settings held already");
}

#[test]
fn the_report_of_the_last_look_is_there_for_a_dashboard() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    assert_eq!(process.driver.report(), None);
    let report = runtime.run(process.driver.look_once());
    assert_eq!(process.driver.report(), Some(report.clone()));
    assert_eq!(report.to_string(), "ramp, compare: enter compare");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        (&json["plan"], &json["step"], &json["decision"]["decision"]),
        (&"ramp".into(), &"compare".into(), &"promote".into())
    );
    assert!(process.driver.run().now_or_never().is_none());
}
