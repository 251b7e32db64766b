//! A run that is killed at any moment is gone on with by the next one, and ends the same.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::time::Duration;

use cutover::{Percentage, SystemMode};
use cutover_fleet::{Outcome, Vitals};
use serde_json::Value;
use world::runs::timeless;
use world::{BLUE_GREEN, CANARY, DIRECT, Fault, Machine, World, host, inventory};

const SYSTEMS: [&str; 2] = ["billing", "search"];

/// Two systems, of which the second is sick and is taken back.
fn world() -> World {
    let sick = Machine { new: vec![Some(Vitals::unhealthy())], ..Machine::default() };
    let machine = |machine: Machine| Machine { backups: vec![host::backup()], ..machine };
    let systems = [("billing", Machine::default()), ("search", sick)];
    let world = World::with(systems.map(|(name, of)| (name, machine(of))));
    world.lock().takes = Duration::from_secs(2);
    world
}

/// All in one phase, with more failures allowed than there are.
const PHASES: &str = r#"{ "phases": [{ "name": "all", "until": 100, "most_failures": 9, "at_once": 2 }] }"#;

fn run_once(world: &World, strategy: &str, polls: u32) -> Option<Value> {
    let settings = serde_json::from_str(PHASES).unwrap();
    let fleet = world.builder(&inventory(&SYSTEMS, strategy)).settings(settings).build().unwrap();
    let report = world.crash(polls, async { fleet.run().await })?;
    Some(timeless(&report))
}

fn run_to_the_end(world: &World, strategy: &str) -> Value {
    run_once(world, strategy, u32::MAX).unwrap()
}

/// What is left outside, without how often something was done.
fn outside(world: &World) -> Vec<Machine> {
    let machine = |name| Machine { restored: 0, new: Vec::new(), ..world.machine(name) };
    SYSTEMS.map(machine).to_vec()
}

fn modes(world: &World) -> Vec<SystemMode> {
    SYSTEMS.map(|name| world.audit(name).last().unwrap().after.mode).to_vec()
}

/// How often the backup was put back, for each number of polls after which a run was killed.
fn killed_anywhere(strategy: &str) -> Vec<u32> {
    let calm = world();
    let expected = run_to_the_end(&calm, strategy);
    assert_eq!(expected["phases"][0]["systems"][0]["outcome"], "migrated");
    assert_eq!(expected["phases"][0]["systems"][1]["outcome"], "rolled_back");
    let mut restored = Vec::new();
    for polls in 0.. {
        let world = world();
        let ended = run_once(&world, strategy, polls);
        let resumed = run_to_the_end(&world, strategy);
        assert_eq!(resumed, expected, "killed after {polls} polls");
        assert_eq!(outside(&world), outside(&calm), "killed after {polls} polls");
        assert_eq!(modes(&world), modes(&calm), "killed after {polls} polls");
        assert!(SYSTEMS.iter().all(|name| world.events(name).iter().filter(|event| *event == "begun").count() == 1));
        restored.push(world.machine("search").restored);
        if ended.is_some() {
            break;
        }
    }
    assert!(restored.len() > 60, "{} polls are no test", restored.len());
    restored
}

#[test]
fn blue_green_killed_anywhere_ends_the_same() {
    assert!(killed_anywhere(BLUE_GREEN).iter().all(|times| *times == 0), "legacy went on to run");
}

#[test]
fn a_canary_killed_anywhere_ends_the_same() {
    killed_anywhere(CANARY);
}

#[test]
fn direct_killed_anywhere_ends_the_same_and_puts_the_backup_back_once() {
    let restored = killed_anywhere(DIRECT);
    assert!(restored.iter().all(|times| (1..=2).contains(times)));
    // Between its end and its being written down nobody can know.
    let twice = restored.iter().filter(|times| **times == 2).count();
    assert!(twice <= 3, "{twice} of {}", restored.len());
}

#[test]
fn killed_again_and_again_it_ends_the_same() {
    let expected = run_to_the_end(&world(), CANARY);
    // A run that waits for the claim of the one before it, and comes one step further.
    for polls in [80, 90, 100] {
        let world = world();
        let mut runs = 0;
        let ended = loop {
            runs += 1;
            assert!(runs < 500, "it does not get on with {polls} polls at a time");
            if let Some(ended) = run_once(&world, CANARY, polls) {
                break ended;
            }
        };
        assert_eq!(ended, expected);
        assert!(runs > 1, "{polls} polls are too many");
    }
}

#[test]
fn a_watch_that_is_resumed_sends_the_traffic_to_new_again() {
    let migrate = |world: &World| {
        let migrator = world.fleet(&inventory(&SYSTEMS, BLUE_GREEN)).system("billing").unwrap();
        async move { migrator.migrate().await }
    };
    let killed_after = |polls| {
        let world = World::new();
        world.lock().takes = Duration::from_secs(1);
        world.crash(polls, migrate(&world)).is_none().then_some(world)
    };
    let looks = |world: &World| world.lock().calls.iter().filter(|(what, _)| what == "vitals new").count();
    let world = (0..).map_while(killed_after).find(|world| looks(world) == 2).unwrap();
    // The proxy was a part of the process that was killed.
    world.change("billing", |machine| machine.share = Percentage::ZERO);
    assert_eq!(world.run(migrate(&world)).outcome, Outcome::Migrated);
    assert_eq!(world.machine("billing").share, Percentage::HUNDRED);
}

#[test]
fn a_recovery_that_is_resumed_verifies_legacy_again_before_it_stops_new() {
    let killed_after = |polls| {
        let world = world();
        run_once(&world, DIRECT, polls).is_none().then_some(world)
    };
    let verified = |world: &World| {
        let events = world.events("search");
        let parts = events.iter().filter(|event| *event == "recovered").count();
        parts == 4 && !events.contains(&"ended".to_owned()) && world.machine("search").new_runs
    };
    let world = (0..).map_while(killed_after).find(verified).unwrap();
    // It was not the process alone that died, but the machine.
    world.change("search", |machine| machine.legacy_runs = false);
    run_to_the_end(&world, DIRECT);
    assert_eq!(report_of(&world, "search"), Outcome::RolledBack);
    let machine = world.machine("search");
    assert_eq!((machine.legacy_runs, machine.new_runs, machine.restored), (true, false, 1));
}

/// The number of host calls that a run without faults makes.
fn calls(strategy: &str) -> usize {
    let world = world();
    run_to_the_end(&world, strategy);
    world.lock().calls.len()
}

#[test]
fn whichever_call_fails_legacy_or_new_serves_and_a_retry_ends_the_same() {
    for strategy in [BLUE_GREEN, CANARY, DIRECT] {
        let calm = world();
        run_to_the_end(&calm, strategy);
        for number in 0..calls(strategy) {
            for fault in faults(strategy) {
                let world = world();
                world.lock().faults.insert(number, fault);
                let report = run_to_the_end(&world, strategy);
                let context = format!("{fault:?} at call {number} of {strategy}: {report:#}");
                for name in SYSTEMS {
                    assert_one_serves(&world, name, &context);
                }
                world.heal();
                retry_all(&world, strategy);
                run_to_the_end(&world, strategy);
                assert_eq!(outside(&world), outside(&calm), "{context}");
                assert_eq!(modes(&world), modes(&calm), "{context}");
            }
        }
    }
}

/// Those that are told apart: before and after the effect, by an answer and without one.
fn faults(strategy: &str) -> [Fault; 2] {
    if strategy == CANARY { [Fault::Fails, Fault::Panics] } else { [Fault::FailsAfter, Fault::Hangs] }
}

/// The side that the record says serves gets all traffic, and runs; or the report says that a person has to look.
fn assert_one_serves(world: &World, name: &str, context: &str) {
    let machine = world.machine(name);
    let outcome = report_of(world, name);
    let mode = world.audit(name).last().map_or(SystemMode::LegacyOnly, |entry| entry.after.mode);
    match outcome {
        Outcome::Migrated => {
            assert_eq!((machine.share, machine.new_runs), (Percentage::HUNDRED, true), "{context}");
            assert_eq!(mode, SystemMode::NewOnly, "{context}");
        }
        Outcome::Blocked | Outcome::RolledBack => {
            assert_eq!((machine.share, machine.legacy_runs), (Percentage::ZERO, true), "{context}");
            assert!(!machine.new_runs, "{context}");
        }
        Outcome::Failed => assert!(world.lock().escalated.contains(&name.to_owned()), "{context}"),
        Outcome::Pending | Outcome::UnderWay | Outcome::Decommissioned => {
            let stopped = world.lock().escalated.len();
            assert!(outcome == Outcome::Pending && stopped > 0, "{outcome}: {context}");
        }
    }
}

fn report_of(world: &World, name: &str) -> Outcome {
    let fleet = world.fleet(&inventory(&SYSTEMS, BLUE_GREEN));
    world.run(async { fleet.system(name).unwrap().report().await.outcome })
}

/// A person looks at each system that does not serve from new, and lets it be tried again. The sick one stays sick.
fn retry_all(world: &World, strategy: &str) {
    let fleet = world.fleet(&inventory(&SYSTEMS, strategy));
    for name in SYSTEMS {
        if matches!(report_of(world, name), Outcome::RolledBack | Outcome::Failed) {
            world.run(async { fleet.system(name).unwrap().retry("ana", "it is mended").await }).unwrap();
        }
    }
}
