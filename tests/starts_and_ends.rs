//! Who hears starts is told of each call when it starts and when it ends; who does not is told, and pays for, nothing more.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::future::{pending, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use cutover::clock::Instant;
use cutover::dual::{Fallback, ShadowPolicy};
use cutover::observe::{Event, ObserverQueue, Observers};
use cutover::testing::{ManualClock, VirtualRuntime};
use cutover::{BucketKey, DualRunner, Equality, Observer, Outcome, Route, Router, Side, SystemMode};
use futures::executor::block_on;

const LEGACY_ONLY: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
const NEW_ONLY: Route = Route::new(SystemMode::NewOnly, Side::New);
const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

/// What it wants is what it is made with.
#[derive(Clone, Default)]
struct Ears {
    heard: Arc<Mutex<Vec<Event>>>,
    starts: bool,
    keys: bool,
    blocks: bool,
}

impl Ears {
    fn of_starts() -> Self {
        Self { starts: true, ..Self::default() }
    }

    fn of_keys() -> Self {
        Self { keys: true, ..Self::default() }
    }

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    /// The keys of the calls that have ended.
    fn keys(&self) -> Vec<Option<u64>> {
        let key = |event| {
            if let Event::Served { key, .. } | Event::Compared { key, .. } = event { Some(key) } else { None }
        };
        self.take().into_iter().filter_map(key).collect()
    }
}

impl Observer for Ears {
    fn observe(&self, _: &str, event: &Event) {
        self.heard.lock().unwrap().push(*event);
    }

    fn never_blocks(&self) -> bool {
        !self.blocks
    }

    fn hears_starts(&self) -> bool {
        self.starts
    }

    fn hears_keys(&self) -> bool {
        self.keys
    }
}

type Runner = DualRunner<u32, ()>;

fn runner(router: impl Router + 'static, ears: &Ears) -> Runner {
    Runner::builder("price", router).comparator(Equality).observe(ears.clone()).build()
}

fn is_start(event: &Event) -> bool {
    matches!(event, Event::Started { .. })
}

#[test]
fn a_start_is_told_before_anything_runs_and_ends_with_the_same_moment() {
    for (route, both) in [(LEGACY_ONLY, false), (NEW_ONLY, false), (PARALLEL, true)] {
        let (ears, clock) = (Ears::of_starts(), ManualClock::new());
        clock.advance(Duration::from_secs(7));
        let runner = Runner::builder("price", route).comparator(Equality).observe(ears.clone());
        let runner = runner.clock(clock.clone()).build();
        let side = || {
            assert!(matches!(ears.heard.lock().unwrap()[..], [Event::Started { .. }]), "told before a side runs");
            clock.advance(Duration::from_secs(1));
            Ok(1)
        };
        runner.run_sync("key", side, side).unwrap();
        let heard = ears.take();
        let [Event::Started { route: announced, started, both: selected }, end] = heard[..] else {
            panic!("{heard:?}")
        };
        assert_eq!((announced, started, selected), (route, Instant::from_nanos(7_000_000_000), both));
        let (Event::Served { started: from, .. } | Event::Compared { started: from, .. }) = end else {
            panic!("{end:?}")
        };
        assert_eq!((from, matches!(end, Event::Compared { both: true, .. })), (started, both));
    }
}

#[test]
fn a_call_that_falls_back_starts_alone_and_ends_as_a_pair() {
    let ears = Ears::of_starts();
    let builder = Runner::builder("price", NEW_ONLY).comparator(Equality).fallback(Fallback::ToLegacy);
    let runner = builder.observe(ears.clone()).build();
    let answers = [
        runner.run_sync("key", || Ok(1), || Err(())),
        block_on(runner.run("key", ready(Ok(1)), ready(Err(())))),
        block_on(runner.run_detached("key", ready(Ok(1)), ready(Err(())))),
    ];
    assert_eq!(answers, [Ok(1); 3]);
    let heard = ears.take();
    assert_eq!(heard.len(), 6);
    for call in heard.chunks(2) {
        let [Event::Started { both: false, .. }, Event::Compared { both: false, fell_back: true, .. }] = call else {
            panic!("{call:?}")
        };
    }
}

#[test]
fn a_detached_call_ends_when_its_shadow_has_ended_and_only_then() {
    let (ears, runtime) = (Ears::of_starts(), VirtualRuntime::new());
    let builder = Runner::builder("price", PARALLEL).comparator(Equality).observe(ears.clone());
    let runner = builder.runtime(runtime.clone()).clock(runtime.clock()).build();
    assert_eq!(block_on(runner.run_detached("key", ready(Ok(1)), ready(Ok(1)))), Ok(1));
    assert!(matches!(ears.take()[..], [Event::Started { both: true, .. }]));
    runtime.run_until_idle();
    assert!(matches!(ears.take()[..], [Event::Compared { both: true, .. }]));
}

#[test]
fn a_dropped_call_ends_as_abandoned_and_an_unpolled_one_never_started() {
    let ears = Ears::of_starts();
    let runner = runner(LEGACY_ONLY, &ears);
    drop(runner.run("key", ready(Ok(1)), ready(Ok(1))));
    assert_eq!(ears.take(), []);
    {
        let mut call = pin!(runner.run("key", pending(), pending()));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(ears.take().iter().all(is_start));
    }
    let heard = ears.take();
    assert!(matches!(heard[..], [Event::Served { sample, .. }] if sample.outcome == Outcome::Abandoned), "{heard:?}");
}

#[test]
fn a_nested_call_starts_and_ends_within_its_own_runner() {
    let ears = Ears::of_starts();
    let runner = runner(PARALLEL, &ears);
    let inner = || runner.run_sync("inner", || Ok(1), || Ok(2));
    runner.run_sync("outer", || Ok(1), inner).unwrap();
    let told: Vec<_> = ears.take().into_iter().filter(|event| !matches!(event, Event::Skipped { .. })).collect();
    let [
        Event::Started { both: true, .. },
        Event::Started { both: false, .. },
        Event::Served { .. },
        Event::Compared { .. },
    ] = told[..]
    else {
        panic!("{told:?}")
    };
}

#[test]
fn only_those_who_hear_starts_are_told_of_them_also_behind_a_queue_and_in_a_list() {
    let deadline = Duration::from_secs(20);
    for blocks in [false, true] {
        let (deaf, hearing) = (Ears { blocks, ..Ears::default() }, Ears { blocks, ..Ears::of_starts() });
        let inner = Observers::new().with(Arc::new(deaf.clone())).with(ObserverQueue::new(hearing.clone()));
        assert!(inner.hears_starts() && !inner.hears_keys());
        let runner = Runner::builder("price", LEGACY_ONLY).comparator(Equality).observe(inner).build();
        runner.run_sync("key", || Ok(1), || Ok(1)).unwrap();
        runner.flush(deadline).unwrap();
        assert!(matches!(deaf.take()[..], [Event::Served { .. }]));
        assert!(matches!(hearing.take()[..], [Event::Started { .. }, Event::Served { .. }]));
    }
    let nobody = Observers::new().with(Ears::default());
    assert!(!nobody.hears_starts() && !nobody.hears_keys());
    let keys = Observers::new().with(Arc::new(ObserverQueue::new(Ears::of_keys())));
    assert!(!keys.hears_starts() && keys.hears_keys());
}

#[test]
fn keys_are_told_if_somebody_hears_them_and_are_the_same_for_the_same_key() {
    for route in [LEGACY_ONLY, PARALLEL] {
        let (ears, other) = (Ears::of_keys(), Ears::default());
        let builder = Runner::builder("price", route).comparator(Equality).observe(other.clone());
        let runner = builder.observe(ears.clone()).build();
        for key in [BucketKey::from("anna"), "berta".into(), "anna".into(), BucketKey::Missing] {
            runner.run_sync(key, || Ok(1), || Ok(1)).unwrap();
            block_on(runner.run(key, ready(Ok(1)), ready(Ok(1)))).unwrap();
        }
        let keys = ears.keys();
        let [anna, same, berta, _, again, _, none, nothing] = keys[..] else { panic!("{keys:?}") };
        assert!(anna.is_some() && anna == same && anna == again && anna != berta && berta.is_some());
        assert_eq!((none, nothing), (None, None));
        assert_eq!(other.keys(), keys, "an event is one value for all");
    }
    let ears = Ears::of_starts();
    runner(PARALLEL, &ears).run_sync("anna", || Ok(1), || Ok(1)).unwrap();
    assert_eq!(ears.keys(), [None]);
}

#[test]
fn every_shadow_that_is_skipped_still_belongs_to_one_call_that_starts_and_ends() {
    let ears = Ears::of_starts();
    let builder = Runner::builder("price", PARALLEL).comparator(Equality).observe(ears.clone());
    let runner = builder.shadow_policy(ShadowPolicy::new().max_in_flight(0)).build();
    runner.run_sync("key", || Ok(1), || Ok(1)).unwrap();
    let heard = ears.take();
    assert!(
        matches!(heard[..], [Event::Skipped { .. }, Event::Started { both: false, .. }, Event::Served { .. }]),
        "{heard:?}"
    );
}
