//! A canary gets growing shares by evidence, goes one share back when its figures are bad, and all the way when it is sick.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::time::Duration;

use cutover::{Percentage, SystemMode};
use cutover_fleet::{FailureKind, Outcome, SystemReport, Vitals};
use world::{CANARY, Machine, World, inventory};

fn at(p95: u64) -> Vitals {
    Vitals::healthy().p95(Duration::from_millis(p95))
}

fn migrate(new: Vec<Vitals>) -> (World, SystemReport) {
    let new = new.into_iter().map(Some).collect();
    let world = World::with([("search", Machine { new, ..Machine::default() })]);
    let fleet = world.fleet(&inventory(&["search"], CANARY));
    let report = world.run(fleet.system("search").unwrap().migrate());
    (world, report)
}

/// So many looks as one share takes.
const LOOKS: usize = 4;

#[test]
fn each_share_is_watched_before_the_next() {
    let (world, report) = migrate(vec![at(90)]);
    assert_eq!(report.outcome, Outcome::Migrated);
    assert_eq!(world.effects("search"), ["deploy", "switch 10%", "switch 50%", "switch 100%"]);
    assert_eq!(report.took(), Some(Duration::from_secs(45)));
    let rollouts: Vec<_> = world.audit("search").iter().map(|entry| (entry.after.mode, entry.after.rollout)).collect();
    let tenth = Percentage::new(10.0).unwrap();
    assert!(rollouts.contains(&(SystemMode::GradualRollout, tenth)));
    assert_eq!(rollouts.last().unwrap().0, SystemMode::NewOnly);
}

#[test]
fn what_is_slow_at_a_share_goes_one_share_back_and_tries_again() {
    // Healthy at 10 %, half as slow again at 50 % (below the trigger, beyond what is promoted), and then fine.
    let looks = [vec![at(90); LOOKS], vec![at(150); LOOKS], vec![at(90)]].concat();
    let (world, report) = migrate(looks);
    assert_eq!((report.outcome, report.step_backs, report.rollbacks), (Outcome::Migrated, 1, 0));
    assert_eq!(
        world.effects("search"),
        ["deploy", "switch 10%", "switch 50%", "switch 10%", "switch 50%", "switch 100%"]
    );
}

#[test]
fn fifty_percent_slower_is_not_an_improvement_of_at_most_a_tenth() {
    let (world, report) = migrate(vec![at(150)]);
    assert_eq!(report.outcome, Outcome::RolledBack, "the sign: plus is slower");
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Limits);
    assert_eq!(failure.reason, "the p95 changed by +0.500 (plus is slower); allowed: at most +0.1");
    assert_eq!(world.machine("search").share, Percentage::ZERO);
    let (_, faster) = migrate(vec![at(50)]);
    assert_eq!((faster.outcome, faster.latency_change), (Outcome::Migrated, Some(-0.5)), "minus is faster");
}

#[test]
fn the_second_time_it_goes_all_the_way_back() {
    let looks = [vec![at(90); LOOKS], vec![at(150); LOOKS], vec![at(90); LOOKS], vec![at(150)]].concat();
    let (world, report) = migrate(looks);
    assert_eq!((report.outcome, report.step_backs, report.rollbacks), (Outcome::RolledBack, 1, 1));
    let effects = world.effects("search");
    assert_eq!(effects[4..], ["switch 50%", "switch 0%", "start legacy", "stop new"]);
}

#[test]
fn what_is_sick_goes_all_the_way_back_at_once() {
    let looks = [vec![at(90); LOOKS], vec![Vitals::unhealthy()]].concat();
    let (world, report) = migrate(looks);
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert_eq!(world.effects("search")[2..], ["switch 50%", "switch 0%", "start legacy", "stop new"]);
}

#[test]
fn a_p95_of_more_than_twice_that_of_legacy_is_not_watched_to_the_end() {
    let (_, report) = migrate(vec![at(90), at(250)]);
    let failure = report.failure.unwrap();
    assert_eq!(failure.reason, "the p95 was 2 times that of legacy 3 times in a row");
}

#[test]
fn errors_are_proven_and_not_guessed() {
    let calls = |calls, failures| at(90).calls(calls, failures);
    // 10 % of 20 calls prove nothing; 40 % of 100 do.
    let (_, few) = migrate(vec![calls(0, 0), calls(20, 2)]);
    assert_eq!(few.outcome, Outcome::Migrated);
    let (_, many) = migrate(vec![calls(0, 0), calls(100, 40)]);
    let failure = many.failure.unwrap();
    assert_eq!(failure.reason, "40 of 100 calls failed; allowed is a share of 0.05");
    // What had failed before new got traffic is not its fault now.
    let (_, before) = migrate(vec![calls(100, 40)]);
    assert_eq!(before.outcome, Outcome::Migrated);
}

#[test]
fn a_share_of_the_traffic_is_not_expected_to_do_all_of_the_work() {
    let share = |per_second| at(90).throughput(per_second);
    let looks = [vec![share(10.0); LOOKS], vec![share(50.0); LOOKS], vec![share(99.0)]].concat();
    let (_, report) = migrate(looks);
    assert_eq!(report.outcome, Outcome::Migrated);
    assert!((report.throughput_change.unwrap() + 0.01).abs() < 1e-9, "minus is less");
    let (_, idle) = migrate(vec![share(40.0)]);
    assert_eq!(idle.outcome, Outcome::RolledBack, "with all of the traffic, 40 of 100 is too little");
}
