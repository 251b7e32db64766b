//! [`PlanReport`].

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::guard::GuardReport;
use crate::plan::{Decision, PlanEnd};
use crate::wire::nanos;

/// What one look of a driver saw and did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// The plan.
    pub plan: String,
    /// The step at which it stands, after what this look did; `None` before the first.
    pub step: Option<String>,
    /// What was decided.
    pub decision: Decision,
    /// Whether this driver is the active one.
    pub active: bool,
    /// The epoch of what this look stored, if it stored something.
    pub stored: Option<u64>,
    /// Why what was decided was not stored, if it was not. The next look decides anew.
    pub refused: Option<String>,
    /// How the plan ended, if it has.
    pub end: Option<PlanEnd>,
    /// How long the step had held that the look found, in nanoseconds when serialised.
    #[serde(serialize_with = "nanos::serialize")]
    pub held: Duration,
    /// Calls of new that were seen in that step.
    pub samples: u64,
    /// What the guard says; `None` if it does not answer.
    pub guard: Option<GuardReport>,
}

impl fmt::Display for PlanReport {
    /// Where the plan stands and what was decided, in a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, step, decision, .. } = self;
        write!(f, "{plan}, {}: {decision}", step.as_deref().unwrap_or("not begun"))
    }
}
