//! Virtual time: what waits is woken in order, what can never go on is found, and nothing takes real time.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use cutover::clock::Instant;
use cutover::random::RandomSource;
use cutover::testing::{ManualClock, ScriptedRouter, SeededRandom, VirtualRuntime};
use cutover::{Clock, Route, Router, Runtime, Side, SystemMode};
use futures::channel::oneshot;
use futures::future::join;
use futures::task::ArcWake;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Notes in the order in which they were made.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn elapsed(runtime: &VirtualRuntime) -> Duration {
    Duration::from_nanos(runtime.clock().now().as_nanos())
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn a_manual_clock_moves_only_when_told() {
    let clock = ManualClock::new();
    let same = clock.clone();
    let (start, wall) = (clock.now(), clock.wall());
    assert_eq!((clock.now(), clock.wall()), (start, wall));
    same.advance(secs(3));
    assert_eq!((clock.now().since(start), clock.wall()), (secs(3), wall + secs(3)));
}

#[test]
fn the_wall_jumps_alone() {
    let clock = ManualClock::new();
    clock.advance(secs(10));
    let now = clock.now();
    clock.set_wall(SystemTime::UNIX_EPOCH);
    assert_eq!((clock.now(), clock.wall()), (now, SystemTime::UNIX_EPOCH));
    clock.advance(secs(1));
    assert_eq!(clock.wall(), SystemTime::UNIX_EPOCH + secs(1));
}

/// Notes the time at which it is woken.
struct Witness(ManualClock, Log);

impl ArcWake for Witness {
    fn wake_by_ref(witness: &Arc<Self>) {
        witness.1.note(&(witness.0.now().as_nanos() / 1_000_000_000).to_string());
    }
}

#[test]
fn a_clock_that_moves_shows_each_deadline_on_its_way() {
    let (clock, log) = (ManualClock::new(), Log::default());
    let waker = futures::task::waker(Arc::new(Witness(clock.clone(), log.clone())));
    let mut sleeps = [3, 1, 2, 9].map(|delay| clock.sleep(secs(delay)));
    for sleep in &mut sleeps {
        assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    clock.advance(secs(5));
    assert_eq!(log.take(), ["1", "2", "3"]);
    assert_eq!(clock.next_deadline().map(Instant::as_nanos), Some(9_000_000_000));
}

#[test]
fn without_tasks_nothing_is_to_settle() {
    let runtime = VirtualRuntime::new();
    let mut stray = runtime.sleep(secs(3));
    runtime.run(poll_fn(|context| {
        assert!(stray.as_mut().poll(context).is_pending());
        Poll::Ready(())
    }));
    assert!(runtime.settle(secs(5)));
    assert_eq!(elapsed(&runtime), Duration::ZERO);
}

#[test]
fn time_passes_only_while_all_wait() {
    let runtime = VirtualRuntime::new();
    runtime.run(async {
        for _ in 0..100 {
            yield_once().await;
        }
        assert_eq!(elapsed(&runtime), Duration::ZERO);
        runtime.sleep(secs(5)).await;
        assert_eq!(elapsed(&runtime), secs(5));
    });
}

#[test]
fn the_future_and_the_tasks_run_beside_each_other() {
    let (runtime, log) = (VirtualRuntime::new(), Log::default());
    let (send, receive) = oneshot::channel();
    let (sleep, task_log) = (runtime.sleep(secs(2)), log.clone());
    runtime.spawn(Box::pin(async move {
        sleep.await;
        task_log.note("task");
        send.send(7).unwrap();
    }));
    let answer = runtime.run(async {
        runtime.sleep(secs(1)).await;
        log.note("main");
        receive.await.unwrap()
    });
    assert_eq!((answer, log.take()), (7, vec!["main".into(), "task".into()]));
    assert_eq!((elapsed(&runtime), runtime.pending_tasks()), (secs(2), 0));
}

#[test]
fn a_task_never_runs_inside_of_spawn() {
    let (runtime, log) = (VirtualRuntime::new(), Log::default());
    let task_log = log.clone();
    runtime.spawn(Box::pin(async move { task_log.note("ran") }));
    assert_eq!(log.take(), Vec::<String>::new());
    runtime.run_until_idle();
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn a_future_that_spins_starves_nobody() {
    let runtime = VirtualRuntime::new();
    let (send, mut receive) = oneshot::channel();
    runtime.spawn(Box::pin(async move { send.send(()).unwrap() }));
    runtime.run(async {
        while receive.try_recv().unwrap().is_none() {
            yield_once().await;
        }
    });
}

#[test]
#[should_panic(expected = "deadlock: ")]
fn what_can_never_go_on_is_a_deadlock() {
    VirtualRuntime::new().run(pending::<()>());
}

#[test]
fn a_deadlock_can_be_asked_for() {
    let runtime = VirtualRuntime::new();
    runtime.spawn(runtime.sleep(Duration::MAX));
    assert_eq!(runtime.try_run(pending::<()>()), None);
    assert_eq!(runtime.try_run(async { 1 }), Some(1));
    assert_eq!((runtime.pending_tasks(), elapsed(&runtime)), (1, Duration::ZERO));
}

#[test]
fn a_task_that_blocks_lets_the_timers_of_others_come_due_late() {
    let (runtime, log) = (VirtualRuntime::new(), Log::default());
    for (name, delay) in [("second", 2), ("first", 1), ("late", 30)] {
        let (waits, log) = (runtime.clone(), log.clone());
        runtime.spawn(Box::pin(async move {
            waits.sleep(secs(delay)).await;
            log.note(&format!("{name} at {}", elapsed(&waits).as_secs()));
        }));
    }
    runtime.run(async {
        runtime.sleep(Duration::from_millis(500)).await;
        runtime.clock().advance(secs(10));
        runtime.sleep(secs(60)).await;
    });
    assert_eq!(log.take(), ["first at 10", "second at 10", "late at 30"]);
}

#[test]
fn a_timer_that_is_dropped_does_not_move_the_clock() {
    let runtime = VirtualRuntime::new();
    runtime.run(async {
        let patience = runtime.sleep(secs(100));
        futures::future::select(patience, runtime.sleep(secs(1))).await;
    });
    assert_eq!(runtime.clock().next_deadline(), None);
    assert_eq!(runtime.try_run(pending::<()>()), None);
    assert_eq!(elapsed(&runtime), secs(1));
}

#[test]
fn idle_tasks_wait_until_they_settle() {
    let runtime = VirtualRuntime::new();
    for delay in [1, 2, 9] {
        runtime.spawn(runtime.sleep(secs(delay)));
    }
    runtime.run_until_idle();
    assert_eq!((runtime.pending_tasks(), elapsed(&runtime)), (3, Duration::ZERO));
    assert!(!runtime.settle(secs(5)));
    assert_eq!((runtime.pending_tasks(), elapsed(&runtime)), (1, secs(5)));
    assert!(runtime.settle(secs(5)));
    assert_eq!((runtime.pending_tasks(), elapsed(&runtime)), (0, secs(9)));
    runtime.spawn(Box::pin(pending()));
    assert!(!runtime.settle(secs(5)));
    assert_eq!(elapsed(&runtime), secs(9));
}

#[test]
fn tasks_that_panic_are_counted_and_contained() {
    let runtime = VirtualRuntime::new();
    runtime.spawn(Box::pin(async { panic!("a task panics") }));
    runtime.run(runtime.sleep(secs(1)));
    assert_eq!((runtime.panicked_tasks(), runtime.pending_tasks()), (1, 0));
}

#[test]
fn tasks_can_be_dropped_as_by_a_shutdown() {
    let runtime = VirtualRuntime::new();
    let (send, receive) = oneshot::channel::<()>();
    runtime.spawn(Box::pin(async move {
        pending::<()>().await;
        drop(send);
    }));
    runtime.run_until_idle();
    assert_eq!(runtime.drop_tasks(), 1);
    assert!(runtime.run(receive).is_err());
}

#[test]
fn many_short_runs_take_seconds() {
    for seed in 0..100_000 {
        let runtime = VirtualRuntime::new();
        let delay = Duration::from_micros(SeededRandom::new(seed).next_u64() % 100);
        runtime.run(join(runtime.sleep(delay), async {}));
        assert_eq!(elapsed(&runtime), delay);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn timers_fire_on_time_and_in_order(delays in prop::collection::vec(0_u64..50, 1..20)) {
        let (runtime, fired) = (VirtualRuntime::new(), Arc::new(Mutex::new(Vec::new())));
        for (nth, delay) in delays.iter().copied().enumerate() {
            let (waits, fired) = (runtime.clone(), Arc::clone(&fired));
            runtime.spawn(Box::pin(async move {
                waits.sleep(secs(delay)).await;
                fired.lock().unwrap().push((elapsed(&waits).as_secs(), nth));
            }));
        }
        prop_assert!(runtime.settle(secs(50)));
        let mut expected: Vec<_> = delays.into_iter().enumerate().map(|(nth, delay)| (delay, nth)).collect();
        expected.sort_unstable();
        prop_assert_eq!(&*fired.lock().unwrap(), &expected);
    }
}

#[test]
fn a_script_is_followed_and_its_last_route_repeated() {
    let legacy = Route::new(SystemMode::LegacyOnly, Side::Legacy);
    let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    let router = ScriptedRouter::new([parallel, legacy]);
    let same = router.clone();
    assert_eq!(router.route("a".into()), parallel);
    assert_eq!([same.route("a".into()), router.route("b".into())], [legacy; 2]);
    assert_eq!(router.routed(), 3);
    assert_eq!(ScriptedRouter::new([]).route("a".into()), legacy);
}

#[test]
fn seeded_chance_is_splitmix64() {
    let random = SeededRandom::new(1_234_567);
    let draws = [(); 3].map(|()| random.next_u64());
    assert_eq!(draws, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}
