//! Health is checked in the background, counted per side, and never taken for more than a check has said.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod health_common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use cutover::control::{BoxError, ControllerBuilder, Health, HealthSchedule, HealthState};
use cutover::observe::{CheckOutcome, Event, Part};
use cutover::testing::VirtualRuntime;
use cutover::{Runtime, Side};
use futures::FutureExt;
use futures::future::{BoxFuture, join};
use health_common::{Answer, Heard, SECRET, SEED, Scripted, advance, builder, checked, every_ten, new_side, secs};

#[test]
fn checks_come_once_in_an_interval_that_is_spread() {
    let runtime = VirtualRuntime::new();
    let check = Scripted::new(&runtime, Answer::Well);
    let controller = checked(&runtime, check.clone());
    advance(&runtime, secs(1_000));
    let asked = check.asked();
    assert!(asked[0] < secs(10), "{asked:?}, seed {SEED}");
    let gaps: Vec<_> = asked.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    assert!(gaps.iter().all(|gap| (secs(8)..=secs(12)).contains(gap)), "{gaps:?}, seed {SEED}");
    assert!(gaps.iter().min() < gaps.iter().max(), "{gaps:?}, seed {SEED}");
    assert!((90..=110).contains(&asked.len()), "{}, seed {SEED}", asked.len());
    assert_eq!(new_side(&controller).checks, asked.len() as u64);
}

#[test]
fn a_side_that_was_never_checked_is_unknown() {
    let runtime = VirtualRuntime::new();
    let controller = checked(&runtime, Scripted::new(&runtime, Answer::Well));
    let Some(Health { legacy: None, new: Some(new), .. }) = controller.health() else { panic!("only new is checked") };
    assert_eq!((new.state, new.last, new.age, new.last_checked), (HealthState::Unknown, None, None, None));
    advance(&runtime, secs(10));
    assert_eq!(new_side(&controller).state, HealthState::Healthy);
}

#[test]
fn a_check_that_fails_panics_or_hangs_counts_until_one_succeeds() {
    let runtime = VirtualRuntime::new();
    let check = Scripted::new(&runtime, Answer::Ill);
    let controller = checked(&runtime, check.clone());
    let failures = [
        (Answer::Ill, CheckOutcome::Failed),
        (Answer::Panic, CheckOutcome::Panicked),
        (Answer::Hang, CheckOutcome::TimedOut),
        (Answer::After(secs(3)), CheckOutcome::TimedOut),
    ];
    for (number, (answer, outcome)) in (1..).zip(failures) {
        check.answer(answer);
        let side = runtime.run(controller.check_health_now()).unwrap().new.unwrap();
        assert_eq!((side.state, side.last), (HealthState::Failing, Some(outcome)));
        assert_eq!((side.consecutive_failures, side.checks), (number, u64::from(number)));
    }
    check.answer(Answer::After(secs(1)));
    let side = runtime.run(controller.check_health_now()).unwrap().new.unwrap();
    assert_eq!((side.state, side.last), (HealthState::Healthy, Some(CheckOutcome::Ok)));
    assert_eq!((side.consecutive_failures, side.checks), (0, 5));
}

#[test]
fn the_background_goes_on_after_failures_panics_and_hangs() {
    let runtime = VirtualRuntime::new();
    let check = Scripted::new(&runtime, Answer::Hang);
    let controller = checked(&runtime, check.clone());
    for answer in [Answer::Hang, Answer::Panic, Answer::Ill] {
        check.answer(answer);
        let before = new_side(&controller).consecutive_failures;
        advance(&runtime, secs(60));
        assert!(new_side(&controller).consecutive_failures >= before + 3);
    }
    assert_eq!(runtime.panicked_tasks(), 0);
}

#[test]
fn a_closure_that_panics_before_it_gives_a_future_is_contained() {
    let runtime = VirtualRuntime::new();
    let hostile = || -> BoxFuture<'static, Result<(), BoxError>> { panic!("no future") };
    let controller = checked(&runtime, hostile);
    advance(&runtime, secs(10));
    assert_eq!(new_side(&controller).last, Some(CheckOutcome::Panicked));
}

#[test]
fn one_check_of_a_side_runs_at_a_time_and_whoever_asks_waits_for_it() {
    let runtime = VirtualRuntime::new();
    let check = Scripted::new(&runtime, Answer::After(secs(1)));
    let controller = checked(&runtime, check.clone());
    let both = join(controller.check_health_now(), controller.check_health_now());
    let (one, other) = runtime.run(both);
    assert_eq!((one, check.asked().len()), (other, 1));
    for _ in 0..200 {
        runtime.run(controller.check_health_now());
        advance(&runtime, Duration::from_millis(700));
    }
    assert_eq!(check.0.most.load(Ordering::Relaxed), 1);
    let checks = new_side(&controller).checks;
    assert_eq!(checks, check.asked().len() as u64);
    assert!(checks > 200, "the background checked too: {checks}");
}

#[test]
fn whoever_stops_waiting_for_a_check_leaves_none_behind() {
    let runtime = VirtualRuntime::new();
    let check = Scripted::new(&runtime, Answer::Hang);
    let controller = checked(&runtime, check.clone());
    assert!(controller.check_health_now().now_or_never().is_none());
    assert_eq!(check.0.running.load(Ordering::Relaxed), 0);
    check.answer(Answer::Well);
    assert_eq!(runtime.run(controller.check_health_now()).unwrap().new.unwrap().checks, 1);
}

#[test]
fn both_sides_are_checked_apart() {
    let runtime = VirtualRuntime::new();
    let (legacy, new) = (Scripted::new(&runtime, Answer::Well), Scripted::new(&runtime, Answer::Hang));
    let builder = builder(&runtime)
        .health_check(Side::New, Scripted::new(&runtime, Answer::Panic), every_ten())
        .health_check(Side::New, new, every_ten())
        .health_check(Side::Legacy, legacy, HealthSchedule::every(secs(1)));
    let controller = runtime.run(builder.open()).unwrap();
    advance(&runtime, secs(60));
    let health = controller.health().unwrap();
    let (legacy, new) = (health.legacy.unwrap(), health.new.unwrap());
    assert_eq!((legacy.state, legacy.consecutive_failures), (HealthState::Healthy, 0));
    assert_eq!((new.state, new.last), (HealthState::Failing, Some(CheckOutcome::TimedOut)), "the later check holds");
    assert!(legacy.checks > 3 * new.checks, "a side that hangs does not hold up the other");
}

#[test]
fn the_last_handle_takes_the_checks_with_it_even_in_the_middle_of_one() {
    for until in [0, 12] {
        let runtime = VirtualRuntime::new();
        let check = Scripted::new(&runtime, Answer::Hang);
        let schedule = HealthSchedule::every(secs(10)).timeout(secs(3600));
        let opened = builder(&runtime).health_check(Side::New, check.clone(), schedule).open();
        let controller = runtime.run(opened).unwrap();
        advance(&runtime, secs(until));
        assert_eq!(check.0.running.load(Ordering::Relaxed), u64::from(until > 0));
        let other = controller.clone();
        drop(controller);
        runtime.run_until_idle();
        assert!(runtime.pending_tasks() > 0, "there is a handle");
        drop(other);
        runtime.run_until_idle();
        assert_eq!((runtime.pending_tasks(), check.0.running.load(Ordering::Relaxed)), (0, 0));
        assert_eq!(Arc::strong_count(&check.0), 1, "nobody holds the check");
    }
}

#[test]
fn jumps_of_the_time_of_day_change_nothing_but_what_people_read() {
    let run = |jumps: bool| {
        let runtime = VirtualRuntime::new();
        let check = Scripted::new(&runtime, Answer::Well);
        let controller = checked(&runtime, check.clone());
        for round in 0..20_u64 {
            if jumps {
                runtime.clock().set_wall(SystemTime::UNIX_EPOCH + secs(1_000_000_000 * (round % 3)));
            }
            advance(&runtime, secs(17));
        }
        let side = new_side(&controller);
        (check.asked(), side.state, side.age, side.checks)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn an_answer_grows_old_and_is_then_no_longer_believed() {
    for (answer, state) in [(Answer::Well, HealthState::Healthy), (Answer::Ill, HealthState::Failing)] {
        let runtime = VirtualRuntime::new();
        let controller = checked(&runtime, Scripted::new(&runtime, answer));
        runtime.run(controller.check_health_now());
        assert!(runtime.drop_tasks() > 0, "as a runtime does that is shut down");
        runtime.clock().advance(secs(24));
        let side = new_side(&controller);
        assert_eq!((side.state, side.age), (state, Some(secs(24))));
        runtime.clock().advance(secs(1));
        let side = new_side(&controller);
        assert_eq!((side.state, side.age), (HealthState::Unknown, Some(secs(25))));
        assert_eq!((side.checks, side.consecutive_failures), (1, u32::from(state == HealthState::Failing)));
    }
}

/// Spawns, and cannot sleep.
#[derive(Debug, Clone)]
struct Sleepless(VirtualRuntime);

impl Runtime for Sleepless {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.spawn(task);
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        panic!("cannot sleep")
    }
}

#[test]
fn a_runtime_that_cannot_sleep_is_an_outage_of_the_checks_and_not_of_the_side() {
    let (runtime, heard) = (VirtualRuntime::new(), Heard::default());
    let check = Scripted::new(&runtime, Answer::Hang);
    let opened = builder(&runtime)
        .runtime(Sleepless(runtime.clone()))
        .health_check(Side::New, check.clone(), every_ten())
        .observe(heard.clone())
        .open();
    let controller = runtime.run(opened).unwrap();
    runtime.run_until_idle();
    assert_eq!(*heard.0.lock().unwrap(), [Event::Fault { part: Part::Runtime }]);
    let side = runtime.run(controller.check_health_now()).unwrap().new.unwrap();
    assert_eq!((side.state, side.checks), (HealthState::Unknown, 0));
    check.answer(Answer::Well);
    let side = runtime.run(controller.check_health_now()).unwrap().new.unwrap();
    assert_eq!((side.state, side.checks), (HealthState::Healthy, 1), "an answer at once needs no clock");
}

/// Counts what is spawned.
#[derive(Debug, Clone)]
struct Counting(VirtualRuntime, Arc<AtomicU64>);

impl Runtime for Counting {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
}

#[test]
fn without_a_check_no_task_is_spawned_for_it() {
    let spawned = |sides: &[Side]| {
        let runtime = VirtualRuntime::new();
        let counting = Counting(runtime.clone(), Arc::default());
        let with = |builder: ControllerBuilder, side: &Side| {
            builder.health_check(*side, Scripted::new(&runtime, Answer::Well), every_ten())
        };
        let builder = sides.iter().fold(builder(&runtime).runtime(counting.clone()), with);
        let controller = runtime.run(builder.open()).unwrap();
        assert_eq!(controller.health().is_some(), !sides.is_empty());
        assert_eq!(runtime.run(controller.check_health_now()).is_some(), !sides.is_empty());
        counting.1.load(Ordering::Relaxed)
    };
    let none = spawned(&[]);
    assert_eq!(spawned(&[Side::New]), none + 1);
    assert_eq!(spawned(&[Side::New, Side::Legacy]), none + 2);
}

#[test]
fn observers_hear_each_check_and_nobody_sees_the_text_of_an_error() {
    let (runtime, heard) = (VirtualRuntime::new(), Heard::default());
    let check = Scripted::new(&runtime, Answer::Ill);
    let opened = builder(&runtime).health_check(Side::New, check.clone(), every_ten()).observe(heard.clone()).open();
    let controller = runtime.run(opened).unwrap();
    runtime.run(controller.check_health_now());
    check.answer(Answer::Panic);
    runtime.run(controller.check_health_now());
    let status = serde_json::to_string(&controller.status()).unwrap();
    let told = format!("{status} {:?} {controller:?} {:?}", controller.status(), heard.0.lock().unwrap());
    assert!(!told.contains(SECRET), "{told}");
    check.answer(Answer::Well);
    runtime.run(controller.check_health_now());
    let event = |outcome, consecutive_failures| Event::HealthChecked { side: Side::New, outcome, consecutive_failures };
    let expected = [event(CheckOutcome::Failed, 1), event(CheckOutcome::Panicked, 2), event(CheckOutcome::Ok, 0)];
    assert_eq!(*heard.0.lock().unwrap(), expected);
}

#[test]
fn the_status_says_it_in_json() {
    let runtime = VirtualRuntime::new();
    let controller = checked(&runtime, Scripted::new(&runtime, Answer::Ill));
    runtime.run(controller.check_health_now());
    runtime.clock().advance(secs(3));
    let status = serde_json::to_value(controller.status()).unwrap();
    let expected = serde_json::json!({
        "legacy": null,
        "new": {
            "state": "failing", "consecutive_failures": 1, "last_checked": 1_577_836_800_000_u64,
            "age": 3_000_000_000_u64, "last": "failed", "checks": 1,
        },
    });
    assert_eq!(status["health"], expected);
}

#[test]
fn the_name_of_a_state_is_the_one_in_json() {
    for (state, name) in
        [(HealthState::Unknown, "unknown"), (HealthState::Healthy, "healthy"), (HealthState::Failing, "failing")]
    {
        assert_eq!(state.name(), name);
        assert_eq!(serde_json::to_value(state).unwrap(), name);
    }
}
