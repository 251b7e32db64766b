//! A run that was given up is no failure of its side: neither a shadow that the runner stopped, nor a call that its caller
//! dropped. What is known of it counts: that it took longer than a limit, and that it proves nothing good.

use std::sync::Arc;
use std::time::Duration;

use cutover::dual::Fallback;
use cutover::guard::{Criterion, Guard, Present};
use cutover::monitor::{Evidence, PairTally, PerformanceMonitor, SideCounts};
use cutover::observe::Sample;
use cutover::store::Settings;
use cutover::testing::{ManualClock, VirtualRuntime};
use cutover::{Clock, DualRunner, Equality, Outcome, Percentage, Route, Runtime, Side, SystemMode, Verdict};

use crate::world::{TICK, World, baseline, millis, route, secs};

const PARALLEL: SystemMode = SystemMode::Parallel;

fn present(mode: SystemMode, shadow_share: Option<Percentage>) -> Present {
    Present { epoch: 1, settings: Settings { mode, rollout: Percentage::HUNDRED, shadow_share } }
}

fn stopped_after(world: &World, legacy: Duration, new: Duration) {
    let call = world.start_both(route(PARALLEL, Side::Legacy, 1));
    let legacy = Sample::new(Side::Legacy, Outcome::Ok, legacy);
    world.end_both(call, legacy, Sample::new(Side::New, Outcome::TimedOut, new), Verdict::OneFailed);
}

#[test]
fn a_shadow_that_was_stopped_is_no_event_but_what_is_known_of_its_time() {
    let world = World::with_p95(millis(100));
    world.begin(route(PARALLEL, Side::Legacy, 1));
    stopped_after(&world, millis(50), millis(150));
    stopped_after(&world, millis(100), millis(201));
    stopped_after(&world, millis(101), millis(201));
    stopped_after(&world, millis(101), millis(180));
    world.clock.advance(TICK);
    let counts = world.counts();
    let expected = SideCounts {
        started: 4,
        abandoned: 4,
        unfinished: 4,
        slow: 2,
        slow_for_promotion: 4,
        timed: 4,
        ..SideCounts::default()
    };
    assert_eq!((counts.new, counts.new.trials()), (expected, 0));
    let expected = PairTally { only_new_slow: 1, only_legacy_slow: 1, timed: 4, ..PairTally::default() };
    assert_eq!(counts.pairs, expected, "what is not known speaks for new");
    let new = world.monitor.comparison().new;
    assert_eq!(
        (new.unfinished, new.mean, new.p50, new.p95),
        (4, None, None, None),
        "the time of the cut is no duration"
    );
}

#[test]
fn quantiles_know_of_runs_that_took_longer_than_anybody_waited() {
    let world = World::new();
    world.begin(route(PARALLEL, Side::Legacy, 1));
    for call in 0..100 {
        if call < 10 {
            stopped_after(&world, millis(50), millis(150));
        } else {
            let call = world.start_both(route(PARALLEL, Side::Legacy, 1));
            let sample = |side| Sample::new(side, Outcome::Ok, millis(50));
            world.end_both(call, sample(Side::Legacy), sample(Side::New), Verdict::Matched);
        }
    }
    world.clock.advance(TICK);
    let found = world.monitor.comparison();
    assert!(found.new.p50.is_some() && found.new.p95.is_none() && found.legacy.p95.is_some(), "{found:?}");
    assert_eq!((found.new.mean, found.p95_improvement), (Some(millis(50)), None));
}

#[test]
fn a_call_that_its_caller_dropped_counts_by_the_limits_that_it_had_passed() {
    let world = World::with_p95(millis(100));
    let new = route(SystemMode::NewOnly, Side::New, 1);
    world.begin(new);
    for took in [50, 110, 111, 200, 201] {
        let call = world.start(new);
        world.clock.advance(millis(took));
        world.end(call, Outcome::Abandoned);
    }
    world.clock.advance(TICK);
    let counts = world.counts();
    let expected = SideCounts {
        started: 5,
        abandoned: 5,
        unfinished: 3,
        slow: 1,
        slow_for_promotion: 3,
        timed: 3,
        ..SideCounts::default()
    };
    assert_eq!((counts.new, counts.served_new.slow, counts.served_new.failed), (expected, 1, 0));
}

#[test]
fn calls_that_hang_until_their_callers_give_up_are_not_left_out_of_a_promotion() {
    let world = World::with_p95(millis(100));
    let route = route(SystemMode::NewOnly, Side::New, 1);
    world.begin(route);
    let mut guard = Guard::default();
    for _ in 0..300 {
        let hanging: Vec<_> = (0..50).map(|_| world.start(route)).collect();
        (0..50).for_each(|_| world.end_ok(world.start(route)));
        world.clock.advance(secs(5));
        for call in hanging {
            world.end(call, Outcome::Abandoned);
        }
        world.clock.advance(TICK);
    }
    let settings = present(SystemMode::NewOnly, Some(Percentage::ZERO));
    let report = guard.look(&world.monitor, settings, world.clock.now());
    for criterion in [Criterion::Throughput, Criterion::Latency] {
        assert!(!report.promotes(&[criterion]), "half of all calls hang\n{report}");
    }
}

/// Pairs of a route on a virtual runtime, looked at by a guard after each call.
struct Pairs {
    runtime: VirtualRuntime,
    monitor: Arc<PerformanceMonitor>,
    runner: DualRunner<u32, ()>,
    guard: Guard,
}

impl Pairs {
    fn new(p95: Duration) -> Self {
        let runtime = VirtualRuntime::new();
        let clock = runtime.clock();
        clock.advance(secs(1_000));
        let builder = PerformanceMonitor::builder().clock(clock.clone()).baseline(baseline(p95));
        let monitor = Arc::new(builder.build().unwrap());
        let builder = DualRunner::builder("price", route(PARALLEL, Side::Legacy, 1).with_shadow()).comparator(Equality);
        let runner = builder.runtime(runtime.clone()).clock(clock).observe(Arc::clone(&monitor)).build();
        Self { runtime, monitor, runner, guard: Guard::default() }
    }

    fn side(&self, took: u64) -> impl Future<Output = Result<u32, ()>> + Send + use<> {
        let runtime = self.runtime.clone();
        async move {
            runtime.sleep(millis(took)).await;
            Ok(7)
        }
    }

    fn nothing_happens(&mut self, call: u64) {
        self.runtime.clock().advance(millis(100));
        let now = self.runtime.clock().now();
        let report = self.guard.look(&*self.monitor, present(PARALLEL, None), now);
        assert_eq!(report.action, None, "call {call}\n{report}");
    }
}

#[test]
fn equal_sides_are_equal_when_the_runner_has_no_patience_for_the_slow_calls() {
    let mut pairs = Pairs::new(millis(400));
    for call in 0..1_000_u64 {
        let draw = |bit: u64| if call >> bit & 1 == 0 { 50 } else { 300 };
        let served = pairs.runner.run(call, pairs.side(draw(0)), pairs.side(draw(1)));
        assert_eq!(pairs.runtime.run(served), Ok(7));
        pairs.nothing_happens(call);
    }
    assert!(pairs.monitor.counts().new.unfinished > 200, "{:?}", pairs.monitor.counts());
}

#[test]
fn equal_sides_are_equal_when_both_take_longer_than_a_shadow_may() {
    let mut pairs = Pairs::new(secs(2));
    for call in 0..300_u64 {
        let took = if call % 5 == 0 { 1_500 } else { 20 };
        let served = pairs.runner.run_detached(call, pairs.side(took), pairs.side(took));
        assert_eq!(pairs.runtime.run(served), Ok(7));
        pairs.runtime.settle(secs(2));
        pairs.nothing_happens(call);
    }
    assert!(pairs.monitor.counts().new.unfinished > 50, "{:?}", pairs.monitor.counts());
}

#[test]
fn a_shadow_that_hangs_is_found_because_it_is_slow() {
    let mut pairs = Pairs::new(millis(100));
    for call in 0..300_u64 {
        let new = std::future::pending();
        assert_eq!(pairs.runtime.run(pairs.runner.run_detached(call, pairs.side(20), new)), Ok(7));
        pairs.runtime.settle(secs(2));
        pairs.runtime.clock().advance(secs(4));
        let now = pairs.runtime.clock().now();
        if pairs.guard.look(&*pairs.monitor, present(PARALLEL, None), now).action.is_some() {
            assert!(call < 60, "after {call} calls");
            return;
        }
    }
    panic!("not found: {:?}", pairs.monitor.counts());
}

#[test]
fn a_rare_fall_back_is_no_comparison_and_no_reason_to_roll_back() {
    let clock = ManualClock::new();
    clock.advance(secs(1_000));
    let builder = PerformanceMonitor::builder().clock(clock.clone()).baseline(baseline(millis(100)));
    let monitor = Arc::new(builder.build().unwrap());
    let alone: Route = route(SystemMode::NewOnly, Side::New, 1);
    let builder = DualRunner::<u32, ()>::builder("price", alone).comparator(Equality).clock(clock.clone());
    let runner = builder.fallback(Fallback::ToLegacy).observe(Arc::clone(&monitor)).build();
    let mut guard = Guard::default();
    for call in 0..10_000_u64 {
        let new = || if call % 500 == 0 { Err(()) } else { Ok(7) };
        assert_eq!(runner.run_sync(call, || Ok(7), new), Ok(7));
        clock.advance(millis(10));
        if call % 100 == 0 {
            let settings = present(SystemMode::NewOnly, Some(Percentage::ZERO));
            let report = guard.look(&*monitor, settings, clock.now());
            assert_eq!(report.action, None, "call {call}\n{report}");
        }
    }
    let counts = monitor.counts();
    assert_eq!((counts.pairs, counts.served_new.failed >= 19), (PairTally::default(), true), "{counts:?}");
}
