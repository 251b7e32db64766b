//! [`MemoryStore`].

mod claims;
mod discrepancies;
mod watchers;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use claims::Claims;
use discrepancies::Discrepancies;
use watchers::Watchers;

use super::{
    Added, AuditEntry, Change, ClaimError, ClaimRecord, ClaimRequest, ClaimStore, DiscrepancyStore, Expect, Grant,
    ItemId, MigrationId, Record, StateStore, StoreError, WakeUps, async_trait,
};
use crate::clock::{Clock, SystemClock};
use crate::lock::lock;
use crate::record::{Discrepancy, Fingerprint};
use std::time::Duration;

/// Keeps everything in this process, for tests and for hosts that decide anew at every start.
///
/// Clones share their content. Nothing survives the process, and other processes see nothing of it. It keeps every law of
/// [`StateStore`], [`ClaimStore`] and [`DiscrepancyStore`], but for surviving a restart.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    /// One lock over all: whatever compares does so in the step that stores.
    migrations: Mutex<HashMap<MigrationId, Migration>>,
}

#[derive(Debug, Default)]
struct Migration {
    audit: Vec<AuditEntry>,
    claims: Claims,
    discrepancies: Discrepancies,
    watchers: Watchers,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(SystemClock::new())
    }

    /// An empty store whose leases run out by `clock`.
    #[must_use]
    pub fn with_clock(clock: impl Clock + 'static) -> Self {
        Self { shared: Arc::new(Shared { clock: Arc::new(clock), migrations: Mutex::default() }) }
    }

    fn with<R>(&self, id: &MigrationId, step: impl FnOnce(&mut Migration) -> R) -> R {
        step(lock(&self.shared.migrations).entry(id.clone()).or_default())
    }

    fn now(&self) -> crate::clock::Instant {
        self.shared.clock.now()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Migration {
    /// The last entry says what holds, so that record and audit cannot disagree.
    fn current(&self) -> Option<Record> {
        self.audit.last().map(AuditEntry::record)
    }

    fn compare_and_swap(&mut self, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        if let Some(first) = self.audit.iter().find(|entry| entry.op_id == change.op_id()) {
            return Ok(first.record());
        }
        let current = self.current();
        if !expect.matches(current.as_ref()) {
            return Err(StoreError::conflict(current));
        }
        change.entry().to_json()?;
        self.audit.push(change.entry().clone());
        self.watchers.wake();
        Ok(change.record().clone())
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        Ok(self.with(id, |migration| migration.current()))
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.with(id, |migration| migration.compare_and_swap(expect, change))
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.with(id, |migration| {
            let after = migration.audit.iter().filter(|entry| entry.epoch > after_epoch);
            after.take(limit).cloned().collect()
        }))
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(Some(self.with(id, |migration| migration.watchers.add())))
    }
}

#[async_trait]
impl ClaimStore for MemoryStore {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        let now = self.now();
        self.with(id, |migration| {
            let current = migration.current();
            if !request.expect.matches(current.as_ref()) {
                return Err(ClaimError::other_record(current));
            }
            migration.claims.claim(request, now)
        })
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        let now = self.now();
        self.with(id, |migration| migration.claims.renew(item, token, ttl, now))
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        let now = self.now();
        self.with(id, |migration| migration.claims.complete(item, token, now))
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        let now = self.now();
        self.with(id, |migration| migration.claims.release(item, token, now))
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        let now = self.now();
        Ok(self.with(id, |migration| migration.claims.get(item, now)))
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        let now = self.now();
        Ok(self.with(id, |migration| migration.claims.expired(limit, now)))
    }
}

#[async_trait]
impl DiscrepancyStore for MemoryStore {
    async fn add(&self, id: &MigrationId, batch: &[Discrepancy]) -> Result<Added, StoreError> {
        Ok(self.with(id, |migration| migration.discrepancies.add(batch)))
    }

    async fn page(
        &self,
        id: &MigrationId,
        after: Option<Fingerprint>,
        limit: usize,
    ) -> Result<Vec<Discrepancy>, StoreError> {
        Ok(self.with(id, |migration| migration.discrepancies.page(after, limit)))
    }

    async fn clear(&self, id: &MigrationId) -> Result<(), StoreError> {
        self.with(id, |migration| migration.discrepancies = Discrepancies::default());
        Ok(())
    }
}
