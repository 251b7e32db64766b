//! People have the last word on a plan, from any process, and everything they say stands in the audit.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod plan_common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cutover::control::{BoxError, ChangeError, HealthSchedule};
use cutover::guard::Action;
use cutover::plan::{Decision, Need, OnBreach, OperateError, PlanEnd, Reversibility, RolloutPlan, Step, Stop};
use cutover::testing::{FailingStore, Fault, VirtualRuntime};
use cutover::{MemoryStore, Side, SystemMode};
use plan_common::{HOUR, MINUTE, Process, audit, builder, ramp};

fn promote(step: &str) -> Decision {
    Decision::Promote { step: step.to_owned() }
}

#[test]
fn a_change_by_hand_freezes_the_plan_which_does_not_fight_it() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    let operator = runtime.run(builder(&runtime, store, 2).open()).unwrap();
    runtime.run(process.driver.look_once());
    runtime.run(operator.transition(SystemMode::LegacyOnly, "ana", "a bad feeling")).unwrap();
    runtime.clock().advance(2 * HOUR);
    for _ in 0..3 {
        let report = runtime.run(process.driver.look_once());
        assert_eq!(report.decision, Decision::Freeze { cause: Stop::ByHand });
        assert_eq!((report.stored, process.controller.mode()), (None, SystemMode::LegacyOnly));
    }
    runtime.run(process.driver.restart("ana", "it was nothing")).unwrap();
    assert_eq!(runtime.run(process.driver.look_once()).decision, promote("compare"));
    assert_eq!(process.judge.script().begun_anew, 1);
}

/// The last step has to be approved, and acknowledged.
fn careful() -> RolloutPlan {
    RolloutPlan::builder("careful")
        .step(Step::parallel("compare").hold(HOUR))
        .step(
            Step::new_only("all")
                .hold(HOUR)
                .approved_by_a_person()
                .reversibility(Reversibility::ForwardOnly)
                .on_breach(OnBreach::Ask),
        )
        .build()
        .unwrap()
}

#[test]
fn operators_of_any_process_are_heard_and_stand_in_the_audit() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let active = Process::of(&runtime, &store, 1, careful());
    let other = Process::of(&runtime, &store, 2, careful());
    let look = || runtime.run(active.driver.look_once()).decision;
    assert_eq!(look(), promote("compare"));
    runtime.clock().advance(2 * HOUR);
    assert_eq!(look(), Decision::AwaitApproval { step: "all".into() });
    runtime.run(other.driver.approve("all", "ana", "the numbers are good")).unwrap();
    assert_eq!(look(), Decision::AwaitAcknowledgement { step: "all".into() });
    runtime.run(other.driver.pause("ben", "holiday")).unwrap();
    assert_eq!(look(), Decision::Freeze { cause: Stop::Paused });
    runtime.run(other.driver.acknowledge("all", "ana", "there is no way back")).unwrap();
    assert_eq!(look(), Decision::Freeze { cause: Stop::Paused });
    runtime.run(other.driver.resume("ben", "back again")).unwrap();
    assert_eq!(look(), promote("all"));

    active.judge.set(|script| script.action = Some(Action::Rollback));
    assert_eq!((look(), active.controller.mode()), (Decision::Ask, SystemMode::NewOnly), "it cannot be taken back");
    active.judge.set(|script| script.action = None);
    assert_eq!(look(), Decision::Ask, "until somebody answers");
    runtime.run(other.driver.resume("ana", "that was the database")).unwrap();
    assert!(matches!(look(), Decision::Hold { .. }));

    let kinds: Vec<_> =
        audit(&runtime, &store).iter().map(|entry| (entry.kind.name(), entry.actor.to_string())).collect();
    let expected = [
        ("transition", "plan careful"),
        ("approval", "ana"),
        ("pause", "ben"),
        ("acknowledgement", "ana"),
        ("resume", "ben"),
        ("transition", "plan careful"),
        ("pause", "plan careful"),
        ("resume", "ana"),
    ];
    assert_eq!(kinds, expected.map(|(kind, actor)| (kind, actor.to_owned())));
    runtime.run(active.controller.verify()).unwrap();
}

#[test]
fn what_an_operator_says_of_the_wrong_step_is_refused() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::of(&runtime, &store, 1, careful());
    let approve = |step| runtime.run(process.driver.approve(step, "ana", "yes"));
    let ahead = approve("all").unwrap_err();
    assert_eq!(ahead.to_string(), "step all is not the next one; that is compare");
    assert!(matches!(approve("compare"), Err(OperateError::NotNeeded { .. })));
    assert_eq!(
        approve("everything").unwrap_err().to_string(),
        "the plan has no step `everything`; it has compare, all"
    );
    assert!(audit(&runtime, &store).is_empty());
    runtime.run(process.driver.look_once());
    assert!(approve("all").is_ok());
    assert!(matches!(
        runtime.run(process.driver.acknowledge("compare", "ana", "yes")),
        Err(OperateError::NotNext { .. })
    ));
}

#[test]
fn what_an_operator_decided_on_another_record_is_outdated_but_an_abort_never_is() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::of(&runtime, &store, 1, careful());
    let other = Process::of(&runtime, &store, 2, careful());
    runtime.run(process.driver.look_once());
    let seen = process.controller.status();
    runtime.run(other.driver.pause("ben", "holiday")).unwrap();

    let stale = process.driver.expecting(seen.epoch, seen.etag);
    let said = [
        runtime.run(stale.approve("all", "ana", "yes")),
        runtime.run(stale.acknowledge("compare", "ana", "yes")),
        runtime.run(stale.pause("ana", "wait")),
        runtime.run(stale.resume("ana", "go on")),
        runtime.run(stale.restart("ana", "from the start")),
    ];
    for refused in said {
        assert!(matches!(refused, Err(OperateError::Change(ChangeError::Outdated { expected: 1, found: 2 }))));
    }
    let other_etag = process.driver.expecting(2, seen.etag);
    assert!(matches!(
        runtime.run(other_etag.approve("all", "ana", "yes")),
        Err(OperateError::Change(ChangeError::Outdated { expected: 2, found: 2 }))
    ));
    assert_eq!(audit(&runtime, &store).len(), 2);

    let now = process.controller.status();
    runtime.run(process.driver.expecting(now.epoch, now.etag).approve("all", "ana", "yes")).unwrap();
    runtime.run(stale.abort("ana", "stop")).unwrap();
    assert_eq!(process.controller.mode(), SystemMode::EmergencyRollback);
    runtime.run(stale.abort("ana", "stop")).unwrap();
    assert_eq!(audit(&runtime, &store).len(), 5);
}

#[test]
fn an_abort_holds_at_once_and_ends_the_plan_for_all() {
    let runtime = VirtualRuntime::new();
    let memory = MemoryStore::with_clock(runtime.clock());
    let store = FailingStore::new(memory.clone(), runtime.clone());
    let (active, other) = (Process::start(&runtime, &store, 1), Process::start(&runtime, &store, 2));
    runtime.run(active.driver.look_once());
    store.set_standing(Some(Fault::Hang));
    let aborted = runtime.run(other.driver.abort("ana", "customers complain"));
    assert!(matches!(aborted, Err(OperateError::Change(ChangeError::Unpersisted))));
    assert_eq!(other.controller.mode(), SystemMode::EmergencyRollback);
    store.heal();
    runtime.settle(MINUTE);
    assert_eq!(runtime.run(active.driver.run()), PlanEnd::RolledBack);
    assert_eq!(active.controller.mode(), SystemMode::EmergencyRollback);
    assert_eq!(audit(&runtime, &memory).pop().unwrap().evidence.unwrap()["event"], "aborted");

    // Leaving the emergency by hand does not begin the plan again.
    runtime.run(active.controller.transition(SystemMode::LegacyOnly, "ana", "looked into it")).unwrap();
    assert_eq!(runtime.run(active.driver.run()), PlanEnd::RolledBack);
    runtime.run(active.driver.restart("ana", "mended")).unwrap();
    assert_eq!(runtime.run(active.driver.look_once()).decision, promote("compare"));
}

#[test]
fn an_abort_before_the_beginning_and_in_an_emergency_ends_the_plan_too() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    runtime.run(process.controller.emergency_rollback("ana", "something else"));
    runtime.run(process.driver.abort("ana", "not this week")).unwrap();
    runtime.run(process.controller.transition(SystemMode::LegacyOnly, "ana", "looked into it")).unwrap();
    assert_eq!(runtime.run(process.driver.run()), PlanEnd::RolledBack);
}

#[test]
fn a_freeze_lasts_until_a_person_resumes_also_after_a_restart() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    runtime.run(process.driver.look_once());
    process.judge.set(|script| script.action = Some(Action::Freeze));
    assert_eq!(runtime.run(process.driver.look_once()).decision, Decision::Freeze { cause: Stop::Frozen });
    drop(process);
    runtime.run_until_idle();
    runtime.clock().advance(2 * HOUR);
    let next = Process::start(&runtime, &store, 2);
    let report = runtime.run(next.driver.look_once());
    assert_eq!((report.decision, report.stored), (Decision::Freeze { cause: Stop::Frozen }, None), "said once");
    runtime.run(next.driver.resume("ana", "looked into it")).unwrap();
    assert_eq!(runtime.run(next.driver.look_once()).decision, promote("tenth"));
    assert_eq!(next.judge.script().begun_anew, 1, "what had regressed is answered");
}

#[test]
fn before_each_step_legacy_is_asked_whether_it_could_take_over() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let well = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&well);
    let check = move || {
        let well = asked.load(Ordering::Relaxed);
        async move { if well { Ok::<_, BoxError>(()) } else { Err("not yet".into()) } }
    };
    let opened =
        builder(&runtime, store.clone(), 1).health_check(Side::Legacy, check, HealthSchedule::every(24 * HOUR));
    let process = Process::with(runtime.run(opened.open()).unwrap(), &store, ramp());
    let report = runtime.run(process.driver.look_once());
    assert_eq!(report.decision, Decision::Hold { needs: vec![Need::LegacyHealth] });
    well.store(true, Ordering::Relaxed);
    assert_eq!(runtime.run(process.driver.look_once()).decision, promote("compare"));
    assert_eq!(process.controller.status().health.unwrap().legacy.unwrap().checks, 2, "asked each time");
}

#[test]
fn without_a_check_of_its_own_the_evidence_says_whether_legacy_is_well() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::with_clock(runtime.clock());
    let process = Process::start(&runtime, &store, 1);
    *process.checks.0.lock().unwrap() = 1;
    let report = runtime.run(process.driver.look_once());
    assert_eq!(report.decision, Decision::Hold { needs: vec![Need::LegacyHealth] });
    *process.checks.0.lock().unwrap() = 0;
    assert_eq!(runtime.run(process.driver.look_once()).decision, promote("compare"));
}
