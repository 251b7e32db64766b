//! While the mode is changed, every route is one that some record implies, never a mixture of two.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cutover::bucket::{BucketHasher, Domain, ppm_of};
use cutover::store::Settings;
use cutover::{MemoryStore, MigrationController, Percentage, Route, Shadow, Side, SystemMode};
use futures::executor::block_on;

const KEY: &str = "user-17";

/// How a record routes the key: who serves, whether the shadow runs, and in what mode.
fn implied(settings: &Settings, bucket_ppm: u32) -> (Side, Shadow, SystemMode) {
    let is_in = bucket_ppm < settings.rollout.ppm();
    let all = settings.effective_shadow_share() == Percentage::HUNDRED;
    let shadow = if all { Shadow::Run } else { Shadow::Never };
    match settings.mode {
        SystemMode::LegacyOnly | SystemMode::EmergencyRollback => (Side::Legacy, Shadow::Never, settings.mode),
        SystemMode::Parallel => (Side::Legacy, shadow, settings.mode),
        SystemMode::GradualRollout => (if is_in { Side::New } else { Side::Legacy }, shadow, settings.mode),
        SystemMode::NewOnly => (Side::New, shadow, settings.mode),
    }
}

fn flip(controller: &MigrationController) {
    let to = |mode| assert!(!block_on(controller.transition(mode, "writer", "flip")).unwrap().is_noop());
    let share = |share| assert!(!block_on(controller.set_shadow_share(share, "writer", "flip")).unwrap().is_noop());
    let rollout = |rollout| assert!(!block_on(controller.set_rollout(rollout, "writer", "flip")).unwrap().is_noop());
    to(SystemMode::Parallel);
    to(SystemMode::GradualRollout);
    rollout(Percentage::HUNDRED);
    share(Some(Percentage::HUNDRED));
    to(SystemMode::NewOnly);
    share(None);
    to(SystemMode::EmergencyRollback);
    to(SystemMode::LegacyOnly);
}

#[test]
fn every_route_is_one_that_the_record_of_its_epoch_implies() {
    let controller = block_on(MigrationController::open("flipping", MemoryStore::new())).unwrap();
    let (done, changes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let seen: Vec<Vec<Route>> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(|| read(&controller, &done, &changes))).collect();
        (0..250).for_each(|_| flip(&controller));
        // However busy the machine is, the readers get to see the flipping.
        while changes.load(Ordering::Relaxed) < 300 {
            flip(&controller);
            std::thread::yield_now();
        }
        done.store(true, Ordering::Release);
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    let records = records(&controller);
    let bucket = BucketHasher::new("flipping", Domain::Rollout).bucket(KEY).unwrap();
    for route in seen.iter().flatten() {
        let settings = records[&route.epoch];
        let routed = (route.serve, route.shadow, route.mode);
        // An emergency holds before its record is there: it then carries the epoch of the record before.
        let brake = (Side::Legacy, Shadow::Never, SystemMode::EmergencyRollback);
        assert!(routed == implied(&settings, ppm_of(bucket)) || routed == brake, "{route:?} {settings:?}");
    }
    assert!(seen.iter().all(|routes| routes.is_sorted_by_key(|route| route.epoch)), "epochs never go back");
}

/// Every route that differs from the one before it.
fn read(controller: &MigrationController, done: &AtomicBool, changes: &AtomicUsize) -> Vec<Route> {
    let mut seen = vec![controller.route(KEY)];
    while !done.load(Ordering::Acquire) {
        let route = controller.route(KEY);
        if seen.last() != Some(&route) {
            seen.push(route);
            changes.fetch_add(1, Ordering::Relaxed);
        }
    }
    seen
}

fn records(controller: &MigrationController) -> HashMap<u64, Settings> {
    let mut records = HashMap::from([(0, Settings::default())]);
    let mut last = 0;
    loop {
        let page = block_on(controller.history(last, 200)).unwrap();
        let Some(entry) = page.last() else { return records };
        last = entry.epoch;
        records.extend(page.iter().map(|entry| (entry.epoch, entry.after)));
    }
}
