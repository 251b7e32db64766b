//! Any number of processes change one migration: nothing is lost, and nothing is decided on what is no longer so.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test fails by panicking")]

mod control_common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use control_common::TestRuntime;
use cutover::control::ChangeError;
use cutover::observe::Event;
use cutover::store::MigrationId;
use cutover::testing::SlowStore;
use cutover::{MemoryStore, MigrationController, Percentage, StateStore, SystemMode};
use futures::future::join_all;

use SystemMode::{EmergencyRollback, GradualRollout, LegacyOnly, NewOnly, Parallel};

/// A store whose calls of different processes interleave.
fn shared() -> SlowStore<MemoryStore> {
    SlowStore::new(MemoryStore::new(), TestRuntime, Duration::from_millis(1))
}

async fn processes(count: usize, store: &SlowStore<MemoryStore>) -> Vec<MigrationController> {
    join_all((0..count).map(|_| async { MigrationController::open("shared", store.clone()).await.unwrap() })).await
}

fn percent(percent: f64) -> Percentage {
    Percentage::new(percent).unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_two_concurrent_promotions_the_second_is_decided_on_what_the_first_made() {
    let store = shared();
    let two = processes(2, &store).await;
    let (one, other) = futures::join!(
        two[0].transition(Parallel, "ana", "compare"),
        two[1].transition(GradualRollout, "ben", "ramp"),
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    let (first, second) = if one.epoch == 1 { (one, other) } else { (other, one) };
    assert_eq!((first.epoch, second.epoch), (1, 2));
    assert_eq!((first.before.mode, second.before), (LegacyOnly, first.after));
}

#[tokio::test(start_paused = true)]
async fn a_promotion_that_is_no_longer_valid_is_refused_and_not_sent_again() {
    let store = shared();
    let two = processes(2, &store).await;
    two[0].transition(Parallel, "ana", "compare").await.unwrap();
    let (promoted, given_up) =
        futures::join!(two[0].transition(NewOnly, "ana", "done"), two[1].transition(LegacyOnly, "ben", "not good"),);
    assert_ne!(promoted.is_ok(), given_up.is_ok(), "{promoted:?} {given_up:?}");
    let refused = promoted.err().or_else(|| given_up.err());
    assert!(matches!(refused, Some(ChangeError::Transition(_))), "{refused:?}");
    assert_eq!(two[0].history(0, 10).await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_promotion_never_overwrites_the_emergency_of_another_process() {
    let store = shared();
    let two = processes(2, &store).await;
    two[0].transition(GradualRollout, "ana", "ramp").await.unwrap();
    two[1].refresh().await.unwrap();
    two[0].emergency_rollback("ana", "wrong totals").await;
    assert_eq!(two[1].mode(), GradualRollout, "the other process has not heard yet");
    let refused = two[1].transition(NewOnly, "ben", "done").await;
    assert!(matches!(refused, Err(ChangeError::Transition(error)) if error.from == EmergencyRollback), "{refused:?}");
    assert_eq!(two[1].mode(), EmergencyRollback, "now it has");
}

#[tokio::test(start_paused = true)]
async fn an_emergency_beats_a_promotion_that_is_under_way() {
    for delay in 0..8 {
        let store = shared();
        let two = processes(2, &store).await;
        two[0].transition(GradualRollout, "ana", "ramp").await.unwrap();
        let promotion = two[1].transition(NewOnly, "ben", "done");
        let emergency = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            two[0].emergency_rollback("ana", "wrong totals").await;
        };
        let (_, ()) = futures::join!(promotion, emergency);
        let id: MigrationId = "shared".parse().unwrap();
        let record = store.load(&id).await.unwrap().unwrap();
        assert_eq!((record.mode, record.rollout), (EmergencyRollback, Percentage::ZERO), "after {delay} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn eight_writers_with_fifty_changes_each_lose_none() {
    let store = shared();
    let writers = processes(8, &store).await;
    writers[0].transition(GradualRollout, "ana", "ramp").await.unwrap();
    join_all(writers.iter().enumerate().map(|(writer, controller)| async move {
        for change in 0..50_u32 {
            let share = Percentage::from_ppm(1 + u32::try_from(writer).unwrap() * 100 + change).unwrap();
            while let Err(error) = controller.set_rollout(share, "ana", "step").await {
                assert!(matches!(error, ChangeError::Contended { .. }), "{error}");
            }
        }
    }))
    .await;
    let mut audit = writers[0].history(0, 200).await.unwrap();
    audit.extend(writers[0].history(200, 200).await.unwrap());
    audit.extend(writers[0].history(400, 200).await.unwrap());
    let epochs: Vec<_> = audit.iter().map(|entry| entry.epoch).collect();
    assert_eq!(epochs, (1..=401).collect::<Vec<_>>());
    let mut shares: Vec<_> = audit.iter().skip(1).map(|entry| entry.after.rollout).collect();
    shares.sort_unstable();
    shares.dedup();
    assert_eq!(shares.len(), 400, "each change is stored once");
}

#[tokio::test(start_paused = true)]
async fn sixteen_simultaneous_emergencies_leave_one_audit_entry() {
    let store = shared();
    let controllers = processes(16, &store).await;
    controllers[0].transition(GradualRollout, "ana", "ramp").await.unwrap();
    join_all(controllers.iter().map(|controller| controller.emergency_rollback("guard", "errors"))).await;
    join_all(controllers.iter().map(|controller| controller.emergency_rollback("guard", "errors"))).await;
    let audit = controllers[0].history(0, 10).await.unwrap();
    assert_eq!(audit.len(), 2);
    assert!(controllers.iter().all(|controller| controller.status().epoch == 2));
}

#[tokio::test(start_paused = true)]
async fn handles_of_one_controller_share_what_they_know_and_the_observer_hears_each_mode_once() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let observer = move |source: &str, event: &Event| sink.lock().unwrap().push((source.to_owned(), *event));
    let store = shared();
    let told = MigrationController::builder("shared", store.clone()).observe(observer).open().await.unwrap();
    let handle = told.clone();
    handle.transition(GradualRollout, "ana", "ramp").await.unwrap();
    handle.set_rollout(percent(10.0), "ana", "ramp").await.unwrap();
    assert_eq!(told.rollout(), percent(10.0));
    let other = MigrationController::open("shared", store).await.unwrap();
    other.transition(NewOnly, "ben", "done").await.unwrap();
    told.refresh().await.unwrap();
    told.refresh().await.unwrap();
    handle.emergency_rollback("ana", "fire").await;
    told.flush(Duration::from_secs(60)).unwrap();
    let changed = |from, to, epoch| ("shared".to_owned(), mode_changed(from, to, epoch));
    let expected = [
        changed(LegacyOnly, GradualRollout, 1),
        changed(GradualRollout, NewOnly, 3),
        changed(NewOnly, EmergencyRollback, 3),
    ];
    let heard: Vec<_> = heard.lock().unwrap().iter().map(|(source, event)| (source.clone(), parts(event))).collect();
    assert_eq!(heard, expected);
}

type Parts = (SystemMode, SystemMode, u64);

fn mode_changed(from: SystemMode, to: SystemMode, epoch: u64) -> Parts {
    (from, to, epoch)
}

fn parts(event: &Event) -> Parts {
    match event {
        Event::ModeChanged { from, to, epoch } => (*from, *to, *epoch),
        other => unreachable!("{other:?}"),
    }
}
