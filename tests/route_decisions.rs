//! Promise: the decision for a key is its route, with the numbers that decided it, from one snapshot.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cutover::bucket::{BucketHasher, Domain};
use cutover::control::StartPolicy;
use cutover::random::RandomSource;
use cutover::testing::{FailingStore, Fault, SeededRandom, VirtualRuntime};
use cutover::{BucketKey, MemoryStore, MigrationController, MissingKey, Percentage, SystemMode};
use futures::executor::block_on;

fn percent(share: f64) -> Percentage {
    Percentage::new(share).unwrap()
}

async fn to(controller: &MigrationController, mode: SystemMode) {
    controller.transition(mode, "ana", "a test").await.unwrap();
}

async fn at(controller: &MigrationController, share: f64) {
    controller.set_rollout(percent(share), "ana", "a test").await.unwrap();
}

#[tokio::test]
async fn in_a_gradual_rollout_it_tells_the_bucket_and_the_rollout() {
    let controller = MigrationController::open("search", MemoryStore::new()).await.unwrap();
    let hasher = BucketHasher::new("search", Domain::Rollout);
    to(&controller, SystemMode::GradualRollout).await;
    for share in [0.0, 0.0001, 25.0, 99.9999, 100.0] {
        at(&controller, share).await;
        for key in 0..500_u64 {
            let decision = controller.decide(key);
            assert_eq!(decision.route, controller.route(key));
            assert_eq!((decision.bucket, decision.rollout), (hasher.bucket(key), percent(share)));
            let is_in = decision.rollout.contains(decision.bucket.unwrap());
            assert_eq!(decision.route.serve, SystemMode::GradualRollout.routing(is_in).serves);
            assert!(!decision.stale);
        }
    }
}

#[tokio::test]
async fn a_mode_that_decides_alone_looks_at_no_bucket() {
    use SystemMode::{EmergencyRollback, LegacyOnly, NewOnly, Parallel};
    let controller = MigrationController::open("search", MemoryStore::new()).await.unwrap();
    let modes = [Parallel, NewOnly, EmergencyRollback, LegacyOnly];
    assert_eq!(controller.decide("user-17").bucket, None);
    for mode in modes {
        to(&controller, mode).await;
        let decision = controller.decide("user-17");
        assert_eq!((decision.route, decision.route.mode), (controller.route("user-17"), mode));
        assert_eq!(decision.bucket, None);
    }
}

#[tokio::test]
async fn without_a_key_the_bucket_is_what_was_drawn() {
    for (policy, drawn) in [(MissingKey::Legacy, false), (MissingKey::Random, true)] {
        let builder = MigrationController::builder("search", MemoryStore::new()).missing_key(policy);
        let controller = builder.random(SeededRandom::new(17)).open().await.unwrap();
        to(&controller, SystemMode::GradualRollout).await;
        at(&controller, 50.0).await;
        for _ in 0..200 {
            let decision = controller.decide(BucketKey::Missing);
            assert_eq!(decision.bucket.is_some(), drawn);
            let is_in = decision.bucket.is_some_and(|bucket| decision.rollout.contains(bucket));
            assert_eq!(decision.route.serve, SystemMode::GradualRollout.routing(is_in).serves);
        }
    }
}

#[test]
fn it_is_stale_exactly_when_the_status_is() {
    let runtime = VirtualRuntime::new();
    let clock = runtime.clock();
    let store = FailingStore::new(MemoryStore::new(), runtime.clone());
    let controller = runtime
        .run(
            MigrationController::builder("search", store.clone())
                .runtime(runtime.clone())
                .clock(clock.clone())
                .manual_refresh()
                .max_staleness(Duration::from_secs(30))
                .on_unreachable(StartPolicy::Assume(SystemMode::LegacyOnly))
                .open(),
        )
        .unwrap();
    let look = |expected: bool| {
        assert_eq!((controller.decide("user-17").stale, controller.status().stale), (expected, expected));
    };
    look(false);
    clock.advance(Duration::from_secs(30));
    look(false);
    clock.advance(Duration::from_nanos(1));
    look(true);
    runtime.run(controller.refresh()).unwrap();
    look(false);
    store.set_standing(Some(Fault::Unavailable));
    runtime.run(controller.refresh()).unwrap_err();
    look(true);
    drop(controller.emergency_rollback("ben", "wrong totals"));
    look(true);
    store.heal();
    runtime.run(controller.refresh()).unwrap();
    look(false);
}

#[test]
fn a_start_without_the_store_is_stale_until_it_answers() {
    let runtime = VirtualRuntime::new();
    let store = FailingStore::new(MemoryStore::new(), runtime.clone());
    store.set_standing(Some(Fault::Unavailable));
    let builder = MigrationController::builder("search", store.clone()).runtime(runtime.clone()).manual_refresh();
    let builder = builder.clock(runtime.clock()).on_unreachable(StartPolicy::Assume(SystemMode::NewOnly));
    let controller = runtime.run(builder.open()).unwrap();
    assert_eq!((controller.decide("user-17").stale, controller.status().stale), (true, true));
    store.heal();
    runtime.run(controller.refresh()).unwrap();
    assert_eq!((controller.decide("user-17").stale, controller.status().stale), (false, false));
}

/// Lets the readers end, whatever becomes of the writer.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn while_it_changes_every_decision_is_of_one_record() {
    const KEYS: u64 = 64;
    let controller = block_on(MigrationController::open("search", MemoryStore::new())).unwrap();
    let settings = Mutex::new(HashMap::from([(0, (SystemMode::LegacyOnly, Percentage::ZERO))]));
    let done = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let reader = || {
            let mut seen = Vec::new();
            while !done.load(Ordering::Relaxed) {
                seen.extend((0..KEYS).map(|key| controller.decide(key)));
            }
            seen
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        let readers_end = SetOnDrop(&done);
        let random = SeededRandom::new(4711);
        for _ in 0..300 {
            let status = controller.status();
            let next = status.allowed[usize::try_from(random.next_u64()).unwrap() % (status.allowed.len() - 1)];
            block_on(to(&controller, next));
            let before = controller.status();
            settings.lock().unwrap().insert(before.epoch, (before.mode, before.rollout));
            if matches!(before.mode, SystemMode::GradualRollout | SystemMode::Parallel | SystemMode::NewOnly) {
                let share = Percentage::from_ppm(u32::try_from(random.next_u64() % 1_000_001).unwrap()).unwrap();
                block_on(controller.set_rollout(share, "ana", "a test")).unwrap();
                let after = controller.status();
                settings.lock().unwrap().insert(after.epoch, (after.mode, after.rollout));
            }
        }
        drop(readers_end);
        readers.map(|reader| reader.join().unwrap())
    });
    let settings = settings.into_inner().unwrap();
    let decisions: Vec<_> = seen.into_iter().flatten().collect();
    assert!(decisions.len() > 1_000, "{}", decisions.len());
    for decision in decisions {
        assert_eq!(settings[&decision.route.epoch], (decision.route.mode, decision.rollout));
        let is_in = decision.bucket.is_some_and(|bucket| decision.rollout.contains(bucket));
        assert_eq!(decision.route.serve, decision.route.mode.routing(is_in).serves);
    }
}
