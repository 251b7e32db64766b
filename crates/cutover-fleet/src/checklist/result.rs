//! [`ItemResult`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// What came of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ItemResult {
    /// The item.
    pub item: String,
    /// What came of it.
    #[serde(flatten)]
    pub result: CheckResult,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckResult {
    /// It is true.
    Pass,
    /// It is not.
    Fail {
        /// Why, by the check.
        reason: String,
    },
    /// It is not known: the check failed, panicked or took too long, or there is none.
    Error {
        /// Why.
        reason: String,
    },
    /// A person said that it does not have to be true. It was not checked.
    Waived {
        /// Who.
        actor: String,
        /// Why.
        reason: String,
    },
}

impl CheckResult {
    /// Whether the migration may go on: it passed, or was waived.
    #[must_use]
    pub const fn lets_pass(&self) -> bool {
        matches!(self, Self::Pass | Self::Waived { .. })
    }
}

impl fmt::Display for ItemResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            CheckResult::Pass => write!(f, "{}: pass", self.item),
            CheckResult::Fail { reason } => write!(f, "{}: fail: {reason}", self.item),
            CheckResult::Error { reason } => write!(f, "{}: error: {reason}", self.item),
            CheckResult::Waived { actor, reason } => write!(f, "{}: waived by {actor}: {reason}", self.item),
        }
    }
}

/// Whether a list lets the migration go on.
pub(crate) fn all_passed(results: &[ItemResult]) -> bool {
    results.iter().all(|result| result.result.lets_pass())
}
