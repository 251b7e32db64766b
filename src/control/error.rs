//! Why a controller did not open, or did not change.

use super::last_known::LastKnownError;
use super::proposal::Proposal;
use crate::mode::{SystemMode, TransitionError};
use crate::observe::Refusal;
use crate::store::Doubt;
use crate::store::{StoreError, TextError};

/// A controller could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The id is not one.
    #[error(transparent)]
    Id(#[from] TextError),
    /// The record could not be read: whether there is one, and what it says, is not known.
    #[error("the state of the migration could not be read")]
    Store(#[from] StoreError),
    /// The folder of the last known state cannot be used.
    #[error(transparent)]
    LastKnown(#[from] LastKnownError),
    /// The record could not be read, and no [`StartPolicy`](super::StartPolicy) could be followed.
    #[error("the state of the migration could not be read, and no start policy helps: {}", list(unusable))]
    NoStart {
        /// Why the record could not be read.
        #[source]
        store: StoreError,
        /// Why the last known state could not be used.
        unusable: Vec<LastKnownError>,
    },
}

fn list(errors: &[LastKnownError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn other(expected: u64, found: u64) -> String {
    if expected == found { "another one of that epoch".to_owned() } else { format!("epoch {found}") }
}

fn size(bytes: usize, deep: bool) -> String {
    if deep { "too deep".to_owned() } else { format!("{bytes} bytes long") }
}

/// A change was not made. Except for [`Store`](Self::Store) with [`StoreError::OutcomeUnknown`] and for
/// [`Unpersisted`](Self::Unpersisted), nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The actor or the reason is not allowed.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The mode that holds cannot become the one that was asked for.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// The rollout is 0 in this mode by definition.
    #[error("the rollout is always 0 in {mode}; it can be set in parallel, gradual_rollout, new_only")]
    RolloutFixed {
        /// The mode that holds.
        mode: SystemMode,
    },
    /// The store has lost records. Until an operator settles what holds, nothing may expose more to new.
    #[error("{0}; reconcile before exposing more to the new side")]
    InDoubt(Doubt),
    /// Another record holds than the [proposal](super::Proposal) expects. What was decided on the old one is not decided
    /// anew here.
    #[error("it was decided on the record of epoch {expected}, and {} holds", other(*expected, *found))]
    Outdated {
        /// The epoch that was expected; 0 for no record.
        expected: u64,
        /// The epoch that was found. It may be the same: then it is another record of that epoch.
        found: u64,
    },
    /// The evidence is more than the audit takes.
    #[error("the evidence is {}; allowed: {} bytes as JSON and {} levels", size(*bytes, *deep),
        Proposal::MAX_EVIDENCE, Proposal::MAX_DEPTH)]
    Evidence {
        /// How many bytes it has as JSON; 0 if it is too deep.
        bytes: usize,
        /// Whether it has too many levels of arrays and objects.
        deep: bool,
    },
    /// Others changed the record each time before this change was stored.
    #[error("others were faster {attempts} times in a row; try again")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// The emergency holds in this process and is not stored yet. Storing it goes on in the background.
    #[error("the emergency holds in this process, and is being stored until the store takes it")]
    Unpersisted,
    /// The store failed.
    #[error("the change was not confirmed by the store")]
    Store(#[from] StoreError),
}

impl ChangeError {
    /// Why nothing was changed, as observers hear it; `None` where the change holds in this process.
    pub(super) const fn refusal(&self) -> Option<Refusal> {
        Some(match self {
            Self::Text(_) => Refusal::Text,
            Self::Transition(_) => Refusal::Transition,
            Self::RolloutFixed { .. } => Refusal::RolloutFixed,
            Self::InDoubt(_) => Refusal::InDoubt,
            Self::Outdated { .. } => Refusal::Outdated,
            Self::Evidence { .. } => Refusal::Evidence,
            Self::Contended { .. } => Refusal::Contended,
            Self::Store(_) => Refusal::Store,
            Self::Unpersisted => return None,
        })
    }
}
