//! Blue-green: deploy, test, switch, watch, and then new serves, or legacy again. Legacy is never removed on the way.

mod world;

use std::time::Duration;

use cutover::{Percentage, SystemMode};
use cutover_fleet::{FailureKind, Outcome, PartResult, Vitals};
use world::{BLUE_GREEN, Machine, World, inventory};

const DEFAULT: &str = r#"{ "name": "blue_green" }"#;

#[test]
fn new_is_deployed_tested_switched_to_and_watched_for_300_seconds() {
    let world = World::new();
    let fleet = world.fleet(&inventory(&["billing"], DEFAULT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!((report.outcome, &report.interrupted), (Outcome::Migrated, &None));
    assert_eq!(world.effects("billing"), ["deploy", "switch 100%"]);
    assert_eq!(report.took(), Some(Duration::from_secs(300)));
    let looks = world.lock().calls.iter().filter(|(what, _)| what == "vitals new").count();
    assert_eq!(looks, 61, "every five seconds, at both ends");
    let machine = world.machine("billing");
    assert_eq!((machine.share, machine.new_runs, machine.legacy_runs), (Percentage::HUNDRED, true, true));
}

#[test]
fn the_mode_says_who_serves_and_leads_the_traffic() {
    let world = World::new();
    let fleet = world.fleet(&inventory(&["billing"], BLUE_GREEN));
    world.run(fleet.run());
    let mut changes: Vec<SystemMode> = world.audit("billing").iter().map(|entry| entry.after.mode).collect();
    changes.dedup();
    assert_eq!(changes, [SystemMode::LegacyOnly, SystemMode::Parallel, SystemMode::NewOnly]);
    let deployed =
        world.audit("billing").iter().find(|entry| entry.after.mode == SystemMode::Parallel).cloned().unwrap();
    assert_eq!(deployed.evidence.unwrap()["step"], "deploy");
    assert_eq!(deployed.after.shadow_share, Some(Percentage::ZERO), "nobody asked for comparisons");
}

#[test]
fn what_is_unhealthy_is_switched_back_and_new_is_stopped_last() {
    let sick = Machine { new: vec![Some(Vitals::healthy()), Some(Vitals::unhealthy())], ..Machine::default() };
    let world = World::with([("billing", sick)]);
    let fleet = world.fleet(&inventory(&["billing"], DEFAULT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert_eq!(world.effects("billing"), ["deploy", "switch 100%", "switch 0%", "start legacy", "stop new"]);
    let failure = report.failure.clone().unwrap();
    assert_eq!((failure.kind, failure.reason.as_str()), (FailureKind::Unhealthy, "new was unhealthy 3 times in a row"));
    assert_eq!(report.took(), Some(Duration::from_secs(15)), "a good look and three bad ones");
    let done: Vec<bool> = failure.recovery.iter().map(|part| part.result == PartResult::Done).collect();
    assert_eq!(done, [true, true, false, true, true], "legacy was not stopped, so nothing is put back");
    assert_eq!(world.audit("billing").last().unwrap().after.mode, SystemMode::EmergencyRollback);
}

#[test]
fn one_bad_look_is_no_failure() {
    let healthy = Some(Vitals::healthy());
    let shaky = vec![healthy, Some(Vitals::unhealthy()), Some(Vitals::unhealthy()), healthy];
    let world = World::with([("billing", Machine { new: shaky, ..Machine::default() })]);
    let fleet = world.fleet(&inventory(&["billing"], DEFAULT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!(report.outcome, Outcome::Migrated);
    // Between a bad look and the next one nobody knows how it did: that time proves nothing.
    assert_eq!(report.took(), Some(Duration::from_secs(315)));
}

#[test]
fn an_outage_of_the_monitoring_is_neither_health_nor_failure_and_ends_in_going_back() {
    let world = World::with([("billing", Machine { new: vec![None], ..Machine::default() })]);
    let fleet = world.fleet(&inventory(&["billing"], DEFAULT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert_eq!(report.failure.map(|failure| failure.kind), Some(FailureKind::Unproven));
    assert_eq!(report.ended.unwrap().duration_since(report.began.unwrap()).unwrap(), Duration::from_secs(1_200));
}

#[test]
fn a_new_side_that_does_not_pass_its_test_never_gets_traffic() {
    let world = World::new();
    world.break_call("verify new", "billing");
    let fleet = world.fleet(&inventory(&["billing"], DEFAULT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert_eq!(world.effects("billing"), ["deploy", "switch 0%", "start legacy", "stop new"]);
}
