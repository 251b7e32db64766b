//! What the host implements to keep discrepancies where all processes see them: [`DiscrepancyStore`].

use std::sync::Arc;

use super::{MigrationId, StoreError, async_trait};
use crate::record::{Discrepancy, Fingerprint};

/// Keeps one [`Discrepancy`] per fingerprint and migration, merged over all processes.
///
/// Laws, per migration and for all handles on the same store:
///
/// 1. *Merged.* What is added again is [merged](Discrepancy::merge) into what is kept: the first sample stays, the
///    occurrences add up.
/// 2. *Bounded.* At most [`MAX_DISTINCT`] fingerprints are kept. Further ones are dropped and counted;
///    those that are kept still count on.
/// 3. *Apart.* Migrations do not see each other's.
///
/// A batch whose outcome is unknown may be counted twice when it is repeated: occurrences are evidence, not money.
#[async_trait]
pub trait DiscrepancyStore: Send + Sync {
    /// Merges each of `batch` into what is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn add(&self, id: &MigrationId, batch: &[Discrepancy]) -> Result<Added, StoreError>;

    /// Those with a fingerprint above `after`, in the order of their fingerprints, at most `limit` of them.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn page(
        &self,
        id: &MigrationId,
        after: Option<Fingerprint>,
        limit: usize,
    ) -> Result<Vec<Discrepancy>, StoreError>;

    /// Forgets all of a migration, such as after the new side was mended.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn clear(&self, id: &MigrationId) -> Result<(), StoreError>;
}

/// How many fingerprints a [`DiscrepancyStore`] keeps per migration.
pub const MAX_DISTINCT: usize = 10_000;

/// What became of a batch of discrepancies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "a host's store makes it")]
pub struct Added {
    /// Were not there before.
    pub added: usize,
    /// Were merged into what was there.
    pub merged: usize,
    /// Found no room.
    pub dropped: usize,
}

#[async_trait]
impl<S: DiscrepancyStore + ?Sized> DiscrepancyStore for Arc<S> {
    async fn add(&self, id: &MigrationId, batch: &[Discrepancy]) -> Result<Added, StoreError> {
        (**self).add(id, batch).await
    }

    async fn page(
        &self,
        id: &MigrationId,
        after: Option<Fingerprint>,
        limit: usize,
    ) -> Result<Vec<Discrepancy>, StoreError> {
        (**self).page(id, after, limit).await
    }

    async fn clear(&self, id: &MigrationId) -> Result<(), StoreError> {
        (**self).clear(id).await
    }
}
