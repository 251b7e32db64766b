//! A fleet goes phase by phase, and stops where too much has failed; what is under way goes to its end.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_fleet::{
    Fleet, FleetError, FleetEvent, Outcome, Phase, Progress, Settings, StopReason, ValidationCounts, Vitals,
};
use world::{BLUE_GREEN, Machine, World, inventory};

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).unwrap()
}

fn twenty() -> Vec<String> {
    (0..20).map(|number| format!("s{number:02}")).collect()
}

fn fleet_of(world: &World, names: &[String], settings: Settings) -> Fleet {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.builder(&inventory(&names, BLUE_GREEN)).settings(settings).build().unwrap()
}

fn sick() -> Machine {
    Machine { new: vec![Some(Vitals::unhealthy())], ..Machine::default() }
}

fn unconvertible() -> Machine {
    Machine { validation: ValidationCounts::new(79, 100), ..Machine::default() }
}

/// How many systems of each phase were deployed.
fn deployed(world: &World, names: &[String]) -> Vec<String> {
    names.iter().filter(|name| world.machine(name).deployed.is_some()).cloned().collect()
}

#[test]
fn the_usual_phases_take_their_shares_of_the_systems() {
    let world = World::new();
    let fleet = fleet_of(&world, &twenty(), Settings::default());
    let report = world.run(fleet.run());
    let sizes: Vec<(String, usize)> =
        report.phases.iter().map(|phase| (phase.phase.clone(), phase.systems.len())).collect();
    let expected = [("pilot", 1), ("expansion", 4), ("majority", 10), ("completion", 5)];
    assert_eq!(sizes, expected.map(|(name, size)| (name.to_owned(), size)));
    assert!(report.is_complete() && report.stopped.is_none());
    assert_eq!(report.kpis.score, Some(1.0));
}

#[test]
fn one_system_alone_is_the_pilot() {
    let world = World::new();
    let report = world.run(fleet_of(&world, &["a".to_owned()], Settings::default()).run());
    assert_eq!(report.phases.iter().map(|phase| phase.systems.len()).collect::<Vec<_>>(), [1, 0, 0, 0]);
}

#[test]
fn a_failed_pilot_stops_the_fleet_before_the_next_phase() {
    let world = World::with([("s00", sick())]);
    let report = world.run(fleet_of(&world, &twenty(), Settings::default()).run());
    let expected = StopReason::TooManyFailures { phase: "pilot".to_owned(), failures: 1, most: 0 };
    assert_eq!(report.stopped, Some(expected));
    assert_eq!((report.count(Outcome::RolledBack), report.count(Outcome::Pending)), (1, 19));
    assert_eq!(deployed(&world, &twenty()), ["s00"]);
    assert_eq!(report.kpis.score, None, "nothing is migrated");
    // The next run knows that from the store alone, and touches nothing.
    let calls = world.lock().calls.len();
    let again = world.run(fleet_of(&world, &twenty(), Settings::default()).run());
    assert_eq!(world::runs::timeless(&again), world::runs::timeless(&report));
    assert_eq!(world.lock().calls.len(), calls);
}

#[test]
fn as_many_failures_as_are_allowed_stop_nothing() {
    let world = World::with([("s01", sick()), ("s05", unconvertible()), ("s06", sick())]);
    let report = world.run(fleet_of(&world, &twenty(), Settings::default()).run());
    assert_eq!(report.stopped, None);
    let counts = [Outcome::Migrated, Outcome::RolledBack, Outcome::Blocked].map(|outcome| report.count(outcome));
    assert_eq!(counts, [17, 2, 1]);
    assert_eq!(report.kpis.get("rollbacks").unwrap().value, Some(2.0));
}

#[test]
fn the_gate_of_the_validation_is_at_four_fifths() {
    let machine = |passed, total| Machine { validation: ValidationCounts::new(passed, total), ..Machine::default() };
    let outcome = |machine| {
        let world = World::with([("a", machine)]);
        let report = world.run(fleet_of(&world, &["a".to_owned()], Settings::default()).run());
        (report.system("a").unwrap().outcome, world.effects("a").len())
    };
    assert_eq!(outcome(machine(80, 100)), (Outcome::Migrated, 2));
    assert_eq!(outcome(machine(79, 100)), (Outcome::Blocked, 0));
    assert_eq!(outcome(machine(0, 0)), (Outcome::Blocked, 0), "no case proves nothing");
}

#[test]
fn what_is_under_way_when_a_phase_stops_goes_to_its_end() {
    let all = r#"{ "phases": [{ "name": "all", "until": 100, "most_failures": 0, "at_once": 3 }] }"#;
    let world = World::with([("s01", unconvertible())]);
    let report = world.run(fleet_of(&world, &twenty(), settings(all)).run());
    assert_eq!(report.count(Outcome::Blocked), 1);
    assert_eq!(report.count(Outcome::Migrated), 2, "s00 and s02 had begun");
    assert_eq!(report.count(Outcome::Pending), 17);
}

#[test]
fn a_failed_recovery_stops_the_fleet_whatever_is_allowed() {
    let all = r#"{ "phases": [{ "name": "all", "until": 100, "most_failures": 20, "at_once": 1 }] }"#;
    let world = World::with([("s03", sick())]);
    world.break_call("verify legacy", "s03");
    let report = world.run(fleet_of(&world, &twenty(), settings(all)).run());
    assert_eq!(report.stopped, Some(StopReason::RecoveryFailed { system: "s03".parse().unwrap() }));
    assert_eq!(report.count(Outcome::Migrated), 3);
    assert_eq!(report.kpis.get("failed").unwrap().met, Some(false));
}

/// The most systems that were under way at once, and the order in which they began.
#[derive(Default)]
struct Heard {
    began: Vec<String>,
    most: usize,
    fractions: Vec<f64>,
}

fn listening(world: &World, names: &[String], settings: Settings) -> (Fleet, Arc<Mutex<Heard>>) {
    let heard = Arc::<Mutex<Heard>>::default();
    let ear = Arc::clone(&heard);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let builder = world.builder(&inventory(&names, BLUE_GREEN)).settings(settings);
    let builder = builder.observe(|_: &FleetEvent, _: &Progress| panic!("an observer decides nothing"));
    let builder = builder.observe(move |event: &FleetEvent, progress: &Progress| {
        let mut heard = ear.lock().unwrap();
        if let FleetEvent::SystemBegan { system } = event {
            heard.began.push(system.to_string());
        }
        heard.most = heard.most.max(progress.under_way.len());
        heard.fractions.push(progress.fraction());
    });
    (builder.build().unwrap(), heard)
}

#[test]
fn as_many_are_under_way_at_once_as_the_phase_says() {
    for at_once in [1, 3] {
        let world = World::new();
        world.lock().takes = Duration::from_secs(1);
        let all =
            format!(r#"{{ "phases": [{{ "name": "all", "until": 100, "most_failures": 0, "at_once": {at_once} }}] }}"#);
        let (fleet, heard) = listening(&world, &twenty(), settings(&all));
        world.run(fleet.run());
        let heard = heard.lock().unwrap();
        assert_eq!(heard.most, at_once);
        assert_eq!(heard.began, twenty());
    }
}

#[test]
fn progress_grows_from_nothing_to_all() {
    let world = World::with([("s07", sick())]);
    let (fleet, heard) = listening(&world, &twenty(), Settings::default());
    assert_eq!(fleet.progress().fraction().to_bits(), 0.0_f64.to_bits());
    world.run(fleet.run());
    let fractions = heard.lock().unwrap().fractions.clone();
    assert!(fractions.windows(2).all(|pair| pair[0] <= pair[1]), "{fractions:?}");
    let progress = fleet.progress();
    assert_eq!((progress.migrated, progress.failures, progress.systems), (19, 1, 20));
    assert_eq!(progress.steps_done, progress.steps);
}

#[test]
fn cancelled_it_begins_nothing_more_and_another_one_goes_on() {
    let world = World::new();
    let names = twenty();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let slot = Arc::<Mutex<Option<Fleet>>>::default();
    let handle = Arc::clone(&slot);
    let builder = world.builder(&inventory(&names, BLUE_GREEN)).observe(move |event: &FleetEvent, _: &Progress| {
        if matches!(event, FleetEvent::SystemBegan { system } if system.as_str() == "s05") {
            handle.lock().unwrap().as_ref().unwrap().cancel();
        }
    });
    let fleet = builder.build().unwrap();
    *slot.lock().unwrap() = Some(fleet.clone());
    let report = world.run(fleet.run());
    slot.lock().unwrap().take();
    assert_eq!(report.stopped, Some(StopReason::Cancelled));
    assert_eq!(report.count(Outcome::UnderWay), 0, "in flight means to the end");
    assert_eq!(report.count(Outcome::Migrated), 9, "pilot, expansion, and the first four of the majority");
    let rest = world.run(fleet_of(&world, &twenty(), Settings::default()).run());
    assert!(rest.is_complete());
}

#[test]
fn phases_that_are_none_are_refused() {
    let refused = |phases: Vec<Phase>| {
        let settings = Settings::default();
        let mut settings = settings;
        settings.phases = phases;
        let built = World::new().builder(&inventory(&["a"], BLUE_GREEN)).settings(settings).build();
        matches!(built.map(drop), Err(FleetError::Phases { .. }))
    };
    let usual = Phase::four;
    assert!(refused(Vec::new()));
    assert!(refused(usual()[..3].to_vec()), "the last one goes to 100 %");
    assert!(refused(usual().into_iter().rev().collect()));
    let mut same = usual();
    same[1].name = "pilot".to_owned();
    assert!(refused(same));
    assert!(!refused(usual()));
}

#[test]
fn running_again_begins_nothing_where_the_last_run_had_stopped() {
    for broken in [false, true] {
        let world = World::with([("b", sick())]);
        if broken {
            world.break_call("verify legacy", "b");
        }
        let names = ["a", "b", "c", "d"].map(ToOwned::to_owned);
        let most = u32::from(broken);
        let phases =
            format!(r#"{{ "phases": [{{ "name": "all", "until": 100, "most_failures": {most}, "at_once": 2 }}] }}"#);
        let run = || world.run(async { fleet_of(&world, &names, settings(&phases)).run().await });
        let (first, again) = (run(), run());
        assert_eq!(deployed(&world, &names), ["a", "b"]);
        assert_eq!((first.count(Outcome::Pending), again.count(Outcome::Pending)), (2, 2));
        assert_eq!(again.stopped, first.stopped);
        assert!(first.stopped.is_some());
    }
}

#[test]
fn what_a_killed_run_has_left_is_finished_in_all_phases_whatever_stops_an_early_one() {
    let phases = r#"{ "phases": [
        { "name": "first", "until": 50, "most_failures": 0, "at_once": 1 },
        { "name": "second", "until": 100, "most_failures": 0, "at_once": 2 }
    ] }"#;
    for (failing, reason) in [("a", "the phase first had 1 failures"), ("c", "the recovery of c failed")] {
        let world = World::new();
        world.lock().takes = Duration::from_secs(1);
        let names = ["a", "b", "c", "d"].map(ToOwned::to_owned);
        let fleet = || fleet_of(&world, &names, settings(phases));
        for left in ["c", "d"] {
            let mut killed = (1..100).map(|polls| world.crash(polls, fleet().system(left).unwrap().migrate()));
            assert!(killed.any(|ended| ended.is_none() && world.machine(left).deployed.is_some()));
        }
        world.change(failing, |machine| machine.new = vec![Some(Vitals::unhealthy())]);
        if failing == "c" {
            world.break_call("verify legacy", failing);
        }
        let report = world.run(async { fleet().run().await });
        assert!(report.stopped.as_ref().unwrap().to_string().starts_with(reason), "{:?}", report.stopped);
        assert_eq!(report.count(Outcome::UnderWay), 0, "{report}");
        assert_eq!(report.system("d").unwrap().outcome, Outcome::Migrated);
        assert_eq!(report.system("b").unwrap().outcome, Outcome::Pending, "nothing more is begun");
    }
}
