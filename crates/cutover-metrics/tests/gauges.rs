//! Gauges say what the status of a controller and the report of a guard say at the moment of the scrape, and end with their
//! watch.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use cutover::clock::{Clock, Instant};
use cutover::control::HealthState;
use cutover::guard::GuardVerdict;
use cutover::testing::{Fault, ManualClock};
use cutover::{MemoryStore, MigrationController, MigrationRegistry, Percentage, SystemMode};
use futures::executor::block_on;

mod common;

use common::world::World;
use common::{Exported, Scrape, number};

const PRICES: (&str, &str) = ("migration", "prices");

/// The names among `names` whose series of `metric` is 1; all others have to be 0.
fn holds<'a>(scrape: &Scrape, metric: &str, label: &str, names: &[&'a str]) -> Vec<&'a str> {
    let value = |name: &str| scrape.value(metric, &[PRICES, (label, name)]).unwrap();
    assert!(names.iter().all(|name| [0.0, 1.0].contains(&value(name))));
    names.iter().copied().filter(|name| value(name) > 0.0).collect()
}

const CONDITIONS: [&str; 4] = ["stale", "assumed", "unpersisted_emergency", "doubt"];

#[test]
fn mode_rollout_share_and_epoch_are_those_of_the_status() {
    let world = World::new();
    let modes = SystemMode::ALL.map(SystemMode::name);
    for mode in [SystemMode::Parallel, SystemMode::GradualRollout, SystemMode::NewOnly] {
        world.enter(mode);
        let (scrape, status) = (world.exported.scrape(), world.prices.status());
        assert_eq!(holds(&scrape, "cutover_mode", "mode", &modes), [mode.name()]);
        assert_eq!(scrape.value("cutover_rollout_ratio", &[PRICES]), Some(status.rollout.percent() / 100.0));
        assert_eq!(scrape.value("cutover_shadow_share_ratio", &[PRICES]), Some(0.875));
        assert_eq!(scrape.value("cutover_epoch", &[PRICES]), Some(number(status.epoch)));
    }
}

#[test]
fn conditions_show_a_lost_store_and_an_emergency_that_it_did_not_take() {
    let world = World::new();
    world.enter(SystemMode::Parallel);
    world.runtime.clock().advance(Duration::from_secs(7));
    let scrape = world.exported.scrape();
    assert_eq!(scrape.value("cutover_state_age_seconds", &[PRICES]), Some(7.0));
    assert!(holds(&scrape, "cutover_condition", "condition", &CONDITIONS).is_empty());

    world.store.set_standing(Some(Fault::Unavailable));
    drop(world.prices.emergency_rollback("ben", "wrong totals"));
    world.runtime.run_until_idle();
    let scrape = world.exported.scrape();
    assert_eq!(holds(&scrape, "cutover_condition", "condition", &CONDITIONS), ["stale", "unpersisted_emergency"]);
    assert_eq!(scrape.value("cutover_emergencies_total", &[PRICES]), Some(1.0));
}

#[test]
fn health_is_that_of_the_status() {
    let world = World::new();
    world.runtime.run(world.prices.check_health_now());
    let (scrape, health) = (world.exported.scrape(), world.prices.status().health.unwrap());
    for (side, state) in [("legacy", health.legacy.unwrap().state), ("new", health.new.unwrap().state)] {
        for name in ["unknown", "healthy", "failing"] {
            let value = scrape.value("cutover_health_state", &[PRICES, ("side", side), ("health_state", name)]);
            assert_eq!(value, Some(f64::from(u8::from(name == state.name()))), "{side} {name}");
        }
    }
    assert_eq!(health.new.unwrap().state, HealthState::Failing);
    let failed = [PRICES, ("side", "new"), ("outcome", "failed")];
    assert_eq!(scrape.value("cutover_health_checks_total", &failed), Some(1.0));
}

#[test]
fn evidence_is_that_of_the_last_report() {
    let world = World::new();
    world.enter(SystemMode::Parallel);
    for _ in 0..3 {
        world.runtime.clock().advance(Duration::from_secs(1));
        world.runtime.run_until_idle();
    }
    let (scrape, report) = (world.exported.scrape(), world.guard.report().unwrap());
    let value = |metric: &str, evidence: &str, subject: &str| {
        scrape.value(metric, &[PRICES, ("evidence", evidence), ("subject", subject)])
    };
    let (strength, threshold) = ("cutover_evidence_strength", "cutover_evidence_threshold");
    let mut told = 0;
    for found in &report.triggers {
        let name = found.trigger.name();
        assert_eq!(value(strength, "regression", name), found.strength.map(|found| found.ln_e), "{name}");
        assert_eq!(value(strength, "alarm", name), found.strength.map(|found| found.ln_alarm), "{name}");
        assert_eq!(value(threshold, "regression", name), found.strength.and_then(|found| found.ln_threshold), "{name}");
        told += 2 * usize::from(found.strength.is_some());
    }
    for found in &report.criteria {
        let name = found.criterion.name();
        assert_eq!(value(strength, "promotion", name), Some(found.ln_e), "{name}");
        assert_eq!(value(threshold, "promotion", name), Some(found.ln_threshold), "{name}");
        told += 1;
    }
    assert_eq!(scrape.samples(strength).len(), told);
    assert!(told > 6);
    let verdicts = holds(&scrape, "cutover_guard_verdict", "verdict", &["healthy", "inconclusive", "regressed"]);
    assert_eq!(verdicts, [name_of(report.verdict)]);
}

fn name_of(verdict: GuardVerdict) -> &'static str {
    match verdict {
        GuardVerdict::Healthy => "healthy",
        GuardVerdict::Inconclusive => "inconclusive",
        GuardVerdict::Regressed => "regressed",
    }
}

fn open(id: &str) -> MigrationController {
    block_on(MigrationController::builder(id, MemoryStore::new()).manual_refresh().open()).unwrap()
}

fn migrations(scrape: &Scrape) -> Vec<String> {
    scrape.samples("cutover_epoch").iter().map(|sample| sample.labels["cutover_migration"].clone()).collect()
}

#[test]
fn a_registry_tells_of_those_that_are_in_it_at_the_moment() {
    let (exported, registry) = (Exported::new(), MigrationRegistry::new());
    let metrics = exported.observer();
    registry.register(open("cart"), &[]).unwrap();
    let watch = metrics.observe_registry(&registry);
    assert_eq!(migrations(&exported.scrape()), ["cart"]);
    registry.register(open("payment"), &[]).unwrap();
    assert_eq!(migrations(&exported.scrape()), ["cart", "payment"]);
    registry.remove("cart");
    assert_eq!(migrations(&exported.scrape()), ["payment"]);
    drop(watch);
    assert!(migrations(&exported.scrape()).is_empty());
}

#[test]
fn gauges_end_with_their_watch_unless_it_is_kept() {
    let exported = Exported::new();
    let metrics = exported.observer();
    let (cart, payment) = (open("cart"), open("payment"));
    let watch = metrics.observe_controller(&cart);
    metrics.observe_controller(&payment).keep();
    drop(metrics);
    assert_eq!(migrations(&exported.scrape()), ["cart", "payment"]);
    drop(watch);
    assert_eq!(migrations(&exported.scrape()), ["payment"]);
}

#[test]
fn a_migration_that_is_watched_counts_from_zero() {
    let exported = Exported::new();
    exported.observer().observe_controller(&open("cart")).keep();
    let scrape = exported.scrape();
    assert_eq!(scrape.value("cutover_emergencies_total", &[("migration", "cart")]), Some(0.0));
    let parallel = [("migration", "cart"), ("mode", "parallel")];
    assert_eq!(scrape.value("cutover_transitions_total", &parallel), Some(0.0));
}

/// Panics from some moment on.
#[derive(Debug, Clone)]
struct BrokenClock(Arc<ManualClock>, Arc<AtomicBool>);

impl Clock for BrokenClock {
    fn now(&self) -> Instant {
        if self.1.load(Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("planned"));
        }
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }
}

#[test]
fn a_clock_that_panics_costs_the_gauges_of_its_migration_only() {
    let exported = Exported::new();
    let metrics = exported.observer();
    let broken = BrokenClock(Arc::new(ManualClock::new()), Arc::default());
    let builder = MigrationController::builder("cart", MemoryStore::new()).manual_refresh().clock(broken.clone());
    let (cart, payment) = (block_on(builder.open()).unwrap(), open("payment"));
    metrics.observe_controller(&cart).keep();
    metrics.observe_controller(&payment).keep();
    metrics.observe_guard("payment", || panic!("planned")).keep();
    broken.1.store(true, Ordering::Relaxed);
    let _silent = exported.scrape();
    let scrape = exported.scrape();
    assert_eq!(migrations(&scrape), ["payment"]);
    assert!(scrape.sum("cutover_metrics_unread_total", &[]) >= 7.0);
}

#[test]
fn a_migration_beyond_the_limit_of_names_has_no_gauges() {
    let exported = Exported::new();
    let metrics = exported.build(cutover_metrics::MetricsObserver::builder().max_names(1));
    let (cart, payment) = (open("cart"), open("payment"));
    metrics.observe_controller(&cart).keep();
    metrics.observe_controller(&payment).keep();
    assert_eq!(migrations(&exported.scrape()), ["cart"]);
}

#[test]
fn a_status_is_read_without_asking_the_store() {
    let world = World::new();
    let before = world.store.calls();
    assert_eq!(world.prices.status().rollout, Percentage::ZERO);
    let _scrape = world.exported.scrape();
    assert_eq!(world.store.calls(), before);
}
