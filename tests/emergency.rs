//! An emergency holds at once, whatever the store does, and is stored as soon as the store takes it.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod control_common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use control_common::TestRuntime;
use cutover::clock::{Clock, Instant};
use cutover::control::ChangeError;
use cutover::observe::Event;
use cutover::testing::{FailingStore, Fault, SlowStore};
use cutover::{HostRuntime, MemoryStore, MigrationController, Percentage, Runtime, Side, StateStore, SystemMode};
use futures::FutureExt;
use futures::future::BoxFuture;

type Store = FailingStore<MemoryStore>;

/// Three quarters of all keys are served by new.
async fn ramped() -> (Store, MigrationController) {
    let store = FailingStore::new(MemoryStore::new(), TestRuntime);
    let controller = MigrationController::open("search", store.clone()).await.unwrap();
    controller.transition(SystemMode::GradualRollout, "ana", "ramp").await.unwrap();
    controller.set_rollout(Percentage::new(75.0).unwrap(), "ana", "ramp").await.unwrap();
    (store, controller)
}

fn all_legacy(controller: &MigrationController) -> bool {
    (0..1000_u64).all(|user| controller.route(user).serve == Side::Legacy)
}

#[tokio::test(start_paused = true)]
async fn it_holds_when_called_even_if_nothing_is_ever_polled() {
    let (store, controller) = ramped().await;
    assert!(!all_legacy(&controller));
    for fault in [Fault::Unavailable, Fault::Hang, Fault::Corrupt, Fault::Panic] {
        store.set_standing(Some(fault));
        drop(controller.emergency_rollback("ana", "wrong totals"));
        assert!(all_legacy(&controller));
        assert!(controller.status().unpersisted_emergency);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_stored_when_the_store_is_back() {
    let (store, controller) = ramped().await;
    store.set_standing(Some(Fault::Unavailable));
    let persisted = controller.emergency_rollback("ana", "wrong totals");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(persisted.clone().now_or_never().is_none());
    assert!(store.calls() > 10, "it is tried again and again");
    store.heal();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(persisted.now_or_never().is_some(), "the background did it");
    let audit = controller.history(0, 10).await.unwrap();
    let last = audit.last().unwrap();
    assert_eq!((audit.len(), last.reason.as_str(), last.actor.as_str()), (3, "EMERGENCY: wrong totals", "ana"));
    assert_eq!(last.before.unwrap().rollout.ppm(), 750_000);
    assert!(!controller.status().unpersisted_emergency);
    let other = MigrationController::open("search", store).await.unwrap();
    assert_eq!(other.mode(), SystemMode::EmergencyRollback);
}

#[tokio::test(start_paused = true)]
async fn it_is_stored_once_whatever_goes_wrong_on_the_way() {
    use Fault::{Conflict, Delay, Hang, Panic, Unavailable, UnknownAfterApplying, UnknownWithoutApplying};
    let slow = Delay(Duration::from_secs(9));
    let faults = [Conflict, Hang, Panic, Unavailable, UnknownWithoutApplying, slow, UnknownAfterApplying];
    for start in 0..faults.len() {
        let (store, controller) = ramped().await;
        let order: Vec<_> = faults.iter().cycle().skip(start).take(faults.len()).copied().map(Some).collect();
        store.script_writes(order);
        store.script_reads([Some(Hang), None, Some(Panic), None, Some(Unavailable)]);
        controller.emergency_rollback("ana", "wrong totals").await;
        store.heal();
        assert_eq!(controller.history(0, 10).await.unwrap().len(), 3, "starting with {:?}", faults[start]);
        assert!(all_legacy(&controller));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_never_lifts_it_and_stores_it_itself() {
    let (store, controller) = ramped().await;
    let other = MigrationController::open("search", store.clone()).await.unwrap();
    store.script_writes([Some(Fault::Unavailable), None, Some(Fault::Unavailable)]);
    drop(controller.emergency_rollback("ana", "wrong totals"));
    assert!(controller.refresh().await.is_err());
    other.transition(SystemMode::NewOnly, "ben", "done").await.unwrap();
    assert!(controller.refresh().await.is_err(), "it knows the promotion now");
    assert!(all_legacy(&controller));
    controller.refresh().await.unwrap();
    other.refresh().await.unwrap();
    assert_eq!(other.mode(), SystemMode::EmergencyRollback);
}

#[tokio::test(start_paused = true)]
async fn the_rollout_does_not_survive_it() {
    let (_, controller) = ramped().await;
    controller.emergency_rollback("ana", "wrong totals").await;
    let refused = controller.transition(SystemMode::GradualRollout, "ana", "again").await;
    assert!(matches!(refused, Err(ChangeError::Transition(_))), "{refused:?}");
    for blank in [("", "cause found"), ("ana", " ")] {
        let refused = controller.transition(SystemMode::LegacyOnly, blank.0, blank.1).await;
        assert!(matches!(refused, Err(ChangeError::Text(_))), "{refused:?}");
    }
    controller.transition(SystemMode::LegacyOnly, "ana", "cause found").await.unwrap();
    controller.transition(SystemMode::GradualRollout, "ana", "again").await.unwrap();
    assert_eq!(controller.rollout(), Percentage::ZERO);
    assert!(all_legacy(&controller));
}

#[tokio::test(start_paused = true)]
async fn no_change_gets_past_an_emergency_that_is_not_stored_yet() {
    let (store, controller) = ramped().await;
    store.set_standing(Some(Fault::Unavailable));
    drop(controller.emergency_rollback("ana", "wrong totals"));
    let refused = controller.transition(SystemMode::NewOnly, "ben", "done").await;
    assert!(matches!(refused, Err(ChangeError::Store(_))), "{refused:?}");
    store.heal();
    let refused = controller.transition(SystemMode::NewOnly, "ben", "done").await;
    assert!(matches!(refused, Err(ChangeError::Transition(_))), "{refused:?}");
    assert_eq!(controller.history(0, 10).await.unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_transition_to_it_holds_too_and_says_when_it_is_not_stored() {
    let (store, controller) = ramped().await;
    store.set_standing(Some(Fault::Unavailable));
    let result = controller.transition(SystemMode::EmergencyRollback, "", "").await;
    assert!(matches!(result, Err(ChangeError::Unpersisted)), "{result:?}");
    assert!(all_legacy(&controller));
    store.heal();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let status = controller.status();
    assert_eq!(status.reason.unwrap().as_str(), "EMERGENCY: no reason given");
    assert_eq!((status.actor.unwrap().as_str(), status.unpersisted_emergency), ("unknown", false));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_called_after_another_process_went_on_is_stored_again() {
    let (store, controller) = ramped().await;
    controller.emergency_rollback("ana", "first").await;
    let other = MigrationController::open("search", store).await.unwrap();
    other.transition(SystemMode::LegacyOnly, "ben", "cause found").await.unwrap();
    other.transition(SystemMode::GradualRollout, "ben", "again").await.unwrap();
    assert_eq!(controller.mode(), SystemMode::EmergencyRollback, "it has not heard of that");
    controller.emergency_rollback("ana", "second").await;
    other.refresh().await.unwrap();
    assert_eq!(other.mode(), SystemMode::EmergencyRollback);
    assert_eq!(other.status().reason.unwrap().as_str(), "EMERGENCY: second");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_called_while_an_earlier_one_is_being_stored_is_not_taken_for_it() {
    let (store, controller) = ramped().await;
    let other = MigrationController::open("search", store.clone()).await.unwrap();
    store.script_writes([Some(Fault::UnknownAfterApplying), Some(Fault::Hang)]);
    let first = controller.emergency_rollback("ana", "first");
    tokio::time::sleep(Duration::from_secs(1)).await;
    other.transition(SystemMode::LegacyOnly, "ben", "cause found").await.unwrap();
    other.transition(SystemMode::GradualRollout, "ben", "again").await.unwrap();
    controller.emergency_rollback("ana", "second").await;
    first.await;
    other.refresh().await.unwrap();
    assert_eq!(other.mode(), SystemMode::EmergencyRollback);
    assert_eq!(controller.history(0, 10).await.unwrap().len(), 6);
}

/// A clock that is a second later whenever it is asked.
#[derive(Debug, Default)]
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Instant {
        Instant::default()
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn the_audit_says_when_it_was_called_and_not_when_it_was_stored() {
    let store = FailingStore::new(MemoryStore::new(), TestRuntime);
    let builder = MigrationController::builder("search", store.clone()).clock(Ticking::default());
    let controller = builder.open().await.unwrap();
    store.set_standing(Some(Fault::Unavailable));
    drop(controller.emergency_rollback("ana", "wrong totals"));
    let called = controller.status().since;
    tokio::time::sleep(Duration::from_secs(60)).await;
    store.heal();
    controller.refresh().await.unwrap();
    let entry = controller.history(0, 1).await.unwrap().remove(0);
    assert_eq!((Some(entry.at), controller.status().since), (called, called));
}

#[derive(Debug)]
struct BrokenRuntime;

impl Runtime for BrokenRuntime {
    fn spawn(&self, _task: BoxFuture<'static, ()>) {
        std::panic::panic_any("cannot spawn");
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        std::panic::panic_any("cannot sleep");
    }
}

#[test]
fn it_needs_no_working_runtime_and_no_friendly_observer() {
    let hostile = |_: &str, _: &Event| std::panic::panic_any("hostile");
    let builder = MigrationController::builder("search", MemoryStore::new()).runtime(BrokenRuntime).observe(hostile);
    let controller = futures::executor::block_on(builder.open()).unwrap();
    let go = controller.transition(SystemMode::GradualRollout, "ana", "ramp");
    futures::executor::block_on(go).unwrap();
    assert!(controller.status().recent_transitions.len() == 1);
    let persisted = controller.emergency_rollback("ana", "wrong totals");
    assert!(all_legacy(&controller));
    futures::executor::block_on(persisted);
    assert!(!controller.status().unpersisted_emergency);
}

#[test]
fn a_runtime_that_cannot_sleep_lets_no_change_hang() {
    let store = FailingStore::new(MemoryStore::new(), TestRuntime);
    let builder = MigrationController::builder("search", store.clone()).runtime(BrokenRuntime);
    let controller = futures::executor::block_on(builder.open()).unwrap();
    store.set_standing(Some(Fault::Conflict));
    let result = futures::executor::block_on(controller.transition(SystemMode::Parallel, "ana", "compare"));
    assert!(matches!(result, Err(ChangeError::Contended { .. })), "{result:?}");
}

/// Real threads and a real runtime that ends: the storing moves to a thread of the process, and the test waits for it.
#[cfg(feature = "tokio")]
#[test]
fn one_whose_runtime_ends_before_it_is_stored_is_stored_all_the_same() {
    let inner = MemoryStore::new();
    let store = SlowStore::new(inner.clone(), HostRuntime, Duration::from_millis(50));
    let open = MigrationController::open("search", store);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let controller = tokio.block_on(async {
        let controller = open.await.unwrap();
        controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
        drop(controller.emergency_rollback("ben", "wrong totals"));
        controller
    });
    drop(tokio);
    let stored = |mode| {
        let record = futures::executor::block_on(inner.load(&"search".parse().unwrap())).unwrap();
        record.is_some_and(|record| record.mode == mode)
    };
    let tries = (0..6_000).take_while(|_| {
        futures::executor::block_on(HostRuntime.sleep(Duration::from_millis(5)));
        !stored(SystemMode::EmergencyRollback)
    });
    assert!(tries.count() < 6_000, "not stored within half a minute");
    assert!(all_legacy(&controller));
}
