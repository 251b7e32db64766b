//! [`Interruption`].

use cutover::SystemMode;
use cutover::control::{ChangeError, Doubt, NotClaimed, OpenError};
use cutover::store::{StoreError, TextError};

use crate::ledger::UnreadableEntry;

/// Why a migration stands where it is, although it has not ended. Nothing is taken back for it: the next run goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Interruption {
    /// The migration could not be opened in the store.
    #[error("the migration could not be opened in the store")]
    Open(#[from] OpenError),
    /// The store failed again and again.
    #[error("the store failed again and again")]
    Store(#[from] StoreError),
    /// The store lost records.
    #[error("{0}; reconcile first")]
    InDoubt(Doubt),
    /// The store did not take a change.
    #[error("the store did not take a change: {0}")]
    Refused(ChangeError),
    /// Others change the record without end.
    #[error("others changed the record each time; try again")]
    Unsettled,
    /// Another runner migrates the system.
    #[error("another runner migrates the system")]
    HeldByAnother,
    /// The claim on the system could not be had, or ended: another runner may have taken over.
    #[error("the claim on the system was lost; another runner may have taken over")]
    ClaimLost,
    /// The claim was not granted.
    #[error("the system could not be claimed")]
    NotClaimed(#[source] NotClaimed),
    /// Somebody changed the settings while the migration was under way. They are not changed back: recover, or put them
    /// back.
    #[error("somebody changed the settings by hand, so that it is {mode} now; recover the system, then retry")]
    ByHand {
        /// The mode that holds.
        mode: SystemMode,
    },
    /// A migration begins in legacy-only, and another mode holds.
    #[error("a migration begins in legacy_only, and the mode is {mode}; retry the system, or set the mode back")]
    Mode {
        /// The mode that holds.
        mode: SystemMode,
    },
    /// A newer version wrote to the audit.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEntry),
    /// A text that the host gave is not allowed in the audit.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl Interruption {
    /// With what lies behind it, in one line.
    pub(crate) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    }
}
