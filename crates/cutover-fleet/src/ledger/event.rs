//! [`Event`]: what the audit says of the migration of a system.

use cutover::Percentage;
use cutover::store::{AuditEntry, ChangeKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::checklist::ItemResult;
use crate::host::{Artifact, Backup, ValidationCounts, Vitals};
use crate::recovery::{FailureKind, FailureReport, PartReport};
use crate::strategy::{Step, Strategy};

/// The layout of the evidence that this version writes.
const FORMAT: u16 = 1;

/// One entry of a system's audit. Its evidence has `fleet`, the layout, and `event`, the rest of this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A migration begins. The strategy holds to its end, whatever becomes of the inventory meanwhile.
    Begun { strategy: Strategy },
    /// A step begins. If nothing else is said of it, it is in doubt.
    Began { step: Step },
    /// A step is done.
    Done {
        step: Step,
        #[serde(default)]
        found: Box<Found>,
    },
    /// The figures at a share were beyond the limits: new goes one share back.
    SteppedBack { to: Percentage, reason: String },
    /// Something failed before anything was changed.
    Blocked { report: Box<FailureReport> },
    /// Something failed, or somebody called it off: everything goes back.
    Broken { step: Option<Step>, kind: FailureKind, reason: String },
    /// A part of the recovery is over.
    Recovered { part: PartReport },
    /// The recovery is over.
    Ended { report: Box<FailureReport> },
    /// New serves alone.
    Migrated,
    /// A person lets it begin anew.
    Retried,
    /// A person has had a backup made.
    BackedUp { backup: Backup },
    /// Legacy is being removed; from here on there is no way back.
    Decommissioning { checks: Vec<ItemResult> },
    /// Legacy is gone.
    Decommissioned,
    /// What is left to tidy up.
    CleanedUp { checks: Vec<ItemResult> },
}

/// What a step has found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Found {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) artifact: Option<Artifact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<ValidationCounts>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) checks: Vec<ItemResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline: Option<Vitals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup: Option<Backup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) watched: Option<Watched>,
}

/// How new did at the end of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Watched {
    pub(crate) vitals: Vitals,
    /// Against legacy: plus is slower.
    pub(crate) latency_change: Option<f64>,
    /// Against legacy: plus is more.
    pub(crate) throughput_change: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Said<E> {
    fleet: u16,
    #[serde(flatten)]
    event: E,
}

/// An entry of a fleet that this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit has an entry, of epoch {epoch}, that this version of the fleet cannot read: {problem}")]
pub struct UnreadableEntry {
    epoch: u64,
    problem: String,
}

impl Event {
    /// As evidence.
    pub(crate) fn evidence(&self) -> Value {
        // What is written is made of texts, numbers and maps with texts as keys.
        serde_json::to_value(Said { fleet: FORMAT, event: self }).unwrap_or_default()
    }

    /// What an entry says; `None` where it is not one of a fleet.
    pub(crate) fn of(entry: &AuditEntry) -> Result<Option<Self>, UnreadableEntry> {
        let Some(evidence) = entry.evidence.as_ref() else { return Ok(None) };
        let Some(format) = evidence.get("fleet").filter(|_| entry.kind != ChangeKind::Other) else { return Ok(None) };
        let unreadable = |problem: String| UnreadableEntry { epoch: entry.epoch, problem };
        if format.as_u64() != Some(u64::from(FORMAT)) {
            return Err(unreadable(format!("its layout is {format}; known: {FORMAT}")));
        }
        let said = Said::<Self>::deserialize(evidence).map_err(|error| unreadable(error.to_string()))?;
        Ok(Some(said.event))
    }
}
