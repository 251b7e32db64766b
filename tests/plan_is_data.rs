//! A plan is data: whatever is built or read can be followed, and what cannot is refused with its step and value.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Duration;

use cutover::guard::Criterion;
use cutover::plan::{Approval, Gate, OnBreach, PlanError, Reversibility, RolloutPlan, RolloutPlanBuilder, Step};
use cutover::store::Settings;
use cutover::{Percentage, SystemMode};
use serde_json::{Value, json};

const DAY: u64 = 24 * 60 * 60;

fn percent(share: f64) -> Percentage {
    Percentage::new(share).unwrap()
}

fn build(steps: impl IntoIterator<Item = Step>) -> Result<RolloutPlan, PlanError> {
    steps.into_iter().fold(RolloutPlan::builder("search"), RolloutPlanBuilder::step).build()
}

/// A plan as JSON, with one member of its second step replaced or added.
fn with(member: &str, value: Value) -> Value {
    let mut plan = json!({ "name": "search", "steps": [
        { "name": "compare", "mode": "parallel", "hold": "1d", "gate": ["validation"] },
        { "name": "tenth", "mode": "gradual_rollout", "rollout": 10, "hold": "3d", "min_samples": 500,
          "gate": ["throughput", "latency"], "approval": "person", "reversibility": "feasible", "on_breach": "freeze" },
    ] });
    plan["steps"][1][member] = value;
    plan
}

#[test]
fn a_plan_is_read_as_it_is_written() {
    let plan: RolloutPlan = serde_json::from_value(with("shadow_share", json!(50))).unwrap();
    let step = plan.step(1).unwrap();
    assert_eq!((step.hold, step.min_samples), (Duration::from_secs(3 * DAY), 500));
    assert_eq!((step.approval, step.reversibility), (Approval::Person, Reversibility::Feasible));
    assert_eq!(
        (step.on_breach, &step.gate),
        (OnBreach::Freeze, &Gate::of([Criterion::Latency, Criterion::Throughput]))
    );
    let expected =
        Settings { mode: SystemMode::GradualRollout, rollout: percent(10.0), shadow_share: Some(percent(50.0)) };
    assert_eq!((step.settings(), plan.position("tenth")), (expected, Some(1)));
    for plan in [plan, RolloutPlan::five_week_ramp(), RolloutPlan::four_phases()] {
        let written = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<RolloutPlan>(&written).unwrap(), plan, "{written}");
    }
}

#[test]
fn holds_are_read_as_people_write_them() {
    let refused = serde_json::from_value::<RolloutPlan>(with("gate", json!("latency"))).unwrap_err().to_string();
    assert!(refused.contains(r#""none" or a list of validation, throughput, latency"#), "{refused}");
    let table = toml::toml! {
        name = "ramp"
        steps = [{ name = "compare", mode = "parallel", hold = 3600, gate = ["validation"] }]
    };
    let plan: RolloutPlan = table.try_into().unwrap();
    assert_eq!(plan.steps().first().unwrap().hold, Duration::from_secs(3600), "formats that know signed numbers only");
    assert_eq!(plan.steps().first().unwrap().min_samples, 1_000, "as in a plan that is built");
    for (written, seconds) in [(json!("2w"), 14 * DAY), (json!("36h"), 36 * 3600), (json!(90), 90), (json!("0s"), 0)] {
        let plan: RolloutPlan = serde_json::from_value(with("hold", written)).unwrap();
        assert_eq!(plan.step(1).unwrap().hold, Duration::from_secs(seconds));
    }
    for refused in [json!("3 days"), json!(-1), json!(1.5), json!(null), json!("")] {
        let error = serde_json::from_value::<RolloutPlan>(with("hold", refused)).unwrap_err();
        assert!(error.to_string().contains("\"3d\""), "{error}");
    }
}

#[test]
fn what_is_not_known_is_refused_and_not_skipped() {
    for (member, value) in [
        ("holds", json!("3d")),
        ("mode", json!("canary")),
        ("gate", json!("open")),
        ("gate", json!(["speed"])),
        ("approval", json!("maybe")),
        ("reversibility", json!("never")),
        ("on_breach", json!("warn")),
        ("rollout", json!(101)),
    ] {
        assert!(serde_json::from_value::<RolloutPlan>(with(member, value.clone())).is_err(), "{member}: {value}");
    }
    let mut plan = with("rollout", json!(10));
    plan["owner"] = json!("ana");
    assert!(serde_json::from_value::<RolloutPlan>(plan).is_err());
}

#[test]
fn a_plan_that_is_read_is_checked_like_one_that_is_built() {
    for (member, value, told) in [
        ("name", json!("compare"), "two steps have the name compare"),
        ("rollout", json!(0), "step tenth in gradual_rollout has a rollout of 0%; allowed: above 0%"),
        ("mode", json!("legacy_only"), "step tenth is in legacy_only; allowed: parallel, gradual_rollout, new_only"),
        ("mode", json!("new_only"), "step tenth in new_only has a rollout of 10%; the mode fixes it: leave it out"),
        ("gate", json!([]), "the gate of step tenth lists nothing; list criteria, or say \"none\""),
        (
            "backwards",
            json!(true),
            "step tenth exposes no less to new than what holds before it, and backwards is true",
        ),
    ] {
        let error = serde_json::from_value::<RolloutPlan>(with(member, value)).unwrap_err();
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn an_error_names_the_step_and_the_value() {
    let gradual = |name: &str, share| Step::gradual(name, percent(share));
    let second = Duration::from_secs(1);
    let cases: Vec<(Vec<Step>, PlanError)> = vec![
        (vec![], PlanError::Steps { steps: 0 }),
        (vec![gradual("Tenth", 10.0)], PlanError::Name { name: "Tenth".into() }),
        (vec![gradual("", 10.0)], PlanError::Name { name: String::new() }),
        (vec![gradual("a", 10.0), gradual("a", 20.0)], PlanError::Duplicate { step: "a".into() }),
        (
            vec![Step::new_only("all")],
            PlanError::Transition { step: "all".into(), from: SystemMode::LegacyOnly, to: SystemMode::NewOnly },
        ),
        (vec![gradual("a", 20.0), gradual("b", 10.0)], PlanError::Direction { step: "b".into(), said: false }),
        (vec![gradual("a", 10.0).backwards()], PlanError::Direction { step: "a".into(), said: true }),
        (vec![gradual("a", 10.0), Step::parallel("b")], PlanError::Direction { step: "b".into(), said: false }),
        (vec![gradual("a", 10.0), gradual("b", 10.0)], PlanError::Repeated { step: "b".into() }),
        (
            vec![gradual("a", 10.0).without_gate().hold(Duration::ZERO)],
            PlanError::Hold { step: "a".into(), hold: Duration::ZERO },
        ),
        (vec![gradual("a", 10.0).hold(second / 2)], PlanError::Hold { step: "a".into(), hold: second / 2 }),
        (
            vec![gradual("a", 10.0).hold(PlanError::LONGEST + second)],
            PlanError::Hold { step: "a".into(), hold: PlanError::LONGEST + second },
        ),
        (vec![gradual("a", 10.0).gate([])], PlanError::EmptyGate { step: "a".into() }),
        (vec![Step::parallel("a").shadow_share(percent(0.0))], PlanError::NothingRuns { step: "a".into() }),
        (vec![gradual("a", 10.0).gate([Criterion::Validation])], PlanError::NothingCompared { step: "a".into() }),
        (
            vec![gradual("a", 10.0).reversibility(Reversibility::ForwardOnly)],
            PlanError::CannotRollBack { step: "a".into() },
        ),
    ];
    for (steps, expected) in cases {
        assert_eq!(build(steps), Err(expected));
    }
    let too_many = (0_u32..101).map(|number| gradual(&format!("s{number}"), f64::from(number) / 2.0 + 0.5));
    assert_eq!(build(too_many), Err(PlanError::Steps { steps: 101 }));
    let named = RolloutPlan::builder("../search").step(Step::parallel("a")).build();
    assert_eq!(named, Err(PlanError::Name { name: "../search".into() }));
}

#[test]
fn what_is_meant_is_allowed_when_it_is_said() {
    build([
        Step::gradual("half", percent(50.0)).without_gate(),
        Step::gradual("rehearsal", percent(10.0)).backwards(),
        Step::new_only("all").hold(Duration::ZERO),
    ])
    .unwrap();
    // Validation that an earlier step has proven may be asked for where nothing is compared.
    build([Step::parallel("compare"), Step::gradual("tenth", percent(10.0)).gate([Criterion::Validation])]).unwrap();
    let compared = Step::gradual("tenth", percent(10.0)).shadow_share(percent(1.0)).gate([Criterion::Validation]);
    build([compared]).unwrap();
}

#[test]
fn the_ready_made_plans_are_what_they_are_called() {
    let ramp = RolloutPlan::five_week_ramp();
    let days: Vec<u64> = ramp.steps().iter().map(|step| step.hold.as_secs() / DAY).collect();
    assert_eq!(days, [1, 7, 7, 7, 7, 7]);
    let modes: Vec<_> = ramp.steps().iter().map(|step| step.mode.name()).collect();
    assert_eq!((modes[0], modes[1], modes[5]), ("parallel", "gradual_rollout", "new_only"));
    let rollouts: Vec<f64> = ramp.steps().iter().map(|step| step.settings().rollout.percent()).collect();
    assert_eq!(rollouts, [0.0, 10.0, 25.0, 50.0, 75.0, 100.0]);

    let phases = RolloutPlan::four_phases();
    let phase = |step: &Step| (step.name.clone(), step.hold.as_secs() / DAY, step.reversibility);
    assert_eq!(
        phases.steps().iter().map(phase).collect::<Vec<_>>(),
        [
            ("pilot".to_owned(), 3, Reversibility::Easy),
            ("expansion".to_owned(), 7, Reversibility::Feasible),
            ("majority".to_owned(), 7, Reversibility::Difficult),
            ("completion".to_owned(), 3, Reversibility::ForwardOnly),
        ]
    );
}

#[test]
fn a_plan_is_shown_as_a_table() {
    let shown = RolloutPlan::four_phases().to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "plan four-phases");
    assert_eq!(lines.len(), 6);
    let cells: Vec<&str> = lines[2].split_whitespace().collect();
    let pilot = [
        "pilot",
        "gradual_rollout",
        "5%",
        "100%",
        "3d",
        "1000",
        "validation+throughput+latency",
        "automatic",
        "easy",
        "rollback",
    ];
    assert_eq!(cells, pilot);
    let column = lines[1].find("mode").unwrap();
    assert!(lines[2..].iter().all(|line| line[column..].starts_with(|c: char| c.is_ascii_lowercase())), "{shown}");
}
