//! What is said of each state, and what to do about it.

use std::time::Duration;

use cutover::control::{Doubt, HealthSchedule};
use cutover::store::MemoryStore;
use cutover::{Claims, Guard, MigrationController, PerformanceMonitor, PlanDriver, RolloutPlan};
use futures::executor::block_on;
use serde_json::{Value, json};
use std::sync::Arc;

use super::*;

/// A controller without anything stored.
fn controller() -> MigrationController {
    block_on(MigrationController::builder("search", MemoryStore::new()).manual_refresh().open()).unwrap()
}

/// What is said, as `severity: text`.
fn said(facts: &Facts<'_>) -> Vec<String> {
    attention(facts).into_iter().map(|one| format!("{:?}: {}", one.severity, one.text)).collect()
}

fn of_status(change: impl FnOnce(&mut MigrationStatus)) -> Vec<String> {
    let mut status = controller().status();
    change(&mut status);
    said(&Facts { status: &status, plan: None, guard: None, discrepancies: None, stuck: None })
}

/// The one thing that is said begins so, and says what to do so.
#[track_caller]
fn assert_one(said: &[String], begins: &str, advises: &str) {
    assert!(said.len() == 1 && said[0].starts_with(begins) && said[0].contains(advises), "{said:?}");
}

#[test]
fn where_nothing_is_wrong_nothing_is_said() {
    assert_eq!(of_status(|_| ()), [""; 0]);
    let status = controller().status();
    let nothing = Facts { status: &status, plan: None, guard: None, discrepancies: Some(0), stuck: Some(0) };
    assert_eq!(said(&nothing), [""; 0]);
}

#[test]
fn each_state_of_the_store_is_said_with_what_to_do() {
    let unstored = of_status(|status| {
        status.mode = SystemMode::EmergencyRollback;
        status.unpersisted_emergency = true;
    });
    assert_one(&unstored, "Alarm: The emergency holds in this process and is not stored yet", "mend the store");
    let doubt = of_status(|status| status.doubt = Some(Doubt::StateLost { known_epoch: 7 }));
    assert_one(&doubt, "Alarm: The record of epoch 7 is gone from the store.", "then reconcile");
    let assumed = of_status(|status| (status.assumed, status.stale) = (true, true));
    assert_one(&assumed, "Warning: The store has not answered since this process started", "Mend the store");
    let stale = of_status(|status| (status.stale, status.age) = (true, Duration::from_secs(95)));
    assert_one(&stale, "Warning: The store has not answered for 95 s", "an emergency works without it");
}

#[test]
fn a_rollback_is_said_with_its_reason_and_the_way_out() {
    let rolled_back = of_status(|status| {
        status.mode = SystemMode::EmergencyRollback;
        status.reason = "EMERGENCY: wrong totals".parse().ok();
    });
    assert_one(&rolled_back, "Warning: It was rolled back: EMERGENCY: wrong totals.", "go to legacy_only");
}

#[test]
fn a_side_that_is_not_well_is_an_alarm_where_it_serves() {
    let failing = |mode: SystemMode, side: Side| {
        let check = || async { Err::<(), _>("down") };
        let builder = MigrationController::builder("search", MemoryStore::new()).manual_refresh();
        let opened = builder.health_check(side, check, HealthSchedule::default()).open();
        let controller = block_on(opened).unwrap();
        block_on(controller.check_health_now());
        let mut status = controller.status();
        status.mode = mode;
        said(&Facts { status: &status, plan: None, guard: None, discrepancies: None, stuck: None })
    };
    let table = [
        (SystemMode::LegacyOnly, Side::Legacy, "Alarm: Legacy fails its health checks, 1 in a row"),
        (SystemMode::LegacyOnly, Side::New, "Warning: New fails its health checks, 1 in a row"),
        (SystemMode::Parallel, Side::New, "Warning: New fails"),
        (SystemMode::GradualRollout, Side::New, "Alarm: New fails"),
        (SystemMode::GradualRollout, Side::Legacy, "Alarm: Legacy fails"),
        (SystemMode::NewOnly, Side::New, "Alarm: New fails"),
        (SystemMode::NewOnly, Side::Legacy, "Warning: Legacy fails"),
    ];
    for (mode, side, begins) in table {
        assert_one(&failing(mode, side), begins, "mend it");
    }
}

fn guard(change: &Value) -> GuardReport {
    let mut report = json!({
        "verdict": "inconclusive", "action": null, "epoch": 1, "mode": "gradual_rollout", "rollout": 10.0, "phase": 1,
        "triggers": [], "criteria": [], "notes": []
    });
    report.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    serde_json::from_value(report).unwrap()
}

fn trigger(verdict: &str, dry_run: bool) -> Value {
    json!({ "trigger": "error_rate", "verdict": verdict, "proof": "evidence", "applies": true, "events": 100, "trials": 400,
            "estimate": 0.25, "limit": 0.05, "counted_beyond": null, "legacy_events": 0, "legacy_trials": 0, "strength": null,
            "relative": null, "action": "rollback", "dry_run": dry_run })
}

#[test]
fn what_the_guard_found_before_a_rollback_asks_for_no_other_one() {
    let mut status = controller().status();
    status.mode = SystemMode::EmergencyRollback;
    let guard =
        guard(&json!({ "verdict": "regressed", "triggers": [trigger("regressed", false)], "action": "rollback" }));
    let said = said(&Facts { status: &status, plan: None, guard: Some(&guard), discrepancies: None, stuck: None });
    assert_one(&said, "Warning: It was rolled back", "go to legacy_only");
}

fn of_guard(change: &Value) -> Vec<String> {
    let (status, guard) = (controller().status(), guard(change));
    said(&Facts { status: &status, plan: None, guard: Some(&guard), discrepancies: None, stuck: None })
}

#[test]
fn what_the_guard_found_is_said_with_its_numbers() {
    assert_eq!(of_guard(&json!({})), [""; 0]);
    let regressed = json!({ "verdict": "regressed", "action": "freeze", "triggers": [trigger("regressed", false)] });
    let found = of_guard(&regressed);
    assert_one(
        &found,
        "Alarm: The new side has regressed: error rate: 100 of 400 calls of new failed (25.0 %)",
        "Roll back",
    );
    assert!(found[0].contains("It asks for: freeze."), "{found:?}");
    let dry = json!({ "triggers": [trigger("regressed", true)] });
    assert_one(&of_guard(&dry), "Warning: A trigger that is only tried out has regressed: error rate.", "");
    let notes = [
        (
            json!({ "note": "no_new_counts", "seconds": 300 }),
            "Warning: Nothing was counted for 300 s",
            "monitoring may be down",
        ),
        (json!({ "note": "legacy_unhealthy" }), "Warning: Legacy fails its health checks too", "no way out"),
        (json!({ "note": "held", "trigger": "p95" }), "Warning: P95 had regressed before", "let the guard begin anew"),
        (
            json!({ "note": "actions_spent", "actions": 3, "seconds": 3600 }),
            "Warning: The guard acted 3 times",
            "Look into it",
        ),
    ];
    for (note, begins, advises) in notes {
        assert_one(&of_guard(&json!({ "notes": [note] })), begins, advises);
    }
    for quiet in
        [json!({ "note": "no_baseline" }), json!({ "note": "nothing_counted" }), json!({ "note": "begun_anew" })]
    {
        assert_eq!(of_guard(&json!({ "notes": [quiet] })), [""; 0]);
    }
}

fn plan_report() -> PlanReport {
    let store = MemoryStore::new();
    let opened = MigrationController::builder("search", store.clone()).manual_refresh().open();
    let controller = block_on(opened).unwrap();
    let claims = Claims::new(&controller, store, "host 3").unwrap();
    let monitor = Arc::new(PerformanceMonitor::new());
    block_on(PlanDriver::new(RolloutPlan::five_week_ramp(), &controller, claims, monitor, Guard::default()).look_once())
}

#[test]
fn what_the_plan_waits_for_is_said_with_what_to_do() {
    let (status, step) = (controller().status(), "tenth".to_owned());
    let table = [
        (Decision::Ask, "Alarm: The plan asks", "Resume it if that is all right, or abort it"),
        (Decision::Freeze { cause: Stop::Frozen }, "Alarm: The plan is frozen", "Resume, restart or abort it"),
        (
            Decision::Freeze { cause: Stop::ByHand },
            "Warning: The plan is frozen: the settings were changed by hand",
            "Resume",
        ),
        (Decision::Freeze { cause: Stop::Paused }, "Notice: The plan is paused", "Resume it"),
        (Decision::AwaitApproval { step: step.clone() }, "Warning: The plan waits for an approval of step tenth", ""),
        (
            Decision::AwaitAcknowledgement { step: step.clone() },
            "Warning: The plan waits for somebody",
            "tenth cannot be taken back",
        ),
        (Decision::RolledBack, "Warning: The plan was rolled back", "Restart it"),
    ];
    for (decision, begins, advises) in table {
        let mut report = plan_report();
        report.decision = decision;
        let facts = Facts { status: &status, plan: Some(&report), guard: None, discrepancies: None, stuck: None };
        assert_one(&said(&facts), begins, advises);
    }
    for quiet in [Decision::Done, Decision::Promote { step }, Decision::Hold { needs: Vec::new() }] {
        let mut report = plan_report();
        report.decision = quiet;
        let facts = Facts { status: &status, plan: Some(&report), guard: None, discrepancies: None, stuck: None };
        assert_eq!(said(&facts), [""; 0]);
    }
}

#[test]
fn counts_are_said_and_the_worst_comes_first() {
    let mut status = controller().status();
    let counted = Facts { status: &status, plan: None, guard: None, discrepancies: Some(1), stuck: Some(2) };
    let said_of = said(&counted);
    assert!(said_of[0].starts_with("Warning: 2 claims are stuck"), "{said_of:?}");
    assert_eq!(said_of[1], "Notice: 1 different discrepancy is kept.");

    status.doubt = Some(Doubt::AuditGap { known_epoch: 3 });
    status.stale = true;
    let all = Facts { status: &status, plan: None, guard: None, discrepancies: Some(5), stuck: Some(1) };
    let severities: Vec<_> = attention(&all).into_iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::Alarm, Severity::Warning, Severity::Warning, Severity::Notice]);
}
