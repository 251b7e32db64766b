//! A checklist lets nothing pass that it does not know: no check, a panic, a hang are errors, and a waiver has a name.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cutover_fleet::{
    BackupExists, Check, CheckResult, ChecklistError, Checklists, FailureKind, Finding, FleetError, HostError,
    ItemResult, NoRegression, Outcome, SystemReport, ValidationPassed, View, Vitals, When, async_trait,
};
use world::{BLUE_GREEN, Machine, World, inventory, passing};

fn migrate(world: &World, lists: Checklists) -> SystemReport {
    let fleet = world.builder(&inventory(&["billing"], BLUE_GREEN)).checklists(lists).build().unwrap();
    world.run(fleet.system("billing").unwrap().migrate())
}

fn only(when: When, check: impl Check + 'static) -> Checklists {
    Checklists::empty().item(when, "item").unwrap().check(when, "item", check).unwrap()
}

fn reason(world: &World, check: impl Check + 'static) -> String {
    let report = migrate(world, only(When::Before, check));
    let failure = report.failure.unwrap();
    assert_eq!((report.outcome, failure.kind), (Outcome::Blocked, FailureKind::Checklist));
    assert_eq!(world.effects("billing"), Vec::<String>::new());
    failure.reason
}

#[test]
fn the_presets_are_the_lists_of_a_migration() {
    let lists = Checklists::preset();
    let items = |when| lists.items(when).collect::<Vec<_>>().join(" ");
    assert_eq!(
        items(When::Before),
        "backup_exists tests_passing dependencies_mapped rollback_plan monitoring_setup team_notified"
    );
    assert_eq!(items(When::During), "unit_tests integration_tests no_performance_regression parallel_validation");
    assert_eq!(items(When::After), "features performance documentation team");
    assert_eq!(items(When::Cleanup), "code infrastructure documentation");
}

#[test]
fn an_item_without_a_check_does_not_pass() {
    let world = World::new();
    let report = migrate(&world, Checklists::preset());
    assert_eq!(report.outcome, Outcome::Blocked);
    let reason = report.failure.unwrap().reason;
    assert!(reason.starts_with("backup_exists: error: it has no check: give it one, or waive it"), "{reason}");
    assert_eq!(world.lock().calls.iter().filter(|(what, _)| what == "load").count(), 0);
}

#[test]
fn a_check_that_fails_panics_or_hangs_never_passes() {
    let failing = |_: &str| async { Ok(Finding::Fail("two tests are red".to_owned())) };
    assert_eq!(reason(&World::new(), failing), "item: fail: two tests are red");
    let unknown = |_: &str| async { Err(HostError::new("the build server does not answer")) };
    assert_eq!(reason(&World::new(), unknown), "item: error: the build server does not answer");
    let panics = |name: &str| -> std::future::Ready<Result<Finding, HostError>> { panic!("no {name}") };
    assert_eq!(reason(&World::new(), panics), "item: error: it panicked: no billing");
    let hangs = |_: &str| std::future::pending::<Result<Finding, HostError>>();
    assert_eq!(reason(&World::new(), hangs), "item: error: it took longer than 60s");
}

#[test]
fn what_is_mended_passes_with_the_next_run() {
    let world = World::new();
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let second_time = move |_: &str| {
        let time = counter.fetch_add(1, Ordering::Relaxed);
        async move { Ok(Finding::when(time > 0, || "not yet".to_owned())) }
    };
    let lists = only(When::Before, second_time);
    assert_eq!(migrate(&world, lists.clone()).outcome, Outcome::Blocked);
    assert_eq!(migrate(&world, lists).outcome, Outcome::Migrated);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_waived_is_not_checked_and_is_on_the_record() {
    let world = World::new();
    let panics = |_: &str| -> std::future::Ready<Result<Finding, HostError>> { panic!("nobody asks") };
    let lists = only(When::Before, panics).waive(When::Before, "item", "bill*", "ana", "checked by hand").unwrap();
    assert_eq!(migrate(&world, lists).outcome, Outcome::Migrated);
    let audit = world.audit("billing");
    let evidence: Vec<String> = audit.iter().filter_map(|entry| Some(entry.evidence.as_ref()?.to_string())).collect();
    let waived = r#"{"actor":"ana","item":"item","reason":"checked by hand","result":"waived"}"#;
    assert!(evidence.iter().any(|evidence| evidence.contains(waived)), "{evidence:?}");
}

#[test]
fn a_list_that_fails_when_new_runs_takes_the_migration_back_before_it_has_traffic() {
    let world = World::new();
    let failing = |_: &str| async { Ok(Finding::Fail("slower".to_owned())) };
    let report = migrate(&world, only(When::During, failing));
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert_eq!(world.effects("billing"), ["deploy", "switch 0%", "start legacy", "stop new"]);
}

#[test]
fn all_lists_of_a_fleet_can_pass() {
    assert_eq!(migrate(&World::new(), passing()).outcome, Outcome::Migrated);
}

#[test]
fn wrong_items_and_waivers_are_errors_that_say_what_is_there() {
    let missing = Checklists::preset().check(When::Cleanup, "cod", BackupExists).unwrap_err();
    assert_eq!(missing.to_string(), "the list cleanup has no item `cod`; it has code, infrastructure, documentation");
    let unsaid = Checklists::preset().waive(When::After, "team", "*", "ana", " ").unwrap_err();
    assert!(matches!(unsaid, ChecklistError::Unsaid { .. }));
    let twice = Checklists::preset().item(When::After, "team").unwrap_err();
    assert!(matches!(twice, ChecklistError::Name { .. }));
    let nobody = Checklists::preset().waive(When::After, "team", "biling", "ana", "told").unwrap();
    let built = World::new().builder(&inventory(&["billing"], BLUE_GREEN)).checklists(nobody).build();
    let error = built.map(drop).unwrap_err();
    assert!(matches!(error, FleetError::Waiver(_)));
    assert_eq!(error.to_string(), "a waiver does not fit: the pattern `biling` matches no system; there are billing");
}

/// Tries everything that a view offers.
struct Nosy;

#[async_trait]
impl Check for Nosy {
    async fn check(&self, view: &View<'_>) -> Result<Finding, HostError> {
        let _ = (view.system(), view.mode(), view.validation(), view.baseline());
        view.latest_backup().await?;
        view.vitals(cutover::Side::New).await?;
        Ok(Finding::Pass)
    }
}

#[test]
fn a_check_can_look_and_do_nothing_else() {
    let world = World::new();
    let before = world.machine("billing");
    let fleet =
        world.builder(&inventory(&["billing"], BLUE_GREEN)).checklists(only(When::After, Nosy)).build().unwrap();
    let found: Vec<ItemResult> = world.run(fleet.system("billing").unwrap().check_now(When::After)).unwrap();
    assert_eq!(found[0].result, CheckResult::Pass);
    assert_eq!(world.machine("billing"), before);
    assert!(world.audit("billing").is_empty());
}

#[test]
fn the_checks_that_come_along_know_when_they_do_not_know() {
    let slow =
        |p95| Machine { new: vec![Some(Vitals::healthy().p95(Duration::from_millis(p95)))], ..Machine::default() };
    let regression = || only(When::During, NoRegression { latency_change_at_most: 0.10 });
    let outcome = |machine, lists| migrate(&World::with([("billing", machine)]), lists).outcome;
    assert_eq!(outcome(slow(105), regression()), Outcome::Migrated);
    assert_eq!(outcome(slow(150), regression()), Outcome::RolledBack, "plus is slower");
    let unmeasured = Machine { new: vec![Some(Vitals::healthy())], ..Machine::default() };
    assert_eq!(outcome(unmeasured, regression()), Outcome::RolledBack);
    let validated = |at_least| only(When::During, ValidationPassed { at_least });
    assert_eq!(outcome(Machine::default(), validated(0.9)), Outcome::Migrated);
    assert_eq!(outcome(Machine::default(), validated(0.95)), Outcome::RolledBack);
    assert_eq!(reason(&World::new(), BackupExists), "item: fail: there is no backup: make one first");
}

/// Many items that all find a lot to say.
fn many(when: When, items: usize, finding: impl Fn() -> Finding + Send + Sync + Copy + 'static) -> Checklists {
    (0..items).fold(Checklists::empty(), |lists, number| {
        let name = format!("item {number}");
        let check = move |_: &str| async move { Ok(finding()) };
        lists.item(when, &name).unwrap().check(when, &name, check).unwrap()
    })
}

#[test]
fn a_list_with_more_to_say_than_the_audit_takes_still_ends_the_migration() {
    let long = || Finding::Fail("\"ü\u{1f4a5}".repeat(200));
    for (items, all_are_named) in [(90, true), (2_000, false)] {
        let world = World::new();
        let report = migrate(&world, many(When::During, items, long));
        assert_eq!((report.outcome, report.interrupted), (Outcome::RolledBack, None));
        assert!(!world.machine("billing").new_runs);
        let audit = world.audit("billing");
        let checks = audit.iter().find_map(|entry| entry.evidence.as_ref()?.get("found")?.get("checks").cloned());
        let checks: Vec<ItemResult> = serde_json::from_value(checks.unwrap()).unwrap();
        assert_eq!(checks.len() == items, all_are_named);
        let named = checks.len() - usize::from(!all_are_named);
        let last = checks.last().unwrap().to_string();
        let left_out = format!("{0} more items: error: left out of the audit; {0} of them did not pass", items - named);
        assert!(all_are_named || last == left_out, "{last}");
    }
}

#[test]
fn a_long_list_that_passes_passes() {
    let world = World::new();
    let lists = many(When::After, 2_000, || Finding::Pass);
    assert_eq!(migrate(&world, many(When::Before, 2_000, || Finding::Pass)).outcome, Outcome::Migrated);
    let fleet = world.builder(&inventory(&["billing"], BLUE_GREEN)).checklists(lists).build().unwrap();
    let report = world.run(fleet.system("billing").unwrap().decommission("ana", "done")).unwrap();
    assert_eq!(report.outcome, Outcome::Decommissioned);
    assert!(report.after.iter().all(|item| item.result == CheckResult::Pass));
    let lists = many(When::Cleanup, 2_000, || Finding::Fail("x".repeat(400)));
    let fleet = world.builder(&inventory(&["billing"], BLUE_GREEN)).checklists(lists).build().unwrap();
    let found = world.run(fleet.system("billing").unwrap().clean_up("ana", "tidy")).unwrap();
    assert_eq!(found.len(), 2_000, "who asks hears all of it");
}
