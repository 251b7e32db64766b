//! A phase is an epoch: its counts begin with the tick after the one in which its first call started, and calls of other
//! epochs never mix in.

use cutover::monitor::SideCounts;
use cutover::observe::{Event, Sample};
use cutover::{Observer, Outcome, Route, Side, SystemMode};

use crate::world::{TICK, TIMEOUT, World, millis, route, secs};

fn new(epoch: u64) -> Route {
    route(SystemMode::NewOnly, Side::New, epoch)
}

fn calls(world: &World, route: Route, calls: u64) {
    (0..calls).for_each(|_| world.end_ok(world.start(route)));
}

#[test]
fn before_the_first_call_there_is_nothing() {
    let counts = World::new().counts();
    assert_eq!((counts.epoch, counts.mode, counts.legacy), (0, SystemMode::LegacyOnly, SideCounts::default()));
}

#[test]
fn a_phase_begins_with_the_tick_after_its_first_call() {
    let world = World::new();
    calls(&world, new(7), 5);
    assert_eq!((world.counts().epoch, world.counts().mode), (7, SystemMode::NewOnly));
    world.clock.advance(TICK);
    calls(&world, new(7), 3);
    world.clock.advance(TICK);
    assert_eq!(world.counts().new.started, 3);
    assert_eq!((world.monitor.snapshot().new.len(), world.monitor.snapshot().time), (3, secs(1)));
}

#[test]
fn a_new_epoch_ends_the_phase_at_once_and_keeps_nothing_of_it() {
    let world = World::new();
    world.begin(new(7));
    let (open, fails) = (world.start(new(7)), world.start(new(7)));
    world.clock.advance(TICK);
    calls(&world, new(8), 1);
    assert_eq!((world.counts().epoch, world.counts().new.started), (8, 0));
    world.clock.advance(TICK);
    calls(&world, new(8), 2);
    world.end_ok(open);
    world.end(fails, Outcome::Err);
    calls(&world, new(7), 9);
    world.clock.advance(TICK + TIMEOUT);
    let counts = world.counts();
    assert_eq!((counts.epoch, counts.new.started, counts.new.failed, counts.new.overdue), (8, 2, 0, 0));
    assert_eq!(world.monitor.snapshot().late, 0, "what belongs to another phase is not late");
}

#[test]
fn whole_ticks_of_a_phase_are_in_its_sums_until_the_next_one_begins() {
    let world = World::new();
    for epoch in 1..20 {
        world.begin(new(epoch));
        for tick in 0..epoch {
            calls(&world, new(epoch), 10);
            world.clock.advance(TICK);
            assert_eq!((world.counts().epoch, world.counts().new.started), (epoch, 10 * (tick + 1)));
        }
    }
}

#[test]
fn an_emergency_that_is_not_stored_yet_is_a_phase_of_its_own() {
    let world = World::new();
    world.begin(new(7));
    let emergency = route(SystemMode::EmergencyRollback, Side::Legacy, 7);
    world.begin(emergency);
    calls(&world, emergency, 2);
    calls(&world, new(7), 5);
    world.clock.advance(TICK);
    let counts = world.counts();
    assert_eq!((counts.epoch, counts.mode), (7, SystemMode::EmergencyRollback));
    assert_eq!((counts.legacy.started, counts.new.started), (2, 0));
    world.begin(route(SystemMode::EmergencyRollback, Side::Legacy, 8));
    assert_eq!(world.counts().epoch, 8);
}

#[test]
fn an_earlier_epoch_is_believed_when_the_controller_says_so_or_nobody_speaks_of_the_later_one() {
    let world = World::new();
    world.begin(new(7));
    world.begin(new(3));
    assert_eq!(world.counts().epoch, 7);
    let changed = Event::ModeChanged { from: SystemMode::NewOnly, to: SystemMode::NewOnly, epoch: 3 };
    world.monitor.observe("prices", &changed);
    assert_eq!((world.counts().epoch, world.counts().mode), (3, SystemMode::NewOnly));
    world.clock.advance(TICK);
    calls(&world, new(3), 4);
    world.clock.advance(TICK);
    assert_eq!(world.counts().new.started, 4);
    for _ in 0..70 {
        world.begin(new(1));
    }
    assert_eq!(world.counts().epoch, 1, "for more than twice the timeout, nobody spoke of another one");
}

#[test]
fn a_later_epoch_of_the_controller_begins_with_its_first_call() {
    let world = World::new();
    world.begin(new(7));
    let changed = Event::ModeChanged { from: SystemMode::NewOnly, to: SystemMode::LegacyOnly, epoch: 9 };
    world.monitor.observe("prices", &changed);
    assert_eq!(world.counts().epoch, 7);
}

#[test]
fn what_a_phase_counted_can_be_read_when_the_next_one_has_begun() {
    let world = World::new();
    assert_eq!(world.monitor.ended_phase(), None);
    world.begin(new(7));
    assert_eq!(world.monitor.ended_phase(), None, "the first phase has none before it");
    calls(&world, new(7), 4);
    world.clock.advance(TICK);
    let seen = world.monitor.snapshot();
    // A tick that is closed later, one that waits for a call, and the one in which the next phase begins.
    calls(&world, new(7), 3);
    world.clock.advance(TICK);
    calls(&world, new(7), 5);
    let open = world.start(new(7));
    world.end(world.start(new(7)), Outcome::Err);
    world.clock.advance(TICK);
    calls(&world, new(7), 2);
    calls(&world, new(8), 9);
    let ended = world.monitor.ended_phase().unwrap();
    let sums = |side: SideCounts| (side.started, side.succeeded, side.failed, side.overdue);
    assert_eq!((ended.counts.epoch, ended.counts.mode), (7, SystemMode::NewOnly));
    assert_eq!(sums(ended.counts.new), (15, 14, 1, 0), "what goes on is not overdue");
    assert_eq!((ended.new.len(), ended.time), (15, secs(4)));
    assert_eq!(sums(ended.since(&seen).unwrap().counts.new), (11, 10, 1, 0));
    world.end_ok(open);
    world.clock.advance(TICK);
    assert_eq!(world.monitor.ended_phase().unwrap(), ended, "it is over");
    assert_eq!(world.counts().new.started, 0);
    world.begin(new(9));
    assert_eq!(world.monitor.ended_phase().unwrap().counts.epoch, 7, "nothing was counted of the one in between");
    calls(&world, new(9), 2);
    calls(&world, new(10), 1);
    let ended = world.monitor.ended_phase().unwrap().counts;
    assert_eq!((ended.epoch, ended.new.started), (9, 2));
}

#[test]
fn who_tells_of_ends_alone_loses_nothing_of_the_phase_before_either() {
    let world = World::new();
    let sample = Sample::new(Side::New, Outcome::Ok, millis(5));
    for _ in 0..20 {
        world.monitor.record(&new(7), &sample);
        world.clock.advance(TICK);
    }
    assert_eq!(world.counts().new.started, 0, "every tick waits for its timeout");
    world.monitor.record(&new(8), &sample);
    assert_eq!(world.monitor.ended_phase().unwrap().counts.new.succeeded, 19, "the first tick is of no phase");
}
