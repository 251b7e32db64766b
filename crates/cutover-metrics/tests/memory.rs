//! A million keys, and names without end, make no series and take no memory.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::{Mutex, PoisonError};

use cutover::observe::{Event, Observer};
use cutover::{DualRunner, Equality, MemoryStore, MigrationController, Percentage, SystemMode};
use cutover_metrics::MetricsObserver;
use futures::executor::block_on;

mod common;

use common::{Exported, count};

/// The memory of the process is measured by one test at a time.
static MEASURING: Mutex<()> = Mutex::new(());

/// The bytes that `calls` leaves behind: those that this thread still holds, and those by which the process has grown.
fn growth(calls: impl FnOnce()) -> (i64, usize) {
    let process = || memory_stats::memory_stats().unwrap().physical_mem;
    let before = process();
    let held = allocation_counter::measure(calls).bytes_current;
    (held, process().saturating_sub(before))
}

/// What a reserve of the allocator may come to.
const LITTLE: usize = 1 << 20;

fn rolled_out(metrics: &MetricsObserver) -> MigrationController {
    block_on(async {
        let builder = MigrationController::builder("prices", MemoryStore::new()).manual_refresh();
        let controller = builder.observe(metrics.clone()).open().await.unwrap();
        controller.transition(SystemMode::GradualRollout, "ana", "go").await.unwrap();
        controller.set_rollout(Percentage::new(50.0).unwrap(), "ana", "half").await.unwrap();
        controller.set_shadow_share(Some(Percentage::HUNDRED), "ana", "compare").await.unwrap();
        controller
    })
}

#[test]
fn a_million_keys_make_no_series_and_take_no_memory() {
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let exported = Exported::new();
    let metrics = exported.observer();
    let price = DualRunner::builder("price", rolled_out(&metrics)).comparator(Equality).observe(metrics).build();
    let mut key = 0_u64;
    let mut half_a_million_calls = || {
        for _ in 0..500_000 {
            key += 1;
            let answer = if key % 100 == 0 { 2 } else { 1 };
            let new = if key % 50 == 1 { Err("a reason that nobody counted on") } else { Ok(answer) };
            let _answered = price.run_sync(key, || Ok(1), || new);
        }
    };
    half_a_million_calls();
    let series = exported.scrape().len();
    let (held, grown) = growth(half_a_million_calls);
    assert_eq!(exported.scrape().len(), series);
    assert!(held == 0 && grown < LITTLE, "{held} bytes are held, and the process has {grown} more");
    let scrape = exported.scrape();
    assert_eq!(count(scrape.sum("cutover_comparisons_total", &[("runner", "price")])), 1_000_000);
    assert_eq!(price.counts().ended(), 1_000_000);
    assert!(scrape.sum("cutover_calls_total", &[("side", "new"), ("outcome", "err")]) >= 20_000.0);
    assert!(!exported.text().contains("nobody counted"), "the text of an error is a label");
}

#[test]
fn names_beyond_the_limit_take_no_memory() {
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let exported = Exported::new();
    let metrics = exported.build(MetricsObserver::builder().max_names(8));
    let mut name = 0_u64;
    let mut names = || {
        for _ in 0..200_000 {
            name += 1;
            metrics.observe(&name.to_string(), &Event::BreakerClosed);
            metrics.for_migration(&name.to_string()).observe("price", &Event::BreakerClosed);
        }
    };
    names();
    let (held, grown) = growth(names);
    assert!(held == 0 && grown < LITTLE, "{held} bytes are held, and the process has {grown} more");
    assert_eq!(exported.scrape().samples("cutover_breaker_open").len(), 9);
}
