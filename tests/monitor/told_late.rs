//! Hosts without a runner tell of calls when they have ended: long calls count like short ones, however often somebody looks.

use cutover::monitor::Evidence;
use cutover::observe::Sample;
use cutover::{Outcome, Side, SystemMode, Verdict};

use crate::world::{TICK, TIMEOUT, World, millis, route, secs};

#[test]
fn at_low_traffic_long_calls_are_counted_although_somebody_looks_each_second() {
    let world = World::with_p95(millis(100));
    let route = route(SystemMode::NewOnly, Side::New, 1);
    for call in 0..200 {
        for _ in 0..40 {
            world.clock.advance(TICK);
            let _ = world.counts();
        }
        let took = if call % 2 == 0 { secs(5) } else { millis(5) };
        world.monitor.record(&route, &Sample::new(Side::New, Outcome::Ok, took));
    }
    world.clock.advance(TIMEOUT + TICK);
    let snapshot = world.monitor.snapshot();
    assert_eq!(
        (snapshot.counts.new.started, snapshot.counts.new.slow, snapshot.late),
        (199, 99, 0),
        "all but the first"
    );
}

#[test]
fn pairs_that_are_told_late_are_counted_too_up_to_the_timeout() {
    let world = World::with_p95(millis(100));
    let route = route(SystemMode::Parallel, Side::Legacy, 1);
    let tell = |took| {
        let sample = |side| Sample::new(side, Outcome::Ok, took);
        world.monitor.record_pair(&route, &sample(Side::Legacy), &sample(Side::New), Verdict::Matched);
    };
    tell(millis(1));
    for took in [secs(29), secs(32)] {
        for _ in 0..100 {
            world.clock.advance(TICK);
            let _ = world.counts();
        }
        tell(took);
    }
    world.clock.advance(2 * TIMEOUT);
    let snapshot = world.monitor.snapshot();
    assert_eq!((snapshot.counts.pairs.pairs, snapshot.late), (1, 1), "beyond the timeout nobody waits");
}

#[test]
fn what_ends_late_is_in_the_average_with_the_time_that_it_took() {
    let world = World::new();
    let route = route(SystemMode::NewOnly, Side::New, 1);
    world.begin(route);
    for looked in [true, false] {
        let call = world.start(route);
        for _ in 0..700 {
            world.clock.advance(TICK);
            if looked {
                let _ = world.counts();
            }
        }
        if looked {
            assert_eq!(world.monitor.mean_durations().new, Some(TIMEOUT), "nobody knows more yet");
        }
        world.end_ok(call);
        assert_eq!(world.monitor.mean_durations().new, Some(secs(700)));
    }
    world.end_ok(world.start(route));
    assert_eq!(world.monitor.mean_durations().new, Some(secs(1_400) / 3));
    world.begin(crate::world::route(SystemMode::NewOnly, Side::New, 2));
    assert_eq!(world.monitor.mean_durations().new, None, "of this phase only");
}
