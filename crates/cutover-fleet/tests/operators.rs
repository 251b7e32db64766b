//! People come first: they take back, let try again, and remove legacy, from any process, and nothing of that by accident.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::time::Duration;

use cutover::{MigrationController, Percentage, Runtime, SystemMode};
use cutover_fleet::{
    Checklists, FailureKind, Fleet, Interruption, OperateError, Outcome, SystemMigrator, Vitals, When,
};
use futures::future::join;
use world::{BLUE_GREEN, CANARY, DIRECT, Machine, World, host, inventory, passing};

fn fleet(world: &World) -> Fleet {
    world.fleet(&inventory(&["billing"], BLUE_GREEN))
}

fn billing(world: &World) -> SystemMigrator {
    fleet(world).system("billing").unwrap()
}

async fn controller(world: &World) -> MigrationController {
    let builder = MigrationController::builder("billing", world.store.clone()).clock(world.runtime.clock());
    builder.runtime(world.runtime.clone()).open().await.unwrap()
}

#[test]
fn an_emergency_from_anywhere_takes_a_system_back_that_is_watched() {
    let world = World::new();
    let migrator = world.fleet(&inventory(&["billing"], r#"{ "name": "blue_green" }"#)).system("billing").unwrap();
    let (report, ()) = world.run(join(migrator.migrate(), async {
        world.runtime.sleep(Duration::from_secs(100)).await;
        controller(&world).await.emergency_rollback("ben", "wrong totals").await;
    }));
    assert_eq!(report.outcome, Outcome::RolledBack);
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::CalledOff);
    assert_eq!(failure.reason, "ben: EMERGENCY: wrong totals");
    assert_eq!(world.machine("billing").share, Percentage::ZERO);
    let late = report.ended.unwrap().duration_since(report.began.unwrap()).unwrap();
    assert!(late < Duration::from_secs(120), "{late:?}");
}

#[test]
fn a_migrated_system_is_taken_back_by_the_next_run_after_an_emergency() {
    let world = World::new();
    assert_eq!(world.run(billing(&world).migrate()).outcome, Outcome::Migrated);
    world.run(async { controller(&world).await.emergency_rollback("ben", "wrong totals").await });
    let report = world.run(fleet(&world).run());
    assert_eq!(report.system("billing").unwrap().outcome, Outcome::RolledBack);
    let machine = world.machine("billing");
    assert_eq!((machine.share, machine.new_runs), (Percentage::ZERO, false));
}

#[test]
fn a_person_takes_back_what_is_migrated_at_once() {
    let world = World::new();
    world.run(billing(&world).migrate());
    let report = world.run(billing(&world).recover("ben", "wrong totals")).unwrap();
    assert_eq!((report.outcome, report.rollbacks), (Outcome::RolledBack, 1));
    let audit = world.audit("billing");
    let emergency = audit.iter().find(|entry| entry.after.mode == SystemMode::EmergencyRollback).unwrap();
    assert_eq!((emergency.actor.as_str(), emergency.reason.as_str()), ("ben", "EMERGENCY: wrong totals"));
    let again = world.run(billing(&world).recover("ben", "again")).unwrap_err();
    assert_eq!(
        again.to_string(),
        "the system is rolled back, and only one that is under way, migrated or failed can be taken back"
    );
}

#[test]
fn a_recovery_that_failed_can_be_repeated() {
    let world = World::with([("billing", Machine { new: vec![Some(Vitals::unhealthy())], ..Machine::default() })]);
    world.break_call("verify legacy", "billing");
    assert_eq!(world.run(billing(&world).migrate()).outcome, Outcome::Failed);
    world.heal();
    let report = world.run(billing(&world).recover("ben", "legacy is up again")).unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert!(!world.machine("billing").new_runs);
}

#[test]
fn what_was_rolled_back_is_tried_again_only_when_a_person_says_so() {
    let looks = [vec![Some(Vitals::unhealthy()); 3], vec![Some(Vitals::healthy())]].concat();
    let world = World::with([("billing", Machine { new: looks, ..Machine::default() })]);
    assert_eq!(world.run(billing(&world).migrate()).outcome, Outcome::RolledBack);
    assert_eq!(world.run(billing(&world).migrate()).outcome, Outcome::RolledBack, "nobody said so");
    world.run(billing(&world).retry("ana", "the leak is mended")).unwrap();
    let waiting = world.run(fleet(&world).report());
    let system = waiting.system("billing").unwrap();
    assert_eq!((system.outcome, &system.failure, system.validation), (Outcome::Pending, &None, None));
    assert_eq!((system.ended, system.step, system.rollbacks), (None, None, 1), "what is counted stays");
    assert!(!waiting.to_markdown().contains("What did not succeed"), "{}", waiting.to_markdown());
    let report = world.run(billing(&world).migrate());
    assert_eq!((report.outcome, report.rollbacks, report.failure), (Outcome::Migrated, 1, None));
    let refused = world.run(billing(&world).retry("ana", "for fun")).unwrap_err();
    assert!(matches!(refused, OperateError::NotNow { outcome: Outcome::Migrated, .. }));
}

#[test]
fn settings_that_somebody_changes_by_hand_are_not_changed_back() {
    let world = World::new();
    let migrator = world.fleet(&inventory(&["billing"], CANARY)).system("billing").unwrap();
    let (report, ()) = world.run(join(migrator.migrate(), async {
        world.runtime.sleep(Duration::from_secs(8)).await;
        let share = Percentage::new(33.0).unwrap();
        controller(&world).await.set_rollout(share, "ben", "a third").await.unwrap();
    }));
    assert_eq!(report.outcome, Outcome::UnderWay);
    assert!(report.interrupted.unwrap().starts_with("somebody changed the settings by hand"));
    assert_eq!(world.audit("billing").last().unwrap().after.rollout, Percentage::new(33.0).unwrap());
    // A person decides.
    let report = world.run(migrator.recover("ana", "start over")).unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack);
}

#[test]
fn a_migration_that_others_have_begun_is_left_alone() {
    let world = World::new();
    world.run(async {
        controller(&world).await.transition(SystemMode::Parallel, "ben", "compare").await.unwrap();
    });
    let report = world.run(billing(&world).migrate());
    assert_eq!(report.outcome, Outcome::Pending);
    let expected = Interruption::Mode { mode: SystemMode::Parallel }.to_string();
    assert_eq!(report.interrupted, Some(expected));
    assert_eq!(world.effects("billing"), Vec::<String>::new());
}

#[test]
fn legacy_is_removed_on_an_explicit_word_only_and_behind_its_checklist() {
    let world = World::new();
    let early = world.run(billing(&world).decommission("ana", "done")).unwrap_err();
    assert!(matches!(early, OperateError::NotNow { outcome: Outcome::Pending, .. }));
    world.run(billing(&world).migrate());
    let machine = world.machine("billing");
    assert!(machine.legacy_runs && machine.legacy_exists, "no strategy removes it");

    let waiting = world.builder(&inventory(&["billing"], BLUE_GREEN)).checklists(Checklists::preset()).build().unwrap();
    let open = world.run(waiting.system("billing").unwrap().decommission("ana", "done")).unwrap_err();
    assert!(open.to_string().starts_with("the checklist after does not let it pass: features: error"), "{open}");
    assert!(world.machine("billing").legacy_exists);

    let checked = world.builder(&inventory(&["billing"], BLUE_GREEN)).checklists(passing()).build().unwrap();
    let migrator = checked.system("billing").unwrap();
    let report = world.run(migrator.decommission("ana", "two weeks without a complaint")).unwrap();
    assert_eq!((report.outcome, report.after.len()), (Outcome::Decommissioned, 4));
    assert_eq!(world.effects("billing")[2..], ["stop legacy", "decommission"]);
    assert_eq!(world.run(migrator.clean_up("ana", "last things")).unwrap().len(), 3);
    assert_eq!(world.run(migrator.report()).cleanup.len(), 3);

    let gone = world.run(migrator.recover("ben", "wrong totals")).unwrap_err();
    assert!(matches!(gone, OperateError::LegacyGone));
    assert_eq!(world.machine("billing").share, Percentage::HUNDRED, "there is nothing to go back to");
}

#[test]
fn removing_legacy_can_be_repeated_until_it_succeeds() {
    let world = World::new();
    world.run(billing(&world).migrate());
    world.break_call("decommission", "billing");
    let failed = world.run(billing(&world).decommission("ana", "done")).unwrap_err();
    assert_eq!(failed.to_string(), "removing legacy failed: decommission fails");
    assert_eq!(world.run(billing(&world).report()).outcome, Outcome::Migrated);
    let no_way_back = world.run(billing(&world).recover("ben", "hm")).unwrap_err();
    assert!(matches!(no_way_back, OperateError::LegacyGone), "half of it may be gone");
    world.heal();
    assert_eq!(world.run(billing(&world).decommission("ana", "done")).unwrap().outcome, Outcome::Decommissioned);
}

#[test]
fn cleaning_up_comes_after_legacy_is_gone() {
    let world = World::new();
    world.run(billing(&world).migrate());
    let early = world.run(billing(&world).clean_up("ana", "now")).unwrap_err();
    assert!(matches!(early, OperateError::NotNow { what: "cleaned up", .. }));
    assert!(world.run(billing(&world).check_now(When::Cleanup)).unwrap().is_empty());
}

#[test]
fn the_strategy_of_a_migration_under_way_is_the_one_that_it_began_with() {
    let world = World::with([("billing", Machine { backups: vec![host::backup()], ..Machine::default() })]);
    world.lock().takes = Duration::from_secs(1);
    let canary = world.fleet(&inventory(&["billing"], CANARY)).system("billing").unwrap();
    assert!(world.crash(40, canary.migrate()).is_none());
    let report = world.run(world.fleet(&inventory(&["billing"], DIRECT)).system("billing").unwrap().migrate());
    assert_eq!((report.outcome, report.strategy.name()), (Outcome::Migrated, "canary"));
    assert!(!world.effects("billing").contains(&"stop legacy".to_owned()));
}

#[test]
fn a_mode_that_somebody_sets_by_hand_after_the_migration_is_not_called_migrated() {
    let world = World::new();
    world.run(billing(&world).migrate());
    world.run(async {
        controller(&world).await.transition(SystemMode::GradualRollout, "ben", "to compare").await.unwrap()
    });
    let report = world.run(fleet(&world).run());
    let system = report.system("billing").unwrap();
    assert_eq!(system.outcome, Outcome::UnderWay, "new does not serve alone, by the record");
    assert!(system.interrupted.as_ref().unwrap().contains("it is gradual_rollout now"), "{system:?}");
    let stopped = report.stopped.as_ref().unwrap().to_string();
    assert_eq!(stopped, "billing has not ended; its report says why", "running again would not help");
    let checked = world.builder(&inventory(&["billing"], BLUE_GREEN)).checklists(passing()).build().unwrap();
    let refused = world.run(checked.system("billing").unwrap().decommission("ana", "done")).unwrap_err();
    assert!(matches!(refused, OperateError::NotNow { outcome: Outcome::UnderWay, .. }), "{refused}");
    assert!(world.machine("billing").legacy_exists);
    // Whoever puts it back has it migrated again.
    world.run(async { controller(&world).await.transition(SystemMode::NewOnly, "ben", "compared").await.unwrap() });
    assert_eq!(world.run(billing(&world).migrate()).outcome, Outcome::Migrated);
}

#[test]
fn what_cannot_be_read_to_its_end_is_not_called_migrated() {
    let world = World::new();
    world.run(billing(&world).migrate());
    let newer = serde_json::json!({ "fleet": 2, "event": "something" });
    world.run(async {
        let proposal = cutover::control::Proposal::new().note(cutover::control::Note::Step).evidence(newer);
        controller(&world).await.propose(&proposal, "ben", "a newer version").await.unwrap();
    });
    for report in [world.run(billing(&world).report()), world.run(billing(&world).migrate())] {
        assert!(report.interrupted.unwrap().contains("cannot read"));
        assert_eq!(report.outcome, Outcome::UnderWay, "nobody knows what the newer version has done");
    }
    let report = world.run(billing(&world).recover("ben", "wrong totals")).unwrap();
    let reason = report.failure.unwrap().reason;
    assert!(reason.starts_with("called off without the store: the audit has an entry"), "{reason}");
    assert_eq!(world.machine("billing").share, Percentage::ZERO);
}
