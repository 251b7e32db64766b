//! With the first event of each key alone, one key that fails over and over is one failure of the side that served it.

use cutover::monitor::Evidence;
use cutover::{Outcome, Side, SystemMode};

use crate::world::{TICK, World, millis, route, secs};

#[test]
fn a_whale_is_one_failure_and_its_successes_all_count() {
    for first_only in [false, true] {
        let world = World::with(|builder| builder.first_event_per_key(first_only));
        let (legacy, new) =
            (route(SystemMode::GradualRollout, Side::Legacy, 4), route(SystemMode::GradualRollout, Side::New, 4));
        world.begin(new);
        for call in 0..1_000_u64 {
            world.end_with_key(world.start(new), Outcome::Err, Some(17));
            world.end_with_key(world.start(new), Outcome::Ok, Some(17));
            let fails = if call < 5 { Outcome::Err } else { Outcome::Ok };
            world.end_with_key(world.start(legacy), fails, Some(call));
        }
        world.clock.advance(TICK);
        let counts = world.counts();
        let expected = if first_only { 1 } else { 1_000 };
        assert_eq!((counts.served_new.started, counts.served_new.failed), (2_000, expected));
        assert_eq!((counts.served_legacy.started, counts.served_legacy.failed), (1_000, 5));
        assert_eq!((counts.new.failed, counts.new.succeeded), (1_000, 1_000), "of a side, all runs count");
    }
}

/// The baseline is frozen long after the phase has begun.
#[test]
fn what_timed_out_before_there_was_a_limit_uses_up_no_slow_call() {
    let world = World::new();
    let (legacy, new) =
        (route(SystemMode::GradualRollout, Side::Legacy, 4), route(SystemMode::GradualRollout, Side::New, 4));
    world.begin(new);
    world.end_with_key(world.start(new), Outcome::TimedOut, Some(17));
    while world.monitor.baseline().is_none() {
        for key in 0..100 {
            let call = world.start(legacy);
            world.clock.advance(millis(1));
            world.end_with_key(call, Outcome::Ok, Some(key));
        }
        world.clock.advance(secs(5));
    }
    world.clock.advance(secs(5));
    for _ in 0..2 {
        let call = world.start(new);
        world.clock.advance(secs(2));
        world.end_with_key(call, Outcome::Ok, Some(17));
    }
    world.clock.advance(secs(5));
    let served = world.counts().served_new;
    assert_eq!((served.overdue, served.slow), (1, 1));
}

#[test]
fn each_kind_of_event_counts_once_and_again_in_the_next_phase() {
    let world = World::with(|builder| {
        let builder = builder.first_event_per_key(true);
        builder.baseline(crate::world::baseline(millis(100)))
    });
    for epoch in 1..4 {
        let new = route(SystemMode::NewOnly, Side::New, epoch);
        world.begin(new);
        for _ in 0..3 {
            for key in [Some(1), Some(2), None] {
                let call = world.start(new);
                world.clock.advance(millis(201));
                world.end_with_key(call, Outcome::TimedOut, key);
                world.clock.advance(millis(99));
            }
        }
        world.clock.advance(secs(3));
        let served = world.counts().served_new;
        assert_eq!((served.failed, served.overdue, served.slow), (5, 5, 5), "two keys once, and all without a key");
    }
}
