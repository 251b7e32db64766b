//! Figures have a sign, a target and a part in the score; without data they have none of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use cutover_fleet::{KpiFigures, KpiTargets, Kpis, Target};
use proptest::prelude::*;

fn of(figures: KpiFigures) -> Kpis {
    Kpis::of(&figures, &KpiTargets::default())
}

/// One migrated system, of which everything is as it is to be.
fn good() -> KpiFigures {
    KpiFigures {
        total: 1,
        migrated: 1,
        rate_per_day: Some(3.0),
        validation: Some(0.9),
        throughput_change: Some(0.25),
        latency_change: Some(-0.1),
        hours_per_system: Some(1.0),
        downtime_minutes: Some(0.0),
        ..KpiFigures::default()
    }
}

fn met(kpis: &Kpis, name: &str) -> Option<bool> {
    kpis.get(name).unwrap().met
}

#[test]
fn with_nothing_migrated_there_is_no_score() {
    let kpis = of(KpiFigures { migrated: 0, total: 20, ..good() });
    assert_eq!(kpis.score, None);
    assert_eq!(kpis.get("migrated").unwrap().value, Some(0.0));
    assert!(kpis.figures.iter().skip(1).all(|kpi| kpi.value.is_none() && kpi.met.is_none() && kpi.score.is_none()));
}

#[test]
fn with_nothing_to_migrate_nothing_is_divided_by_zero() {
    let kpis = of(KpiFigures::default());
    assert_eq!((kpis.score, kpis.get("migrated").unwrap().value), (None, None));
}

#[test]
fn when_all_is_as_it_is_to_be_the_score_is_one_and_no_more() {
    assert_eq!(of(good()).score, Some(1.0));
    let better = KpiFigures { throughput_change: Some(5.0), latency_change: Some(-0.9), ..good() };
    assert_eq!(of(better).score, Some(1.0));
    let at_once = KpiFigures { latency_change: Some(-1.0), ..good() };
    assert_eq!(of(at_once).score, Some(1.0), "no time at all is not too slow");
}

#[test]
fn each_change_has_a_sign() {
    let latency = |change| met(&of(KpiFigures { latency_change: Some(change), ..good() }), "latency");
    assert_eq!([-0.5, 0.0, 0.09].map(latency), [Some(true); 3], "minus is faster");
    assert_eq!([0.10, 0.5, 3.0].map(latency), [Some(false); 3], "plus is slower");
    let text = |change| of(KpiFigures { latency_change: Some(change), ..good() }).get("latency").unwrap().to_string();
    assert_eq!(text(0.05), "latency: +0.050 change of the p95 (below 0.1: met)");
    assert_eq!(text(-0.05), "latency: -0.050 change of the p95 (below 0.1: met)");
    let throughput = |change| met(&of(KpiFigures { throughput_change: Some(change), ..good() }), "throughput");
    assert_eq!([0.20, 2.0].map(throughput), [Some(true); 2], "plus is more");
    assert_eq!([0.19, 0.0, -0.5].map(throughput), [Some(false); 3], "minus is less");
}

#[test]
fn the_targets_are_those_that_were_asked_for() {
    let rollbacks = |rollbacks| met(&of(KpiFigures { rollbacks, ..good() }), "rollbacks");
    assert_eq!([rollbacks(4), rollbacks(5)], [Some(true), Some(false)]);
    assert_eq!(met(&of(KpiFigures { failed: 1, ..good() }), "failed"), Some(false));
    let hours = |hours| met(&of(KpiFigures { hours_per_system: Some(hours), ..good() }), "hours");
    assert_eq!([hours(1.99), hours(2.0)], [Some(true), Some(false)]);
    let validation = |rate| met(&of(KpiFigures { validation: Some(rate), ..good() }), "validation");
    assert_eq!([validation(0.8), validation(0.79)], [Some(true), Some(false)]);
    let downtime = |minutes| met(&of(KpiFigures { downtime_minutes: Some(minutes), ..good() }), "downtime");
    assert_eq!([downtime(0.0), downtime(0.1)], [Some(true), Some(false)]);
    assert_eq!(met(&of(good()), "rate"), None, "it has no target");
}

#[test]
fn what_was_not_measured_has_no_part_in_the_score() {
    let unmeasured = KpiFigures { throughput_change: None, latency_change: Some(f64::NAN), ..good() };
    let kpis = of(unmeasured);
    assert_eq!((met(&kpis, "throughput"), met(&kpis, "latency")), (None, None));
    assert_eq!(kpis.score, Some(1.0));
}

#[test]
fn a_target_with_the_wrong_direction_is_refused() {
    let read: KpiTargets = serde_json::from_str(r#"{ "latency": { "at_least": 0.1 } }"#).unwrap();
    assert_eq!(read.latency, Target::AtLeast(0.1));
    let settings: cutover_fleet::Settings =
        serde_json::from_str(r#"{ "targets": { "latency": { "at_least": 0.1 } } }"#).unwrap();
    let inventory = serde_json::from_str(r#"{ "systems": [{ "name": "a" }] }"#).unwrap();
    let world = world::World::new();
    let host = cutover_fleet::Host::of(world.clone());
    let built = cutover_fleet::Fleet::builder(inventory, host, world.store).settings(settings).build();
    assert!(built.unwrap_err().to_string().starts_with("the target `latency` is 0.1; allowed"));
}

fn figures() -> impl Strategy<Value = KpiFigures> {
    let change = || proptest::option::of(-1.0..3.0_f64);
    let amount = || proptest::option::of(0.0..100.0_f64);
    (0..50_u32, 0..60_u32, 0..9_u32, 0..9_u32, proptest::option::of(0.0..=1.0), change(), change(), amount(), amount())
        .prop_map(|(total, migrated, rollbacks, failed, validation, throughput, latency, hours, downtime)| KpiFigures {
            total,
            migrated,
            rate_per_day: None,
            validation,
            rollbacks,
            failed,
            throughput_change: throughput,
            latency_change: latency,
            hours_per_system: hours,
            downtime_minutes: downtime,
        })
}

/// The same, with one figure worse by `by`.
fn worse(figures: KpiFigures, which: usize, by: f64) -> KpiFigures {
    let less = |value: Option<f64>| value.map(|value| (value - by).max(-1.0));
    let more = |value: Option<f64>| value.map(|value| value + by);
    match which {
        0 => KpiFigures { migrated: figures.migrated.saturating_sub(1).max(1), ..figures },
        1 => KpiFigures { rollbacks: figures.rollbacks + 1, ..figures },
        2 => KpiFigures { failed: figures.failed + 1, ..figures },
        3 => KpiFigures { validation: less(figures.validation).map(|rate| rate.max(0.0)), ..figures },
        4 => KpiFigures { throughput_change: less(figures.throughput_change), ..figures },
        5 => KpiFigures { latency_change: more(figures.latency_change), ..figures },
        6 => KpiFigures { hours_per_system: more(figures.hours_per_system), ..figures },
        _ => KpiFigures { downtime_minutes: more(figures.downtime_minutes), ..figures },
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(3), cases: 2_000, ..ProptestConfig::default()
    })]

    #[test]
    fn a_score_is_between_nothing_and_one_and_so_is_each_part(figures in figures()) {
        let kpis = of(figures);
        prop_assert_eq!(kpis.score.is_some(), figures.migrated > 0);
        let parts = kpis.figures.iter().filter_map(|kpi| kpi.score);
        prop_assert!(parts.chain(kpis.score).all(|score| (0.0..=1.0).contains(&score)), "{:?}", kpis);
        prop_assert!(kpis.figures.iter().all(|kpi| kpi.met != Some(true) || kpi.score == Some(1.0)));
    }

    #[test]
    fn what_is_worse_never_scores_higher(figures in figures(), which in 0..8_usize, by in 0.0..2.0_f64) {
        let figures = KpiFigures { migrated: figures.migrated.max(1), ..figures };
        let (before, after) = (of(figures).score.unwrap(), of(worse(figures, which, by)).score.unwrap());
        prop_assert!(after <= before + 1e-12, "{before} to {after}");
    }
}
