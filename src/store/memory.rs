//! [`MemoryStore`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{AuditEntry, Change, Expect, MigrationId, Record, StateStore, StoreError, async_trait};

use crate::lock::lock;

/// Keeps records in this process, for tests and for hosts that decide anew at every start.
///
/// Clones share their content. Nothing survives the process, and other processes see nothing of it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    audits: Arc<Mutex<HashMap<MigrationId, Vec<AuditEntry>>>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn audits(&self) -> MutexGuard<'_, HashMap<MigrationId, Vec<AuditEntry>>> {
        lock(&self.audits)
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        Ok(self.audits().get(id).and_then(|audit| current(audit)))
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let mut audits = self.audits();
        let audit = audits.entry(id.clone()).or_default();
        if let Some(first) = audit.iter().find(|entry| entry.op_id == change.op_id()) {
            return Ok(first.record());
        }
        let current = current(audit);
        if !expect.matches(current.as_ref()) {
            return Err(StoreError::conflict(current));
        }
        audit.push(change.entry().clone());
        Ok(change.record().clone())
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let audits = self.audits();
        let entries = audits.get(id).into_iter().flatten();
        Ok(entries.filter(|entry| entry.epoch > after_epoch).take(limit).cloned().collect())
    }
}

/// The last entry says what holds, so that record and audit cannot disagree.
fn current(audit: &[AuditEntry]) -> Option<Record> {
    audit.last().map(AuditEntry::record)
}
