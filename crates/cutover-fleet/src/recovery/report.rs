//! [`FailureReport`]: what went wrong, and what became of the way back.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::RecoveryPart;
use crate::call::CallError;
use crate::outcome::Outcome;
use crate::strategy::Step;
use crate::system::SystemName;

/// What is said about a migration that did not succeed: always, whether the way back worked or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureReport {
    /// The system.
    pub system: SystemName,
    /// When it was found.
    #[serde(with = "humantime_serde")]
    pub time: SystemTime,
    /// The step that failed; `None` where somebody called it off between two of them.
    pub step: Option<Step>,
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// Why, in words.
    pub reason: String,
    /// How it ended: blocked, rolled back or failed.
    pub outcome: Outcome,
    /// What each part of the recovery did, in their order; nothing where nothing had to be taken back.
    pub recovery: Vec<PartReport>,
    /// The last lines that the side in question has logged: new, if it was deployed, else legacy.
    pub logs: Vec<String>,
    /// Its figures.
    pub metrics: BTreeMap<String, f64>,
    /// What could not be had of logs and figures, and why.
    pub missing: Vec<String>,
    /// Whether people were told; `None` where nobody had to be.
    pub escalation: Option<PartResult>,
}

/// What kind of failure ended a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// An item of a checklist did not pass.
    Checklist,
    /// There is no backup, and the strategy wants one.
    MissingBackup,
    /// Too few cases of the validation passed, or there were none.
    Validation,
    /// A call of the host failed, panicked or took too long.
    Call,
    /// New was unhealthy while it was watched.
    Unhealthy,
    /// The figures of new were beyond the limits.
    Limits,
    /// It could not be seen for long enough that new is healthy.
    Unproven,
    /// Somebody called it off.
    CalledOff,
}

/// What became of one part of a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartReport {
    /// The part.
    pub part: RecoveryPart,
    /// What became of it.
    #[serde(flatten)]
    pub result: PartResult,
}

/// What became of something that was to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "it was done, it failed, or it was not tried")]
pub enum PartResult {
    /// It is done.
    Done,
    /// It failed.
    Failed {
        /// Why.
        reason: String,
    },
    /// It was not tried.
    Skipped {
        /// Why.
        reason: String,
    },
}

impl PartResult {
    pub(crate) fn skipped(reason: &str) -> Self {
        Self::Skipped { reason: reason.to_owned() }
    }
}

impl From<Result<(), CallError>> for PartResult {
    fn from(done: Result<(), CallError>) -> Self {
        match done {
            Ok(()) => Self::Done,
            Err(error) => Self::Failed { reason: error.to_string() },
        }
    }
}

impl fmt::Display for PartResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
            Self::Skipped { reason } => write!(f, "not tried: {reason}"),
        }
    }
}

impl fmt::Display for PartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.result)
    }
}

impl FailureReport {
    /// Whether everything that had to be taken back was.
    pub(crate) fn is_recovered(recovery: &[PartReport]) -> bool {
        let expected = |report: &PartReport| match &report.result {
            PartResult::Done => true,
            PartResult::Failed { .. } => false,
            // A backup that need not be put back, or new that never was.
            PartResult::Skipped { .. } => matches!(report.part, RecoveryPart::Restore | RecoveryPart::StopNew),
        };
        let verified = recovery.iter().any(|report| report.part == RecoveryPart::Verify);
        verified && recovery.iter().all(expected)
    }

    /// Leaves out logs, the oldest first, and then figures, until it has at most so many bytes as JSON.
    pub(crate) fn cut_to(&mut self, bytes: usize) {
        while serde_json::to_string(&self).is_ok_and(|json| json.len() > bytes) {
            if !self.logs.is_empty() {
                self.logs.remove(0);
            } else if self.metrics.pop_last().is_none() {
                return;
            }
        }
    }
}

impl fmt::Display for FailureReport {
    /// What happened in one line, then each part of the recovery in one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.system, self.outcome)?;
        if let Some(step) = self.step {
            write!(f, " at \"{step}\"")?;
        }
        write!(f, ": {}", self.reason)?;
        self.recovery.iter().try_for_each(|part| write!(f, "\n  {part}"))?;
        self.missing.iter().try_for_each(|missing| write!(f, "\n  {missing}"))?;
        self.escalation.iter().try_for_each(|told| write!(f, "\n  tell people: {told}"))
    }
}
