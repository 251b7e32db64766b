//! A process that starts without its store does what its host has chosen, and nothing else.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod start_common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use cutover::control::{LastKnownError, OpenError, StartPolicy};
use cutover::runtime::Runtime;
use cutover::testing::{FailingStore, Fault};
use cutover::{Clock, MemoryStore, MigrationController, Percentage, StateStore, SystemMode};
use start_common::{HOUR, World};

#[test]
fn without_a_policy_opening_fails_whatever_the_store_says() {
    let world = World::new();
    for fault in [Fault::Unavailable, Fault::Hang, Fault::Corrupt, Fault::Panic] {
        world.store_is(Some(fault));
        assert!(matches!(world.open([]), Err(OpenError::Store(_))), "{fault:?}");
        assert!(matches!(world.open([StartPolicy::Fail]), Err(OpenError::Store(_))), "{fault:?}");
        assert!(world.open([StartPolicy::Fail, StartPolicy::Assume(SystemMode::NewOnly)]).is_err(), "{fault:?}");
    }
}

#[test]
fn a_store_that_hangs_is_waited_for_no_longer_than_its_deadline() {
    let world = World::new();
    world.store_is(Some(Fault::Hang));
    let start = world.runtime.clock().now();
    world.open([StartPolicy::Assume(SystemMode::NewOnly)]).unwrap();
    assert_eq!(world.runtime.clock().now().since(start), Duration::from_secs(2));
}

#[test]
fn the_deadline_of_the_store_is_the_one_that_the_host_gave() {
    for deadline in [Duration::from_millis(300), Duration::from_secs(7)] {
        let world = World::new();
        world.store_is(Some(Fault::Hang));
        let start = world.runtime.clock().now();
        let builder = world.builder().store_deadline(deadline).on_unreachable(StartPolicy::Assume(SystemMode::NewOnly));
        let controller = world.runtime.run(builder.open()).unwrap();
        assert_eq!(world.runtime.clock().now().since(start), deadline);
        assert!(world.runtime.run(controller.refresh()).is_err());
        assert_eq!(world.runtime.clock().now().since(start), deadline * 2);
    }
}

#[test]
fn an_assumed_mode_holds_until_the_store_answers() {
    for mode in SystemMode::ALL {
        let world = World::new();
        world.store_is(Some(Fault::Unavailable));
        let controller = world.open([StartPolicy::Assume(mode)]).unwrap();
        let status = controller.status();
        assert_eq!((status.mode, status.rollout, status.epoch), (mode, Percentage::ZERO, 0));
        assert!(status.assumed && status.stale);
        let changed = world.runtime.run(controller.transition(SystemMode::Parallel, "ana", "go on"));
        assert!(changed.is_err() && controller.mode() == mode, "nothing can be decided without the store");
        world.store_is(None);
        world.runtime.run(controller.refresh()).unwrap();
        let status = controller.status();
        assert_eq!((status.mode, status.doubt), (SystemMode::LegacyOnly, None), "it has no record: a new migration");
        assert!(!status.assumed && !status.stale);
    }
}

#[test]
fn a_store_that_answers_is_believed_whatever_was_chosen() {
    let world = World::new();
    world.process_before();
    let before = fs::read(world.file()).unwrap();
    let controller = world.open([StartPolicy::Assume(SystemMode::NewOnly)]).unwrap();
    assert_eq!((controller.mode(), controller.status().assumed), (SystemMode::GradualRollout, false));
    assert_eq!(fs::read(world.file()).unwrap(), before, "nobody asked for the file");
}

#[test]
fn what_was_known_last_is_known_again() {
    for fault in [Fault::Unavailable, Fault::Hang, Fault::Corrupt] {
        let world = World::new();
        world.process_before();
        let heard = world.runtime.clock().wall();
        world.runtime.run(world.runtime.sleep(HOUR / 2));
        world.store_is(Some(fault));
        let controller = world.open([world.last_known_good()]).unwrap();
        let status = controller.status();
        assert_eq!((status.mode, status.rollout.ppm(), status.epoch), (SystemMode::GradualRollout, 250_000, 2));
        assert!(status.assumed && status.stale && status.doubt.is_none());
        assert_eq!(status.as_of, heard, "the process before heard of it");
        world.store_is(None);
        world.runtime.run(controller.refresh()).unwrap();
        assert!(!controller.status().assumed && !controller.status().stale);
        assert_eq!(controller.status().doubt, None);
    }
}

#[test]
fn without_a_file_nothing_was_known() {
    let world = World::new();
    world.store_is(Some(Fault::Unavailable));
    let Err(OpenError::NoStart { unusable, .. }) = world.open([world.last_known_good()]) else {
        panic!("there is nothing to start from")
    };
    let missing = |error: &LastKnownError| matches!(error, LastKnownError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound);
    assert!(unusable.len() == 1 && missing(&unusable[0]), "{unusable:?}");
}

#[test]
fn a_store_that_lost_its_records_meanwhile_is_doubted() {
    let world = World::new();
    world.process_before();
    let empty = FailingStore::new(MemoryStore::new(), world.runtime.clone());
    empty.set_standing(Some(Fault::Unavailable));
    let builder = MigrationController::builder("search", empty.clone()).runtime(world.runtime.clone());
    let builder = builder.clock(world.runtime.clock()).manual_refresh().on_unreachable(world.last_known_good());
    let controller = world.runtime.run(builder.open()).unwrap();
    empty.set_standing(None);
    world.runtime.run(controller.refresh()).unwrap();
    let status = controller.status();
    assert_eq!(status.mode, SystemMode::GradualRollout);
    assert_eq!(status.doubt.unwrap().to_string(), "the record of epoch 2 is gone from the store");
}

#[test]
fn what_is_too_old_is_not_used() {
    let world = World::new();
    world.process_before();
    world.store_is(Some(Fault::Unavailable));
    world.runtime.clock().advance(HOUR + Duration::from_secs(1));
    let refused = world.open([world.last_known_good()]).unwrap_err();
    assert!(refused.to_string().contains("allowed: at most 3600s"), "{refused}");
    let assumed = world.open([world.last_known_good(), StartPolicy::Assume(SystemMode::Parallel)]).unwrap();
    assert_eq!(assumed.mode(), SystemMode::Parallel);
}

#[test]
fn a_clock_that_is_a_little_behind_is_set_soon_and_one_that_is_far_behind_says_nothing() {
    for (behind, used) in [(Duration::from_secs(299), true), (Duration::from_secs(301), false)] {
        let world = World::new();
        world.process_before();
        world.store_is(Some(Fault::Unavailable));
        let clock = world.runtime.clock();
        clock.set_wall(clock.wall() - behind);
        assert_eq!(world.open([world.last_known_good()]).is_ok(), used, "{behind:?}");
    }
}

#[test]
fn an_emergency_that_was_not_stored_is_pulled_again_by_the_next_process() {
    for (outage_goes_on, mode) in [(true, SystemMode::GradualRollout), (false, SystemMode::EmergencyRollback)] {
        let world = World::new();
        world.process_before();
        let controller = world.open([world.last_known_good()]).unwrap();
        world.store_is(Some(Fault::Unavailable));
        drop(controller.emergency_rollback("ben", "wrong totals"));
        controller.flush(Duration::from_secs(10)).unwrap();
        world.runtime.drop_tasks();
        let stored = |world: &World| {
            let id = "search".parse().unwrap();
            futures::executor::block_on(world.memory.load(&id)).unwrap().unwrap()
        };
        assert_eq!(stored(&world).mode, SystemMode::GradualRollout);
        // Storing goes on on a thread of the process, which the end of the process would have ended too.
        let ended = MemoryStore::new();
        copy(&world.memory, &ended);
        let world = World { memory: ended.clone(), store: FailingStore::new(ended, world.runtime.clone()), ..world };
        world.store_is(outage_goes_on.then_some(Fault::Unavailable));
        let next = world.open([world.last_known_good()]).unwrap();
        assert_eq!(next.mode(), SystemMode::EmergencyRollback);
        if !outage_goes_on {
            world.runtime.settle(Duration::from_secs(60));
            assert_eq!(stored(&world).reason.as_str(), "EMERGENCY: wrong totals");
        }
        assert_eq!(stored(&world).mode, mode);
    }
}

/// Copies the whole history of one store into another one.
fn copy(from: &MemoryStore, to: &MemoryStore) {
    use cutover::store::{Author, Change, Expect, Stamp};
    let id = "search".parse().unwrap();
    futures::executor::block_on(async {
        let mut last = None;
        for entry in from.history(&id, 0, 100).await.unwrap() {
            let author = Author::new(entry.actor.as_str(), entry.reason.as_str()).unwrap();
            let stamp = Stamp { at: entry.at, etag: entry.etag, op_id: entry.op_id };
            let change = Change::new(last.as_ref(), entry.after, entry.kind, author, stamp);
            last = Some(to.compare_and_swap(&id, Expect::of(last.as_ref()), &change).await.unwrap());
        }
    });
}

#[test]
fn a_folder_that_cannot_be_used_is_named_while_the_store_still_answers() {
    let world = World::new();
    let missing = StartPolicy::LastKnownGood { file: "/nowhere/at/all".into(), max_age: HOUR };
    let error = world.open([missing]).unwrap_err();
    assert!(
        matches!(&error, OpenError::LastKnown(LastKnownError::Io { path, .. }) if path == Path::new("/nowhere/at"))
    );
}

fn killed_during_an_outage_of(outage: Duration) -> World {
    let world = World::new();
    world.process_before();
    let controller = world.open([world.last_known_good()]).unwrap();
    world.store_is(Some(Fault::Unavailable));
    world.runtime.clock().advance(outage);
    drop(controller.emergency_rollback("ben", "wrong totals"));
    controller.flush(Duration::from_secs(10)).unwrap();
    world.runtime.drop_tasks();
    let ended = MemoryStore::new();
    copy(&world.memory, &ended);
    World { memory: ended.clone(), store: FailingStore::new(ended, world.runtime.clone()), ..world }
}

#[test]
fn an_emergency_that_was_not_stored_does_not_age() {
    let world = killed_during_an_outage_of(HOUR + Duration::from_secs(1));
    let next = world.open([world.last_known_good()]).unwrap();
    assert_eq!(next.mode(), SystemMode::EmergencyRollback);
}

#[test]
fn an_assumed_mode_does_not_outrank_an_emergency() {
    let world = killed_during_an_outage_of(HOUR + Duration::from_secs(1));
    world.store_is(Some(Fault::Unavailable));
    let next = world.open([world.last_known_good(), StartPolicy::Assume(SystemMode::NewOnly)]).unwrap();
    assert_eq!(next.mode(), SystemMode::EmergencyRollback);
}

#[test]
fn a_store_that_was_emptied_between_two_processes_is_doubted() {
    let world = World::new();
    world.process_before();
    let empty = MemoryStore::new();
    let world = World { memory: empty.clone(), store: FailingStore::new(empty, world.runtime.clone()), ..world };
    let next = world.open([world.last_known_good()]).unwrap();
    assert_eq!((next.mode(), next.status().doubt.is_some()), (SystemMode::GradualRollout, true));
}

#[test]
fn an_emergency_that_was_stored_and_left_is_not_pulled_again() {
    let world = World::new();
    world.process_before();
    let controller = world.open([world.last_known_good()]).unwrap();
    world.store_is(Some(Fault::Unavailable));
    drop(controller.emergency_rollback("ben", "wrong totals"));
    controller.flush(Duration::from_secs(10)).unwrap();
    let stale_file = fs::read(world.file()).unwrap();
    world.store_is(None);
    world.runtime.settle(Duration::from_secs(60));
    world.runtime.run(async {
        controller.transition(SystemMode::LegacyOnly, "ana", "over").await.unwrap();
        controller.transition(SystemMode::GradualRollout, "ana", "again").await.unwrap();
    });
    controller.flush(Duration::from_secs(10)).unwrap();
    drop(controller);
    // The process was killed before the file was written again.
    fs::write(world.file(), stale_file).unwrap();
    let next = world.open([world.last_known_good()]).unwrap();
    assert_eq!(next.mode(), SystemMode::GradualRollout);
}

#[test]
fn a_store_that_went_back_between_two_processes_is_doubted() {
    let world = World::new();
    world.process_before();
    let controller = world.open([world.last_known_good()]).unwrap();
    world.runtime.run(controller.transition(SystemMode::NewOnly, "ana", "done")).unwrap();
    let lagging = MemoryStore::new();
    copy(&world.memory, &lagging);
    let persisted = controller.emergency_rollback("ben", "wrong totals");
    world.runtime.run(persisted);
    controller.flush(Duration::from_secs(10)).unwrap();
    drop(controller);
    let world = World { memory: lagging.clone(), store: FailingStore::new(lagging, world.runtime.clone()), ..world };
    let next = world.open([world.last_known_good()]).unwrap();
    assert_eq!((next.mode(), next.status().doubt.is_some()), (SystemMode::EmergencyRollback, true));
}
