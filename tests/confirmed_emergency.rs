//! An emergency is no longer held in the process itself only when the store is seen to hold it.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod control_common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use control_common::TestRuntime;
use cutover::store::{
    AuditEntry, Author, Change, ChangeKind, Expect, MigrationId, Record, Stamp, WakeUps, async_trait,
};
use cutover::{MemoryStore, MigrationController, StateStore, StoreError, SystemMode};

/// Acknowledges the first emergency by an earlier attempt of it that a failover then loses, and keeps the request itself.
/// It gets through when the audit is read for the first time since.
#[derive(Clone, Default)]
struct Delaying {
    store: MemoryStore,
    delayed: Arc<Mutex<Option<(Expect, Change)>>>,
    emergencies: Arc<Mutex<u32>>,
}

#[async_trait]
impl StateStore for Delaying {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.store.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        if change.record().mode == SystemMode::EmergencyRollback {
            let mut emergencies = self.emergencies.lock().unwrap();
            *emergencies += 1;
            if *emergencies == 1 {
                *self.delayed.lock().unwrap() = Some((expect, change.clone()));
                return Ok(earlier_attempt(change));
            }
        }
        self.store.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let delayed = self.delayed.lock().unwrap().take();
        if let Some((expect, change)) = delayed {
            self.store.compare_and_swap(id, expect, &change).await?;
        }
        self.store.history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

/// The record of the same operation at the same epoch with another etag.
fn earlier_attempt(change: &Change) -> Record {
    let record = change.record();
    let author = Author::for_emergency(record.actor.as_str(), "wrong totals");
    let stamp = Stamp { at: record.since, etag: !record.etag, op_id: record.op_id };
    let mut made: Option<Record> = None;
    while made.as_ref().is_none_or(|made| made.epoch < record.epoch) {
        let next = Change::new(made.as_ref(), record.settings(), ChangeKind::Transition, author.clone(), stamp);
        made = Some(next.record().clone());
    }
    made.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_was_written_after_the_record_was_read_confirms_nothing() {
    let store = Delaying::default();
    let opened = MigrationController::builder("search", store.clone()).runtime(TestRuntime).manual_refresh().open();
    let controller = opened.await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "go").await.unwrap();
    controller.transition(SystemMode::NewOnly, "ana", "go").await.unwrap();
    controller.emergency_rollback("ben", "wrong totals").await;
    let status = controller.status();
    assert_eq!((status.mode, status.unpersisted_emergency), (SystemMode::EmergencyRollback, false));
    assert_eq!((status.epoch, status.doubt), (3, None));
}

/// The first emergency that it takes is lost with the records; the audit is read from a copy that still has it.
#[derive(Clone)]
struct Split {
    lost: MemoryStore,
    kept: MemoryStore,
    failed_over: Arc<AtomicBool>,
}

impl Split {
    fn records(&self) -> &MemoryStore {
        if self.failed_over.load(Ordering::SeqCst) { &self.kept } else { &self.lost }
    }
}

#[async_trait]
impl StateStore for Split {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.records().load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let answer = self.records().compare_and_swap(id, expect, change).await;
        if change.record().mode == SystemMode::EmergencyRollback {
            self.failed_over.store(true, Ordering::SeqCst);
        }
        answer
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.lost.history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_at_the_epoch_of_another_record_confirms_nothing() {
    let store = Split { lost: MemoryStore::new(), kept: MemoryStore::new(), failed_over: Arc::default() };
    let other = MigrationController::open("search", store.kept.clone()).await.unwrap();
    other.transition(SystemMode::Parallel, "ana", "go").await.unwrap();
    other.transition(SystemMode::NewOnly, "ana", "go").await.unwrap();
    let opened = MigrationController::builder("search", store.clone()).runtime(TestRuntime).manual_refresh().open();
    let controller = opened.await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "go").await.unwrap();
    controller.emergency_rollback("ben", "wrong totals").await;
    assert!(!controller.status().unpersisted_emergency);
    let stored = store.kept.load(&"search".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((stored.mode, stored.epoch), (SystemMode::EmergencyRollback, 3));
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_left_before_it_was_confirmed_is_not_stored_again() {
    let store = Leaving::default();
    let opened = MigrationController::builder("search", store.clone()).runtime(TestRuntime).manual_refresh().open();
    let controller = opened.await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "go").await.unwrap();
    controller.emergency_rollback("ben", "wrong totals").await;
    let status = controller.status();
    assert_eq!((status.mode, status.unpersisted_emergency), (SystemMode::LegacyOnly, false));
    assert_eq!((status.epoch, status.doubt), (3, None));
}

/// Somebody leaves each emergency as soon as it is stored.
#[derive(Clone, Default)]
struct Leaving(MemoryStore);

#[async_trait]
impl StateStore for Leaving {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.0.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let answer = self.0.compare_and_swap(id, expect, change).await?;
        if answer.mode == SystemMode::EmergencyRollback {
            let author = Author::new("cleo", "all is well").unwrap();
            let stamp = Stamp { at: answer.since, etag: !answer.etag, op_id: !answer.op_id };
            let after = answer.settings().entering(SystemMode::LegacyOnly);
            let leave = Change::new(Some(&answer), after, ChangeKind::Transition, author, stamp);
            self.0.compare_and_swap(id, Expect::of(Some(&answer)), &leave).await?;
        }
        Ok(answer)
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.0.history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}
