//! What a plan decides: everything that is missing holds, a rollback comes before all else, and people are asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "plan_common/migration.rs"]
mod migration;

use std::time::Duration;

use cutover::SystemMode;
use cutover::guard::{Action, Criterion, Hold};
use cutover::plan::{Decision, Look, Need, PlanEnd, Progress, Readiness, RolloutPlan, Step, Stop, StoreView, decide};
use cutover::store::{ChangeKind, Settings};
use serde_json::{Value, json};

use migration::{Migration, percent, ramp, ready};

fn promote(step: &str) -> Decision {
    Decision::Promote { step: step.to_owned() }
}

#[test]
fn a_plan_goes_from_its_first_step_to_its_end() {
    let mut migration = Migration::of(ramp());
    assert_eq!(migration.decide(&ready()), promote("compare"));
    migration.enter(0);
    assert_eq!(migration.decide(&ready()), promote("tenth"));
    migration.enter(1);
    assert_eq!(migration.decide(&ready()), Decision::AwaitApproval { step: "half".into() });
    migration.note(ChangeKind::Approval, "approved", Some("half"));
    assert_eq!(migration.decide(&ready()), promote("half"));
    migration.enter(2);
    assert_eq!(migration.decide(&ready()), Decision::AwaitApproval { step: "all".into() });
    migration.note(ChangeKind::Approval, "approved", Some("all"));
    assert_eq!(migration.decide(&ready()), Decision::AwaitAcknowledgement { step: "all".into() });
    migration.note(ChangeKind::Acknowledgement, "acknowledged", Some("all"));
    assert_eq!(migration.decide(&ready()), promote("all"));
    migration.enter(3);
    assert_eq!(migration.decide(&ready()), Decision::Done);
    migration.note(ChangeKind::Step, "done", None);
    assert_eq!((migration.decide(&Look::default()), migration.progress.end()), (Decision::Done, Some(PlanEnd::Done)));
}

#[test]
fn a_plan_that_is_played_goes_as_one_that_is_stored() {
    let plan = ramp();
    let mut played = Progress::new();
    let mut decisions = Vec::new();
    while played.end().is_none() {
        let decision = decide(&plan, &played, &ready());
        played.play(&plan, &decision, &ready());
        decisions.push(decision.to_string());
    }
    let expected = [
        "enter compare",
        "enter tenth",
        "a person has to approve half",
        "enter half",
        "a person has to approve all",
        "a person has to acknowledge that all cannot be taken back",
        "enter all",
        "done",
    ];
    assert_eq!(decisions, expected);
    for (action, decision) in [(Action::Ask, Decision::Ask), (Action::Rollback, Decision::Rollback)] {
        let mut played = Progress::new();
        played.play(&plan, &promote("compare"), &ready());
        let breached = Look { action: Some(action), ..ready() };
        assert_eq!(decide(&plan, &played, &breached), decision);
        played.play(&plan, &decision, &breached);
        assert!(matches!(decide(&plan, &played, &ready()), Decision::Ask | Decision::RolledBack));
    }
}

#[test]
fn a_hold_says_all_that_is_missing() {
    let mut migration = Migration::of(ramp());
    migration.enter(0);
    migration.enter(1);
    let look = Look {
        held: Duration::from_secs(20),
        samples: 3,
        proven: vec![Criterion::Throughput],
        legacy: Readiness::NotReady,
        ..ready()
    };
    let Decision::Hold { needs } = migration.decide(&look) else { unreachable!("it holds") };
    let expected = [
        Need::Time { left: Duration::from_secs(40) },
        Need::Samples { missing: 7 },
        Need::Proof { criterion: Criterion::Validation },
        Need::Proof { criterion: Criterion::Latency },
        Need::Approval { step: "half".into() },
        Need::LegacyHealth,
    ];
    assert_eq!(needs, expected);
    assert_eq!(
        Decision::Hold { needs }.to_string(),
        "hold: it needs 40s more, 7 more calls, validation proven, latency proven, an approval of half, \
         a legacy side that could take over"
    );
}

/// One change to a look in which everything is as it has to be, and the one thing that is missing then.
type Lack = (fn(&mut Look), Need);

#[test]
fn each_thing_that_is_missing_holds_by_itself() {
    let mut migration = Migration::of(ramp());
    migration.enter(0);
    let cases: [Lack; 10] = [
        (|look| look.store = StoreView::Unreachable, Need::Store),
        (|look| look.store = StoreView::InDoubt, Need::Reconciliation),
        (|look| look.monitored = false, Need::Monitoring),
        (|look| look.held_by = Some(Hold::NoNewCounts), Need::Monitoring),
        (|look| look.held_by = Some(Hold::Regressed), Need::Health),
        (|look| look.held_by = Some(Hold::CoolingDown), Need::CoolDown),
        (|look| look.held = Duration::from_secs(59), Need::Time { left: Duration::from_secs(1) }),
        (|look| look.samples = 999, Need::Samples { missing: 1 }),
        (|look| look.legacy = Readiness::NotReady, Need::LegacyHealth),
        (|look| look.legacy = Readiness::Unknown, Need::LegacyHealth),
    ];
    for (change, need) in cases {
        let mut look = ready();
        change(&mut look);
        assert_eq!(migration.decide(&look), Decision::Hold { needs: vec![need] });
    }
}

#[test]
fn without_a_call_no_step_ends_even_where_nothing_is_asked_for() {
    let open = Step::parallel("compare").without_gate().min_samples(0).hold(Duration::from_secs(1));
    let plan = RolloutPlan::builder("open").step(open).step(Step::new_only("all")).build().unwrap();
    let mut migration = Migration::of(plan);
    migration.enter(0);
    let none = Look { samples: 0, ..ready() };
    assert_eq!(migration.decide(&none), Decision::Hold { needs: vec![Need::Samples { missing: 1 }] });
    assert_eq!(migration.decide(&Look { samples: 1, proven: vec![], ..ready() }), promote("all"));
}

#[test]
fn validation_that_was_proven_where_answers_were_compared_counts_where_they_are_not() {
    let unproven = Look { proven: vec![Criterion::Throughput, Criterion::Latency], compared: 0, ..ready() };
    let mut migration = Migration::of(ramp());
    migration.enter(0);
    migration.enter(1);
    let missing = Need::Proof { criterion: Criterion::Validation };
    let Decision::Hold { needs } = migration.decide(&unproven) else { unreachable!("it holds") };
    assert!(needs.contains(&missing));

    let mut migration = Migration::of(ramp());
    migration.enter(0);
    let tenth = migration.plan.step(1).unwrap().settings();
    let evidence = json!({ "plan": "ramp", "event": "entered", "step": "tenth", "proven": ["validation"] });
    migration.write(tenth, ChangeKind::Transition, evidence);
    assert_eq!(migration.decide(&unproven), Decision::AwaitApproval { step: "half".into() });
    // Where answers are compared after all, they count.
    let Decision::Hold { needs } = migration.decide(&Look { compared: 5, ..unproven }) else {
        unreachable!("it holds")
    };
    assert!(needs.contains(&missing));
}

#[test]
fn validation_that_was_proven_before_is_not_enough_where_answers_are_to_be_compared() {
    let half = Step::gradual("half", percent(50.0)).shadow_share(percent(1.0)).gate([Criterion::Validation]);
    let plan = RolloutPlan::builder("ramp").step(Step::parallel("compare")).step(half).build().unwrap();
    let mut migration = Migration::of(plan);
    migration.enter(0);
    let evidence = json!({ "plan": "ramp", "event": "entered", "step": "half", "proven": ["validation"] });
    migration.write(migration.plan.step(1).unwrap().settings(), ChangeKind::Transition, evidence);
    let unproven = Look { proven: vec![], compared: 0, ..ready() };
    let needs = vec![Need::Proof { criterion: Criterion::Validation }];
    assert_eq!(migration.decide(&unproven), Decision::Hold { needs });
    assert_eq!(migration.decide(&ready()), Decision::Done);
}

#[test]
fn a_breach_does_what_the_guard_asks_for_but_no_more_than_the_step_allows() {
    let breached = |action| Look { action: Some(action), ..ready() };
    let mut migration = Migration::of(ramp());
    assert_eq!(migration.decide(&breached(Action::Rollback)), promote("compare"), "nothing of the plan has run");
    migration.enter(0);
    assert_eq!(migration.decide(&breached(Action::Rollback)), Decision::Rollback);
    assert_eq!(migration.decide(&breached(Action::Freeze)), Decision::Freeze { cause: Stop::Frozen });
    assert_eq!(migration.decide(&breached(Action::Ask)), Decision::Ask);
    assert_eq!(migration.decide(&breached(Action::Warn)), promote("tenth"));
    migration.enter(1);
    migration.enter(2);
    migration.enter(3);
    assert_eq!(migration.decide(&breached(Action::Rollback)), Decision::Ask, "it cannot be taken back");
}

#[test]
fn a_rollback_waits_for_nothing() {
    let mut migration = Migration::of(ramp());
    migration.enter(0);
    let blind = Look { action: Some(Action::Rollback), ..Look::default() };
    assert_eq!(migration.decide(&blind), Decision::Rollback);
    migration.note(ChangeKind::Pause, "paused", None);
    assert_eq!(migration.decide(&blind), Decision::Rollback);
    migration.write(
        Settings { rollout: percent(30.0), mode: SystemMode::GradualRollout, ..Settings::default() },
        ChangeKind::Transition,
        Value::Null,
    );
    assert_eq!(migration.decide(&blind), Decision::Rollback);
}

#[test]
fn what_a_person_stopped_goes_on_when_a_person_says_so() {
    let mut migration = Migration::of(ramp());
    migration.enter(0);
    for (event, shown) in [
        ("paused", Decision::Freeze { cause: Stop::Paused }),
        ("frozen", Decision::Freeze { cause: Stop::Frozen }),
        ("asked", Decision::Ask),
    ] {
        migration.note(ChangeKind::Pause, event, None);
        assert_eq!(migration.decide(&ready()), shown);
        migration.note(ChangeKind::Resume, "resumed", None);
        assert_eq!(migration.decide(&ready()), promote("tenth"));
    }
}

#[test]
fn a_change_by_hand_stops_the_plan_and_is_not_taken_back() {
    let mut migration = Migration::of(ramp());
    migration.enter(0);
    migration.enter(1);
    let step = migration.settings();
    let by_hand = Settings { rollout: percent(12.0), ..step };
    migration.write(by_hand, ChangeKind::Rollout, Value::Null);
    assert_eq!(migration.decide(&ready()), Decision::Freeze { cause: Stop::ByHand });
    migration.note(ChangeKind::Resume, "resumed", None);
    assert_eq!(migration.decide(&ready()), Decision::Freeze { cause: Stop::OtherSettings });
    migration.write(step, ChangeKind::Rollout, json!({ "plan": "another", "event": "entered", "step": "tenth" }));
    assert_eq!(migration.decide(&ready()), Decision::Freeze { cause: Stop::ByHand });
    migration.note(ChangeKind::Resume, "resumed", None);
    assert_eq!(migration.decide(&ready()), Decision::AwaitApproval { step: "half".into() });
}

#[test]
fn an_approval_is_given_at_the_step_before_and_by_an_entry_of_its_kind() {
    let mut migration = Migration::of(ramp());
    migration.enter(0);
    migration.note(ChangeKind::Approval, "approved", Some("half"));
    migration.enter(1);
    assert_eq!(migration.decide(&ready()), Decision::AwaitApproval { step: "half".into() }, "it was ahead");
    migration.note(ChangeKind::Pause, "approved", Some("half"));
    migration.note(ChangeKind::Approval, "approved", Some("all"));
    migration.note(ChangeKind::Approval, "approved", None);
    assert_eq!(migration.decide(&ready()), Decision::AwaitApproval { step: "half".into() });
    migration.note(ChangeKind::Approval, "approved", Some("half"));
    assert_eq!(migration.decide(&ready()), promote("half"));
}

#[test]
fn after_a_rollback_nothing_happens_before_a_person_restarts() {
    let mut migration = Migration::of(ramp());
    migration.enter(0);
    migration.enter(1);
    let emergency = Settings::default().entering(SystemMode::EmergencyRollback);
    migration.write(emergency, ChangeKind::Transition, Value::Null);
    assert_eq!(
        (migration.decide(&ready()), migration.progress.end()),
        (Decision::RolledBack, Some(PlanEnd::RolledBack))
    );
    migration.write(Settings::default(), ChangeKind::Transition, Value::Null);
    migration.note(ChangeKind::Resume, "resumed", None);
    assert_eq!(migration.decide(&ready()), Decision::RolledBack);
    migration.note(ChangeKind::Resume, "restarted", None);
    assert_eq!(migration.decide(&ready()), promote("compare"));
    migration.write(emergency, ChangeKind::Transition, Value::Null);
    let needs = vec![Need::Beginning { mode: SystemMode::EmergencyRollback }];
    assert_eq!(migration.decide(&ready()), Decision::Hold { needs }, "it had not begun");
}

#[test]
fn a_plan_begins_only_where_that_exposes_no_less_than_what_holds() {
    for (mode, rollout, begins) in [
        (SystemMode::LegacyOnly, 0.0, true),
        (SystemMode::Parallel, 0.0, true),
        (SystemMode::GradualRollout, 5.0, false),
        (SystemMode::NewOnly, 100.0, false),
    ] {
        let mut migration = Migration::of(ramp());
        migration.write(
            Settings { mode, rollout: percent(rollout), shadow_share: None },
            ChangeKind::Transition,
            Value::Null,
        );
        assert_eq!(migration.decide(&ready()) == promote("compare"), begins, "{mode}");
    }
}

#[test]
fn a_step_that_the_plan_does_not_have_freezes_it() {
    let mut migration = Migration::of(ramp());
    let evidence = json!({ "plan": "ramp", "event": "entered", "step": "quarter" });
    let quarter = Settings { mode: SystemMode::GradualRollout, rollout: percent(25.0), shadow_share: None };
    migration.write(quarter, ChangeKind::Transition, evidence);
    assert_eq!(migration.decide(&ready()), Decision::Freeze { cause: Stop::UnknownStep });
    assert_eq!(migration.progress.next(&migration.plan), None);
    // It may be one that cannot be taken back: a person decides.
    let breached = Look { action: Some(Action::Rollback), ..ready() };
    assert_eq!(migration.decide(&breached), Decision::Freeze { cause: Stop::UnknownStep });
}

#[test]
fn a_plan_begins_neither_during_the_cool_down_nor_while_something_has_regressed() {
    let migration = Migration::of(ramp());
    for (held_by, need) in [(Hold::CoolingDown, Need::CoolDown), (Hold::Regressed, Need::Health)] {
        let look = Look { held_by: Some(held_by), ..ready() };
        assert_eq!(migration.decide(&look), Decision::Hold { needs: vec![need] });
    }
}
