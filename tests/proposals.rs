//! A proposal is stored whole, on the record on which it was decided, with what led to it; or nothing is.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod control_common;

use std::time::Duration;

use control_common::TestRuntime;
use cutover::control::{ChangeError, Doubt, Note, Proposal};
use cutover::store::{AuditEntry, AuditKey, ChangeKind, Settings};
use cutover::testing::{FailingStore, Fault, SlowStore};
use cutover::{MemoryStore, MigrationController, Percentage, StateStore, StoreError, SystemMode};
use serde_json::{Value, json};

use SystemMode::{EmergencyRollback, GradualRollout, LegacyOnly, NewOnly, Parallel};

fn percent(share: f64) -> Percentage {
    Percentage::new(share).unwrap()
}

async fn open(store: impl StateStore + 'static) -> MigrationController {
    MigrationController::builder("search", store).manual_refresh().open().await.unwrap()
}

async fn audit(controller: &MigrationController) -> Vec<AuditEntry> {
    controller.history(0, 200).await.unwrap()
}

#[tokio::test]
async fn mode_rollout_and_shadow_share_are_stored_in_one_step_with_their_evidence() {
    let controller = open(MemoryStore::new()).await;
    let evidence = json!({ "plan": "ramp", "step": "tenth", "samples": 1200 });
    let tenth = Proposal::to(GradualRollout).rollout(percent(10.0)).shadow_share(Some(percent(50.0)));
    let tenth = tenth.evidence(evidence.clone());
    let changed = controller.propose(&tenth, "ana", "they agree").await.unwrap();
    let after = Settings { mode: GradualRollout, rollout: percent(10.0), shadow_share: Some(percent(50.0)) };
    assert_eq!((changed.epoch, changed.after, changed.stored), (1, after, true));
    let entries = audit(&controller).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].kind, entries[0].after, &entries[0].evidence),
        (ChangeKind::Transition, after, &Some(evidence))
    );
    let again = controller.propose(&tenth, "ana", "they agree").await.unwrap();
    assert!(again.is_noop() && audit(&controller).await.len() == 1);
}

#[tokio::test]
async fn on_another_record_than_expected_nothing_is_decided() {
    let store = MemoryStore::new();
    let (controller, other) = (open(store.clone()).await, open(store).await);
    let seen = controller.status();
    assert_eq!((seen.epoch, seen.etag), (0, None));
    let parallel = Proposal::to(Parallel);
    controller.propose(&parallel.clone().expecting(0, None), "ana", "look").await.unwrap();
    let seen = controller.status();
    other.set_rollout(percent(5.0), "ben", "prepare").await.unwrap();

    let promote = Proposal::to(NewOnly).expecting(seen.epoch, seen.etag);
    let late = controller.propose(&promote, "ana", "proven").await;
    assert!(matches!(late, Err(ChangeError::Outdated { expected: 1, found: 2 })), "{late:?}");
    assert_eq!(late.unwrap_err().to_string(), "it was decided on the record of epoch 1, and epoch 2 holds");
    assert_eq!((controller.mode(), audit(&controller).await.len()), (Parallel, 2));

    // What holds already is not a success when it was decided on another record.
    let stale = controller.propose(&parallel.expecting(1, None), "ana", "look").await;
    assert!(matches!(stale, Err(ChangeError::Outdated { .. })), "{stale:?}");
    let seen = controller.status();
    let another = Proposal::to(NewOnly).expecting(2, seen.etag.map(|etag| etag ^ 1));
    let refused = controller.propose(&another, "ana", "proven").await.unwrap_err();
    assert!(matches!(refused, ChangeError::Outdated { expected: 2, found: 2 }));
    assert_eq!(refused.to_string(), "it was decided on the record of epoch 2, and another one of that epoch holds");
    controller.propose(&Proposal::to(NewOnly).expecting(2, seen.etag), "ana", "proven").await.unwrap();
    assert_eq!(controller.mode(), NewOnly);
}

#[tokio::test(start_paused = true)]
async fn of_two_that_expect_one_record_one_is_stored() {
    let store = SlowStore::new(MemoryStore::new(), TestRuntime, Duration::from_millis(5));
    let (one, other) = (open(store.clone()).await, open(store).await);
    let at = |mode, rollout| Proposal::to(mode).rollout(percent(rollout)).expecting(0, None);
    let (tenth, twentieth) = (at(GradualRollout, 10.0), at(GradualRollout, 20.0));
    let answers = tokio::join!(one.propose(&tenth, "a", "x"), other.propose(&twentieth, "b", "y"));
    let won = [answers.0.is_ok(), answers.1.is_ok()];
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{answers:?}");
    let lost = if won[0] { answers.1 } else { answers.0 };
    assert!(matches!(lost, Err(ChangeError::Outdated { expected: 0, found: 1 })), "{lost:?}");
    assert_eq!(audit(&one).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_no_second_entry_and_no_outdated_one() {
    let store = FailingStore::new(MemoryStore::new(), TestRuntime);
    let controller = open(store.clone()).await;
    store.script_writes([Some(Fault::UnknownAfterApplying), Some(Fault::Unavailable)]);
    let proposal = Proposal::to(Parallel).note(Note::Step).expecting(0, None);
    assert_eq!(controller.propose(&proposal, "ana", "look").await.unwrap().epoch, 1);
    store.script_writes([Some(Fault::Conflict)]);
    let pause = Proposal::noting(Note::Pause).expecting(1, controller.status().etag);
    assert_eq!(controller.propose(&pause, "ana", "holiday").await.unwrap().epoch, 2);
    assert_eq!(audit(&controller).await.len(), 2);
}

#[tokio::test]
async fn a_note_changes_no_settings_and_is_part_of_the_chain() {
    let key = || AuditKey::new(b"sixteen bytes or more").unwrap();
    let opened = MigrationController::builder("search", MemoryStore::new()).audit_key(key()).manual_refresh().open();
    let controller = opened.await.unwrap();
    controller.transition(GradualRollout, "ana", "ramp").await.unwrap();
    controller.set_rollout(percent(10.0), "ana", "ramp").await.unwrap();
    let before = controller.status();
    let notes = [
        (Note::Approval, ChangeKind::Approval),
        (Note::Acknowledgement, ChangeKind::Acknowledgement),
        (Note::Pause, ChangeKind::Pause),
        (Note::Resume, ChangeKind::Resume),
        (Note::Step, ChangeKind::Step),
        (Note::Clearing, ChangeKind::Clearing),
    ];
    for (number, (note, kind)) in notes.into_iter().enumerate() {
        let proposal = Proposal::noting(note).evidence(json!({ "step": number }));
        let changed = controller.propose(&proposal, "ben", "because").await.unwrap();
        assert!(changed.stored && !changed.is_noop() && changed.before == changed.after);
        let entry = controller.history(changed.epoch - 1, 1).await.unwrap().remove(0);
        assert_eq!((entry.kind, entry.before, entry.is_transition()), (kind, Some(entry.after), false));
        assert_eq!(AuditEntry::from_json(entry.to_json().unwrap().as_bytes()).unwrap(), entry);
        assert_eq!(entry.evidence, Some(json!({ "step": number })));
    }
    let after = controller.status();
    assert_eq!((after.mode, after.rollout, after.shadow_share), (before.mode, before.rollout, before.shadow_share));
    assert_eq!((after.epoch, after.recent_transitions.len()), (8, 1));
    assert_eq!(controller.verify().await.unwrap().epoch, 8);
}

#[tokio::test]
async fn a_note_is_stored_first_too_and_together_with_a_change_it_is_one_entry() {
    let controller = open(MemoryStore::new()).await;
    controller.propose(&Proposal::noting(Note::Pause), "ana", "not yet").await.unwrap();
    assert_eq!((controller.mode(), controller.status().epoch), (LegacyOnly, 1));
    let both = Proposal::to(Parallel).note(Note::Step);
    assert_eq!(controller.propose(&both, "ana", "now").await.unwrap().epoch, 2);
    let kinds: Vec<_> = audit(&controller).await.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [ChangeKind::Pause, ChangeKind::Transition]);
    let nothing = controller.propose(&Proposal::new(), "ana", "nothing").await.unwrap();
    assert!(nothing.is_noop() && controller.status().epoch == 2);
}

#[tokio::test]
async fn a_proposal_keeps_every_rule_of_a_change() {
    let controller = open(MemoryStore::new()).await;
    let refused = controller.propose(&Proposal::to(NewOnly).note(Note::Step), "ana", "jump").await;
    assert!(matches!(refused, Err(ChangeError::Transition(_))), "{refused:?}");
    let refused = controller.propose(&Proposal::new().rollout(percent(10.0)), "ana", "grow").await;
    assert!(matches!(refused, Err(ChangeError::RolloutFixed { mode: LegacyOnly })), "{refused:?}");
    let refused = controller.propose(&Proposal::to(Parallel), "", "grow").await;
    assert!(matches!(refused, Err(ChangeError::Text(_))), "{refused:?}");
    controller.transition(GradualRollout, "ana", "ramp").await.unwrap();
    controller.set_rollout(percent(10.0), "ana", "ramp").await.unwrap();
    let refused = controller.propose(&Proposal::to(LegacyOnly).rollout(percent(10.0)), "ana", "both").await;
    assert!(matches!(refused, Err(ChangeError::RolloutFixed { mode: LegacyOnly })), "{refused:?}");
    assert_eq!(
        (controller.mode(), controller.rollout(), audit(&controller).await.len()),
        (GradualRollout, percent(10.0), 2)
    );
    let back = controller.propose(&Proposal::to(LegacyOnly), "ana", "back").await.unwrap();
    assert_eq!((back.before.rollout, back.after.rollout), (percent(10.0), Percentage::ZERO));
}

#[tokio::test]
async fn in_doubt_nothing_is_promoted_or_noted_and_no_note_settles_it() {
    let store = MemoryStore::new();
    let failing = FailingStore::new(store.clone(), TestRuntime);
    let controller = open(failing).await;
    controller.transition(Parallel, "ana", "look").await.unwrap();
    // The audit loses the entry of the record that the process knows.
    let lost = Forgetful(store);
    let doubtful = open(lost).await;
    assert_eq!(doubtful.status().doubt, Some(Doubt::AuditGap { known_epoch: 1 }));
    for proposal in [Proposal::to(NewOnly), Proposal::noting(Note::Approval), Proposal::noting(Note::Resume)] {
        let refused = doubtful.propose(&proposal, "ana", "go on").await;
        assert!(matches!(refused, Err(ChangeError::InDoubt(_))), "{refused:?}");
    }
    assert!(doubtful.status().doubt.is_some());
    doubtful.propose(&Proposal::to(LegacyOnly), "ana", "away from it").await.unwrap();
}

#[tokio::test]
async fn in_doubt_a_share_may_fall_and_not_grow() {
    let store = MemoryStore::new();
    let controller = open(store.clone()).await;
    let proposal = Proposal::to(GradualRollout).rollout(percent(30.0)).shadow_share(Some(percent(20.0)));
    controller.propose(&proposal, "ana", "look").await.unwrap();
    for share in [100.0, 31.0, 29.0, 10.0, 0.0] {
        let doubtful = open(Forgetful(store.clone())).await;
        let changed = doubtful.set_rollout(percent(share), "ana", "other share").await;
        assert_eq!(changed.is_ok(), share < 30.0, "a rollout of {share} %: {changed:?}");
    }
    for share in [100.0, 21.0, 19.0, 10.0, 0.0] {
        let doubtful = open(Forgetful(store.clone())).await;
        let changed = doubtful.set_shadow_share(Some(percent(share)), "ana", "other share").await;
        assert_eq!(changed.is_ok(), share < 20.0, "a shadow share of {share} %: {changed:?}");
    }
}

/// A store whose audit is empty.
struct Forgetful(MemoryStore);

#[cutover::store::async_trait]
impl StateStore for Forgetful {
    async fn load(&self, id: &cutover::store::MigrationId) -> Result<Option<cutover::store::Record>, StoreError> {
        self.0.load(id).await
    }

    async fn compare_and_swap(
        &self,
        id: &cutover::store::MigrationId,
        expect: cutover::store::Expect,
        change: &cutover::store::Change,
    ) -> Result<cutover::store::Record, StoreError> {
        self.0.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, _: &cutover::store::MigrationId, _: u64, _: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(Vec::new())
    }

    async fn watch(&self, _: &cutover::store::MigrationId) -> Result<Option<cutover::store::WakeUps>, StoreError> {
        Ok(None)
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |value, _| json!([value]))
}

fn nested_objects(levels: usize) -> Value {
    (0..levels).fold(json!(1), |value, _| json!({ "shallow": 1, "deep": value }))
}

#[tokio::test]
async fn evidence_that_not_every_reader_reads_is_refused_and_the_store_is_not_blamed() {
    let controller = open(MemoryStore::new()).await;
    let with = |evidence| Proposal::to(Parallel).evidence(evidence);
    for evidence in [
        json!("x".repeat(Proposal::MAX_EVIDENCE)),
        nested(Proposal::MAX_DEPTH + 1),
        nested_objects(Proposal::MAX_DEPTH + 1),
    ] {
        let refused = controller.propose(&with(evidence), "ana", "look").await;
        assert!(matches!(refused, Err(ChangeError::Evidence { .. })), "{refused:?}");
    }
    assert_eq!((controller.status().epoch, controller.status().stale), (0, false));
    controller.propose(&with(nested(Proposal::MAX_DEPTH)), "ana", "look").await.unwrap();
    let largest = json!("x".repeat(Proposal::MAX_EVIDENCE - 2));
    controller.propose(&Proposal::noting(Note::Step).evidence(largest), "ana", "look").await.unwrap();
    controller.propose(&Proposal::noting(Note::Pause).evidence(Value::Null), "ana", "look").await.unwrap();
    assert_eq!(audit(&controller).await[2].evidence, None);
    let deepest = Proposal::noting(Note::Resume).evidence(nested_objects(Proposal::MAX_DEPTH));
    controller.propose(&deepest, "ana", "look").await.unwrap();
    assert_eq!(controller.verify().await.unwrap().epoch, 4);
}

#[tokio::test(start_paused = true)]
async fn an_emergency_keeps_its_evidence_and_nothing_holds_it_up() {
    let store = FailingStore::new(MemoryStore::new(), TestRuntime);
    let controller = open(store.clone()).await;
    controller.transition(GradualRollout, "ana", "ramp").await.unwrap();
    store.set_standing(Some(Fault::Unavailable));
    let persisted = controller.emergency_rollback_with("guard", "errors", json!({ "events": 40 }));
    assert_eq!(controller.mode(), EmergencyRollback);
    store.heal();
    persisted.await;
    let last = audit(&controller).await.pop().unwrap();
    assert_eq!((last.evidence, last.reason.as_str()), (Some(json!({ "events": 40 })), "EMERGENCY: errors"));

    controller.transition(LegacyOnly, "ana", "mended").await.unwrap();
    controller.emergency_rollback_with("guard", "errors", nested(1000)).await;
    let last = audit(&controller).await.pop().unwrap();
    assert_eq!(
        last.evidence,
        Some(json!("left out: the evidence is too deep; allowed: 32768 bytes as JSON and 32 levels"))
    );

    controller.transition(LegacyOnly, "ana", "mended").await.unwrap();
    let outdated = Proposal::to(EmergencyRollback).evidence(json!({ "events": 41 })).expecting(1, Some(7));
    let changed = controller.propose(&outdated, "guard", "errors").await.unwrap();
    assert_eq!((changed.after.mode, changed.stored), (EmergencyRollback, true));
    assert_eq!(audit(&controller).await.pop().unwrap().evidence, Some(json!({ "events": 41 })));
    assert_eq!(controller.verify().await.unwrap().epoch, 6);
}
