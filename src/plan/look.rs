//! [`Look`]: what is seen when a plan decides.

use std::time::Duration;

use crate::guard::{Action, Criterion, GuardReport, GuardVerdict, Hold};

/// What is seen when a plan [decides](super::decide).
///
/// The default is that nothing is seen: then nothing goes forward.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "whoever plays a plan makes its own")]
pub struct Look {
    /// What the guard asks for.
    pub action: Option<Action>,
    /// What forbids to go forward by the guard, whatever is proven.
    pub held_by: Option<Hold>,
    /// What is proven of new in this step.
    pub proven: Vec<Criterion>,
    /// Calls of new that were seen in this step.
    pub samples: u64,
    /// Answers that were compared in this step.
    pub compared: u64,
    /// Whether monitoring works and saw this step.
    pub monitored: bool,
    /// How long the step has held.
    pub held: Duration,
    /// Whether legacy could take over.
    pub legacy: Readiness,
    /// Whether the store is known to hold what the plan knows.
    pub store: StoreView,
}

/// Whether legacy could take over, should new have to be rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Readiness {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// It is well.
    Ready,
    /// It is not well, or does not answer.
    NotReady,
}

/// What is known of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StoreView {
    /// It did not answer.
    #[default]
    Unreachable,
    /// It lost records; see [`Doubt`](crate::control::Doubt).
    InDoubt,
    /// It holds what is known.
    Fresh,
}

impl Look {
    /// What a guard saw. The rest is as in the default.
    #[must_use]
    pub fn of(report: &GuardReport) -> Self {
        let trials = |criterion| report.criterion(criterion).map_or(0, |report| report.trials);
        let samples = trials(Criterion::Throughput);
        let held_by = report.held_by();
        Self {
            action: report.action,
            held_by,
            proven: proven(report),
            samples,
            compared: trials(Criterion::Validation),
            monitored: held_by != Some(Hold::NoNewCounts),
            ..Self::default()
        }
    }
}

pub(super) fn proven(report: &GuardReport) -> Vec<Criterion> {
    let healthy = report.criteria.iter().filter(|criterion| criterion.verdict == GuardVerdict::Healthy);
    healthy.map(|criterion| criterion.criterion).collect()
}
