//! [`StoreError`].

use std::sync::Arc;

use super::Record;

/// A store did not do what was asked. The cause, where there is one, is the source.
///
/// The causes come from the host's store, which keeps credentials and stored values out of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached, or did not answer in time. Nothing was stored.
    #[error("the store is not available")]
    Unavailable(#[source] BoxError),
    /// A write was sent and its answer is missing: it may have been stored. Repeating the same change is safe.
    #[error("it is not known whether the change was stored")]
    OutcomeUnknown(#[source] BoxError),
    /// The present record is not the expected one. Nothing was stored.
    #[error("the stored record is another one than expected")]
    Conflict {
        /// The present record, if there is one.
        current: Option<Box<Record>>,
    },
    /// What is stored cannot be read. It is left as it is.
    #[error("the stored record is corrupt")]
    Corrupt(#[source] BoxError),
    /// What is stored comes from a version that knows more than this one. It is left as it is.
    #[error("the stored record has an unknown format")]
    UnknownFormat(#[source] BoxError),
    /// The record or its audit entry is larger than the store takes. Nothing was stored.
    #[error("{size} bytes are more than the {max} that the store takes")]
    TooLarge {
        /// Bytes to be stored.
        size: usize,
        /// Bytes that the store takes.
        max: usize,
    },
    /// The store refuses this caller. Nothing was stored.
    #[error("the store denies access")]
    Denied(#[source] BoxError),
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl StoreError {
    /// [`Unavailable`](Self::Unavailable) with its cause, which may be a text.
    pub fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// [`OutcomeUnknown`](Self::OutcomeUnknown) with its cause, which may be a text.
    pub fn outcome_unknown(cause: impl Into<BoxError>) -> Self {
        Self::OutcomeUnknown(cause.into())
    }

    /// [`Conflict`](Self::Conflict) with the present record.
    #[must_use]
    pub fn conflict(current: Option<Record>) -> Self {
        Self::Conflict { current: current.map(Box::new) }
    }

    /// [`Corrupt`](Self::Corrupt) with its cause, which may be a text.
    pub fn corrupt(cause: impl Into<BoxError>) -> Self {
        Self::Corrupt(cause.into())
    }

    /// [`UnknownFormat`](Self::UnknownFormat) with its cause, which may be a text.
    pub fn unknown_format(cause: impl Into<BoxError>) -> Self {
        Self::UnknownFormat(cause.into())
    }

    /// This error for one of several who wait for the same answer: it is the source of theirs.
    pub(crate) fn shared(self: &Arc<Self>) -> Self {
        let cause = || BoxError::from(Arc::clone(self));
        match &**self {
            Self::Unavailable(_) => Self::Unavailable(cause()),
            Self::OutcomeUnknown(_) => Self::OutcomeUnknown(cause()),
            Self::Conflict { current } => Self::Conflict { current: current.clone() },
            Self::Corrupt(_) => Self::Corrupt(cause()),
            Self::UnknownFormat(_) => Self::UnknownFormat(cause()),
            &Self::TooLarge { size, max } => Self::TooLarge { size, max },
            Self::Denied(_) => Self::Denied(cause()),
        }
    }
}
