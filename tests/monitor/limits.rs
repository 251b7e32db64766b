//! What is slow is fixed before the calls that are measured by it.

use std::collections::VecDeque;

use cutover::monitor::{Baseline, Evidence, MonitorError, PerformanceMonitor, PerformanceMonitorBuilder};
use cutover::observe::{Event, Sample};
use cutover::random::RandomSource;
use cutover::testing::SeededRandom;
use cutover::{Clock, Observer, Outcome, Route, Side, SystemMode, Verdict};

use crate::world::{TICK, World, baseline, millis, route, secs};

const LEGACY: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);

/// A tick full of calls of legacy that take 1 to 100 ms.
fn tick_of_legacy(world: &World, random: &SeededRandom, route: Route, calls: u32) {
    let end = world.clock.now().plus(secs(60));
    for _ in 0..calls {
        let call = world.start(route);
        world.clock.advance(millis(random.next_u64() % 100 + 1));
        world.end_ok(call);
    }
    world.clock.advance(end.since(world.clock.now()));
}

#[test]
fn the_baseline_is_frozen_from_legacy_when_its_p95_is_known_well_enough_and_never_moves() {
    let world = World::with(|builder| builder.tick(secs(60)).timeout(secs(60)));
    let random = SeededRandom::new(11);
    world.begin(LEGACY);
    world.clock.advance(secs(59));
    let mut ticks = 0;
    while world.monitor.baseline().is_none() {
        let counts = world.counts();
        assert_eq!((counts.legacy.slow, counts.legacy.timed), (0, 0));
        assert!(counts.legacy.started < 2_500, "the interval is narrow enough by now");
        tick_of_legacy(&world, &random, LEGACY, 100);
        ticks += 1;
    }
    let frozen = world.monitor.baseline().unwrap();
    assert!(frozen.calls >= 1_800 && frozen.calls <= 2_500 && ticks >= 18, "{frozen:?} after {ticks}");
    assert!(frozen.p95 >= millis(95) && frozen.p95 <= millis(110), "the upper end, rounded up: {frozen:?}");
    assert!((frozen.calls_per_second - 100.0 / 60.0).abs() < 0.1 && frozen.error_rate == 0.0, "{frozen:?}");
    let before = world.counts().legacy.started;
    for epoch in 1..5 {
        (0..5).for_each(|_| tick_of_legacy(&world, &random, route(SystemMode::LegacyOnly, Side::Legacy, epoch), 10));
    }
    assert!(before > 0 && world.monitor.baseline() == Some(frozen));
    assert!(world.counts().legacy.timed > 0);
}

/// 10 % of legacy's calls take 20 s, the others 5 ms.
#[test]
fn the_baseline_knows_of_calls_that_are_still_going_on() {
    let world = World::new();
    let mut open = VecDeque::new();
    world.begin(LEGACY);
    for second in 0..120_u64 {
        for number in 0..200_u64 {
            let call = world.start(LEGACY);
            if number % 10 == 0 {
                open.push_back((second + 20, call));
            } else {
                let sample = Sample::new(Side::Legacy, Outcome::Ok, millis(5));
                let event = Event::Served { route: LEGACY, sample, started: call.started, key: None };
                world.monitor.observe("test", &event);
            }
        }
        world.clock.advance(TICK);
        while open.front().is_some_and(|(at, _)| *at <= second + 1) {
            world.end_ok(open.pop_front().unwrap().1);
        }
        let _ = world.counts();
    }
    let baseline = world.monitor.baseline().unwrap();
    assert!(baseline.p95 >= secs(20), "{baseline:?}");
}

#[test]
fn calls_that_started_before_the_limits_were_known_are_not_measured_by_them() {
    let world = World::with(|builder| builder.tick(secs(60)).timeout(secs(60)));
    let random = SeededRandom::new(12);
    world.begin(LEGACY);
    world.clock.advance(secs(59));
    (0..25).for_each(|_| tick_of_legacy(&world, &random, LEGACY, 100));
    assert!(world.monitor.baseline().is_some());
    let counts = world.counts().legacy;
    assert!(counts.started >= 2_400 && counts.timed < counts.started / 2, "{counts:?}");
    assert_eq!(counts.slow, 0);
    let timed = counts.timed;
    let call = world.start(LEGACY);
    world.clock.advance(millis(300));
    world.end_ok(call);
    world.clock.advance(secs(120));
    let counts = world.counts().legacy;
    assert_eq!((counts.slow, counts.slow_for_promotion, counts.timed), (1, 1, timed + 1));
}

#[test]
fn slow_is_more_than_the_factor_times_the_p95_and_pairs_are_told_apart() {
    let world = World::with_p95(millis(100));
    let route = route(SystemMode::Parallel, Side::Legacy, 1);
    let pair = |legacy: u64, new: u64| {
        let call = world.start_both(route);
        let sample = |side, took| Sample::new(side, Outcome::Ok, millis(took));
        world.end_both(call, sample(Side::Legacy, legacy), sample(Side::New, new), Verdict::Matched);
    };
    pair(1, 1);
    world.clock.advance(TICK);
    for (legacy, new) in [(100, 110), (101, 111), (100, 200), (100, 201), (101, 201), (201, 200), (200, 300)] {
        pair(legacy, new);
    }
    world.clock.advance(TICK);
    let counts = world.counts();
    assert_eq!((counts.new.slow, counts.new.slow_for_promotion, counts.new.timed), (3, 6, 7));
    assert_eq!((counts.legacy.slow, counts.legacy.slow_for_promotion), (1, 2));
    assert_eq!((counts.served_legacy.slow, counts.served_new.slow), (1, 0));
    let pairs = counts.pairs;
    assert_eq!((pairs.only_new_slow, pairs.only_legacy_slow, pairs.timed), (1, 2, 7));
    assert_eq!((pairs.pairs, pairs.compared, pairs.mismatched), (7, 7, 0));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refused = |change: fn(PerformanceMonitorBuilder) -> PerformanceMonitorBuilder| {
        change(PerformanceMonitor::builder()).build().map(drop).unwrap_err()
    };
    assert_eq!(refused(|b| b.tick(millis(9))), MonitorError::Tick { tick: millis(9) });
    assert_eq!(refused(|b| b.tick(secs(61))).to_string(), "a tick of 61s is out of range; allowed: 10ms to 60s");
    let (shortest, longest) = (secs(1), secs(30));
    assert_eq!(refused(|b| b.timeout(secs(31))), MonitorError::Timeout { timeout: secs(31), shortest, longest });
    assert_eq!(
        refused(|b| b.timeout(millis(999))).to_string(),
        "a timeout of 999ms is out of range; allowed with this tick: 1s to 30s"
    );
    for factor in [0.99, f64::INFINITY, -2.0] {
        assert_eq!(
            MonitorError::Factor { factor },
            PerformanceMonitor::builder().p95_factor(factor).build().map(drop).unwrap_err()
        );
    }
    assert!(refused(|b| b.promotion_factor(f64::NAN)).to_string().contains("NaN is out of range"));
    assert_eq!(refused(|b| b.quality_metric("")), MonitorError::QualityName { name: String::new() });
    assert_eq!(refused(|b| b.quality_metric("a").quality_metric("a")), MonitorError::QualityName { name: "a".into() });
    let many = (0..17).fold(PerformanceMonitor::builder(), |b, metric: u32| b.quality_metric(&metric.to_string()));
    assert_eq!(many.build().map(drop).unwrap_err(), MonitorError::QualityMetrics { metrics: 17 });
    assert_eq!(refused(|b| b.baseline(baseline(secs(0)))), MonitorError::Baseline { p95: secs(0) });
    for wrong in [f64::NAN, f64::INFINITY, -0.1] {
        let good = baseline(secs(1));
        for bad in [Baseline { calls_per_second: wrong, ..good }, Baseline { error_rate: wrong, ..good }] {
            let refused = PerformanceMonitor::builder().baseline(bad).build().map(drop).unwrap_err();
            assert!(matches!(refused, MonitorError::BaselineFigure { .. }), "{refused}");
        }
    }
    let refused = refused(|b| b.baseline(Baseline { error_rate: 1.5, ..baseline(secs(1)) })).to_string();
    assert_eq!(refused, "a baseline with an error rate of 1.5; allowed: 0 to 1");
}
