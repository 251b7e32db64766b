//! Names make no more series than there is room for, and no label holds what a caller sent.

use std::time::Duration;

use cutover::observe::{Event, Observer, Sample};
use cutover::{DualRunner, Equality, Outcome, Route, Side, SystemMode, Verdict};
use cutover_metrics::{METRICS, MetricsObserver};

mod common;

use common::{Exported, count, prometheus_name};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

/// All that a runner can tell.
fn tell_everything(metrics: &MetricsObserver, name: &str) {
    let started = cutover::clock::Instant::from_nanos(0);
    for legacy in Outcome::ALL {
        for new in Outcome::ALL {
            for (serve, fell_back) in [(Side::Legacy, false), (Side::New, false), (Side::New, true)] {
                let sample = |side, outcome| Sample::new(side, outcome, Duration::from_millis(3));
                let route = Route::new(SystemMode::GradualRollout, serve).with_shadow();
                let (legacy, new) = (sample(Side::Legacy, legacy), sample(Side::New, new));
                let (key, both, verdict) = (Some(7), true, Verdict::Matched);
                metrics.observe(name, &Event::Compared { route, started, both, key, legacy, new, verdict, fell_back });
            }
        }
    }
    metrics.observe(name, &Event::ModeChanged { from: SystemMode::LegacyOnly, to: SystemMode::Parallel, epoch: 1 });
}

#[test]
fn names_beyond_the_limit_share_one_and_are_counted() {
    let exported = Exported::new();
    let metrics = exported.observer();
    let told = |name: usize| tell_everything(&metrics, &format!("runner {name}"));
    (0..64).for_each(told);
    let (scrape, full) = (exported.scrape(), exported.scrape().len());
    assert_eq!(count(scrape.sum("cutover_metrics_unnamed_total", &[])), 0);
    (64..2_000).for_each(told);
    let scrape = exported.scrape();
    assert_eq!(count(scrape.sum("cutover_metrics_unnamed_total", &[])), (2_000 - 64) * 76);
    let others = [("runner", "other"), ("migration", "other")];
    assert_eq!(count(scrape.sum("cutover_calls_total", &others)), (2_000 - 64) * 150);
    assert_eq!(count(scrape.sum("cutover_calls_total", &[])), 2_000 * 150, "no call is lost");
    assert_eq!(scrape.len() - full, full / 64, "as many series as one name has, the meter's own aside");
    assert!(!exported.text().contains("otel_metric_overflow"), "the SDK has room for all of them");
}

#[test]
fn claims_plans_and_refusals_of_as_many_migrations_as_there_is_room_for_fit_into_the_sdk() {
    use cutover::observe::{ClaimEnd, ClaimRefusal, PlanEvent, Refusal};
    let exported = Exported::new();
    let metrics = exported.observer();
    for migration in (0..100).map(|name| format!("migration {name}")) {
        metrics.observe(&migration, &Event::ChangeRefused { why: Refusal::Outdated });
        metrics.observe(&migration, &Event::PlanMoved { event: PlanEvent::Entered, step: Some(1) });
        for side in [Side::Legacy, Side::New] {
            metrics.observe(&migration, &Event::Claimed { side });
            metrics.observe(&migration, &Event::NotClaimed { side, why: ClaimRefusal::Held });
            metrics.observe(&migration, &Event::ClaimEnded { side, end: ClaimEnd::Lost });
        }
    }
    let scrape = exported.scrape();
    for (metric, of_migration) in [
        ("cutover_changes_refused_total", 9),
        ("cutover_plan_events_total", 12),
        ("cutover_claims_total", 2),
        ("cutover_claims_refused_total", 24),
        ("cutover_claims_ended_total", 10),
    ] {
        assert_eq!(scrape.samples(metric).len(), 65 * of_migration, "{metric}");
    }
    assert!(!exported.text().contains("otel_metric_overflow"));
    assert_eq!(count(scrape.sum("cutover_claims_total", &[])), 200, "no claim is lost");
}

#[test]
fn a_name_of_any_text_is_a_legal_label() {
    let exported = Exported::new();
    let metrics = exported.observer();
    let long = "x".repeat(10_000);
    let names = ["a \"quoted\" name", "back\\slash", "two\nlines", "Preis für Öl", "{}", "", &long];
    for name in names {
        tell_everything(&metrics, name);
    }
    let scrape = exported.scrape();
    for name in &names[..5] {
        assert_eq!(count(scrape.sum("cutover_calls_total", &[("runner", name)])), 150, "{name}");
    }
    assert_eq!(count(scrape.sum("cutover_calls_total", &[("runner", "other")])), 300);
}

#[test]
fn a_migration_has_its_runners_apart() {
    let exported = Exported::new();
    let metrics = exported.observer();
    let price = DualRunner::<u32, ()>::builder("price", PARALLEL).comparator(Equality);
    let price = price.observe(metrics.for_migration("prices")).build();
    let stock = DualRunner::<u32, ()>::builder("stock", PARALLEL).comparator(Equality).observe(metrics).build();
    assert_eq!([price.run_sync("a", || Ok(1), || Ok(1)), stock.run_sync("a", || Ok(1), || Ok(2))], [Ok(1), Ok(1)]);
    let scrape = exported.scrape();
    let verdict = |migration, runner, verdict| {
        let labels = [("migration", migration), ("runner", runner), ("verdict", verdict)];
        scrape.value("cutover_comparisons_total", &labels)
    };
    assert_eq!(verdict("prices", "price", "matched"), Some(1.0));
    assert_eq!(verdict("stock", "stock", "mismatched"), Some(1.0), "without a migration, a runner is its own");
    assert_eq!(verdict("price", "price", "matched"), None);
}

#[test]
fn no_metric_has_an_attribute_whose_values_callers_choose() {
    let few = [
        "side",
        "role",
        "outcome",
        "verdict",
        "reason",
        "part",
        "mode",
        "condition",
        "health.state",
        "event",
        "subject",
        "evidence",
    ];
    let names = ["migration", "runner"];
    for metric in METRICS {
        for attribute in metric.attributes {
            let attribute = attribute.strip_prefix("cutover.").unwrap_or_else(|| panic!("{attribute}"));
            assert!(
                few.contains(&attribute) || names.contains(&attribute),
                "{} has {attribute}",
                prometheus_name(&metric)
            );
        }
    }
}

#[test]
fn at_least_one_name_is_told_apart_and_at_most_a_thousand() {
    for (asked, told) in [(0, 1), (1, 1), (3, 3), (5_000, 1_000)] {
        let exported = Exported::new();
        let metrics = exported.build(MetricsObserver::builder().max_names(asked));
        for name in 0..1_200 {
            metrics.observe(&format!("runner {name}"), &Event::BreakerClosed);
        }
        assert_eq!(count(exported.scrape().sum("cutover_metrics_unnamed_total", &[])), 1_200 - told, "{asked}");
    }
}
