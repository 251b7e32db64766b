//! The metrics keep nothing alive that they watch, though a controller tells the observer that watches it.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use cutover::testing::VirtualRuntime;
use cutover::{Claims, Guard, MemoryStore, MigrationController, MigrationRegistry, PlanDriver, RolloutPlan};
use cutover_metrics::MetricsObserver;

mod common;

use common::{Exported, Scrape};

fn open(runtime: &VirtualRuntime, metrics: &MetricsObserver, store: &MemoryStore) -> MigrationController {
    let builder = MigrationController::builder("prices", store.clone()).runtime(runtime.clone()).clock(runtime.clock());
    runtime.run(builder.observe(metrics.clone()).open()).unwrap()
}

fn gauges(scrape: &Scrape) -> usize {
    scrape.samples("cutover_epoch").len()
}

#[test]
fn a_controller_ends_with_its_last_handle_though_it_is_watched_for_ever_by_its_own_observer() {
    let (exported, runtime) = (Exported::new(), VirtualRuntime::new());
    let metrics = exported.observer();
    let prices = open(&runtime, &metrics, &MemoryStore::new());
    metrics.observe_controller(&prices).keep();
    let watch = metrics.observe_controller(&prices);
    let watched = prices.downgrade();
    assert_eq!(gauges(&exported.scrape()), 1);
    drop(prices);
    assert!(watched.upgrade().is_none(), "the metrics keep it alive");
    assert_eq!(gauges(&exported.scrape()), 0, "its gauges end with it");
    let again = open(&runtime, &metrics, &MemoryStore::new());
    metrics.observe_controller(&again).keep();
    assert_eq!(gauges(&exported.scrape()), 1, "one that is opened later has them anew");
    drop(watch);
}

#[test]
fn a_registry_ends_with_its_last_handle_and_so_does_what_is_in_it() {
    let (exported, runtime) = (Exported::new(), VirtualRuntime::new());
    let metrics = exported.observer();
    let (registry, prices) = (MigrationRegistry::new(), open(&runtime, &metrics, &MemoryStore::new()));
    let watched = prices.downgrade();
    registry.register(prices, &[]).unwrap();
    metrics.observe_registry(&registry).keep();
    assert_eq!(gauges(&exported.scrape()), 1);
    drop(registry);
    assert!(watched.upgrade().is_none(), "the metrics keep it alive");
    assert_eq!(gauges(&exported.scrape()), 0);
}

#[test]
fn the_reports_of_a_driver_can_be_watched_without_keeping_it() {
    let (exported, runtime, store) = (Exported::new(), VirtualRuntime::new(), MemoryStore::new());
    let metrics = exported.observer();
    let prices = open(&runtime, &metrics, &store);
    let watched = prices.downgrade();
    let claims = Claims::new(&prices, store, "a host").unwrap();
    let evidence = Arc::new(common::world::Steady);
    let driver = PlanDriver::new(RolloutPlan::five_week_ramp(), &prices, claims, evidence, Guard::default());
    let reports = driver.reports();
    metrics.observe_guard("prices", move || reports()?.guard).keep();
    runtime.run(driver.look_once());
    assert_eq!(exported.scrape().samples("cutover_guard_verdict").len(), 3);
    drop((driver, prices));
    runtime.run_until_idle();
    assert!(watched.upgrade().is_none(), "the metrics keep it alive");
    assert!(exported.scrape().samples("cutover_guard_verdict").is_empty());
}
