//! Direct is the strategy with a downtime: it wants somebody to know, and a backup, and it puts that back.

mod world;

use std::time::Duration;

use cutover::{Percentage, Runtime};
use cutover_fleet::{FailureKind, OperateError, Outcome, PartResult, RecoveryPart, Strategy, StrategyError, Vitals};
use world::{DIRECT, Machine, World, host, inventory};

fn backed_up(machine: Machine) -> World {
    World::with([("billing", Machine { backups: vec![host::backup()], ..machine })])
}

#[test]
fn nobody_migrates_directly_without_somebody_who_knows() {
    assert_eq!(Strategy::direct(" "), Err(StrategyError::NotAcknowledged));
    let unsaid = serde_json::from_str::<Strategy>(r#"{ "name": "direct" }"#).unwrap_err();
    assert!(unsaid.to_string().starts_with("the strategy direct has to be acknowledged"));
}

#[test]
fn a_missing_backup_refuses_and_changes_nothing() {
    let world = World::new();
    let fleet = world.fleet(&inventory(&["billing"], DIRECT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!(report.outcome, Outcome::Blocked);
    assert_eq!(report.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::MissingBackup));
    assert_eq!(world.effects("billing"), Vec::<String>::new());
    let calls: Vec<String> = world.lock().calls.iter().map(|(what, _)| what.clone()).collect();
    assert!(!calls.contains(&"create".to_owned()), "what looks for a backup never makes one");
    // With one, the next run goes on by itself.
    let migrator = fleet.system("billing").unwrap();
    world.run(migrator.back_up("ana", "before the migration")).unwrap();
    assert_eq!(world.run(migrator.migrate()).outcome, Outcome::Migrated);
}

#[test]
fn legacy_is_stopped_when_new_is_ready_and_the_downtime_is_counted() {
    let world = backed_up(Machine::default());
    world.lock().takes = Duration::from_secs(8);
    let fleet = world.fleet(&inventory(&["billing"], DIRECT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!(report.outcome, Outcome::Migrated);
    assert_eq!(world.effects("billing"), ["deploy", "stop legacy", "switch 100%"]);
    assert_eq!(report.downtime, Duration::from_secs(16), "stopping legacy and switching");
}

#[test]
fn the_way_back_starts_legacy_and_puts_the_backup_back() {
    let world = backed_up(Machine { new: vec![Some(Vitals::unhealthy())], ..Machine::default() });
    let fleet = world.fleet(&inventory(&["billing"], DIRECT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!(report.outcome, Outcome::RolledBack);
    let back = ["switch 0%", "start legacy", "restore", "stop new"];
    assert_eq!(world.effects("billing")[3..], back);
    let machine = world.machine("billing");
    assert_eq!((machine.share, machine.legacy_runs, machine.restored), (Percentage::ZERO, true, 1));
}

#[test]
fn a_backup_that_cannot_be_put_back_is_a_failed_recovery() {
    let world = backed_up(Machine { new: vec![Some(Vitals::unhealthy())], ..Machine::default() });
    world.break_call("restore", "billing");
    let fleet = world.fleet(&inventory(&["billing"], DIRECT));
    let report = world.run(fleet.system("billing").unwrap().migrate());
    assert_eq!(report.outcome, Outcome::Failed);
    let failure = report.failure.unwrap();
    let restore = failure.recovery.iter().find(|part| part.part == RecoveryPart::Restore).unwrap();
    assert_eq!(restore.result, PartResult::Failed { reason: "restore fails".to_owned() });
    assert_eq!(world.lock().escalated, ["billing"]);
}

#[test]
fn the_downtime_of_the_way_back_is_counted_until_legacy_is_started() {
    let sick = || backed_up(Machine { new: vec![Some(Vitals::unhealthy())], ..Machine::default() });
    let downtime = |world: &World| {
        world.lock().takes = Duration::from_secs(8);
        let fleet = world.fleet(&inventory(&["billing"], DIRECT));
        world.run(fleet.system("billing").unwrap().migrate()).downtime
    };
    assert_eq!(downtime(&sick()), Duration::from_secs(16 + 8), "there, and starting legacy");
    let world = sick();
    world.break_call("start legacy", "billing");
    assert!(downtime(&world) > Duration::from_secs(16 + 8), "legacy never came up");
    world.heal();
    let migrator = world.fleet(&inventory(&["billing"], DIRECT)).system("billing").unwrap();
    let failed = world.run(migrator.report()).downtime;
    world.run(async { world.runtime.sleep(Duration::from_secs(3_600)).await });
    let report = world.run(migrator.recover("ben", "legacy can be started")).unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert!(report.downtime >= failed + Duration::from_secs(3_600), "it was down for another hour");
}

#[test]
fn the_backup_on_which_a_migration_rests_is_not_replaced_by_one_of_what_new_has_written() {
    let world = backed_up(Machine::default());
    let fleet = world.fleet(&inventory(&["billing"], DIRECT));
    let migrator = fleet.system("billing").unwrap();
    world.run(migrator.migrate());
    let refused = world.run(migrator.back_up("ana", "to be safe")).unwrap_err();
    assert!(matches!(refused, OperateError::BackupInUse), "{refused}");
    assert!(refused.to_string().contains("may hold what new has written"), "{refused}");
    assert_eq!(world.machine("billing").backups.len(), 1, "none was made");
    assert!(!world.events("billing").contains(&"backed_up".to_owned()));
    // Where legacy serves again, its data are what counts.
    world.run(migrator.recover("ben", "wrong totals")).unwrap();
    world.run(migrator.back_up("ana", "before the next try")).unwrap();
}

#[test]
fn a_backup_that_is_ready_after_legacy_was_stopped_is_not_the_one_that_counts() {
    let world = backed_up(Machine { new: vec![None], ..Machine::default() });
    world.lock().takes = Duration::from_secs(4);
    let migrator = world.fleet(&inventory(&["billing"], DIRECT)).system("billing").unwrap();
    let late = world.fleet(&inventory(&["billing"], DIRECT)).system("billing").unwrap();
    let (report, backup) = world.run(futures::future::join(migrator.migrate(), async {
        while !world.lock().calls.iter().any(|(what, _)| what == "verify new") {
            world.runtime.sleep(Duration::from_millis(100)).await;
        }
        late.back_up("ana", "to be safe").await
    }));
    assert!(matches!(backup, Err(OperateError::BackupInUse)), "{backup:?}");
    assert_eq!(world.machine("billing").backups.len(), 2, "it was made, and is not used");
    assert_eq!((report.outcome, world.machine("billing").restored), (Outcome::RolledBack, 1));
}
