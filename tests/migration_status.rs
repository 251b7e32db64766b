//! The status is one value from one snapshot, the same in JSON.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cutover::clock::Instant;
use cutover::{Clock, MemoryStore, MigrationController, Percentage, PerformanceMonitor, SystemMode};

#[tokio::test]
async fn with_nothing_stored_it_says_legacy_only_by_nobody() {
    let controller = MigrationController::open("search", MemoryStore::new()).await.unwrap();
    let status = serde_json::to_value(controller.status()).unwrap();
    let expected = serde_json::json!({
        "id": "search", "mode": "legacy_only", "rollout": 0.0, "shadow_share": 0.0, "epoch": 0, "etag": null, "since": null,
        "as_of": status["as_of"], "age": status["age"], "stale": false, "assumed": false, "unpersisted_emergency": false, "doubt": null, "actor": null,
        "reason": null, "allowed": ["parallel", "gradual_rollout", "emergency_rollback"],
        "recent_transitions": [], "health": null, "performance": null,
    });
    assert_eq!(status, expected);
    assert!(status["age"].as_u64().unwrap() < 60_000_000_000);
    assert!(status["as_of"].as_u64().unwrap() > 1_000_000_000_000);
}

#[tokio::test]
async fn it_tells_what_holds_and_how_it_came_to_be() {
    let store = MemoryStore::new();
    let controller = MigrationController::open("search", store.clone()).await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    controller.set_rollout(Percentage::new(12.5).unwrap(), "ben", "prepare").await.unwrap();
    let status = controller.status();
    assert_eq!((status.mode, status.rollout.ppm(), status.epoch), (SystemMode::Parallel, 125_000, 2));
    assert_eq!(status.shadow_share, Percentage::HUNDRED);
    assert_eq!((status.actor.unwrap().as_str(), status.reason.unwrap().as_str()), ("ben", "prepare"));
    assert_eq!(status.allowed, SystemMode::Parallel.allowed());
    let modes = |controller: &MigrationController| {
        let recent = controller.status().recent_transitions;
        recent.iter().map(|entry| (entry.epoch, entry.after.mode)).collect::<Vec<_>>()
    };
    assert_eq!(modes(&controller), [(1, SystemMode::Parallel)]);
    let other = MigrationController::open("search", store).await.unwrap();
    assert_eq!(modes(&other), modes(&controller), "read from the audit");
    other.transition(SystemMode::GradualRollout, "cid", "ramp").await.unwrap();
    controller.refresh().await.unwrap();
    assert_eq!(modes(&controller), [(1, SystemMode::Parallel), (3, SystemMode::GradualRollout)]);
}

#[tokio::test]
async fn it_keeps_the_last_ten_transitions() {
    let controller = MigrationController::open("search", MemoryStore::new()).await.unwrap();
    for _ in 0..10 {
        controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
        controller.transition(SystemMode::LegacyOnly, "ana", "back").await.unwrap();
    }
    let epochs: Vec<_> = controller.status().recent_transitions.iter().map(|entry| entry.epoch).collect();
    assert_eq!(epochs, (11..=20).collect::<Vec<_>>());
}

/// Compiles only while handles can go to other threads.
/// At its second reading it calls for an emergency, from another thread, and notes whether that had to wait.
#[derive(Debug, Clone, Default)]
struct Reentrant {
    controller: Arc<Mutex<Option<MigrationController>>>,
    waited: Arc<AtomicBool>,
}

impl Clock for Reentrant {
    fn now(&self) -> Instant {
        let once = self.controller.lock().unwrap().take();
        if let Some(controller) = once {
            let (done, heard) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                drop(controller.emergency_rollback("ana", "now"));
                done.send(()).unwrap();
            });
            self.waited.store(heard.recv_timeout(Duration::from_secs(10)).is_err(), Ordering::SeqCst);
        }
        Instant::from_nanos(1)
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

#[tokio::test]
async fn an_emergency_waits_for_nobody_who_compares_the_two_sides() {
    let clock = Reentrant::default();
    let monitor = Arc::new(PerformanceMonitor::builder().clock(clock.clone()).build().unwrap());
    let builder = MigrationController::builder("search", MemoryStore::new()).performance(monitor).manual_refresh();
    let controller = builder.open().await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    *clock.controller.lock().unwrap() = Some(controller.clone());
    assert!(controller.status().performance.is_some() && clock.controller.lock().unwrap().is_none());
    assert!(!clock.waited.load(Ordering::SeqCst));
    assert_eq!(controller.mode(), SystemMode::EmergencyRollback);
}

#[test]
fn handles_are_send_and_sync_and_so_are_their_futures() {
    fn crosses_threads<T: Send>(_: &T) {}
    let controller = futures::executor::block_on(MigrationController::open("search", MemoryStore::new())).unwrap();
    let shared: &(dyn Send + Sync) = &controller;
    crosses_threads(&shared);
    crosses_threads(&controller.transition(SystemMode::Parallel, "ana", "compare"));
    crosses_threads(&controller.refresh());
}
