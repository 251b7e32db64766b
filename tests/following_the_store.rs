//! What others change is found: a wake-up is a hint, polling is the guarantee, and nobody polls together.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a figure that is measured is told")]

#[path = "control_common/stores.rs"]
mod stores;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::control::ControllerBuilder;
use cutover::observe::Event;
use cutover::runtime::Runtime;
use cutover::testing::{FailingStore, SeededRandom, SlowStore, VirtualRuntime};
use cutover::{Clock, MemoryStore, MigrationController, SystemMode};
use futures::future::join_all;
use proptest::prelude::*;
use stores::Instrumented;

type Store = Instrumented<MemoryStore>;

const POLL: Duration = Duration::from_secs(10);

struct Fleet {
    runtime: VirtualRuntime,
    store: Store,
}

impl Fleet {
    fn new(store: Store) -> Self {
        Self { runtime: VirtualRuntime::new(), store }
    }

    fn open(&self, seed: u64) -> MigrationController {
        let builder = MigrationController::builder("search", self.store.clone())
            .runtime(self.runtime.clone())
            .clock(self.runtime.clock())
            .random(SeededRandom::new(seed))
            .poll_interval(POLL);
        self.runtime.run(builder.open()).unwrap()
    }

    /// Somebody whose changes wake nobody.
    fn operator(&self) -> MigrationController {
        let builder = MigrationController::builder("search", self.store.store.clone()).runtime(self.runtime.clone());
        self.runtime.run(builder.manual_refresh().open()).unwrap()
    }

    fn transition(&self, operator: &MigrationController, to: SystemMode) {
        self.runtime.run(operator.transition(to, "ana", "go on")).unwrap();
    }

    fn pass(&self, duration: Duration) {
        self.runtime.run(self.runtime.sleep(duration));
    }

    /// The readings in each of the next 60 seconds.
    fn readings_per_second(&self) -> Vec<u64> {
        (0..60).map(|_| self.readings_within(Duration::from_secs(1))).collect()
    }

    fn readings_within(&self, duration: Duration) -> u64 {
        let before = self.store.loads();
        self.pass(duration);
        self.store.loads() - before
    }

    /// How long it takes until all of `controllers` are in `mode`.
    fn until(&self, controllers: &[MigrationController], mode: SystemMode) -> Duration {
        let start = self.runtime.clock().now();
        while controllers.iter().any(|controller| controller.mode() != mode) {
            self.pass(Duration::from_millis(1));
            assert!(self.runtime.clock().now().since(start) < Duration::from_secs(600), "never");
        }
        self.runtime.clock().now().since(start)
    }
}

#[test]
fn without_wake_ups_a_change_is_found_within_a_poll_and_a_fifth() {
    let fleet = Fleet::new(Store::new(MemoryStore::new()));
    let controllers: Vec<_> = (0..50).map(|seed| fleet.open(seed)).collect();
    let operator = fleet.operator();
    for to in [SystemMode::Parallel, SystemMode::LegacyOnly, SystemMode::GradualRollout] {
        fleet.transition(&operator, to);
        let longest = fleet.until(&controllers, to);
        assert!(longest <= POLL * 6 / 5 + Duration::from_millis(1), "{longest:?}");
    }
}

#[test]
fn a_wake_up_is_followed_within_a_tenth_of_a_second() {
    let fleet = Fleet::new(Store::new(MemoryStore::new()).watchable());
    let controllers: Vec<_> = (0..50).map(|seed| fleet.open(seed)).collect();
    let operator = fleet.operator();
    fleet.pass(Duration::from_secs(1));
    assert_eq!(fleet.store.watchers(), 50);
    fleet.transition(&operator, SystemMode::Parallel);
    fleet.store.wake();
    let longest = fleet.until(&controllers, SystemMode::Parallel);
    assert!(longest <= Duration::from_millis(101), "{longest:?}");
}

#[test]
fn those_who_are_woken_together_read_apart() {
    let fleet = Fleet::new(Store::new(MemoryStore::new()).watchable());
    let _controllers: Vec<_> = (0..200).map(|seed| fleet.open(seed)).collect();
    fleet.pass(Duration::from_millis(500));
    fleet.store.wake();
    let tenths: Vec<_> = (0..10).map(|_| fleet.readings_within(Duration::from_millis(10))).collect();
    assert!(tenths.iter().all(|readings| (5..=50).contains(readings)), "{tenths:?}");
}

#[test]
fn a_lost_connection_is_made_anew_and_what_was_missed_is_read() {
    let fleet = Fleet::new(Store::new(MemoryStore::new()).watchable());
    let controllers = [fleet.open(1)];
    let operator = fleet.operator();
    fleet.pass(Duration::from_secs(1));
    fleet.store.disconnect();
    fleet.transition(&operator, SystemMode::Parallel);
    let missed = fleet.until(&controllers, SystemMode::Parallel);
    assert!(missed <= POLL, "{missed:?}");
    fleet.pass(Duration::from_millis(10));
    assert_eq!(fleet.store.watchers(), 1, "it watches again");
}

#[test]
fn while_the_store_is_silent_routing_goes_on_and_every_call_ends_at_its_deadline() {
    let fleet = Fleet::new(Store::new(MemoryStore::new()).watchable());
    let controller = fleet.open(1);
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    fleet.transition(&controller, SystemMode::GradualRollout);
    let heard = Arc::clone(&events);
    let builder = MigrationController::builder("search", fleet.store.clone())
        .runtime(fleet.runtime.clone())
        .clock(fleet.runtime.clock())
        .poll_interval(POLL)
        .observe(Listening(heard));
    let observed = fleet.runtime.run(builder.open()).unwrap();
    let before = controller.route("user-17");
    fleet.store.blackhole(true);
    let end = fleet.runtime.clock().now().plus(Duration::from_secs(60));
    while fleet.runtime.clock().now() < end {
        let started = fleet.runtime.clock().now();
        assert!(fleet.runtime.run(controller.refresh()).is_err());
        assert!(fleet.runtime.run(controller.transition(SystemMode::NewOnly, "ana", "go on")).is_err());
        // One call that shares a reading under way waits for that one too.
        assert!(fleet.runtime.clock().now().since(started) <= Duration::from_secs(6), "deadlines of 2 s");
        assert_eq!(controller.route("user-17"), before);
        assert!(controller.status().stale);
    }
    fleet.store.blackhole(false);
    fleet.transition(&fleet.operator(), SystemMode::Parallel);
    let back = fleet.until(&[controller.clone(), observed], SystemMode::Parallel);
    assert!(back <= POLL * 2, "{back:?}");
    assert!(!controller.status().stale);
    let events = events.lock().unwrap();
    let count = |wanted: &Event| events.iter().filter(|event| *event == wanted).count();
    assert_eq!((count(&Event::StoreLost), count(&Event::StoreBack)), (1, 1), "{events:?}");
}

/// Keeps the events, at once.
struct Listening(Arc<Mutex<Vec<Event>>>);

impl cutover::Observer for Listening {
    fn observe(&self, _: &str, event: &Event) {
        self.0.lock().unwrap().push(*event);
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// How many of a hundred instances read in each of the 60 seconds after an outage. The connections break when it begins, or
/// when it ends.
fn readings_after_an_outage(length: Duration, breaking_at_its_end: bool) -> Vec<u64> {
    let fleet = Fleet::new(Store::new(MemoryStore::new()).watchable());
    let _controllers: Vec<_> = (0..100).map(|seed| fleet.open(seed)).collect();
    fleet.pass(Duration::from_secs(30));
    fleet.store.blackhole(!length.is_zero());
    if !breaking_at_its_end {
        fleet.store.disconnect();
    }
    fleet.pass(length);
    fleet.store.blackhole(false);
    fleet.store.disconnect();
    fleet.readings_per_second()
}

#[test]
fn after_an_outage_a_hundred_instances_do_not_read_together() {
    for (seconds, breaking_at_its_end) in [(60, false), (60, true), (0, true)] {
        let per_second = readings_after_an_outage(Duration::from_secs(seconds), breaking_at_its_end);
        let mean = per_second.iter().sum::<u64>() / 60;
        let peak = per_second.iter().copied().max().unwrap();
        println!("after {seconds} s: {peak} readings in the busiest second, {mean} in the mean of 60 s");
        assert!(peak <= 2 * mean, "{per_second:?}");
    }
}

#[test]
fn after_a_start_a_hundred_instances_do_not_read_together() {
    let fleet = Fleet::new(Store::new(MemoryStore::new()));
    let _controllers: Vec<_> = (0..100).map(|seed| fleet.open(seed)).collect();
    let per_second = fleet.readings_per_second();
    let mean = per_second.iter().sum::<u64>() / 60;
    assert!(per_second.iter().all(|readings| *readings <= 2 * mean), "{per_second:?}");
}

#[test]
fn a_store_that_never_says_whether_it_wakes_delays_no_poll() {
    let fleet = Fleet::new(Store::new(MemoryStore::new()));
    fleet.store.hang_watches();
    let controllers: Vec<_> = (0..50).map(|seed| fleet.open(seed)).collect();
    let operator = fleet.operator();
    fleet.pass(Duration::from_secs(30));
    for to in [SystemMode::Parallel, SystemMode::LegacyOnly, SystemMode::GradualRollout] {
        fleet.transition(&operator, to);
        let longest = fleet.until(&controllers, to);
        assert!(longest <= POLL * 6 / 5 + Duration::from_secs(1), "{longest:?}");
    }
}

#[test]
fn a_store_that_answers_slowly_is_polled_as_often() {
    let (runtime, store) = (VirtualRuntime::new(), Store::new(MemoryStore::new()));
    let slow = SlowStore::new(store.clone(), runtime.clone(), Duration::from_millis(900));
    let builder = MigrationController::builder("search", slow).runtime(runtime.clone()).clock(runtime.clock());
    let controller = runtime.run(builder.random(SeededRandom::new(3)).poll_interval(POLL).open()).unwrap();
    runtime.run(runtime.sleep(POLL * 200));
    let readings = store.loads();
    assert!((190..=215).contains(&readings), "{readings} readings in the time of 200");
    drop(controller);
}

#[test]
fn the_store_is_read_as_often_as_the_host_wants() {
    for interval in [Duration::from_millis(250), Duration::from_secs(90)] {
        let (runtime, store) = (VirtualRuntime::new(), Store::new(MemoryStore::new()));
        let builder =
            MigrationController::builder("search", store.clone()).runtime(runtime.clone()).clock(runtime.clock());
        let controller = runtime.run(builder.random(SeededRandom::new(3)).poll_interval(interval).open()).unwrap();
        runtime.run(runtime.sleep(interval * 200));
        let readings = store.loads();
        assert!((190..=215).contains(&readings), "{readings} readings in the time of 200 of {interval:?}");
        drop(controller);
    }
}

#[test]
fn without_an_answer_of_the_store_the_status_gets_stale_when_the_host_wants() {
    let hour = Duration::from_secs(3_600);
    for (poll, longest, stale_after) in
        [(POLL, None, POLL * 3), (hour, None, hour * 3), (POLL, Some(hour), hour), (hour, Some(POLL), POLL)]
    {
        let runtime = VirtualRuntime::new();
        let builder = MigrationController::builder("search", MemoryStore::new())
            .runtime(runtime.clone())
            .clock(runtime.clock())
            .poll_interval(poll);
        let builder = longest.into_iter().fold(builder, ControllerBuilder::max_staleness);
        let controller = runtime.run(builder.open()).unwrap();
        // Time goes on, and nobody runs what waits for it.
        runtime.clock().advance(stale_after);
        assert!(!controller.status().stale, "{poll:?}, {longest:?}");
        runtime.clock().advance(Duration::from_nanos(1));
        assert!(controller.status().stale, "{poll:?}, {longest:?}");
    }
}

#[test]
fn no_interval_is_too_long_or_too_short() {
    for interval in [Duration::MAX, Duration::ZERO] {
        let (runtime, store) = (VirtualRuntime::new(), Store::new(MemoryStore::new()).watchable());
        let builder = MigrationController::builder("search", store.clone()).runtime(runtime.clone());
        let controller = runtime.run(builder.clock(runtime.clock()).poll_interval(interval).open()).unwrap();
        runtime.run(runtime.sleep(Duration::from_secs(1)));
        assert!(store.loads() <= 150, "{} readings in a second", store.loads());
        let operator = futures::executor::block_on(MigrationController::open("search", store.store.clone())).unwrap();
        runtime.run(operator.transition(SystemMode::Parallel, "ana", "go on")).unwrap();
        store.wake();
        runtime.run(runtime.sleep(Duration::from_secs(1)));
        assert_eq!(controller.mode(), SystemMode::Parallel);
        drop(controller);
        runtime.run_until_idle();
        assert_eq!((runtime.pending_tasks(), runtime.panicked_tasks()), (0, 0));
    }
}

#[test]
fn readings_are_shared_and_begin_after_every_caller_has_asked() {
    let runtime = VirtualRuntime::new();
    let counted = Store::new(MemoryStore::new());
    let slow = SlowStore::new(counted.clone(), runtime.clone(), Duration::from_millis(100));
    let builder = MigrationController::builder("search", slow).runtime(runtime.clone()).manual_refresh();
    let controller = runtime.run(builder.open()).unwrap();
    let before = counted.loads();
    runtime.run(join_all((0..10).map(|_| controller.refresh())));
    assert_eq!(counted.loads() - before, 2, "the first caller's, and one for all others");

    let late = async {
        runtime.sleep(Duration::from_millis(150)).await;
        // The reading under way has looked already.
        let other = MigrationController::open("search", counted.store.clone()).await.unwrap();
        other.transition(SystemMode::Parallel, "ana", "go on").await.unwrap();
        join_all((0..10).map(|_| controller.refresh())).await;
        assert_eq!(controller.mode(), SystemMode::Parallel);
    };
    let before = counted.loads();
    runtime.run(futures::future::join(controller.refresh(), late)).0.unwrap();
    assert_eq!(counted.loads() - before, 2, "one under way, and one for all others");
}

#[test]
fn a_reading_that_finds_nothing_new_asks_for_the_record_only() {
    let runtime = VirtualRuntime::new();
    let store = FailingStore::new(MemoryStore::new(), runtime.clone());
    let builder = MigrationController::builder("search", store.clone()).runtime(runtime.clone()).manual_refresh();
    let controller = runtime.run(builder.open()).unwrap();
    runtime.run(controller.transition(SystemMode::Parallel, "ana", "go on")).unwrap();
    let before = store.calls();
    runtime.run(controller.refresh()).unwrap();
    assert_eq!(store.calls() - before, 1);
}

#[test]
fn the_last_handle_ends_it() {
    for store in [Store::new(MemoryStore::new()), Store::new(MemoryStore::new()).watchable()] {
        let fleet = Fleet::new(store);
        let controller = fleet.open(1);
        let clone = controller.clone();
        fleet.pass(Duration::from_secs(25));
        drop(controller);
        assert_eq!(fleet.runtime.pending_tasks(), 1);
        drop(clone);
        fleet.runtime.run_until_idle();
        assert_eq!(fleet.runtime.pending_tasks(), 0);
    }
}

#[test]
fn asked_to_it_neither_polls_nor_watches() {
    let fleet = Fleet::new(Store::new(MemoryStore::new()).watchable());
    let builder = MigrationController::builder("search", fleet.store.clone()).runtime(fleet.runtime.clone());
    let controller = fleet.runtime.run(builder.clock(fleet.runtime.clock()).manual_refresh().open()).unwrap();
    let before = fleet.store.loads();
    fleet.pass(Duration::from_secs(100));
    assert_eq!((fleet.store.loads(), fleet.store.watchers(), fleet.runtime.pending_tasks()), (before, 0, 0));
    assert!(controller.status().stale, "nobody has asked for three intervals");
    assert_eq!(controller.status().age, Duration::from_secs(100));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Changes with any wake-ups: lost, doubled, late, without cause, or a connection that breaks.
    #[test]
    fn any_wake_ups_lead_to_the_same_end(steps in prop::collection::vec((0..5_u8, 0..3_000_u64), 1..30)) {
        let fleet = Fleet::new(Store::new(MemoryStore::new()).watchable());
        let controllers = [fleet.open(1), fleet.open(2)];
        let operator = fleet.operator();
        for (step, pause) in steps {
            match step {
                0 | 1 => {
                    let to = if operator.mode() == SystemMode::Parallel { SystemMode::LegacyOnly } else { SystemMode::Parallel };
                    fleet.transition(&operator, to);
                }
                2 => fleet.store.wake(),
                3 => {
                    fleet.store.wake();
                    fleet.store.wake();
                }
                _ => fleet.store.disconnect(),
            }
            let epochs = [0, 1].map(|at: usize| controllers[at].status().epoch);
            fleet.pass(Duration::from_millis(pause));
            prop_assert!(controllers.iter().zip(epochs).all(|(controller, epoch)| controller.status().epoch >= epoch));
        }
        fleet.pass(POLL * 6 / 5);
        for controller in &controllers {
            prop_assert_eq!(controller.status().epoch, operator.status().epoch);
            prop_assert_eq!(controller.status().doubt, None);
        }
    }
}
