//! The mode decides which sides run and who serves: a side that is not routed is never polled, and one call asks its
//! router once.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::unnecessary_wraps, reason = "a test")]

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use cutover::testing::{ScriptedRouter, VirtualRuntime};
use cutover::{
    BucketKey, DualRunner, Equality, FeatureFlag, FlagSet, MemoryStore, MigrationController, Percentage, Route, Router,
    Side, SystemMode,
};
use futures::executor::block_on;

use SystemMode::{EmergencyRollback, GradualRollout, LegacyOnly, NewOnly, Parallel};

type Runner = DualRunner<Side, ()>;

/// One side of a call, which counts how often it is polled, or called.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// Ends at its second poll.
    fn future(&self, side: Side) -> impl Future<Output = Result<Side, ()>> + Send + 'static + use<> {
        let polls = Arc::clone(&self.0);
        let mut ended = false;
        poll_fn(move |cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            if std::mem::replace(&mut ended, true) {
                return Poll::Ready(Ok(side));
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    fn call(&self, side: Side) -> Result<Side, ()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(side)
    }

    fn ran(&self) -> bool {
        self.0.swap(0, Ordering::Relaxed) > 0
    }
}

/// Who served a call, and whether legacy and new ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    serves: Side,
    legacy: bool,
    new: bool,
}

impl Seen {
    const LEGACY: Self = Self { serves: Side::Legacy, legacy: true, new: false };
    const NEW: Self = Self { serves: Side::New, legacy: false, new: true };
    const LEGACY_SHADOWED: Self = Self { new: true, ..Self::LEGACY };
    const NEW_SHADOWED: Self = Self { legacy: true, ..Self::NEW };
}

/// What is seen of a call for `key` by each of the three ways to run it.
fn seen(router: impl Router + 'static, key: &str) -> [Seen; 3] {
    let runtime = VirtualRuntime::new();
    let runner = Runner::builder("which", router).comparator(Equality).runtime(runtime.clone()).build();
    let (legacy, new) = (Counted::default(), Counted::default());
    let see = |served: Result<Side, ()>| {
        runtime.run_until_idle();
        Seen { serves: served.unwrap(), legacy: legacy.ran(), new: new.ran() }
    };
    [
        see(runtime.run(runner.run(key, legacy.future(Side::Legacy), new.future(Side::New)))),
        see(runtime.run(runner.run_detached(key, legacy.future(Side::Legacy), new.future(Side::New)))),
        see(runner.run_sync(key, || legacy.call(Side::Legacy), || new.call(Side::New))),
    ]
}

/// A controller in `mode`, half rolled out where that is possible, with the share of shadows of `shadows`.
fn controller(mode: SystemMode, shadows: Option<Percentage>) -> MigrationController {
    block_on(async {
        let controller = MigrationController::open("which", MemoryStore::new()).await.unwrap();
        for mode in [Parallel, mode] {
            controller.transition(mode, "ana", "go").await.unwrap();
        }
        if mode == GradualRollout {
            controller.set_rollout(Percentage::new(50.0).unwrap(), "ana", "go").await.unwrap();
        }
        controller.set_shadow_share(shadows, "ana", "go").await.unwrap();
        controller
    })
}

/// A key that is in the half that is rolled out, and one that is not.
fn cohorts() -> [String; 2] {
    let half = controller(GradualRollout, None);
    [Side::New, Side::Legacy].map(|side| {
        let mut keys = (0..).map(|number| format!("user-{number}"));
        keys.find(|key| half.route(key).serve == side).unwrap()
    })
}

#[test]
fn each_mode_runs_and_serves_what_its_table_says() {
    let [inside, outside] = cohorts();
    let (zero, all) = (Some(Percentage::ZERO), Some(Percentage::HUNDRED));
    let table = [
        (LegacyOnly, all, Seen::LEGACY, Seen::LEGACY),
        (Parallel, None, Seen::LEGACY_SHADOWED, Seen::LEGACY_SHADOWED),
        (Parallel, zero, Seen::LEGACY, Seen::LEGACY),
        (GradualRollout, None, Seen::NEW, Seen::LEGACY),
        (GradualRollout, all, Seen::NEW_SHADOWED, Seen::LEGACY_SHADOWED),
        (NewOnly, None, Seen::NEW, Seen::NEW),
        (NewOnly, all, Seen::NEW_SHADOWED, Seen::NEW_SHADOWED),
        (EmergencyRollback, all, Seen::LEGACY, Seen::LEGACY),
    ];
    for (mode, shadows, expected_inside, expected_outside) in table {
        for (key, expected) in [(&inside, expected_inside), (&outside, expected_outside)] {
            assert_eq!(seen(controller(mode, shadows), key), [expected; 3], "{mode} {shadows:?} {key}");
        }
    }
}

#[test]
fn an_emergency_stops_new_from_the_next_call_on() {
    let controller = controller(NewOnly, Some(Percentage::HUNDRED));
    assert_eq!(seen(controller.clone(), "anna"), [Seen::NEW_SHADOWED; 3]);
    drop(controller.emergency_rollback("ana", "wrong totals"));
    assert_eq!(seen(controller, "anna"), [Seen::LEGACY; 3]);
}

#[test]
fn a_fixed_route_is_a_router() {
    let route = |mode, serve| Route::new(mode, serve);
    assert_eq!(seen(route(LegacyOnly, Side::Legacy), "anna"), [Seen::LEGACY; 3]);
    assert_eq!(seen(route(Parallel, Side::Legacy).with_shadow(), "anna"), [Seen::LEGACY_SHADOWED; 3]);
    assert_eq!(seen(route(NewOnly, Side::New), "anna"), [Seen::NEW; 3]);
    assert_eq!(seen(route(NewOnly, Side::New).with_shadow(), "anna"), [Seen::NEW_SHADOWED; 3]);
}

#[test]
fn a_flag_is_a_router() {
    let flag = FeatureFlag::new("which").rollout(Percentage::HUNDRED).deny(["anna"]);
    assert_eq!(seen(flag.clone(), "anna"), [Seen::LEGACY; 3]);
    assert_eq!(seen(flag.clone(), "berta"), [Seen::NEW; 3]);
    let shadowed = flag.shadow_share(Percentage::HUNDRED);
    assert_eq!(seen(shadowed.clone(), "anna"), [Seen::LEGACY_SHADOWED; 3]);
    assert_eq!(seen(shadowed.clone(), "berta"), [Seen::NEW_SHADOWED; 3]);
    assert_eq!(seen(shadowed.kill(), "berta"), [Seen::LEGACY; 3]);
}

#[test]
fn a_flag_of_a_set_is_a_router_that_follows_the_set() {
    let flags: FlagSet = serde_json::from_str(r#"{ "which": { "rollout": 100, "deny": ["anna"] } }"#).unwrap();
    let router = || flags.router("which").unwrap();
    assert_eq!(seen(router(), "anna"), [Seen::LEGACY; 3]);
    let (before, runner) = (router(), Runner::builder("which", router()).comparator(Equality).build());
    let call = || runner.run_sync("berta", || Ok(Side::Legacy), || Ok(Side::New)).unwrap();
    assert_eq!((call(), seen(before, "berta")), (Side::New, [Seen::NEW; 3]));
    flags.switch_off("which").unwrap();
    assert_eq!((call(), seen(router(), "berta")), (Side::Legacy, [Seen::LEGACY; 3]));
}

#[test]
fn a_closure_is_a_router() {
    let for_testers = |key: BucketKey<'_>| {
        let is_tester = matches!(key, BucketKey::Str(user) if user.starts_with("tester-"));
        if is_tester { Route::new(NewOnly, Side::New) } else { Route::new(LegacyOnly, Side::Legacy) }
    };
    assert_eq!(seen(for_testers, "tester-1"), [Seen::NEW; 3]);
    assert_eq!(seen(for_testers, "anna"), [Seen::LEGACY; 3]);
}

/// The router says something else each time it is asked: two reads for one call would run a mixture.
#[test]
fn one_call_asks_its_router_once() {
    let rows = [
        (Route::new(Parallel, Side::Legacy).with_shadow(), Seen::LEGACY_SHADOWED),
        (Route::new(NewOnly, Side::New), Seen::NEW),
        (Route::new(EmergencyRollback, Side::Legacy), Seen::LEGACY),
        (Route::new(NewOnly, Side::New).with_shadow(), Seen::NEW_SHADOWED),
    ];
    for first in 0..rows.len() {
        let turned = || rows.iter().cycle().skip(first).take(3);
        let router = ScriptedRouter::new(turned().map(|(route, _)| *route));
        assert_eq!(seen(router.clone(), "anna").to_vec(), turned().map(|(_, seen)| *seen).collect::<Vec<_>>());
        assert_eq!(router.routed(), 3);
    }
}
