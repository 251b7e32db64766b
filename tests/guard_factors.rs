//! Slow calls are judged by the factor they were counted by, or not at all.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod guard_common;

use std::sync::Arc;
use std::time::Duration;

use cutover::guard::{Action, Criterion, Guard, GuardReport, GuardVerdict, Note, RollbackTriggers, Trigger};
use cutover::monitor::{Baseline, LatencyFactors, PerformanceMonitorBuilder};
use cutover::testing::ManualClock;
use cutover::{Clock, DualRunner, Equality, PerformanceMonitor, PromotionCriteria, Route, Side, SystemMode};
use guard_common::{Watched, present};

fn limit_of_p95(limit: f64) -> RollbackTriggers {
    RollbackTriggers::builder().limit(Trigger::P95, limit).build().unwrap()
}

fn change_of_p95(change: f64) -> PromotionCriteria {
    PromotionCriteria::builder().p95_change_at_most(change).build().unwrap()
}

/// As it stands in the audit.
fn read_back(report: &GuardReport) -> GuardReport {
    serde_json::from_str(&report.evidence().to_string()).unwrap()
}

/// What a guard says of 200 calls of new that take three times the p95 of legacy, after each of them a look.
fn calls_three_times_as_long(
    mut guard: Guard,
    of: impl FnOnce(PerformanceMonitorBuilder) -> PerformanceMonitorBuilder,
) -> GuardReport {
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(1_000));
    let p95 = Duration::from_millis(100);
    let baseline = Baseline { p95, calls: 10_000, calls_per_second: 10.0, error_rate: 0.0 };
    let monitor = of(PerformanceMonitor::builder().clock(clock.clone()).baseline(baseline)).build().unwrap();
    let monitor = Arc::new(monitor);
    let mut route = Route::new(SystemMode::NewOnly, Side::New);
    route.epoch = 1;
    let runner = DualRunner::<u32, ()>::builder("prices", route)
        .comparator(Equality)
        .clock(clock.clone())
        .observe(Arc::clone(&monitor))
        .build();
    let takes = Duration::from_millis(300);
    let mut look = || guard.look(&*monitor, present(1, SystemMode::NewOnly, 100.0), clock.now());
    for call in 0..200_u64 {
        let new = || {
            clock.advance(takes);
            Ok(7)
        };
        runner.run_sync(call, || Ok(7), new).unwrap();
        let report = look();
        if report.action.is_some() {
            return report;
        }
    }
    look()
}

#[test]
fn with_another_limit_than_the_monitor_counts_by_the_p95_is_held() {
    let guard = Guard::new(limit_of_p95(4.0), PromotionCriteria::default());
    let report = calls_three_times_as_long(guard, |monitor| monitor);
    assert_eq!(report.action, None, "{report}");
    let p95 = report.trigger(Trigger::P95).unwrap();
    assert_eq!((p95.verdict, p95.counted_beyond), (GuardVerdict::Inconclusive, Some(2.0)), "{report}");
    assert!(p95.events > 150 && p95.strength.unwrap().ln_alarm > p95.strength.unwrap().ln_alarm_threshold, "{report}");
    assert_ne!(report.verdict, GuardVerdict::Healthy, "{report}");
    assert!(report.notes.contains(&Note::OtherP95Factor { counted: 2.0, limit: 4.0 }), "{report}");
    assert!(report.to_string().contains("took longer than 2 times the p95 of legacy"), "{report}");
    assert_eq!(read_back(&report), report);
}

#[test]
fn with_the_same_limit_it_is_judged() {
    let guard = || Guard::new(limit_of_p95(4.0), PromotionCriteria::default());
    let healthy = calls_three_times_as_long(guard(), |monitor| monitor.p95_factor(4.0));
    assert_eq!(
        (healthy.action, healthy.trigger(Trigger::P95).unwrap().verdict),
        (None, GuardVerdict::Healthy),
        "{healthy}"
    );
    let regressed = calls_three_times_as_long(Guard::default(), |monitor| monitor);
    assert_eq!(regressed.action, Some(Action::Rollback), "{regressed}");
    let is_of_factors = |note: &Note| matches!(note, Note::OtherP95Factor { .. } | Note::OtherPromotionFactor { .. });
    assert!(!healthy.notes.iter().chain(&regressed.notes).any(is_of_factors), "{healthy}\n{regressed}");
}

/// All of 1,000 calls of new are fast, so that everything is proven that can be.
fn fast(guard: Guard, factors: LatencyFactors) -> GuardReport {
    let mut watched = Watched::new_only(guard);
    watched.calls_of_new(1_000, 0);
    watched.fed.counts.new.timed = 1_000;
    watched.fed.factors = factors;
    watched.look()
}

#[test]
fn with_another_change_than_the_monitor_counts_by_nothing_is_promoted() {
    let asked = [Criterion::Throughput, Criterion::Latency];
    let guard = || Guard::new(RollbackTriggers::default(), change_of_p95(0.05));
    let held = fast(guard(), LatencyFactors::default());
    assert!(!held.promotes(&asked) && held.promotes(&[Criterion::Throughput]), "{held}");
    let [Note::OtherPromotionFactor { counted, limit }] = held.notes[..] else { panic!("{held}") };
    assert!((counted - 1.1).abs() < 1e-9 && (limit - 1.05).abs() < 1e-9, "{held}");
    assert_eq!(held.criterion(Criterion::Latency).unwrap().counted_beyond, Some(1.1));
    assert_eq!(held.trigger(Trigger::P95).unwrap().verdict, GuardVerdict::Healthy, "{held}");
    assert!(held.to_string().contains("promotion_factor(1.05)"), "{held}");
    assert!(fast(guard(), LatencyFactors { promotion: 1.05, ..LatencyFactors::default() }).promotes(&asked));
}

/// 1 and 0.07 are not quite 1.07 for a computer.
#[test]
fn what_arithmetic_adds_to_a_number_is_no_difference() {
    for hundredths in 0..=100_u32 {
        let change = f64::from(hundredths) / 100.0;
        let promotion = f64::from(100 + hundredths) / 100.0;
        let guard = Guard::new(RollbackTriggers::default(), change_of_p95(change));
        let report = fast(guard, LatencyFactors { promotion, ..LatencyFactors::default() });
        assert!(report.promotes(&[Criterion::Latency]) && report.notes.is_empty(), "{report}");
    }
}

#[test]
fn a_factor_that_is_no_number_is_none_of_the_limits() {
    let report = fast(Guard::default(), LatencyFactors { p95: f64::NAN, promotion: f64::INFINITY });
    assert!(!report.promotes(&[Criterion::Latency]), "{report}");
    assert_eq!(report.notes[0], Note::OtherP95Factor { counted: 0.0, limit: 2.0 });
    assert_eq!(report.notes.len(), 2, "{report}");
    assert_eq!(read_back(&report), report);
}

#[test]
fn without_the_trigger_its_factor_does_not_matter() {
    let triggers = RollbackTriggers::builder().without(Trigger::P95).build().unwrap();
    let factors = LatencyFactors { p95: 7.0, ..LatencyFactors::default() };
    let report = fast(Guard::new(triggers, PromotionCriteria::default()), factors);
    assert!(report.notes.is_empty() && report.verdict == GuardVerdict::Healthy, "{report}");
}
