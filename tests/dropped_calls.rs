//! A call may be dropped after any number of polls: it is counted once or not at all, gives its place back, and lets no
//! panic of a destructor out.
#![cfg(feature = "testing")]
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use cutover::dual::{Fallback, ShadowPolicy};
use cutover::observe::Event;
use cutover::testing::VirtualRuntime;
use cutover::{DualRunner, Equality, Outcome, Route, Side, SystemMode, Verdict};
use futures::future::{pending, ready};

#[path = "dropped_calls/call.rs"]
mod call;
mod dual_common;
#[path = "dual_common/with_bomb.rs"]
mod with_bomb;

use call::{Dropped, Seen};
use dual_common::{assert_settled, silence_planned_panics};

const SIDES: [Side; 2] = [Side::Legacy, Side::New];
const ENDS: [Outcome; 4] = [Outcome::Ok, Outcome::Err, Outcome::Panicked, Outcome::Abandoned];
/// More than any of the calls needs.
const MOST_POLLS: u32 = 12;

#[test]
fn a_call_of_run_may_be_dropped_after_any_poll() {
    for_each_setting(|setting| {
        for twin in [false, true] {
            drop_after_each_poll(Dropped { twin, ..setting });
        }
    });
}

#[test]
fn a_call_of_run_detached_may_be_dropped_after_any_poll() {
    for_each_setting(|setting| {
        for twin in [false, true] {
            drop_after_each_poll(Dropped { detached: true, twin, ..setting });
        }
    });
}

#[test]
fn a_detached_shadow_may_be_dropped_after_any_poll() {
    for_each_setting(|setting| {
        for turns in 0..6 {
            let seen = check(Dropped { detached: true, polls: MOST_POLLS, turns, ..setting });
            let may_run = setting.shadow_ends != Outcome::Abandoned && setting.shadow_steps < turns;
            let starts = seen.answered && matches!(setting.served_ends, Outcome::Ok | Outcome::Err);
            let starts = starts && !(setting.fallback == Fallback::ToLegacy && seen.counts.fallbacks == 1);
            let shadow = seen.ended[setting.serve.other() as usize];
            assert!(!starts || shadow.is_some() == may_run, "{setting:?}, {turns} turns: {shadow:?}");
        }
    });
}

#[test]
fn a_call_of_one_side_may_be_dropped_after_any_poll() {
    for_each_setting(|setting| {
        for detached in [false, true] {
            drop_after_each_poll(Dropped { detached, shadow: false, twin: true, ..setting });
        }
    });
}

#[test]
fn a_place_is_taken_until_the_call_is_dropped() {
    let runner = DualRunner::<u32, ()>::builder("places", route())
        .comparator(Equality)
        .shadow_policy(ShadowPolicy::new().max_in_flight(1))
        .build();
    let skipped = |expected: u64| {
        runner.run_sync("key", || Ok(1), || Ok(1)).unwrap();
        assert_eq!(runner.counts().skipped.in_flight, expected);
    };
    {
        let mut call = pin!(runner.run("key", pending(), pending()));
        skipped(0);
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        skipped(1);
    }
    skipped(1);
    assert_settled(&runner.counts(), "places");
    assert_eq!((runner.counts().abandoned, runner.counts().matched), (1, 2));
}

#[test]
fn a_place_is_taken_until_the_detached_shadow_is_dropped() {
    let runtime = VirtualRuntime::new();
    let runner = DualRunner::<u32, ()>::builder("places", route())
        .comparator(Equality)
        .shadow_policy(ShadowPolicy::new().max_in_flight(1).timeout(Duration::MAX))
        .clock(runtime.clock())
        .runtime(runtime.clone())
        .build();
    let call = || runtime.run(runner.run_detached("key", ready(Ok(1)), pending()));
    assert_eq!([call(), call()], [Ok(1); 2]);
    runtime.run_until_idle();
    assert_eq!((runner.counts().selected, runner.counts().skipped.in_flight), (1, 1));
    assert_eq!(runtime.drop_tasks(), 1);
    assert_eq!(call(), Ok(1));
    assert_eq!((runner.counts().selected, runner.counts().skipped.in_flight), (2, 1));
    assert_eq!((runner.counts().abandoned, runner.counts().in_flight()), (1, 1));
}

fn route() -> Route {
    Route::new(SystemMode::Parallel, Side::Legacy).with_shadow()
}

fn for_each_setting(check: impl Fn(Dropped)) {
    silence_planned_panics();
    for serve in SIDES {
        for (served_ends, shadow_ends) in ENDS.into_iter().flat_map(|served| ENDS.map(|shadow| (served, shadow))) {
            for (served_steps, shadow_steps) in [(0, 0), (2, 0), (0, 2), (2, 4), (4, 2)] {
                for fallback in [Fallback::Never, Fallback::ToLegacy] {
                    for (limit, hostile) in [(None, false), (None, true), (Some(1), false), (Some(1), true)] {
                        let (detached, shadow, twin, polls, turns) = (false, true, false, 0, 0);
                        check(Dropped {
                            detached,
                            serve,
                            shadow,
                            twin,
                            fallback,
                            limit,
                            served_ends,
                            shadow_ends,
                            served_steps,
                            shadow_steps,
                            hostile,
                            polls,
                            turns,
                        });
                    }
                }
            }
        }
    }
}

fn drop_after_each_poll(setting: Dropped) {
    for polls in 0..=MOST_POLLS {
        check(Dropped { polls, ..setting });
    }
}

fn check(call: Dropped) -> Seen {
    let seen = call.play();
    assert!(!seen.escaped, "a panic got out: {call:?}");
    assert_settled(&seen.counts, &format!("{call:?}"));
    let selected = call.polls > 0 && call.shadow || seen.counts.fallbacks == 1;
    assert_eq!(seen.counts.selected, u64::from(selected), "{call:?}");
    if selected && !is_complete(&seen, call) {
        assert_eq!(seen.counts.of(verdict_of_dropped(&seen)), 1, "{call:?}: {:?}", seen.counts);
    }
    check_heard(call, &seen, selected);
    assert_eq!(seen.after.selected, seen.counts.selected + u64::from(call.shadow), "the next gets in: {call:?}");
    assert_eq!(seen.after.in_flight() + seen.after.skipped.in_flight, 0, "{call:?}: {:?}", seen.after);
    seen
}

/// Whether the call ended before it was dropped, its shadow included.
fn is_complete(seen: &Seen, call: Dropped) -> bool {
    seen.answered && (!call.detached || seen.ended.iter().all(Option::is_some))
}

fn verdict_of_dropped(seen: &Seen) -> Verdict {
    let [legacy, new] = seen.ended.map(|ended| ended.unwrap_or(Outcome::Abandoned));
    match (legacy, new) {
        (Outcome::Panicked, _) | (_, Outcome::Panicked) => Verdict::Panicked,
        (Outcome::Ok, Outcome::Err) | (Outcome::Err, Outcome::Ok) => Verdict::OneFailed,
        _ => Verdict::Abandoned,
    }
}

/// A call that was started is told of twice: when it starts, and with the ends of both sides as far as they came.
fn check_heard(call: Dropped, seen: &Seen, selected: bool) {
    let outcome = |side| seen.ended[side as usize].unwrap_or(Outcome::Abandoned);
    match seen.heard[..] {
        [] => assert_eq!(call.polls, 0, "{call:?}"),
        [
            Event::Started { route: announced, started: from, both: selected_then },
            Event::Compared { route, started, both, key, legacy, new, verdict, .. },
        ] => {
            assert_eq!((announced, from, selected_then), (route, started, both), "{call:?}");
            assert!(key.is_some() && both == call.shadow, "{call:?}");
            assert!(selected && seen.counts.of(verdict) == 1, "{call:?}: {verdict}");
            let told = [legacy.outcome, new.outcome];
            let was_late = told.contains(&Outcome::TimedOut);
            assert!(was_late || told == [outcome(Side::Legacy), outcome(Side::New)], "{call:?}: {told:?}");
        }
        [Event::Started { route: announced, started: from, both }, Event::Served { route, sample, started, key }] => {
            assert_eq!((announced, from, both), (route, started, false), "{call:?}");
            assert!(key.is_some(), "{call:?}");
            assert!(!selected && call.polls > 0, "{call:?}");
            assert_eq!((sample.side, sample.outcome), (call.serve, outcome(call.serve)), "{call:?}");
        }
        ref heard => panic!("{call:?}: {heard:?}"),
    }
}
