//! Of many runners one migrates a system, and a store that fails keeps nobody from going back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::time::Duration;

use cutover::testing::{FailingStore, Fault as StoreFault, SeededRandom, SlowStore};
use cutover::{MemoryStore, MigrationController, Percentage, Runtime, SystemMode};
use cutover_fleet::{Checklists, Fleet, FleetReport, Host, Inventory, Outcome, Vitals};
use futures::future::join;
use world::{BLUE_GREEN, CANARY, Machine, World, inventory};

const NAMES: [&str; 3] = ["billing", "search", "users"];
const ALL: &str = r#"{ "phases": [{ "name": "all", "until": 100, "most_failures": 3, "at_once": 3 }] }"#;

fn fleet(world: &World) -> Fleet {
    let settings = serde_json::from_str(ALL).unwrap();
    world.builder(&inventory(&NAMES, CANARY)).settings(settings).build().unwrap()
}

fn count(world: &World, what: &str, name: &str) -> usize {
    let state = world.lock();
    state.calls.iter().filter(|(call, system)| call == what && system == name).count()
}

#[test]
fn two_runners_at_once_migrate_each_system_once() {
    let world = World::new();
    world.lock().takes = Duration::from_secs(1);
    let (first, second) = world.run(join(async { fleet(&world).run().await }, async { fleet(&world).run().await }));
    for name in NAMES {
        assert_eq!(count(&world, "deploy", name), 1, "{name}");
        assert_eq!(world.events(name).iter().filter(|event| *event == "migrated").count(), 1);
    }
    let complete = |report: &FleetReport| report.is_complete();
    assert!(complete(&first) || complete(&second));
    assert!(world.run(fleet(&world).run()).is_complete());
}

#[test]
fn a_runner_that_was_killed_is_waited_for_and_no_longer() {
    let world = World::new();
    world.lock().takes = Duration::from_secs(1);
    assert!(world.crash(60, async { fleet(&world).run().await }).is_none());
    let before = world.runtime.clock();
    let start = cutover::Clock::now(&*before);
    let report = world.run(async { fleet(&world).run().await });
    assert!(report.is_complete(), "{report}");
    assert!(cutover::Clock::now(&*before).since(start) < Duration::from_secs(180));
}

#[test]
fn settings_changed_by_hand_at_any_moment_are_never_changed_back() {
    let by_hand = Percentage::new(33.0).unwrap();
    let mut changed = 0;
    for moment in 0..250 {
        let world = World::new();
        let store = SlowStore::new(world.store.clone(), world.runtime.clone(), Duration::from_millis(150));
        let inventory: Inventory = serde_json::from_str(&inventory(&["billing"], CANARY)).unwrap();
        let builder = Fleet::builder(inventory, Host::of(world.clone()), store).checklists(Checklists::empty());
        let builder = builder.clock(world.runtime.clock()).runtime(world.runtime.clone());
        let migrator = builder.random(SeededRandom::new(1)).build().unwrap().system("billing").unwrap();
        let (_, stored) = world.run(join(migrator.migrate(), async {
            world.runtime.sleep(Duration::from_millis(moment * 300)).await;
            let ben = MigrationController::builder("billing", world.store.clone()).clock(world.runtime.clock());
            let ben = ben.runtime(world.runtime.clone()).random(SeededRandom::new(2)).open().await.unwrap();
            ben.set_rollout(by_hand, "ben", "a third").await.is_ok_and(|change| change.stored)
        }));
        if stored {
            changed += 1;
            let last = world.audit("billing").last().unwrap().after;
            assert_eq!(last.rollout, by_hand, "at moment {moment}");
        }
    }
    assert!(changed > 100, "{changed} changes are no test");
}

/// A fleet of one system on a store that fails when it is told to.
fn on_failing(world: &World) -> (FailingStore<MemoryStore>, Fleet) {
    let store = FailingStore::new(world.store.clone(), world.runtime.clone());
    let inventory: Inventory = serde_json::from_str(&inventory(&["billing"], BLUE_GREEN)).unwrap();
    let builder = Fleet::builder(inventory, Host::of(world.clone()), store.clone()).checklists(Checklists::empty());
    let builder = builder.clock(world.runtime.clock()).runtime(world.runtime.clone()).random(SeededRandom::new(99));
    (store, builder.build().unwrap())
}

fn sick_late() -> World {
    let looks = vec![Some(Vitals::healthy()), Some(Vitals::unhealthy())];
    let world = World::with([("billing", Machine { new: looks, ..Machine::default() })]);
    world.lock().takes = Duration::from_millis(20);
    world
}

#[test]
fn a_store_that_is_down_does_not_keep_a_sick_system_from_going_back() {
    let world = sick_late();
    let (store, fleet) = on_failing(&world);
    let migrator = fleet.system("billing").unwrap();
    let (report, ()) = world.run(join(migrator.migrate(), async {
        world.runtime.sleep(Duration::from_secs(3)).await;
        assert_eq!(world.machine("billing").share, Percentage::HUNDRED);
        store.set_standing(Some(StoreFault::Unavailable));
    }));
    let machine = world.machine("billing");
    assert_eq!((machine.share, machine.legacy_runs, machine.new_runs), (Percentage::ZERO, true, false));
    assert!(report.interrupted.is_some(), "it could not be written down");
    // The store comes back: the emergency is stored by itself, or by the next run, and the system ends as it is.
    store.heal();
    let report = world.run(async {
        world.runtime.sleep(Duration::from_secs(60)).await;
        fleet.system("billing").unwrap().migrate().await
    });
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert_eq!(world.audit("billing").last().unwrap().after.mode, SystemMode::EmergencyRollback);
}

#[test]
fn a_person_can_go_back_without_any_store() {
    let world = World::new();
    let (store, fleet) = on_failing(&world);
    let migrator = fleet.system("billing").unwrap();
    assert_eq!(world.run(migrator.migrate()).outcome, Outcome::Migrated);
    store.set_standing(Some(StoreFault::Unavailable));
    let report = world.run(migrator.recover("ben", "everything is down")).unwrap();
    let machine = world.machine("billing");
    assert_eq!((machine.share, machine.legacy_runs, machine.new_runs), (Percentage::ZERO, true, false));
    assert_eq!(machine.restored, 0, "nobody knows whether legacy was stopped");
    assert_eq!(report.failure.unwrap().outcome, Outcome::RolledBack);
}

#[test]
fn a_store_that_fails_now_and_then_repeats_no_step() {
    let world = World::new();
    let (store, fleet) = on_failing(&world);
    let (down, lost) = (Some(StoreFault::Unavailable), Some(StoreFault::UnknownAfterApplying));
    let flaky = [None, down, None, None, None, lost, None];
    store.script_writes(flaky.iter().copied().cycle().take(60));
    store.script_reads(flaky.iter().copied().cycle().take(60));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!((report.outcome, report.interrupted), (Outcome::Migrated, None));
    assert_eq!(world.effects("billing"), ["deploy", "switch 100%"]);
}
