//! [`NotClaimed`].

use std::time::Duration;

use super::Claims;
use crate::mode::SystemMode;
use crate::observe::ClaimRefusal;
use crate::outcome::Side;
use crate::store::{ClaimError, Doubt, StoreError, TextError};

/// An item was not claimed, so neither side may start on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotClaimed {
    /// The item is not one.
    #[error(transparent)]
    Item(#[from] TextError),
    /// The time for which it was to be claimed is out of range.
    #[error("an item cannot be claimed for {ttl:?}; allowed: {:?} to {:?}", Claims::MIN_TTL, Claims::MAX_TTL)]
    Ttl {
        /// What was asked for.
        ttl: Duration,
    },
    /// Another record holds than the one by which the side was chosen: route anew.
    #[error("the item was routed by epoch {routed}, and epoch {present} holds; route it anew")]
    OutdatedRoute {
        /// The epoch of the route.
        routed: u64,
        /// The epoch that holds, as far as this process knows; 0 if nothing is stored.
        present: u64,
    },
    /// The side serves nothing in the present mode.
    #[error("{side} serves nothing in {mode}, so it claims nothing")]
    NotServing {
        /// For whom it was to be claimed.
        side: Side,
        /// The mode that holds.
        mode: SystemMode,
    },
    /// The store has lost records. Until an operator settles what holds, new claims nothing.
    #[error("{0}; new claims nothing before this is reconciled")]
    InDoubt(Doubt),
    /// An emergency holds in this process and is not stored yet. Until it is, new claims nothing here.
    #[error("an emergency holds that is not stored yet; new claims nothing, route the item anew")]
    Unpersisted,
    /// The controller started without the store, and chose the side when it knew no record. It has read the store since.
    #[error("new was chosen by an assumption and not by a record, so it claims nothing; route the item anew")]
    Assumed,
    /// Somebody holds the item.
    #[error("another claim holds the item for {remaining:?} more")]
    Held {
        /// How long its lease still lasts, if it is not renewed.
        remaining: Duration,
    },
    /// The item is completed.
    #[error("the item is completed")]
    Completed,
    /// The store granted the claim so late that most of its time was over. It was given back.
    #[error("the store took most of the {ttl:?} of the claim to grant it")]
    Late {
        /// For how long it was to be claimed.
        ttl: Duration,
    },
    /// The store failed. With [`StoreError::OutcomeUnknown`] the item may be held until its time has run out.
    #[error("the store did not take the claim")]
    Store(#[from] StoreError),
}

impl NotClaimed {
    /// Whether the side was chosen by what does not hold any more: route the item anew and claim it again.
    #[must_use]
    pub const fn is_outdated(&self) -> bool {
        matches!(self, Self::OutdatedRoute { .. } | Self::Unpersisted | Self::Assumed)
    }

    /// As observers hear it.
    pub(super) const fn refusal(&self) -> ClaimRefusal {
        match self {
            Self::Item(_) => ClaimRefusal::Item,
            Self::Ttl { .. } => ClaimRefusal::Ttl,
            Self::OutdatedRoute { .. } => ClaimRefusal::OutdatedRoute,
            Self::NotServing { .. } => ClaimRefusal::NotServing,
            Self::InDoubt(_) => ClaimRefusal::InDoubt,
            Self::Unpersisted => ClaimRefusal::Unpersisted,
            Self::Assumed => ClaimRefusal::Assumed,
            Self::Held { .. } => ClaimRefusal::Held,
            Self::Completed => ClaimRefusal::Completed,
            Self::Late { .. } => ClaimRefusal::Late,
            Self::Store(_) => ClaimRefusal::Store,
        }
    }
}

impl From<ClaimError> for NotClaimed {
    fn from(refused: ClaimError) -> Self {
        match refused {
            ClaimError::Held { remaining } => Self::Held { remaining },
            ClaimError::Completed => Self::Completed,
            ClaimError::Store(error) => Self::Store(error),
            // No store answers a claim like this.
            ClaimError::OtherRecord { .. } | ClaimError::Lost { .. } => Self::Store(StoreError::corrupt(refused)),
        }
    }
}
