//! A store that lost records is never believed: the safer state holds until an operator acts.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod control_common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use control_common::TestRuntime;
use cutover::control::{ChangeError, Doubt};
use cutover::store::{
    AuditEntry, Author, Change, ChangeKind, Expect, MigrationId, Record, Stamp, WakeUps, async_trait,
};
use cutover::testing::{FailingStore, Fault};
use cutover::{MemoryStore, MigrationController, Percentage, Side, StateStore, StoreError, SystemMode};

use SystemMode::{EmergencyRollback, GradualRollout, LegacyOnly, NewOnly, Parallel};

/// A store whose content can be exchanged, as a failover or a restore does.
#[derive(Clone, Default)]
struct Exchangeable(Arc<Mutex<MemoryStore>>);

impl Exchangeable {
    fn present(&self) -> MemoryStore {
        self.0.lock().unwrap().clone()
    }

    fn exchange(&self, other: MemoryStore) {
        *self.0.lock().unwrap() = other;
    }
}

#[async_trait]
impl StateStore for Exchangeable {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.present().load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.present().compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.present().history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

/// A store in which a migration went through `modes`.
async fn store_of(modes: &[SystemMode]) -> MemoryStore {
    let store = MemoryStore::new();
    let controller = MigrationController::open("search", store.clone()).await.unwrap();
    for mode in modes {
        controller.transition(*mode, "ana", "step").await.unwrap();
    }
    store
}

/// A controller that knows `known`, on a store that then holds `found`.
async fn after_exchange(known: &[SystemMode], found: &[SystemMode]) -> (Exchangeable, MigrationController) {
    let store = Exchangeable::default();
    store.exchange(store_of(known).await);
    let controller = MigrationController::open("search", store.clone()).await.unwrap();
    store.exchange(store_of(found).await);
    controller.refresh().await.unwrap();
    (store, controller)
}

#[tokio::test]
async fn a_record_that_is_gone_is_lost_and_no_fresh_start() {
    let (_, controller) = after_exchange(&[Parallel, NewOnly], &[]).await;
    let status = controller.status();
    assert_eq!((status.mode, status.doubt), (NewOnly, Some(Doubt::StateLost { known_epoch: 2 })));
    assert_eq!(controller.route("user").serve, Side::New);
}

#[tokio::test]
async fn of_an_older_record_and_the_known_one_the_safer_holds() {
    let known_safer = after_exchange(&[GradualRollout, LegacyOnly, Parallel], &[GradualRollout]).await.1;
    assert_eq!(known_safer.mode(), Parallel);
    let found_safer = after_exchange(&[Parallel, NewOnly], &[Parallel]).await.1;
    assert_eq!(found_safer.mode(), Parallel);
    let doubt = Doubt::StateRegressed { known_epoch: 2, found_epoch: 1 };
    assert_eq!(found_safer.status().doubt, Some(doubt));
}

#[tokio::test]
async fn another_record_of_the_same_epoch_is_not_the_known_one() {
    let (_, controller) = after_exchange(&[Parallel], &[Parallel]).await;
    let doubt = Doubt::StateRegressed { known_epoch: 1, found_epoch: 1 };
    assert_eq!(controller.status().doubt, Some(doubt));
}

#[tokio::test]
async fn what_one_process_settled_the_others_believe() {
    for found in [&[][..], &[Parallel][..]] {
        let store = Exchangeable::default();
        store.exchange(store_of(&[Parallel, GradualRollout, Parallel]).await);
        let open = || MigrationController::open("search", store.clone());
        let (one, other) = (open().await.unwrap(), open().await.unwrap());
        store.exchange(store_of(found).await);
        one.refresh().await.unwrap();
        other.refresh().await.unwrap();
        assert!(one.status().doubt.is_some() && other.status().doubt.is_some());
        one.reconcile("ana", "restored from backup").await.unwrap();
        other.refresh().await.unwrap();
        assert_eq!((other.status().doubt, other.status().epoch), (None, one.status().epoch), "{found:?}");
        other.transition(NewOnly, "ana", "go on").await.unwrap();
        one.refresh().await.unwrap();
        assert_eq!((one.mode(), one.status().doubt), (NewOnly, None));
    }
}

#[tokio::test]
async fn who_hears_of_the_settlement_only_shows_the_audit_that_was_settled() {
    let store = Exchangeable::default();
    store.exchange(store_of(&[Parallel, GradualRollout, Parallel]).await);
    let open = || MigrationController::builder("search", store.clone()).manual_refresh().open();
    let (one, other) = (open().await.unwrap(), open().await.unwrap());
    store.exchange(store_of(&[Parallel]).await);
    one.refresh().await.unwrap();
    one.reconcile("ana", "restored from backup").await.unwrap();
    other.refresh().await.unwrap();
    let modes: Vec<_> = other.status().recent_transitions.iter().map(|entry| entry.after.mode).collect();
    assert_eq!(modes, [Parallel], "the lost ones are not shown");
}

#[tokio::test]
async fn who_knows_more_than_was_settled_stays_in_doubt() {
    let store = Exchangeable::default();
    let early = store_of(&[Parallel, GradualRollout]).await;
    store.exchange(early.clone());
    let one = MigrationController::open("search", store.clone()).await.unwrap();
    store.exchange(store_of(&[Parallel, LegacyOnly, Parallel, GradualRollout]).await);
    let knows_more = MigrationController::open("search", store.clone()).await.unwrap();
    store.exchange(store_of(&[Parallel]).await);
    one.refresh().await.unwrap();
    one.reconcile("ana", "restored from backup").await.unwrap();
    knows_more.refresh().await.unwrap();
    let doubt = Doubt::StateRegressed { known_epoch: 4, found_epoch: 2 };
    assert_eq!(knows_more.status().doubt, Some(doubt));
}

#[tokio::test]
async fn promotions_are_refused_until_an_operator_reconciles() {
    for found in [&[][..], &[Parallel][..]] {
        let (store, controller) = after_exchange(&[Parallel, GradualRollout, Parallel], found).await;
        let promotion = controller.transition(NewOnly, "ana", "go on").await;
        assert!(matches!(promotion, Err(ChangeError::InDoubt(_))), "{promotion:?}");
        let ramp = controller.set_rollout(Percentage::HUNDRED, "ana", "go on").await;
        assert!(matches!(ramp, Err(ChangeError::InDoubt(_))), "{ramp:?}");
        let settled = controller.reconcile("ana", "restored from backup").await.unwrap();
        assert_eq!((settled.after.mode, settled.epoch), (Parallel, found.len() as u64 + 1));
        assert_eq!(controller.status().doubt, None);
        controller.transition(NewOnly, "ana", "go on").await.unwrap();
        let audit = store.history(&"search".parse().unwrap(), found.len() as u64, 10).await.unwrap();
        assert_eq!(audit[0].kind, ChangeKind::Reconciliation);
        assert_eq!(audit.len(), 2);
        controller.refresh().await.unwrap();
        let mut all = store.history(&"search".parse().unwrap(), 0, 10).await.unwrap();
        all.retain(AuditEntry::is_transition);
        assert_eq!(controller.status().recent_transitions, all, "the other audit is forgotten");
        let route = controller.route("user");
        assert_eq!((route.mode, route.epoch), (NewOnly, found.len() as u64 + 2));
    }
}

#[tokio::test]
async fn moving_towards_legacy_is_allowed_and_settles_it() {
    let (_, controller) = after_exchange(&[Parallel, GradualRollout], &[Parallel]).await;
    controller.transition(LegacyOnly, "ana", "give up").await.unwrap();
    assert_eq!((controller.mode(), controller.status().doubt), (LegacyOnly, None));
}

#[tokio::test]
async fn an_emergency_is_stored_over_whatever_was_found() {
    for found in [&[][..], &[Parallel][..]] {
        let (_, controller) = after_exchange(&[Parallel, NewOnly], found).await;
        controller.emergency_rollback("ana", "fire").await;
        let status = controller.status();
        assert_eq!((status.mode, status.doubt), (EmergencyRollback, None));
        assert_eq!(status.epoch, found.len() as u64 + 1);
    }
}

#[tokio::test]
async fn a_store_that_finds_its_record_again_is_believed() {
    let store = Exchangeable::default();
    let good = store_of(&[Parallel, NewOnly]).await;
    store.exchange(good.clone());
    let controller = MigrationController::open("search", store.clone()).await.unwrap();
    store.exchange(MemoryStore::new());
    controller.refresh().await.unwrap();
    assert!(controller.status().doubt.is_some());
    store.exchange(good);
    controller.refresh().await.unwrap();
    assert_eq!((controller.mode(), controller.status().doubt), (NewOnly, None));
}

#[tokio::test]
async fn a_later_record_that_did_not_come_from_the_known_one_is_a_fork() {
    let (store, controller) = after_exchange(&[Parallel, NewOnly], &[Parallel, LegacyOnly, GradualRollout]).await;
    let fork = Some(Doubt::Forked { known_epoch: 2, found_epoch: 3 });
    assert_eq!((controller.mode(), controller.status().doubt), (GradualRollout, fork));
    let promotion = controller.transition(NewOnly, "ana", "go on").await;
    assert!(matches!(promotion, Err(ChangeError::InDoubt(_))), "{promotion:?}");
    controller.reconcile("ana", "the lost step is taken again").await.unwrap();
    controller.transition(NewOnly, "ana", "go on").await.unwrap();
    assert_eq!(store.load(&"search".parse().unwrap()).await.unwrap().unwrap().epoch, 5);
}

/// Fails over without the emergency that it acknowledges, and takes a change that was under way instead.
#[derive(Clone)]
struct FailingOver {
    store: Exchangeable,
    replica: MemoryStore,
    failed_over: Arc<tokio::sync::Notify>,
    taken: Arc<tokio::sync::Notify>,
    emergencies: Arc<AtomicU32>,
}

#[async_trait]
impl StateStore for FailingOver {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.store.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let emergency = change.record().mode == EmergencyRollback;
        if !emergency {
            self.failed_over.notified().await;
        }
        let answer = self.store.compare_and_swap(id, expect, change).await;
        if !emergency {
            self.taken.notify_one();
        } else if self.emergencies.fetch_add(1, Ordering::Relaxed) == 0 {
            self.store.exchange(self.replica.clone());
            self.failed_over.notify_one();
            self.taken.notified().await;
            tokio::task::yield_now().await;
        }
        answer
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[tokio::test(start_paused = true)]
async fn an_emergency_that_was_acknowledged_and_lost_is_stored_again() {
    let primary = store_of(&[Parallel, NewOnly]).await;
    let replica = MemoryStore::new();
    copy(&primary, &replica).await;
    let store = FailingOver {
        store: Exchangeable(Arc::new(Mutex::new(primary))),
        replica: replica.clone(),
        failed_over: Arc::default(),
        taken: Arc::default(),
        emergencies: Arc::default(),
    };
    let controller = MigrationController::builder("search", store).runtime(TestRuntime).open().await.unwrap();
    let changing = tokio::spawn({
        let controller = controller.clone();
        async move { controller.transition(GradualRollout, "ana", "a step back").await }
    });
    tokio::task::yield_now().await;
    controller.emergency_rollback("ben", "wrong totals").await;
    changing.await.unwrap().unwrap();
    controller.refresh().await.unwrap();
    let status = controller.status();
    assert_eq!((status.mode, status.unpersisted_emergency), (EmergencyRollback, false));
    let stored = replica.load(&"search".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((stored.mode, stored.epoch), (EmergencyRollback, 4));
}

/// Copies a whole history.
async fn copy(from: &MemoryStore, to: &MemoryStore) {
    let id = "search".parse().unwrap();
    let mut last: Option<Record> = None;
    for entry in from.history(&id, 0, 100).await.unwrap() {
        let author = Author::new(entry.actor.as_str(), entry.reason.as_str()).unwrap();
        let stamp = Stamp { at: entry.at, etag: entry.etag, op_id: entry.op_id };
        let change = Change::new(last.as_ref(), entry.after, entry.kind, author, stamp);
        last = Some(to.compare_and_swap(&id, Expect::of(last.as_ref()), &change).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_no_loss_what_was_known_holds_and_is_marked_stale() {
    let store = FailingStore::new(store_of(&[Parallel, NewOnly]).await, TestRuntime);
    let controller = MigrationController::open("search", store.clone()).await.unwrap();
    for fault in [Fault::Unavailable, Fault::Hang, Fault::Corrupt, Fault::Panic] {
        store.set_standing(Some(fault));
        assert!(controller.refresh().await.is_err());
        let status = controller.status();
        assert_eq!((status.mode, status.stale, status.doubt), (NewOnly, true, None));
        let refused = controller.transition(Parallel, "ana", "step back").await;
        assert!(matches!(refused, Err(ChangeError::Store(_))), "{refused:?}");
        assert!(MigrationController::open("search", store.clone()).await.is_err(), "no mode is assumed");
    }
    store.heal();
    controller.refresh().await.unwrap();
    assert!(!controller.status().stale);
}

/// A store whose records come from a version that knows more.
struct Newer(MemoryStore);

#[async_trait]
impl StateStore for Newer {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        let mut record = self.0.load(id).await?;
        if let Some(record) = &mut record {
            record.format = Record::FORMAT + 1;
        }
        Ok(record)
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.0.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.0.history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_of_a_newer_version_is_neither_read_nor_overwritten() {
    let store = MemoryStore::new();
    let controller = MigrationController::open("search", Newer(store.clone())).await.unwrap();
    let old = MigrationController::open("search", store.clone()).await.unwrap();
    old.transition(Parallel, "ana", "compare").await.unwrap();
    assert!(matches!(controller.refresh().await, Err(StoreError::UnknownFormat(_))));
    let refused = controller.transition(GradualRollout, "ana", "go").await;
    assert!(matches!(refused, Err(ChangeError::Store(StoreError::UnknownFormat(_)))), "{refused:?}");
    drop(controller.emergency_rollback("ana", "fire"));
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(controller.mode(), EmergencyRollback);
    old.refresh().await.unwrap();
    assert_eq!(old.mode(), Parallel);
    assert!(MigrationController::open("search", Newer(store)).await.is_err());
}

#[tokio::test]
async fn what_was_settled_is_believed_also_by_those_who_hear_of_it_late() {
    let store = Exchangeable::default();
    store.exchange(store_of(&[Parallel, GradualRollout, Parallel]).await);
    let open = || MigrationController::builder("search", store.clone()).manual_refresh().open();
    let (one, late) = (open().await.unwrap(), open().await.unwrap());
    store.exchange(store_of(&[Parallel]).await);
    one.refresh().await.unwrap();
    one.reconcile("ana", "restored from backup").await.unwrap();
    for mode in [GradualRollout, Parallel] {
        one.transition(mode, "ana", "go on").await.unwrap();
    }
    late.refresh().await.unwrap();
    assert_eq!((late.status().epoch, late.status().doubt), (4, None));
}

#[tokio::test]
async fn of_two_records_that_route_alike_the_one_with_fewer_shadows_holds() {
    for (known, found, kept) in [(10, 50, 10), (50, 10, 10)] {
        let share = |percent: u8| Some(Percentage::new(f64::from(percent)).unwrap());
        let store_with = async |percent| {
            let store = store_of(&[Parallel]).await;
            let controller = MigrationController::open("search", store.clone()).await.unwrap();
            controller.set_shadow_share(share(percent), "ana", "load").await.unwrap();
            store
        };
        let store = Exchangeable::default();
        store.exchange(store_with(known).await);
        let controller = MigrationController::open("search", store.clone()).await.unwrap();
        store.exchange(store_with(found).await);
        controller.refresh().await.unwrap();
        assert!(controller.status().doubt.is_some());
        assert_eq!(Some(controller.status().shadow_share), share(kept), "{known} {found}");
    }
}
