//! Who reconciles on the record that they saw settles that doubt or nothing, in one step.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use cutover::control::{ChangeError, Doubt};
use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::{MemoryStore, MigrationController, StateStore, StoreError, SystemMode};

use SystemMode::{GradualRollout, Parallel};

/// A store whose content is exchanged by the next ones, one after each reading.
#[derive(Clone, Default)]
struct Exchangeable(Arc<Mutex<Vec<MemoryStore>>>);

impl Exchangeable {
    fn of(all: &[MemoryStore]) -> Self {
        let store = Self::default();
        store.then(all.iter().cloned());
        store
    }

    fn then(&self, next: impl IntoIterator<Item = MemoryStore>) {
        let mut all: Vec<_> = next.into_iter().collect();
        all.reverse();
        *self.0.lock().unwrap() = all;
    }

    fn present(&self) -> MemoryStore {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

#[async_trait]
impl StateStore for Exchangeable {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        let read = self.present().load(id).await;
        let mut all = self.0.lock().unwrap();
        if all.len() > 1 {
            all.pop();
        }
        read
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

async fn open(store: impl StateStore + 'static) -> MigrationController {
    MigrationController::builder("search", store).manual_refresh().open().await.unwrap()
}

/// A store in which a migration went through `modes`.
async fn store_of(modes: &[SystemMode]) -> MemoryStore {
    let store = MemoryStore::new();
    let controller = open(store.clone()).await;
    for mode in modes {
        controller.transition(*mode, "ana", "step").await.unwrap();
    }
    store
}

/// A controller that knows three changes of a store that then has the first one alone.
async fn in_doubt() -> (Exchangeable, MigrationController) {
    let store = Exchangeable::default();
    store.then([store_of(&[Parallel, GradualRollout, Parallel]).await]);
    let controller = open(store.clone()).await;
    store.then([store_of(&[Parallel]).await]);
    controller.refresh().await.unwrap();
    assert_eq!(controller.status().doubt, Some(Doubt::StateRegressed { known_epoch: 3, found_epoch: 1 }));
    (store, controller)
}

#[tokio::test]
async fn on_the_record_that_was_seen_it_is_settled_and_on_any_other_nothing_is() {
    let (store, controller) = in_doubt().await;
    let seen = controller.status();
    let on = |epoch, etag| controller.reconcile_expecting(epoch, etag, "ana", "restored from backup");
    for (epoch, etag) in [(0, None), (2, None), (3, seen.etag.map(|etag| etag ^ 1))] {
        let late = on(epoch, etag).await;
        assert!(matches!(late, Err(ChangeError::Outdated { found: 3, .. })), "{epoch}: {late:?}");
    }
    assert_eq!(
        (controller.status().doubt, store.present().load(controller.id()).await.unwrap().unwrap().epoch),
        (seen.doubt, 1)
    );
    let settled = on(3, seen.etag).await.unwrap();
    assert_eq!((settled.after.mode, settled.epoch, controller.status().doubt), (Parallel, 2, None));
    assert!(on(2, controller.status().etag).await.unwrap().is_noop(), "without doubt nothing is stored");
}

#[tokio::test]
async fn a_doubt_that_came_after_the_one_that_was_seen_is_not_settled() {
    let (store, controller) = in_doubt().await;
    let seen = controller.status();
    controller.reconcile("ben", "restored from backup").await.unwrap();
    store.then([store_of(&[]).await]);
    let late = controller.reconcile_expecting(seen.epoch, seen.etag, "ana", "restored from backup").await;
    assert!(matches!(late, Err(ChangeError::Outdated { expected: 3, found: 2 })), "{late:?}");
    assert_eq!(controller.status().doubt, Some(Doubt::StateLost { known_epoch: 2 }));
    assert!(store.present().load(controller.id()).await.unwrap().is_none(), "nothing was stored");
}

#[tokio::test]
async fn what_happens_between_looking_and_storing_is_noticed() {
    let (store, controller) = in_doubt().await;
    let seen = controller.status();
    // While this is under way, another process settles it.
    let (before, after) = (store.present(), store_of(&[Parallel]).await);
    let other = open(Exchangeable::of(&[store_of(&[Parallel, GradualRollout, Parallel]).await, after.clone()])).await;
    other.reconcile("ben", "restored from backup").await.unwrap();
    store.then([before, after.clone()]);
    let late = controller.reconcile_expecting(seen.epoch, seen.etag, "ana", "restored from backup").await;
    assert!(matches!(late, Err(ChangeError::Outdated { .. })), "{late:?}");
    assert_eq!(after.history(controller.id(), 0, 9).await.unwrap().last().unwrap().actor.as_str(), "ben");
}
