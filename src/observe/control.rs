//! What observers hear about those who change a migration or claim its items: [`Refusal`], [`PlanEvent`], [`ClaimRefusal`] and
//! [`ClaimEnd`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a change was not made: the kind of the [`ChangeError`](crate::ChangeError) that the caller got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The actor or the reason is not allowed.
    Text,
    /// The mode cannot become the one that was asked for.
    Transition,
    /// The rollout is 0 in the mode by definition.
    RolloutFixed,
    /// The store lost records, and nobody has reconciled that.
    InDoubt,
    /// It was decided on another record.
    Outdated,
    /// There is too much evidence.
    Evidence,
    /// Others were faster each time.
    Contended,
    /// The store failed. It may have taken the change all the same.
    Store,
}

impl Refusal {
    /// The wire name, such as `in_doubt`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Transition => "transition",
            Self::RolloutFixed => "rollout_fixed",
            Self::InDoubt => "in_doubt",
            Self::Outdated => "outdated",
            Self::Evidence => "evidence",
            Self::Contended => "contended",
            Self::Store => "store",
        }
    }
}

/// What the audit says of a plan, which it came to or which somebody said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanEvent {
    /// It entered a step.
    Entered,
    /// A person allowed the next step.
    Approved,
    /// A person said that they know that the next step cannot be taken back.
    Acknowledged,
    /// A person lets it wait.
    Paused,
    /// A trigger was breached, and the step says to freeze.
    Frozen,
    /// A trigger was breached, and the step says to ask.
    Asked,
    /// A person lets it go on.
    Resumed,
    /// A person lets it begin anew.
    Restarted,
    /// Its last step is over.
    Done,
    /// It rolled back.
    RolledBack,
    /// A person ended it with an emergency rollback.
    Aborted,
}

impl PlanEvent {
    /// The wire name, such as `rolled_back`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Approved => "approved",
            Self::Acknowledged => "acknowledged",
            Self::Paused => "paused",
            Self::Frozen => "frozen",
            Self::Asked => "asked",
            Self::Resumed => "resumed",
            Self::Restarted => "restarted",
            Self::Done => "done",
            Self::RolledBack => "rolled_back",
            Self::Aborted => "aborted",
        }
    }
}

/// Why an item was not claimed: the kind of the [`NotClaimed`](crate::control::NotClaimed) that the caller got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClaimRefusal {
    /// The item is not one.
    Item,
    /// The time for which it was to be claimed is out of range.
    Ttl,
    /// The item was routed by another record.
    OutdatedRoute,
    /// The side serves nothing in the mode.
    NotServing,
    /// The store lost records, and nobody has reconciled that.
    InDoubt,
    /// An emergency holds that is not stored yet.
    Unpersisted,
    /// New was chosen by an assumption.
    Assumed,
    /// Somebody holds the item.
    Held,
    /// The item is completed.
    Completed,
    /// The store granted it too late.
    Late,
    /// The store failed. It may have taken the claim all the same.
    Store,
}

impl ClaimRefusal {
    /// The wire name, such as `outdated_route`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Ttl => "ttl",
            Self::OutdatedRoute => "outdated_route",
            Self::NotServing => "not_serving",
            Self::InDoubt => "in_doubt",
            Self::Unpersisted => "unpersisted",
            Self::Assumed => "assumed",
            Self::Held => "held",
            Self::Completed => "completed",
            Self::Late => "late",
            Self::Store => "store",
        }
    }
}

/// How a claim ended. Each claim ends in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClaimEnd {
    /// Its item is completed.
    Completed,
    /// Its item was given back.
    Released,
    /// The store refused to renew, complete or release it: another one may have claimed or completed its item.
    Lost,
    /// It was dropped: its item is stuck when its time has run out, unless it was given back and the store did not say so.
    Dropped,
}

impl ClaimEnd {
    /// The wire name, such as `completed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Released => "released",
            Self::Lost => "lost",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for PlanEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for ClaimRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for ClaimEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
