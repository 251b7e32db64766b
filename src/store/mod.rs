//! What the host implements to keep a migration's state: [`StateStore`], [`ClaimStore`] and [`DiscrepancyStore`]; and
//! [`MemoryStore`], which is all three for one process.

mod chain;
mod change;
mod claim;
mod discrepancies;
mod doubt;
mod error;
mod memory;
mod record;
mod recorder;
mod text;

pub use chain::{AuditFault, AuditHash, AuditHead, AuditKey, AuditProblem, AuditVerifier, NotAHash, ShortKey};
pub use change::{AuditEntry, Change, ChangeKind, Stamp};
pub use claim::{ClaimError, ClaimRecord, ClaimRequest, ClaimState, ClaimStore, Grant};
pub use discrepancies::{Added, DiscrepancyStore, MAX_DISTINCT};
pub use doubt::Doubt;
pub use error::StoreError;
pub use memory::MemoryStore;
pub use record::{Expect, Record, Settings};
pub use recorder::{StoreRecorder, StoreRecorderBuilder};
pub use text::{Actor, Author, GroupName, ItemId, MigrationId, Reason, TextError};

/// Re-exported, so that a host's `impl StateStore` needs no dependency of its own.
pub use async_trait::async_trait;

use std::sync::Arc;

use futures_util::stream::BoxStream;

/// Keeps one [`Record`] per migration, and the audit of how it came about.
///
/// Every law holds per migration, for all handles on the same store and across restarts:
///
/// 1. *Absent is `None`.* [`load`](Self::load) never answers with a default, and what cannot be read is an error.
/// 2. *One atomic step.* [`compare_and_swap`](Self::compare_and_swap) compares, and stores the record and its audit
///    entry together: other callers see both or neither.
/// 3. *A refused write changes nothing*, neither the record nor the audit.
/// 4. *The epoch grows by one* with every stored change, from 1, and each epoch has exactly one audit entry. The change says
///    its epoch; a store keeps that and does not count.
/// 5. *Repeating is safe.* A change whose `op_id` was stored before is not stored again, whatever has happened since:
///    the answer is the record of that first commit. This is checked before the expectation.
/// 6. *Read your writes.* A load that starts after a write was acknowledged sees that write or a later one.
/// 7. *The audit only grows*: no call changes or removes an entry. It gives back every entry as it was written, so that the
///    chain of hashes holds.
/// 8. *Dropping a future is safe*: the call then took place completely or not at all.
///
/// The caller sets a deadline on every call, so a store needs none. Errors say which side of a write is certain:
/// [`StoreError::Unavailable`] means that nothing was stored, [`StoreError::OutcomeUnknown`] that it may have been.
///
/// ```
/// use cutover::store::{Author, Change, ChangeKind, Expect, MemoryStore, MigrationId, Settings, Stamp, StateStore};
/// use cutover::SystemMode;
///
/// # futures::executor::block_on(async {
/// let (store, id) = (MemoryStore::new(), "search".parse::<MigrationId>()?);
/// assert_eq!(store.load(&id).await?, None);
///
/// let author = Author::new("ana", "first look")?;
/// let parallel = Settings { mode: SystemMode::Parallel, ..Settings::default() };
/// let stamp = Stamp { at: std::time::UNIX_EPOCH, etag: 7, op_id: 1 };
/// let change = Change::new(None, parallel, ChangeKind::Transition, author, stamp);
/// let stored = store.compare_and_swap(&id, Expect::Absent, &change).await?;
/// assert_eq!(stored.epoch, 1);
/// assert_eq!(store.history(&id, 0, 10).await?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[async_trait]
pub trait StateStore: Send + Sync {
    /// The record of `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read; [`StoreError::UnknownFormat`] or [`StoreError::Corrupt`] when it is there
    /// and not understood. [`Record::from_json`] tells these apart.
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError>;

    /// Stores `change` if the present record is as `expect`ed; the answer is the record of the commit.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with the present record when it is another one; any other [`StoreError`] when the store
    /// fails.
    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError>;

    /// The audit entries with an epoch above `after_epoch`, oldest first, at most `limit` of them. An unknown migration
    /// has none.
    ///
    /// # Errors
    /// [`StoreError`] when the audit cannot be read.
    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// Wake-ups for changes of `id`, from now on; `None` if this store has none to give.
    ///
    /// A wake-up says that a load may find something new, and no more: several changes may make one, and some may make none,
    /// such as while a connection is lost. A stream that ends has lost its connection; whoever watches then asks for another
    /// one and loads. Nobody relies on it: the controller polls as well.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError>;
}

/// What [`StateStore::watch`] gives.
pub type WakeUps = BoxStream<'static, ()>;

#[async_trait]
impl<S: StateStore + ?Sized> StateStore for Arc<S> {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        (**self).load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        (**self).compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        (**self).history(id, after_epoch, limit).await
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        (**self).watch(id).await
    }
}
