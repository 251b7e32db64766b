//! The way back: the route first, each part whatever became of the others, new last, and a report on every outcome.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use cutover::Side;
use cutover_fleet::{
    Checklists, Diagnostics, FailureReport, Fleet, Host, HostError, Inventory, Outcome, PartResult, RecoveryPart,
    RecoveryProcedure, RecoveryScope, Restore, Step, Strategy, System, Vitals, async_trait,
};
use proptest::prelude::*;
use world::{BLUE_GREEN, Fault, Machine, World, inventory};

fn sick() -> World {
    World::with([("billing", Machine { new: vec![Some(Vitals::unhealthy())], ..Machine::default() })])
}

fn failure(world: &World) -> FailureReport {
    let fleet = world.fleet(&inventory(&["billing"], BLUE_GREEN));
    world.run(fleet.system("billing").unwrap().migrate()).failure.unwrap()
}

#[test]
fn a_part_that_fails_does_not_stop_the_others_and_is_reported() {
    let world = sick();
    world.break_call("start legacy", "billing");
    let report = failure(&world);
    assert_eq!(world.effects("billing")[2..], ["switch 0%", "start legacy", "stop new"]);
    assert_eq!(report.recovery[1].result, PartResult::Failed { reason: "start legacy fails".to_owned() });
    assert_eq!(report.outcome, Outcome::Failed, "not all of it worked");
    assert_eq!(report.escalation, Some(PartResult::Done));
}

#[test]
fn a_route_that_does_not_flip_stops_nothing_but_stopping_new() {
    let world = sick();
    world.break_call("switch 0%", "billing");
    let report = failure(&world);
    assert_eq!(world.effects("billing")[2..], ["switch 0%", "start legacy"]);
    assert!(matches!(report.recovery[4].result, PartResult::Skipped { .. }));
    assert!(world.machine("billing").new_runs, "it still has the traffic");
}

#[test]
fn while_legacy_cannot_be_verified_new_is_left_running_and_people_are_told() {
    let world = sick();
    world.break_call("verify legacy", "billing");
    let report = failure(&world);
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(world.machine("billing").new_runs);
    assert_eq!(world.lock().escalated, ["billing"]);
    let text = report.to_string();
    assert!(text.contains("verify legacy: failed: verify legacy fails"), "{text}");
    assert!(text.contains("stop new: not tried: legacy is not known to serve"), "{text}");
}

#[test]
fn every_outcome_has_a_report_with_logs_and_metrics() {
    let world = sick();
    let report = failure(&world);
    assert_eq!((report.outcome, report.system.as_str()), (Outcome::RolledBack, "billing"));
    assert_eq!(report.step, Some(Step::Watch(cutover::Percentage::HUNDRED)));
    assert_eq!(report.logs, ["billing: new said something"]);
    assert_eq!(report.metrics.get("cpu"), Some(&0.5));
    assert!(!report.metrics.contains_key("odd"), "a figure that is none is none");
    assert_eq!(report.escalation, None);
    let world = sick();
    world.break_call("logs", "billing");
    assert_eq!(failure(&world).missing, ["no logs of new: logs fails"]);
}

/// Says more than fits into an entry of the audit.
struct Chatty(World);

#[async_trait]
impl Diagnostics for Chatty {
    async fn vitals(&self, system: &System, side: Side) -> Result<Vitals, HostError> {
        self.0.vitals(system, side).await
    }

    async fn verify(&self, system: &System, side: Side) -> Result<(), HostError> {
        self.0.verify(system, side).await
    }

    async fn logs(&self, _: &System, _: Side) -> Result<Vec<String>, HostError> {
        Ok(vec!["語".repeat(400); 20])
    }

    async fn metrics(&self, _: &System, _: Side) -> Result<BTreeMap<String, f64>, HostError> {
        Ok((0..50).map(|number| (format!("{number}{}", "x".repeat(2_000)), 1.0)).collect())
    }
}

#[test]
fn a_host_that_says_too_much_is_cut_short_whatever_the_outcome() {
    for (call, outcome) in [("load", Outcome::Blocked), ("verify new", Outcome::RolledBack)] {
        let world = World::new();
        world.break_call(call, "billing");
        let own = Arc::new(world.clone());
        let host = Host::new(own.clone(), own.clone(), own.clone(), own, Arc::new(Chatty(world.clone())));
        let inventory: Inventory = serde_json::from_str(&inventory(&["billing"], BLUE_GREEN)).unwrap();
        let builder = Fleet::builder(inventory, host, world.store.clone()).checklists(Checklists::empty());
        let fleet = builder.clock(world.runtime.clock()).runtime(world.runtime.clone()).build().unwrap();
        let report = world.run(fleet.system("billing").unwrap().migrate());
        assert_eq!((report.outcome, report.interrupted), (outcome, None));
    }
}

#[test]
fn a_part_that_hangs_or_panics_has_an_end() {
    for fault in [Fault::Hangs, Fault::Panics] {
        let world = sick();
        let fleet = world.fleet(&inventory(&["billing"], BLUE_GREEN));
        let start = 1 + first_call(&sick(), "switch 0%");
        world.lock().faults.insert(start, fault);
        let report = world.run(fleet.system("billing").unwrap().migrate());
        let failure = report.failure.unwrap();
        let expected = match fault {
            Fault::Hangs => "it took longer than 600s",
            Fault::Panics | Fault::Fails | Fault::FailsAfter => "it panicked: start legacy panics",
        };
        assert_eq!(failure.recovery[1].result, PartResult::Failed { reason: expected.to_owned() });
        assert_eq!(failure.recovery[3].result, PartResult::Done, "legacy ran all the time");
    }
}

fn first_call(world: &World, what: &str) -> usize {
    failure(world);
    let state = world.lock();
    state.calls.iter().position(|(call, _)| call == what).unwrap()
}

#[test]
fn alone_it_works_with_nothing_but_the_host() {
    let world = World::with([("billing", Machine { legacy_runs: false, new_runs: true, ..Machine::default() })]);
    world.change("billing", |machine| machine.backups.push(world::host::backup()));
    let procedure = RecoveryProcedure::new(Host::of(world.clone())).runtime(world.runtime.clone());
    let system = System::new("billing".parse().unwrap());
    let parts = world.run(procedure.run(&system, &RecoveryScope::everything()));
    assert!(parts.iter().all(|part| part.result == PartResult::Done), "{parts:?}");
    let machine = world.machine("billing");
    assert!(machine.legacy_runs && machine.restored == 1);
    let never = procedure.restore(Restore::Never);
    let parts = world.run(never.run(&system, &RecoveryScope::everything()));
    assert!(matches!(parts[2].result, PartResult::Skipped { .. }));
}

#[test]
fn steps_are_undone_in_reverse_order() {
    let strategies = [Strategy::blue_green(), Strategy::canary(), Strategy::direct("ana").unwrap()];
    for strategy in strategies {
        let mut undone: Vec<RecoveryPart> =
            strategy.steps().into_iter().rev().filter_map(RecoveryPart::undoing).collect();
        undone.dedup();
        let order: Vec<RecoveryPart> = RecoveryPart::ALL.into_iter().filter(|part| undone.contains(part)).collect();
        assert_eq!(undone, order, "{strategy}");
        let undoes = |step: &Step| RecoveryPart::undoing(*step).is_some() == step.has_effect();
        assert!(strategy.steps().iter().all(undoes), "{strategy}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(11), cases: 60, ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_fails_the_parts_keep_their_order_and_new_is_stopped_only_after_legacy_serves(
        broken in proptest::collection::btree_set(0..5_usize, 0..=5),
        deployed: bool,
        stopped: bool,
    ) {
        let world = World::with([("billing", Machine { backups: vec![world::host::backup()], ..Machine::default() })]);
        let calls = ["switch 0%", "start legacy", "restore", "verify legacy", "stop new"];
        for place in &broken {
            world.break_call(calls[*place], "billing");
        }
        let procedure = RecoveryProcedure::new(Host::of(world.clone())).runtime(world.runtime.clone());
        let system = System::new("billing".parse().unwrap());
        let mut scope = RecoveryScope::everything();
        (scope.new_deployed, scope.legacy_stopped) = (deployed, stopped);
        let parts = world.run(procedure.run(&system, &scope));
        prop_assert_eq!(parts.iter().map(|part| part.part).collect::<Vec<_>>(), RecoveryPart::ALL);
        let made: Vec<String> = world.lock().calls.iter().map(|(what, _)| what.clone()).filter(|what| calls.contains(&what.as_str())).collect();
        let mut expected = vec!["switch 0%", "start legacy"];
        if stopped { expected.push("restore"); }
        expected.push("verify legacy");
        if deployed && !broken.contains(&0) && !broken.contains(&3) { expected.push("stop new"); }
        prop_assert_eq!(made, expected);
    }
}
