//! [`FleetReport`].

use std::fmt;

use cutover::Percentage;
use serde::Serialize;

use super::Phase;
use crate::kpi::{KpiFigures, KpiTargets, Kpis};
use crate::migrator::SystemReport;
use crate::outcome::Outcome;
use crate::system::SystemName;

/// Where a fleet stands: as JSON through serde, and as [Markdown](Self::to_markdown). The same audits give the same report.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FleetReport {
    /// The phases and their systems, in their order.
    pub phases: Vec<PhaseReport>,
    /// The figures of the whole.
    pub kpis: Kpis,
    /// Why the run did not go on, if it did not go to the end.
    pub stopped: Option<StopReason>,
}

/// Where the systems of a phase stand.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PhaseReport {
    /// The phase.
    pub phase: String,
    /// Up to which share of all systems it goes.
    pub until: Percentage,
    /// Its systems, in the order of their turns.
    pub systems: Vec<SystemReport>,
}

/// Why a run begins nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// A phase had more failures than it may have.
    TooManyFailures {
        /// Which phase.
        phase: String,
        /// How many it had by then.
        failures: u32,
        /// How many it may have.
        most: u32,
    },
    /// The recovery of a system failed: a person has to look.
    RecoveryFailed {
        /// Which system.
        system: SystemName,
    },
    /// A system of a phase has not ended, so that the next phase does not begin.
    Interrupted {
        /// Which system; its report says why.
        system: SystemName,
    },
    /// Somebody cancelled it.
    Cancelled,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyFailures { phase, failures, most } => {
                write!(f, "the phase {phase} had {failures} failures, and may have {most}")
            }
            Self::RecoveryFailed { system } => write!(f, "the recovery of {system} failed; a person has to look"),
            Self::Interrupted { system } => write!(f, "{system} has not ended; its report says why"),
            Self::Cancelled => f.write_str("somebody cancelled it; build the fleet anew to go on"),
        }
    }
}

impl FleetReport {
    pub(super) fn new(
        phases: Vec<(&Phase, Vec<SystemReport>)>,
        targets: &KpiTargets,
        stopped: Option<StopReason>,
    ) -> Self {
        let report =
            |(phase, systems): (&Phase, _)| PhaseReport { phase: phase.name.clone(), until: phase.until, systems };
        let phases: Vec<PhaseReport> = phases.into_iter().map(report).collect();
        let systems: Vec<&SystemReport> = phases.iter().flat_map(|phase| &phase.systems).collect();
        let kpis = Kpis::of(&KpiFigures::of(&systems), targets);
        Self { phases, kpis, stopped }
    }

    /// All systems, in the order of their turns.
    pub fn systems(&self) -> impl Iterator<Item = &SystemReport> {
        self.phases.iter().flat_map(|phase| &phase.systems)
    }

    /// The report on one system.
    #[must_use]
    pub fn system(&self, name: &str) -> Option<&SystemReport> {
        self.systems().find(|system| system.system.as_str() == name)
    }

    /// How many systems stand at `outcome`.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.systems().filter(|system| system.outcome == outcome).count()
    }

    /// Whether every system is migrated.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.systems().all(|system| system.outcome.is_migrated())
    }
}
