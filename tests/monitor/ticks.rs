//! Only closed ticks are evidence: a call is counted by the tick in which it started, once it has ended or is overdue, so that
//! no outcome is counted before another.

use std::collections::VecDeque;
use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use cutover::dual::Fallback;
use cutover::monitor::{Evidence, PairTally, PerformanceMonitor, SideCounts};
use cutover::observe::Sample;
use cutover::random::RandomSource;
use cutover::testing::{ManualClock, SeededRandom, VirtualRuntime};
use cutover::{Clock, DualRunner, Equality, Outcome, Route, Side, SystemMode};
use futures::executor::block_on;

use crate::world::{Open, TICK, TIMEOUT, World, millis, route, secs};

const LEGACY: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
const NEW: Route = Route::new(SystemMode::NewOnly, Side::New);
const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

/// Calls of which 3 % fail, after 5 ms; the others succeed after 2 s.
struct FastFailures {
    world: World,
    random: SeededRandom,
    open: VecDeque<(u64, Open, Outcome)>,
    /// Whether each call failed, by the tick in which it started.
    truth: Vec<(u64, bool)>,
    completed: (u64, u64),
}

impl FastFailures {
    /// One call, and 5 ms of time in which others end.
    fn step(&mut self) {
        let failed = self.random.next_u64() % 100 < 3;
        let call = self.world.start(NEW);
        self.truth.push((call.started.as_nanos() / 1_000_000_000, failed));
        let (after, outcome) = if failed { (millis(5), Outcome::Err) } else { (secs(2), Outcome::Ok) };
        self.open.push_back((call.started.plus(after).as_nanos(), call, outcome));
        self.world.clock.advance(millis(5));
        let now = self.world.clock.now().as_nanos();
        let ended: Vec<_> = self.open.iter().filter(|(end, ..)| *end <= now).copied().collect();
        self.open.retain(|(end, ..)| *end > now);
        for (_, call, outcome) in ended {
            self.world.end(call, outcome);
            self.completed.0 += u64::from(outcome == Outcome::Err);
            self.completed.1 += 1;
        }
    }

    /// Failures and calls that started in the first so many calls of the phase.
    fn truth_of(&self, calls: u64) -> u64 {
        let first = self.truth.first().unwrap().0 + 1;
        let of_the_phase = self.truth.iter().filter(|(tick, _)| *tick >= first);
        of_the_phase.take(usize::try_from(calls).unwrap()).filter(|(_, failed)| *failed).count() as u64
    }
}

#[test]
fn failures_that_come_back_fast_are_never_counted_before_the_successes_that_take_longer() {
    let (world, random) = (World::new(), SeededRandom::new(0x5eed));
    let mut calls = FastFailures { world, random, open: VecDeque::new(), truth: Vec::new(), completed: (0, 0) };
    let mut worst_at_completion = 0.0_f64;
    for step in 0..20_000 {
        calls.step();
        let (failed, ended) = calls.completed;
        if failed >= 3 {
            worst_at_completion = worst_at_completion.max(failed as f64 / ended as f64);
        }
        if step % 10 == 0 {
            let SideCounts { started, succeeded, failed, overdue, .. } = calls.world.counts().new;
            assert_eq!((succeeded + failed, overdue), (started, 0));
            assert_eq!(failed, calls.truth_of(started), "of the calls that started first, step {step}");
            assert_eq!(started % 200, 0, "whole ticks only");
        }
    }
    let counts = calls.world.counts().new;
    assert!(counts.started >= 19_000, "{counts:?}");
    assert!((0.025..0.035).contains(&(counts.failed as f64 / counts.started as f64)), "{counts:?}");
    assert!(worst_at_completion > 0.9, "counting at completion is what this is about: {worst_at_completion}");
}

#[test]
fn a_call_that_never_ends_is_overdue_when_the_timeout_has_passed_and_not_before() {
    let world = World::new();
    world.begin(NEW);
    let _hangs = world.start(NEW);
    world.end_ok(world.start(NEW));
    world.clock.advance(TIMEOUT + millis(999));
    assert_eq!(world.counts().new, SideCounts::default());
    world.clock.advance(millis(1));
    let expected = SideCounts { started: 2, succeeded: 1, failed: 1, overdue: 1, ..SideCounts::default() };
    assert_eq!(world.counts().new, expected);
    let served = world.counts().served_new;
    assert_eq!((served.started, served.failed, served.overdue), (2, 1, 1));
    let snapshot = world.monitor.snapshot();
    assert_eq!((snapshot.new.len(), snapshot.late), (2, 0), "it counts with the timeout");
    assert!(snapshot.new.quantile(1.0).unwrap() > secs(27));
}

#[test]
fn what_ends_late_changes_nothing_and_is_counted_apart() {
    for looked in [false, true] {
        let world = World::new();
        world.begin(NEW);
        let late = world.start(NEW);
        world.clock.advance(TICK + TIMEOUT);
        let before = looked.then(|| world.counts());
        world.end_ok(late);
        let after = world.counts();
        assert_eq!((after.new.started, after.new.succeeded, after.new.overdue), (1, 0, 1));
        assert!(before.is_none_or(|before| before == after), "whether somebody looked in between or not");
        assert_eq!(world.monitor.snapshot().late, 1);
    }
}

#[test]
fn a_tick_is_closed_after_all_that_came_before_it() {
    let world = World::new();
    world.begin(LEGACY);
    let slow = world.start(LEGACY);
    for _ in 0..5 {
        world.clock.advance(TICK);
        world.end_ok(world.start(LEGACY));
        assert_eq!(world.counts().legacy.started, 0);
    }
    world.end_ok(slow);
    assert_eq!(world.counts().legacy.started, 5, "all but the tick that is not over");
    assert_eq!(world.monitor.snapshot().time, secs(5));
}

#[test]
fn nobody_has_to_look_for_ticks_to_be_closed() {
    let world = World::new();
    world.begin(LEGACY);
    for _ in 0..600 {
        let _hangs = world.start(LEGACY);
        world.end_ok(world.start(LEGACY));
        world.clock.advance(TICK);
    }
    world.clock.advance(secs(3_600));
    let counts = world.counts().legacy;
    assert_eq!((counts.started, counts.succeeded, counts.overdue), (1_200, 600, 600));
    let snapshot = world.monitor.snapshot();
    assert_eq!((snapshot.lost_ticks, snapshot.time), (0, secs(4_200)));
}

#[test]
fn a_call_that_was_dropped_is_no_trial() {
    let runtime = VirtualRuntime::new();
    let monitor = Arc::new(PerformanceMonitor::builder().clock(runtime.clock()).build().unwrap());
    let runner = |route| {
        let builder = DualRunner::<u32, ()>::builder("price", route).comparator(Equality).observe(monitor.clone());
        builder.clock(runtime.clock()).runtime(runtime.clone()).build()
    };
    let (alone, both) = (runner(LEGACY), runner(PARALLEL));
    let poll_and_drop = |runner: &DualRunner<u32, ()>| {
        let mut call = pin!(runner.run("key", pending(), ready(Ok(1))));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    };
    poll_and_drop(&alone);
    runtime.clock().advance(TICK);
    poll_and_drop(&alone);
    poll_and_drop(&both);
    runtime.clock().advance(TICK);
    let counts = monitor.counts();
    assert_eq!((counts.legacy.started, counts.legacy.abandoned, counts.legacy.trials()), (2, 2, 0));
    assert_eq!((counts.new.started, counts.new.succeeded, counts.pairs.pairs), (1, 1, 0));
    assert_eq!(counts.served_legacy.failed, 0);
}

#[test]
fn a_call_that_never_ends_is_overdue_in_a_runner_too_and_late_when_it_is_dropped() {
    let runtime = VirtualRuntime::new();
    let monitor = Arc::new(PerformanceMonitor::builder().clock(runtime.clock()).build().unwrap());
    let builder = DualRunner::<u32, ()>::builder("price", PARALLEL).comparator(Equality).observe(monitor.clone());
    let runner = builder.clock(runtime.clock()).runtime(runtime.clone()).build();
    runner.run_sync("key", || Ok(1), || Ok(1)).unwrap();
    runtime.clock().advance(TICK);
    {
        let mut call = pin!(runner.run("key", pending(), ready(Ok(1))));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        runtime.clock().advance(TICK + TIMEOUT);
        let counts = monitor.counts();
        assert_eq!((counts.legacy.overdue, counts.new.overdue, counts.pairs.pairs), (1, 1, 1), "nobody knows which");
        assert_eq!((counts.pairs.compared, counts.pairs.only_new_overdue, counts.pairs.only_legacy_overdue), (0, 0, 0));
        assert_eq!((counts.served_legacy.overdue, counts.served_new.overdue), (1, 0));
    }
    assert_eq!(monitor.snapshot().late, 1);
}

#[test]
fn a_call_that_legacy_answered_for_new_is_a_failure_of_new_and_no_pair() {
    let clock = ManualClock::new();
    let monitor = Arc::new(PerformanceMonitor::builder().clock(clock.clone()).build().unwrap());
    let builder = DualRunner::<u32, ()>::builder("price", NEW).comparator(Equality).observe(monitor.clone());
    let runner = builder.clock(clock.clone()).fallback(Fallback::ToLegacy).build();
    let calls = || {
        runner.run_sync("one", || Ok(1), || Err(())).unwrap();
        block_on(runner.run("other", ready(Ok(1)), ready(Err(())))).unwrap();
        runner.run_sync("key", || Ok(1), || Ok(1)).unwrap();
    };
    calls();
    clock.advance(TICK);
    calls();
    clock.advance(TICK);
    let counts = monitor.counts();
    assert_eq!((counts.new.started, counts.new.failed, counts.new.succeeded), (3, 2, 1));
    assert_eq!((counts.legacy.started, counts.legacy.succeeded), (2, 2));
    assert_eq!((counts.served_new.started, counts.served_new.failed, counts.served_legacy.started), (3, 2, 0));
    assert_eq!(counts.pairs, PairTally::default(), "what runs because new failed is no comparison");
}

#[test]
fn a_host_without_a_runner_tells_of_calls_when_they_have_ended() {
    let world = World::with_p95(millis(100));
    let tell = |outcome, took| world.monitor.record(&NEW, &Sample::new(Side::New, outcome, took));
    tell(Outcome::Ok, millis(1));
    for _ in 0..40 {
        world.clock.advance(TICK);
        tell(Outcome::Ok, millis(150));
        tell(Outcome::Err, millis(300));
        tell(Outcome::Abandoned, millis(300));
    }
    let new = world.counts().new;
    assert_eq!(new.started % 3, 0, "whole ticks, which are closed when their time is up: {new:?}");
    assert!((15..=30).contains(&new.started), "{new:?}");
    let third = new.started / 3;
    assert_eq!((new.succeeded, new.failed, new.abandoned, new.overdue), (third, third, third, 0));
    assert_eq!((new.slow, new.slow_for_promotion, new.timed), (2 * third, 3 * third, 3 * third));
    assert_eq!(new.unfinished, third, "dropped after the limits");
    world.clock.advance(TIMEOUT + TICK);
    assert_eq!((world.counts().new.started, world.monitor.snapshot().late), (120, 0));
}

#[test]
fn calls_on_many_threads_are_all_counted_while_others_look() {
    let world = World::new();
    let (route, threads, ticks) = (route(SystemMode::NewOnly, Side::New, 3), 20_u64, 50);
    world.begin(route);
    for _ in 0..ticks {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let calls: Vec<_> = (0..20).map(|_| world.start(route)).collect();
                    for call in calls {
                        world.end(call, Outcome::Err);
                    }
                });
            }
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(world.counts().new.succeeded, 0)));
        });
        world.clock.advance(TICK);
    }
    let new = world.counts().new;
    let expected = threads * ticks * 20;
    assert_eq!((new.started, new.failed, new.overdue, new.succeeded), (expected, expected, 0, 0));
    assert_eq!((world.monitor.snapshot().late, world.monitor.snapshot().new.len()), (0, expected));
}
