//! Plans are played with the real decision and the real guard, and what is played says how they would do.
#![cfg(all(feature = "simulate", feature = "testing"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cutover::guard::{Action, Guard, RollbackTriggers, Trigger};
use cutover::plan::{OnBreach, Step};
use cutover::simulate::{
    Drift, Fault, Happening, Keys, Model, ModelError, Operator, Outcome, Played, SideModel, Simulation, Summary,
};
use cutover::{Percentage, PromotionCriteria, RolloutPlan, SystemMode};

#[path = "simulate/call_by_call.rs"]
mod call_by_call;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn percent(percent: u32) -> Percentage {
    Percentage::new(percent.into()).unwrap()
}

/// Parallel, 10, 25, 50 % and new alone, half an hour each.
fn evening() -> RolloutPlan {
    let steps = [("tenth", 10), ("quarter", 25), ("half", 50)];
    let steps = steps.map(|(name, share)| Step::gradual(name, percent(share)).hold(HOUR / 2));
    let plan = RolloutPlan::builder("evening").step(Step::parallel("compare").hold(HOUR / 2));
    let plan = steps.into_iter().fold(plan, cutover::plan::RolloutPlanBuilder::step);
    plan.step(Step::new_only("all").hold(HOUR / 2)).build().unwrap()
}

fn broken_at_a_quarter(fault: impl FnOnce(Fault) -> Fault) -> Model {
    Model { faults: vec![fault(Fault::at_rollout(percent(25)))], ..Model::default() }
}

fn play(model: Model) -> Simulation {
    Simulation::new(evening(), model).unwrap()
}

#[test]
fn the_same_seed_is_the_same_run() {
    let simulation = play(broken_at_a_quarter(|fault| Fault { failure_rate: 0.1, hang_rate: 0.01, ..fault }));
    let run = simulation.run(7);
    assert_eq!(run, simulation.run(7));
    assert_ne!(run.calls, simulation.run(9).calls);
    assert_eq!(simulation.run_many(3, 7), [7, 8, 9].map(|seed| simulation.run(seed)).into_iter().collect());
    let read: Played = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
    assert_eq!(read, run);
    assert!(run.to_string().contains("day  0 01:00  gradual_rollout 25%   entered quarter"), "{run}");
}

#[test]
fn where_nothing_breaks_every_plan_finishes() {
    let all = play(Model::default()).run_many(200, 1);
    assert_eq!((all.runs, all.finished, all.false_alarms, all.broken), (200, 200, 0, 0), "{all}");
    // As fast as the plan allows: 5 half hours, some looks, and the time to prove what the gates ask for.
    let days = all.days.quantile(1.0).unwrap();
    assert!((2.5 / 24.0..3.5 / 24.0).contains(&days), "{days}");
}

#[test]
fn what_breaks_at_a_quarter_is_found_soon() {
    type Break = fn(Fault) -> Fault;
    // What triggers, the share of calls that is hurt, and how many at most.
    let faults: [(Break, Trigger, f64, f64); 4] = [
        (|fault| Fault { failure_rate: 0.2, ..fault }, Trigger::ErrorRate, 0.2, 400.0),
        (|fault| Fault { latency_factor: 5.0, ..fault }, Trigger::P95, 0.6, 1_200.0),
        (|fault| Fault { hang_rate: 0.6, ..fault }, Trigger::ErrorRate, 0.6, 1_200.0),
        (|fault| Fault { health_checks_fail: true, ..fault }, Trigger::Health, 0.0, 0.0),
    ];
    for (fault, trigger, share, most_hurt) in faults {
        let simulation = play(broken_at_a_quarter(fault));
        let runs: Vec<Played> = (0..20).map(|seed| simulation.run(seed)).collect();
        for run in &runs {
            let breach = run.breach.as_ref().unwrap();
            assert_eq!((run.outcome, run.false_alarm), (Outcome::RolledBack, false), "{run}");
            assert!(breach.triggers.contains(&trigger), "{run}");
            assert_eq!((breach.step.as_str(), breach.action), ("quarter", Action::Rollback));
            assert_eq!(run.timeline.last().unwrap().mode, SystemMode::EmergencyRollback);
        }
        let summary: Summary = runs.into_iter().collect();
        assert_eq!((summary.broken, summary.detected, summary.rolled_back), (20, 20, 20), "{summary}");
        let hurt = summary.hurt_calls.quantile(1.0).unwrap();
        assert!(hurt <= most_hurt, "{hurt} calls hurt: {summary}");
        let (hurt, served) = (summary.hurt_calls.median().unwrap(), summary.served_by_new.median().unwrap());
        assert!((hurt / served - share).abs() < 0.07, "{hurt} of {served} calls hurt, expected {share}: {summary}");
        assert!(summary.hurt_keys.median().unwrap() <= hurt, "{summary}");
        assert!(summary.delay.quantile(1.0).unwrap() <= 180.0, "{summary}");
    }
}

#[test]
fn wrong_answers_are_found_while_both_sides_run() {
    let fault = Fault { mismatch_rate: 0.5, ..Fault::after(10 * MINUTE) };
    let run = play(Model { faults: vec![fault], ..Model::default() }).run(3);
    let breach = run.breach.as_ref().unwrap();
    assert_eq!((breach.step.as_str(), breach.triggers.as_slice()), ("compare", [Trigger::Validation].as_slice()));
    let broken = run.broken.unwrap();
    assert_eq!((broken.hurt_calls, broken.at), (0, 10 * MINUTE), "nobody is served by new yet");
}

#[test]
fn what_the_gates_forbid_never_gets_far() {
    // 12 % slower than legacy at p95: no reason to roll back, but none to promote either.
    let new = SideModel { median: Duration::from_millis(24), ..SideModel::default() };
    let run = play(Model { new, longest: 6 * HOUR, ..Model::default() }).run(1);
    assert_eq!((run.outcome, run.breach.as_ref(), run.served_by_new), (Outcome::GivenUp, None, 0), "{run}");
    let Some(Happening::GivenUp { waiting }) = run.timeline.last().map(|moment| &moment.event) else { panic!("{run}") };
    assert!(waiting.contains("latency proven"), "{waiting}");
}

#[test]
fn drift_and_whales_do_not_cry_wolf() {
    let five_percent = SideModel { failure_rate: 0.05, ..SideModel::default() };
    let drift = Drift { failures: 0.8, durations: 0.5, period: HOUR };
    let drift = Model { legacy: five_percent, new: five_percent, drift, longest: 24 * HOUR, ..Model::default() };
    let keys = Keys { count: 50_000, zipf: 0.9, bad: 0.03, told_apart: true };
    let whales = Model { keys, longest: 24 * HOUR, ..Model::default() };
    for (name, model, naive_least) in [("drift", drift, 39), ("whales", whales, 25)] {
        let simulation = Simulation::new(shares_only(), model).unwrap();
        let all = simulation.run_many(40, 1);
        assert_eq!((all.false_alarms, all.rolled_back), (0, 0), "{name}: {all}");
        assert!(all.naive.false_alarms >= naive_least, "{name}: the naive rule does better than expected: {all}");
    }
}

#[test]
fn a_few_keys_with_most_of_the_calls_fool_a_guard_only_if_keys_are_not_told_apart() {
    let false_alarms = |told_apart| {
        let keys = Keys { count: 2_000, zipf: 1.1, bad: 0.03, told_apart };
        let model = Model { keys, longest: 24 * HOUR, ..Model::default() };
        Simulation::new(shares_only(), model).unwrap().run_many(40, 1).false_alarms
    };
    let (apart, together) = (false_alarms(true), false_alarms(false));
    assert!(apart <= 1 && together >= 4, "{apart} and {together} false alarms in 40 runs");
}

/// Without gates, which both of these would hold up for ever, and without a step in which legacy does not run beside new.
fn shares_only() -> RolloutPlan {
    let plan = RolloutPlan::builder("shares");
    let step = |plan: cutover::plan::RolloutPlanBuilder, (name, share)| {
        plan.step(Step::gradual(name, percent(share)).hold(HOUR).without_gate())
    };
    [("tenth", 10), ("quarter", 25), ("half", 50)].into_iter().fold(plan, step).build().unwrap()
}

#[test]
fn people_who_are_asked_roll_back_what_is_broken_and_let_go_on_what_is_not() {
    let plan = |on_breach| {
        let step = Step::gradual("half", percent(50)).hold(2 * HOUR).on_breach(on_breach).without_gate();
        RolloutPlan::builder("asks").step(step).build().unwrap()
    };
    let operator = Operator { answers_after: HOUR, ..Operator::default() };
    let lasting = Fault { failure_rate: 0.3, ..Fault::after(30 * MINUTE) };
    let over = Fault { lasts: Some(20 * MINUTE), ..lasting };
    for on_breach in [OnBreach::Ask, OnBreach::Freeze] {
        let with = |fault| Model { faults: vec![fault], operator, ..Model::default() };
        let broken = Simulation::new(plan(on_breach), with(lasting)).unwrap().run(1);
        assert_eq!(broken.outcome, Outcome::RolledBack, "{broken}");
        let last = broken.timeline.last().map(|moment| moment.event.clone());
        assert_eq!(last, Some(Happening::RolledBack { by_a_person: true }), "{broken}");
        let stopped = broken.took.saturating_sub(broken.breach.unwrap().at);
        assert_eq!(stopped, HOUR);

        let mended = Simulation::new(plan(on_breach), with(over)).unwrap().run(1);
        assert_eq!(mended.outcome, Outcome::Finished, "{mended}");
        assert!(mended.timeline.iter().any(|moment| moment.event == Happening::Resumed), "{mended}");
    }
}

#[test]
fn approvals_take_the_time_that_people_take() {
    let plan = RolloutPlan::four_phases();
    let operator = Operator { approves_after: 5 * HOUR, ..Operator::default() };
    let model = Model { operator, calls_per_second: 2.0, ..Model::default() };
    let simulation = Simulation::new(plan, model).unwrap().look_every(10 * MINUTE).unwrap();
    let run = simulation.run(1);
    assert_eq!(run.outcome, Outcome::Finished, "{run}");
    let said = run
        .timeline
        .iter()
        .filter(|moment| matches!(moment.event, Happening::Approved { .. } | Happening::Acknowledged { .. }));
    let said = said.collect::<Vec<_>>();
    assert_eq!(said.len(), 3, "{run}");
    // 3 + 7 + 7 + 3 days, and three times five hours.
    let least = Duration::from_secs(20 * 86_400) + 15 * HOUR;
    assert!(run.took >= least && run.took < least + 3 * HOUR, "{run}");
}

#[test]
fn another_guard_is_another_result() {
    let model = broken_at_a_quarter(|fault| Fault { failure_rate: 0.03, ..fault });
    let lenient = play(model.clone()).run(1);
    assert_eq!(
        (lenient.outcome, lenient.breach.as_ref()),
        (Outcome::Finished, None),
        "3.5 % are below the limit: {lenient}"
    );
    let triggers = RollbackTriggers::builder().limit(Trigger::ErrorRate, 0.01).build().unwrap();
    let strict = play(model).guard(Guard::new(triggers, PromotionCriteria::default())).run(1);
    assert_eq!(strict.outcome, Outcome::RolledBack, "{strict}");
}

#[test]
fn a_model_that_cannot_be_is_refused_by_its_name_and_value() {
    let fault = Fault { failure_rate: 1.5, ..Fault::after(HOUR) };
    let slow = Fault { latency_factor: 0.5, ..Fault::after(HOUR) };
    let early = Fault { lasts: Some(Duration::from_millis(1_500)), ..Fault::after(HOUR) };
    let none = SideModel { median: Duration::ZERO, ..SideModel::default() };
    let cases = [
        (Model { calls_per_second: 0.0, ..Model::default() }, "`calls_per_second` is 0; allowed: 0.001 to 1e6"),
        (Model { daily_swing: f64::NAN, ..Model::default() }, "`daily_swing` is NaN; allowed: 0 to 1"),
        (
            Model { keys: Keys { count: 0, ..Keys::default() }, ..Model::default() },
            "`keys.count` is 0; allowed: 1 to 1,000,000",
        ),
        (Model { new: none, ..Model::default() }, "`new.median` is 0ns; allowed: a microsecond to a day"),
        (Model { faults: vec![fault], ..Model::default() }, "`faults[0].failure_rate` is 1.5; allowed: 0 to 1"),
        (Model { faults: vec![slow], ..Model::default() }, "`faults[0].latency_factor` is 0.5; allowed: 1 to 1000"),
        (
            Model { faults: vec![early], ..Model::default() },
            "`faults[0].lasts` is 1.5s; allowed: whole seconds, one to ten years",
        ),
        (Model { faults: vec![slow; 17], ..Model::default() }, "`faults` has 17 faults; allowed: at most 16"),
    ];
    for (model, message) in cases {
        let refused = Simulation::new(evening(), model).map(|_| ()).unwrap_err();
        assert_eq!(refused.to_string(), message);
    }
    let looks = play(Model { longest: 3_650 * 24 * HOUR, ..Model::default() }).look_every(Duration::from_secs(1));
    assert!(matches!(looks, Err(ModelError::Looks { looks: 315_360_000, .. })), "{looks:?}");
    let unknown = serde_json::from_str::<Model>(r#"{ "calls_per_minute": 3 }"#).unwrap_err();
    assert!(unknown.to_string().contains("unknown field `calls_per_minute`"), "{unknown}");
}

#[test]
fn an_hour_in_which_nothing_happens() {
    let hour = RolloutPlan::builder("hour").step(Step::gradual("half", percent(50)).hold(HOUR)).build().unwrap();
    let model = Model { calls_per_second: 500.0, ..Model::default() };
    let run = Simulation::new(hour, model).unwrap().run(5);
    assert_eq!((run.outcome, run.breach.as_ref(), run.took), (Outcome::Finished, None, HOUR), "{run}");
    let events: Vec<String> = run.timeline.iter().map(|moment| moment.event.to_string()).collect();
    assert_eq!(events, ["entered half", "finished"]);
}

#[test]
fn five_weeks_of_a_hundred_million_calls() {
    let weekly = Model { calls_per_second: 33.1, daily_swing: 0.5, ..Model::default() };
    let run = Simulation::new(RolloutPlan::five_week_ramp(), weekly).unwrap().run(1);
    assert_eq!((run.outcome, run.false_alarm), (Outcome::Finished, false), "{run}");
    assert!(run.calls > 100_000_000 && run.calls < 106_000_000, "{run}");
    let entered = |moment: &&cutover::simulate::Moment| matches!(moment.event, Happening::Entered { .. });
    assert_eq!(run.timeline.iter().filter(entered).count(), 6, "{run}");
}
