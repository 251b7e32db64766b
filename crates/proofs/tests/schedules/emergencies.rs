//! An emergency reaches the store and everybody, whatever others do meanwhile.

use cutover::store::{AuditEntry, AuditVerifier};
use cutover::{MigrationController, Percentage, SystemMode};
use futures::future::join_all;
use shuttle::future::spawn;

use crate::explore::{Seen, controller, explore, pause};
use crate::store::{Line, Remote};

#[test]
fn an_emergency_wins_against_changes_of_others() {
    let conflicts = Seen::default();
    let counted = conflicts.clone();
    explore("an emergency and changes", move || against_changes(Remote::new(Line::Good).counting(&counted)));
    conflicts.assert_often("a write came too late");
}

#[test]
fn an_emergency_wins_although_answers_get_lost() {
    explore("an emergency and changes, answers lost", || against_changes(Remote::new(Line::Bad)));
}

#[test]
fn an_emergency_that_four_detect_is_stored_once() {
    let conflicts = Seen::default();
    let counted = conflicts.clone();
    explore("four detectors", move || four_detectors(Remote::new(Line::Good).counting(&counted)));
    conflicts.assert_often("a write came too late");
}

#[test]
fn an_emergency_that_four_detect_is_stored_once_although_answers_get_lost() {
    explore("four detectors, answers lost", || four_detectors(Remote::new(Line::Bad)));
}

async fn against_changes(store: Remote) {
    let controllers = open(&store, 3).await;
    let [first, second, third] = controllers.as_slice() else { panic!("three were opened") };
    let changing = [spawn(promote(first.clone())), spawn(promote(second.clone()))];
    pull(third).await;
    for change in changing {
        change.await.expect("it was not cancelled");
    }
    everybody_is_in_emergency(&store, &controllers).await;
}

/// Promotes as far as it goes. That it may be refused, or that its outcome may be unknown, is not looked at here.
async fn promote(controller: MigrationController) {
    drop(controller.transition(SystemMode::Parallel, "ana", "compare").await);
    drop(controller.transition(SystemMode::GradualRollout, "ana", "roll out").await);
    drop(controller.set_rollout(Percentage::HUNDRED, "ana", "everybody").await);
}

async fn four_detectors(store: Remote) {
    let controllers = open(&store, 4).await;
    if let Some(first) = controllers.first() {
        drop(first.transition(SystemMode::Parallel, "ana", "compare").await);
    }
    let pulled: Vec<_> = controllers
        .iter()
        .cloned()
        .map(|controller| {
            spawn(async move {
                pause().await;
                pull(&controller).await;
            })
        })
        .collect();
    for detector in join_all(pulled).await {
        detector.expect("it was not cancelled");
    }
    everybody_is_in_emergency(&store, &controllers).await;
}

async fn open(store: &Remote, number: u64) -> Vec<MigrationController> {
    let open = |seed| controller(store.clone(), seed).manual_refresh().open();
    join_all((1..=number).map(open)).await.into_iter().map(|opened| opened.expect("the store answers")).collect()
}

async fn pull(controller: &MigrationController) {
    let stored = controller.emergency_rollback("ben", "wrong totals");
    assert_eq!(controller.mode(), SystemMode::EmergencyRollback);
    stored.await;
    assert_eq!(controller.mode(), SystemMode::EmergencyRollback);
}

async fn everybody_is_in_emergency(store: &Remote, controllers: &[MigrationController]) {
    let stored = store.stored().await.expect("an emergency is stored");
    assert_eq!(stored.mode, SystemMode::EmergencyRollback);
    for controller in controllers {
        controller.refresh().await.expect("the store answers");
        let status = controller.status();
        assert_eq!((status.mode, status.epoch, status.doubt), (stored.mode, stored.epoch, None));
    }
    let audit = store.audit().await;
    let emergencies = |entry: &&AuditEntry| entry.after.mode == SystemMode::EmergencyRollback;
    assert_eq!(audit.iter().filter(emergencies).count(), 1, "{audit:?}");
    let mut verifier = AuditVerifier::new();
    audit.iter().try_for_each(|entry| verifier.follow(entry)).expect("each follows from the one before");
}
