//! [`Unwatched`]: a store that wakes nobody.

use std::sync::Arc;
use std::time::Duration;

use cutover::store::{
    AuditEntry, Change, ClaimError, ClaimRecord, ClaimRequest, ClaimStore, Expect, Grant, ItemId, MigrationId, Record,
    WakeUps, async_trait,
};
use cutover::{StateStore, StoreError};

/// A store around another one that wakes nobody.
pub(crate) struct Unwatched(pub(crate) Arc<dyn ClaimStore>);

#[async_trait]
impl StateStore for Unwatched {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.0.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.0.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.0.history(id, after_epoch, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl ClaimStore for Unwatched {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        self.0.claim(id, request).await
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        self.0.renew(id, item, token, ttl).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.0.complete(id, item, token).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.0.release(id, item, token).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        self.0.claimed(id, item).await
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        self.0.expired(id, limit).await
    }
}
