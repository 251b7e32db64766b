//! The sign of every change is stated and kept: positive means that new is better. Without data there is no figure.

use std::time::Duration;

use cutover::monitor::{MonitorSnapshot, PerformanceComparison, QualityError};
use cutover::observe::Sample;
use cutover::{Outcome, Route, Side, SystemMode, Verdict};

use crate::world::{TICK, World, millis, route, secs};

fn parallel() -> Route {
    route(SystemMode::Parallel, Side::Legacy, 2)
}

fn pair(world: &World, legacy: (Outcome, Duration), new: (Outcome, Duration)) {
    let call = world.start_both(parallel());
    let (legacy, new) = (Sample::new(Side::Legacy, legacy.0, legacy.1), Sample::new(Side::New, new.0, new.1));
    world.end_both(call, legacy, new, Verdict::Matched);
}

/// Ten pairs, of which so many fail or time out, each in its own time.
fn compared(legacy: (u32, Outcome, u64), new: (u32, Outcome, u64)) -> PerformanceComparison {
    let world = World::new();
    world.begin(parallel());
    for call in 0..10 {
        let side = |(events, outcome, took): (u32, Outcome, u64)| {
            (if call < events { outcome } else { Outcome::Ok }, millis(took))
        };
        pair(&world, side(legacy), side(new));
    }
    world.clock.advance(TICK);
    world.monitor.comparison()
}

/// Calls of a rollout, of which new lets a fifth hang.
fn new_hangs() -> PerformanceComparison {
    let world = World::new();
    let served = |side| route(SystemMode::GradualRollout, side, 2);
    world.begin(served(Side::New));
    for call in 0..10 {
        world.end_ok(world.start(served(Side::Legacy)));
        let outcome = if call < 2 { Outcome::TimedOut } else { Outcome::Ok };
        world.end(world.start(served(Side::New)), outcome);
    }
    world.clock.advance(TICK);
    world.monitor.comparison()
}

#[test]
fn positive_means_that_new_is_better_in_every_figure() {
    let good = (0, Outcome::Ok, 100);
    let fails = (2, Outcome::Err, 100);
    let hangs = (2, Outcome::TimedOut, 100);
    let slow = (0, Outcome::Ok, 150);
    let equal = compared(good, good);
    assert_eq!((equal.success_rate_change, equal.duration_improvement), (Some(0.0), Some(0.0)));
    assert_eq!((equal.p95_improvement, equal.throughput_improvement), (Some(0.0), Some(0.0)));

    let close = |figure: Option<f64>, expected: f64| (figure.unwrap() - expected).abs() < 1e-9;
    assert!(close(compared(good, fails).success_rate_change, -0.2));
    assert!(close(compared(fails, good).success_rate_change, 0.2));
    assert!(close(compared(good, slow).duration_improvement, -0.5), "half as long again is no improvement of 50 %");
    assert!(close(compared(slow, good).duration_improvement, 1.0 / 3.0));
    let p95 = |legacy, new| compared(legacy, new).p95_improvement.unwrap();
    assert!((-0.65..-0.35).contains(&p95(good, slow)) && (0.25..0.42).contains(&p95(slow, good)));
    assert!(close(compared(good, hangs).throughput_improvement, 0.0), "who was stopped might have ended");
    assert!(close(new_hangs().throughput_improvement, -0.2));
    assert!(close(compared(hangs, good).throughput_improvement, 0.25));
}

#[test]
fn the_figures_of_a_side_are_those_of_its_calls() {
    let found = compared((3, Outcome::TimedOut, 200), (0, Outcome::Ok, 200));
    assert_eq!((found.epoch, found.mode, found.time), (2, SystemMode::Parallel, secs(1)));
    assert_eq!((found.legacy.calls, found.legacy.failed, found.legacy.overdue), (10, 3, 3));
    assert_eq!((found.new.success_rate, found.legacy.success_rate), (Some(1.0), Some(0.7)));
    assert_eq!((found.new.calls_per_second, found.new.mean), (Some(10.0), Some(millis(200))));
    for quantile in [found.new.p50, found.new.p95, found.new.p99] {
        assert!((millis(188)..millis(213)).contains(&quantile.unwrap()), "{quantile:?}");
    }
}

#[test]
fn without_data_nothing_is_said_and_nothing_divided_by_zero() {
    let world = World::with(|builder| builder.quality_metric("accepted"));
    let nothing = |found: &PerformanceComparison| {
        let changes = [
            found.success_rate_change,
            found.duration_improvement,
            found.p95_improvement,
            found.throughput_improvement,
            found.quality[0].improvement,
        ];
        assert_eq!(changes, [None; 5], "{found:?}");
    };
    nothing(&world.monitor.comparison());
    assert_eq!(world.monitor.comparison().legacy.calls_per_second, None);
    world.begin(parallel());
    world.end_ok(world.start(parallel()));
    world.clock.advance(TICK);
    let one_sided = world.monitor.comparison();
    assert_eq!((one_sided.legacy.success_rate, one_sided.new.success_rate), (Some(1.0), None));
    nothing(&one_sided);
    world.monitor.record_quality("accepted", Side::Legacy, 0.0).unwrap();
    world.monitor.record_quality("accepted", Side::New, 1.0).unwrap();
    assert_eq!(world.monitor.comparison().quality[0].improvement, None);
    let all_hang = compared((10, Outcome::TimedOut, 0), (0, Outcome::Ok, 0));
    assert_eq!((all_hang.throughput_improvement, all_hang.duration_improvement), (None, None));
    let json = serde_json::to_value(&one_sided).unwrap();
    assert_eq!(serde_json::from_value::<PerformanceComparison>(json).unwrap(), one_sided);
}

#[test]
fn quality_is_kept_by_name_and_a_larger_value_is_better() {
    let world = World::with(|builder| builder.quality_metric("accepted").quality_metric("builds"));
    let record = |name, side, value| world.monitor.record_quality(name, side, value);
    record("accepted", Side::Legacy, 99.0).unwrap();
    world.begin(parallel());
    for (side, value) in [(Side::Legacy, 0.5), (Side::Legacy, 0.3), (Side::New, 0.5)] {
        record("accepted", side, value).unwrap();
    }
    record("builds", Side::Legacy, -2.0).unwrap();
    record("builds", Side::New, -3.0).unwrap();
    let [accepted, builds] = &world.monitor.comparison().quality[..] else { panic!("two metrics") };
    assert!((accepted.legacy.unwrap() - 0.4).abs() < 1e-9 && accepted.new == Some(0.5), "of this phase only");
    assert!((accepted.improvement.unwrap() - 0.25).abs() < 1e-9);
    assert_eq!(builds.improvement, Some(-0.5), "-3 is less than -2");

    let unknown = record("acepted", Side::New, 1.0).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no quality metric `acepted`; declared: `accepted`, `builds`");
    for value in [f64::NAN, f64::INFINITY] {
        assert!(matches!(record("builds", Side::New, value), Err(QualityError::NotFinite { .. })));
    }
    assert_eq!(world.monitor.snapshot().quality[1].new.count, 1);
    let none = World::new();
    let refused = none.monitor.record_quality("builds", Side::New, 1.0).unwrap_err();
    assert_eq!(refused.to_string(), "there is no quality metric `builds`; declared: none");
}

#[test]
fn a_sum_of_qualities_stays_a_number_and_is_read_as_it_was_written() {
    let world = World::with(|builder| builder.quality_metric("accepted"));
    (0..3).for_each(|_| world.monitor.record_quality("accepted", Side::Legacy, f64::MIN).unwrap());
    world.begin(parallel());
    (0..3).for_each(|_| world.monitor.record_quality("accepted", Side::Legacy, f64::MAX).unwrap());
    let snapshot = world.monitor.snapshot();
    let sum = snapshot.merged(&snapshot).unwrap();
    for snapshot in [snapshot, sum] {
        let json = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<MonitorSnapshot>(&json).unwrap(), snapshot);
    }
}

/// A process with so many calls of each kind.
fn process(succeeded: u32, failed: u32) -> World {
    let world = World::with(|builder| builder.quality_metric("accepted"));
    world.begin(parallel());
    for call in 0..succeeded + failed {
        let outcome = if call < failed { Outcome::Err } else { Outcome::Ok };
        pair(&world, (Outcome::Ok, millis(10)), (outcome, millis(u64::from(failed) * 10)));
    }
    world.monitor.record_quality("accepted", Side::New, f64::from(failed)).unwrap();
    world.clock.advance(TICK);
    world
}

#[test]
fn the_snapshots_of_two_processes_add_up_to_one() {
    let [one, two] = [process(8, 2), process(25, 5)].map(|world| world.monitor.snapshot());
    let json = serde_json::to_string(&two).unwrap();
    let sum = one.merged(&serde_json::from_str::<MonitorSnapshot>(&json).unwrap()).unwrap();
    assert_eq!((sum.counts.new.started, sum.counts.new.failed, sum.counts.pairs.only_new_failed), (40, 7, 7));
    assert_eq!(sum.counts, two.merged(&one).unwrap().counts);
    assert_eq!((sum.new.len(), sum.time), (40, secs(1)), "they ran at the same time");
    assert_eq!(sum.comparison().new.mean, Some(Duration::from_micros(1_000 * (10 * 20 + 30 * 50) / 40)));
    assert!((sum.quality[0].new.sum - 7.0).abs() < 1e-9);
    let other = World::new().monitor.snapshot();
    assert_eq!((one.merged(&other), one.since(&other)), (None, None), "of another phase");
}

#[test]
fn the_difference_of_two_snapshots_is_what_came_in_between() {
    let world = process(10, 0);
    let earlier = world.monitor.snapshot();
    for _ in 0..5 {
        pair(&world, (Outcome::Ok, millis(10)), (Outcome::Err, secs(2)));
    }
    world.clock.advance(TICK);
    let minute = world.monitor.snapshot().since(&earlier).unwrap();
    assert_eq!((minute.counts.new.started, minute.counts.new.failed, minute.time), (5, 5, secs(1)));
    assert!(minute.new.quantile(0.5).unwrap() > secs(1), "the percentiles of the interval");
    assert_eq!((minute.new.len(), minute.comparison().new.success_rate), (5, Some(0.0)));
}
