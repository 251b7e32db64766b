//! [`FleetEvent`], [`FleetObserver`], [`Escalation`]: who hears what.

use async_trait::async_trait;
use cutover::Percentage;
use serde::Serialize;

use super::progress::Progress;
use crate::host::HostError;
use crate::outcome::Outcome;
use crate::recovery::{FailureReport, PartReport};
use crate::strategy::Step;
use crate::system::SystemName;

/// What has happened in a fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FleetEvent {
    /// A phase begins.
    PhaseBegan {
        /// Which one.
        phase: String,
        /// How many systems it has.
        systems: usize,
    },
    /// All systems of a phase have ended, or nothing more of it is begun.
    PhaseEnded {
        /// Which one.
        phase: String,
        /// How many of its systems are blocked, rolled back or failed.
        failures: u32,
    },
    /// The migration of a system begins, or begins anew.
    SystemBegan {
        /// Which one.
        system: SystemName,
    },
    /// A step begins, or is repeated after a crash.
    StepBegan {
        /// Of which system.
        system: SystemName,
        /// Which step.
        step: Step,
    },
    /// A step is done.
    StepDone {
        /// Of which system.
        system: SystemName,
        /// Which step.
        step: Step,
    },
    /// New was looked at.
    Looked {
        /// Of which system.
        system: SystemName,
        /// At which share of the traffic.
        share: Percentage,
        /// Whether it is healthy; `None` if that was not to be known.
        healthy: Option<bool>,
    },
    /// New was taken one share back.
    SteppedBack {
        /// Of which system.
        system: SystemName,
        /// To which share.
        to: Percentage,
        /// Why.
        reason: String,
    },
    /// A recovery begins, or is repeated after a crash.
    Recovering {
        /// Of which system.
        system: SystemName,
        /// Why.
        reason: String,
    },
    /// A part of a recovery is over.
    Recovered {
        /// Of which system.
        system: SystemName,
        /// What became of it.
        report: PartReport,
    },
    /// A migration did not succeed.
    Failure(Box<FailureReport>),
    /// There is nothing left to do for a system in this run.
    SystemEnded {
        /// Which one.
        system: SystemName,
        /// Where it stands.
        outcome: Outcome,
    },
}

/// Hears what happens in a fleet, and decides nothing. It is called where it happens, so it has to be quick; a panic ends
/// there. Closures are observers too.
pub trait FleetObserver: Send + Sync {
    /// Hears of `event`, after which the fleet stands at `progress`.
    fn hear(&self, event: &FleetEvent, progress: &Progress);
}

impl<F: Fn(&FleetEvent, &Progress) + Send + Sync> FleetObserver for F {
    fn hear(&self, event: &FleetEvent, progress: &Progress) {
        self(event, progress);
    }
}

/// Tells people that a recovery has failed: legacy is not known to serve.
#[async_trait]
pub trait Escalation: Send + Sync {
    /// Tells them, such as by a pager. It is called again when the process ends before it is written down that they were
    /// told.
    ///
    /// # Errors
    /// [`HostError`] when they may not know. The report says so, and nothing else follows.
    async fn escalate(&self, report: &FailureReport) -> Result<(), HostError>;
}

/// Writes an error to the trace: the default.
#[derive(Debug)]
pub(crate) struct TraceOnly;

#[async_trait]
impl Escalation for TraceOnly {
    async fn escalate(&self, report: &FailureReport) -> Result<(), HostError> {
        tracing::error!(system = %report.system, reason = %report.reason, "a recovery has failed; a person has to look");
        Ok(())
    }
}
