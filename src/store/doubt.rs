//! [`Doubt`].

use serde::Serialize;

/// Why a store cannot be believed. The process keeps the safer of what it knew and what it found, and exposes nothing more
/// to new until an operator [reconciles](crate::MigrationController::reconcile), or the store finds its record again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Doubt {
    /// A record was there and is gone: evicted, flushed, or restored from before its time.
    #[error("the record of epoch {known_epoch} is gone from the store")]
    StateLost {
        /// The epoch of the record that is gone.
        known_epoch: u64,
    },
    /// The store holds an older record than it has held, or another one of the same epoch: it lost acknowledged writes.
    #[error("the store went back from epoch {known_epoch} to another record of epoch {found_epoch}")]
    StateRegressed {
        /// The epoch of the record that was there.
        known_epoch: u64,
        /// The epoch of the record that is there.
        found_epoch: u64,
    },
    /// The store holds a later record than the known one, which did not come from it: the store lost acknowledged writes, and
    /// others went on without them.
    #[error("the store holds epoch {found_epoch}, and its audit has another record at the known epoch {known_epoch}")]
    Forked {
        /// The epoch of the record that was there.
        known_epoch: u64,
        /// The epoch of the record that is there.
        found_epoch: u64,
    },
    /// The audit does not hold the entry that was written together with the record.
    #[error("the audit has no entry for the record of epoch {known_epoch}")]
    AuditGap {
        /// The epoch of the record.
        known_epoch: u64,
    },
}
