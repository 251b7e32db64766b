//! New that fails too often while it serves is rolled back, once, and nothing else is.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use cutover::clock::Instant;
use cutover::control::{AutoFallbackBuilder, AutoFallbackError};
use cutover::observe::{Event, Sample};
use cutover::store::AuditEntry;
use cutover::testing::VirtualRuntime;
use cutover::{
    AutoFallback, DualRunner, Equality, MemoryStore, MigrationController, Observer, Outcome, Percentage, Route,
    Runtime, Side, SystemMode, Verdict,
};
use futures::executor::block_on;
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

struct World {
    runtime: VirtualRuntime,
    controller: MigrationController,
    guard: AutoFallback,
}

impl World {
    /// New serves everybody.
    fn new() -> Self {
        let runtime = VirtualRuntime::new();
        let controller = open(&runtime, MemoryStore::new());
        promote(&runtime, &controller);
        let guard = AutoFallback::new(&controller);
        Self { runtime, controller, guard }
    }

    fn served(&self, outcome: Outcome) {
        served(&self.controller, &self.guard, outcome);
    }

    fn many(&self, outcome: Outcome, count: u32) {
        (0..count).for_each(|_| self.served(outcome));
    }

    fn pass(&self, duration: Duration) {
        self.runtime.clock().advance(duration);
    }

    fn has_tripped(&self) -> bool {
        self.controller.mode() == SystemMode::EmergencyRollback
    }

    fn audit(&self) -> Vec<AuditEntry> {
        self.runtime.run_until_idle();
        self.runtime.run(self.controller.history(0, 200)).unwrap()
    }
}

fn open(runtime: &VirtualRuntime, store: MemoryStore) -> MigrationController {
    let builder = MigrationController::builder("prices", store).clock(runtime.clock()).runtime(runtime.clone());
    runtime.run(builder.manual_refresh().open()).unwrap()
}

fn promote(runtime: &VirtualRuntime, controller: &MigrationController) {
    for mode in [SystemMode::Parallel, SystemMode::NewOnly] {
        runtime.run(controller.transition(mode, "ana", "test")).unwrap();
    }
}

fn sample(side: Side, outcome: Outcome) -> Sample {
    Sample::new(side, outcome, SECOND)
}

fn ended(route: Route, sample: Sample) -> Event {
    Event::Served { route, sample, started: Instant::default(), key: None }
}

fn compared(route: Route, legacy: Sample, new: Sample) -> Event {
    let (started, both, key, verdict, fell_back) = (Instant::default(), true, None, Verdict::OneFailed, false);
    Event::Compared { route, started, both, key, legacy, new, verdict, fell_back }
}

/// A call that the controller routes now and that ends at once.
fn served(controller: &MigrationController, guard: &AutoFallback, outcome: Outcome) {
    let route = controller.route("order-17");
    guard.observe("price", &ended(route, sample(route.serve, outcome)));
}

#[test]
fn one_less_than_the_limit_does_nothing() {
    let world = World::new();
    world.many(Outcome::Err, 9);
    world.many(Outcome::Ok, 1_000);
    assert!(!world.has_tripped());
    assert_eq!(world.audit().len(), 2);
}

#[test]
fn the_limit_trips_with_the_numbers_as_reason_and_evidence() {
    let world = World::new();
    world.many(Outcome::Ok, 5);
    for outcome in [Outcome::Err, Outcome::Panicked, Outcome::TimedOut].into_iter().cycle().take(10) {
        assert!(!world.has_tripped());
        world.served(outcome);
    }
    assert!(world.has_tripped());
    let audit = world.audit();
    let entry = audit.last().unwrap();
    assert_eq!((audit.len(), entry.actor.as_str()), (3, "auto-fallback"));
    assert_eq!(
        entry.reason.as_str(),
        "EMERGENCY: 10 of 15 calls that new served failed within 60s (limits: 10, and 50%)"
    );
    let expected = json!({
        "guard": "auto_fallback", "source": "price", "failures": 10, "calls": 15, "window_ms": 60_000, "epoch": 2,
        "limits": { "failures": 10, "share": 50.0 },
    });
    assert_eq!(entry.evidence, Some(expected));
}

#[test]
fn no_name_is_too_long_for_the_audit() {
    let world = World::new();
    let (name, route) = ("\u{1f4a3}".repeat(100_000), world.controller.route("order-17"));
    for _ in 0..10 {
        world.guard.observe(&name, &ended(route, sample(Side::New, Outcome::Err)));
    }
    let evidence = world.audit()[2].evidence.clone().unwrap();
    assert_eq!(evidence["source"].as_str().unwrap().chars().count(), 200);
}

#[test]
fn many_failures_among_many_more_calls_do_nothing() {
    let world = World::new();
    for _ in 0..1_000 {
        world.many(Outcome::Err, 1);
        world.many(Outcome::Ok, 2);
    }
    assert!(!world.has_tripped());
}

#[test]
fn old_failures_slide_out_of_the_window() {
    let world = World::new();
    world.many(Outcome::Err, 9);
    world.pass(60 * SECOND);
    world.many(Outcome::Err, 9);
    assert!(!world.has_tripped());
    world.pass(30 * SECOND);
    world.served(Outcome::Err);
    assert!(world.has_tripped());
}

#[test]
fn failures_that_drip_in_never_trip() {
    let world = World::new();
    for _ in 0..10_000 {
        world.pass(7 * SECOND);
        world.served(Outcome::Err);
    }
    assert!(!world.has_tripped());
}

#[test]
fn only_what_new_serves_counts() {
    let world = World::new();
    let (legacy, new) = (Side::Legacy, Side::New);
    let routes = |serve| {
        let mut route: Route = world.controller.route("order-17");
        route.serve = serve;
        route
    };
    for _ in 0..100 {
        for failed in [Outcome::Err, Outcome::Panicked, Outcome::TimedOut] {
            let ok = Outcome::Ok;
            let shadow_failed = (routes(legacy), sample(legacy, ok), sample(new, failed));
            let legacy_shadow_failed = (routes(new), sample(legacy, failed), sample(new, ok));
            let legacy_failed = (routes(legacy), sample(legacy, failed), sample(new, failed));
            for (route, legacy, new) in [shadow_failed, legacy_shadow_failed, legacy_failed] {
                world.guard.observe("price", &compared(route, legacy, new));
            }
            world.guard.observe("price", &ended(routes(legacy), sample(legacy, failed)));
        }
    }
    assert!(!world.has_tripped());
    assert_eq!(world.audit().len(), 2);
}

#[test]
fn an_abandoned_call_counts_neither_way() {
    let world = World::new();
    world.many(Outcome::Abandoned, 100);
    assert!(!world.has_tripped());
    world.many(Outcome::Err, 10);
    assert!(world.has_tripped());
}

#[test]
fn a_call_that_legacy_saved_is_a_failure_of_new() {
    use cutover::dual::Fallback;
    let world = World::new();
    let runner = DualRunner::builder("price", world.controller.clone())
        .comparator(Equality)
        .fallback(Fallback::ToLegacy)
        .observe(AutoFallback::new(&world.controller))
        .build();
    for call in 0..10 {
        assert!(!world.has_tripped(), "after {call} calls");
        let answer = block_on(runner.run("order-17", async { Ok::<_, String>(1) }, async { Err("down".to_owned()) }));
        assert_eq!(answer, Ok(1));
    }
    assert!(world.has_tripped());
}

#[test]
fn sixteen_threads_trip_it_once() {
    let world = World::new();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| world.many(Outcome::Err, 500));
        }
    });
    assert!(world.has_tripped());
    assert_eq!(world.audit().len(), 3);
}

#[test]
fn sixteen_processes_that_trip_at_once_make_one_entry() {
    let runtime = VirtualRuntime::new();
    let store = MemoryStore::new();
    let first = open(&runtime, store.clone());
    promote(&runtime, &first);
    let processes: Vec<_> = (0..16).map(|_| open(&runtime, store.clone())).collect();
    for controller in &processes {
        let guard = AutoFallback::new(controller);
        (0..10).for_each(|_| served(controller, &guard, Outcome::Err));
        assert_eq!(controller.mode(), SystemMode::EmergencyRollback);
    }
    assert!(runtime.settle(60 * SECOND));
    assert_eq!(runtime.run(first.history(0, 200)).unwrap().len(), 3);
}

/// Real threads, which store at the same time.
#[test]
fn sixteen_processes_on_threads_of_their_own_make_one_entry() {
    let store = MemoryStore::new();
    let first = block_on(MigrationController::open("prices", store.clone())).unwrap();
    for mode in [SystemMode::Parallel, SystemMode::NewOnly] {
        block_on(first.transition(mode, "ana", "test")).unwrap();
    }
    let barrier = std::sync::Barrier::new(16);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let controller = block_on(MigrationController::open("prices", store.clone())).unwrap();
                let guard = AutoFallback::new(&controller);
                barrier.wait();
                (0..10).for_each(|_| served(&controller, &guard, Outcome::Err));
                block_on(controller.emergency_rollback("ben", "wait until it is stored"));
            });
        }
    });
    let audit = block_on(first.history(0, 200)).unwrap();
    assert_eq!((audit.len(), audit[2].actor.as_str()), (3, "auto-fallback"));
}

#[test]
fn the_counts_begin_anew_when_somebody_promotes_again() {
    let world = World::new();
    let early = world.controller.route("order-17");
    world.many(Outcome::Err, 10);
    world.audit();
    assert!(world.has_tripped());
    world.runtime.run(world.controller.transition(SystemMode::LegacyOnly, "ana", "cause found")).unwrap();
    promote(&world.runtime, &world.controller);
    for _ in 0..100 {
        world.guard.observe("price", &ended(early, sample(Side::New, Outcome::Err)));
    }
    for _ in 0..9 {
        world.served(Outcome::Err);
        world.guard.observe("price", &ended(early, sample(Side::New, Outcome::Err)));
    }
    assert!(!world.has_tripped(), "calls of the time before do not count, however late they end");
    world.served(Outcome::Err);
    assert!(world.has_tripped());
    assert_eq!(world.audit().len(), 7);
}

#[test]
fn calls_that_end_after_the_emergency_do_not_make_another_one() {
    let world = World::new();
    let early = world.controller.route("order-17");
    drop(world.controller.emergency_rollback("ben", "customers call"));
    for _ in 0..100 {
        world.guard.observe("price", &ended(early, sample(Side::New, Outcome::Err)));
    }
    let audit = world.audit();
    assert_eq!((audit.len(), audit[2].reason.as_str()), (3, "EMERGENCY: customers call"));
}

#[test]
fn a_detector_keeps_no_controller_alive_and_does_nothing_without_one() {
    let runtime = VirtualRuntime::new();
    let heard = Arc::new(());
    let held = Arc::clone(&heard);
    let observer = move |_: &str, _: &Event| assert_eq!(*held, ());
    let builder = MigrationController::builder("prices", MemoryStore::new()).runtime(runtime.clone());
    let controller = runtime.run(builder.clock(runtime.clock()).observe(observer).open()).unwrap();
    promote(&runtime, &controller);
    let (guard, route) = (AutoFallback::new(&controller), controller.route("order-17"));
    controller.flush(60 * SECOND).unwrap();
    drop(controller);
    let gone = || (0..6_000).any(|_| Arc::strong_count(&heard) == 1 || !block_on(short_sleep()));
    assert!(gone(), "the controller is gone, and its observer with it");
    for _ in 0..100 {
        guard.observe("price", &ended(route, sample(Side::New, Outcome::Err)));
    }
}

async fn short_sleep() -> bool {
    cutover::HostRuntime.sleep(Duration::from_millis(5)).await;
    true
}

#[test]
fn a_detector_may_hear_its_own_controller() {
    let world = World::new();
    let guard = Arc::new(AutoFallback::new(&world.controller));
    let change = Event::ModeChanged { from: SystemMode::Parallel, to: SystemMode::NewOnly, epoch: 2 };
    guard.observe("prices", &change);
    assert!(guard.never_blocks() && !world.has_tripped());
}

#[test]
fn limits_out_of_range_are_refused_by_name() {
    let world = World::new();
    let builder = || AutoFallback::builder(&world.controller);
    for failures in [0, 1] {
        let refused = builder().failures(failures).build().unwrap_err();
        assert_eq!(refused, AutoFallbackError::Failures { failures });
        assert_eq!(refused.to_string(), format!("{failures} is too few failures to roll back; allowed: 2 and more"));
    }
    let share = Percentage::new(0.9).unwrap();
    let refused = builder().share(share).build().unwrap_err();
    assert_eq!(refused.to_string(), "0.9% of the calls is too small a share to roll back; allowed: 1% to 100%");
    for window in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(3_601), Duration::MAX] {
        assert_eq!(builder().window(window).build().unwrap_err(), AutoFallbackError::Window { window });
    }
    for window in [AutoFallbackBuilder::MIN_WINDOW, AutoFallbackBuilder::MAX_WINDOW] {
        builder().failures(2).share(AutoFallbackBuilder::MIN_SHARE).window(window).build().unwrap();
    }
}

#[test]
fn other_limits_are_kept_to() {
    let world = World::new();
    let builder = AutoFallback::builder(&world.controller).failures(3).window(10 * SECOND).actor("fuse");
    let guard = builder.share(Percentage::HUNDRED).build().unwrap();
    let call = |outcome| served(&world.controller, &guard, outcome);
    [Outcome::Ok, Outcome::Err, Outcome::Err, Outcome::Err].into_iter().for_each(call);
    world.pass(10 * SECOND);
    [Outcome::Err, Outcome::Err].into_iter().for_each(call);
    assert!(!world.has_tripped());
    call(Outcome::Err);
    assert!(world.has_tripped());
    assert_eq!(world.audit()[2].actor.as_str(), "fuse");
}

#[test]
fn nothing_is_allocated_before_it_trips() {
    let world = World::new();
    let route = world.controller.route("order-17");
    let hear = |outcome| world.guard.observe("price", &ended(route, sample(Side::New, outcome)));
    hear(Outcome::Err);
    let allocated = allocation_counter::measure(|| {
        (0..8).for_each(|_| hear(Outcome::Err));
        (0..2_000).for_each(|_| hear(Outcome::Ok));
        world.runtime.clock().advance(30 * SECOND);
        (0..1_000).for_each(|_| hear(Outcome::Err));
    });
    assert_eq!((allocated.count_total, world.has_tripped()), (0, false));
}
