//! [`SystemReport`].

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::Interruption;
use crate::checklist::ItemResult;
use crate::host::ValidationCounts;
use crate::inventory::Entry;
use crate::ledger::Ledger;
use crate::outcome::Outcome;
use crate::recovery::FailureReport;
use crate::strategy::{Step, Strategy};
use crate::system::{Category, Priority, SystemName};

/// Where a system stands, by its audit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SystemReport {
    /// The system.
    pub system: SystemName,
    /// When it has its turn.
    pub priority: Priority,
    /// What kind it is.
    pub category: Category,
    /// How it is migrated: by the audit if it has begun, else by the inventory.
    pub strategy: Strategy,
    /// Where it stands.
    pub outcome: Outcome,
    /// The step at which it stands, if it is under way.
    pub step: Option<Step>,
    /// Why it could not go on, if it is under way and nobody goes on with it.
    pub interrupted: Option<String>,
    /// What its validation counted.
    pub validation: Option<ValidationCounts>,
    /// When its first attempt began.
    #[serde(with = "humantime_serde")]
    pub began: Option<SystemTime>,
    /// When it ended.
    #[serde(with = "humantime_serde")]
    pub ended: Option<SystemTime>,
    /// For how long neither side served, by the audit: from stopping legacy to the end of the switch, and on the way back from
    /// the switch until legacy was started. Where legacy could not be started, up to the end of the recovery.
    #[serde(with = "humantime_serde")]
    pub downtime: Duration,
    /// How often it was rolled back.
    pub rollbacks: u32,
    /// How often a rollback did not work.
    pub failed_recoveries: u32,
    /// How often it was taken one share back.
    pub step_backs: u32,
    /// The change of the p95 against legacy: plus is slower, minus is faster.
    pub latency_change: Option<f64>,
    /// The change of the throughput against legacy: plus is more, minus is less.
    pub throughput_change: Option<f64>,
    /// What did not succeed last, if that is how it ended.
    pub failure: Option<FailureReport>,
    /// The checklist after the migration, if it was gone through.
    pub after: Vec<ItemResult>,
    /// The checklist of the cleanup, if it was gone through.
    pub cleanup: Vec<ItemResult>,
}

impl SystemReport {
    pub(crate) fn of(entry: &Entry, ledger: &Ledger, interrupted: Option<&Interruption>) -> Self {
        let watched = ledger.watched();
        let (outcome, figures) = (outcome(ledger, interrupted), &ledger.figures);
        Self {
            system: entry.system.name.clone(),
            priority: entry.system.priority,
            category: entry.system.category.clone(),
            strategy: ledger.strategy.as_ref().unwrap_or(&entry.strategy).clone(),
            outcome,
            step: (outcome == Outcome::UnderWay).then(|| ledger.in_doubt.or_else(|| ledger.next())).flatten(),
            interrupted: interrupted.map(Interruption::in_full),
            validation: ledger.facts().validation,
            began: figures.began,
            ended: figures.ended,
            downtime: figures.downtime,
            rollbacks: figures.rollbacks,
            failed_recoveries: figures.failures,
            step_backs: figures.step_backs,
            latency_change: watched.and_then(|watched| watched.latency_change),
            throughput_change: watched.and_then(|watched| watched.throughput_change),
            failure: ledger.report.clone(),
            after: ledger.after.clone(),
            cleanup: ledger.cleanup.clone(),
        }
    }

    /// Of a system whose migration could not be opened.
    pub(crate) fn unread(entry: &Entry, why: &Interruption) -> Self {
        Self::of(entry, &Ledger::default(), Some(why))
    }

    /// How long it took from its first attempt to the end; `None` while it has not ended, and where a clock that was set back
    /// has measured nothing.
    #[must_use]
    pub fn took(&self) -> Option<Duration> {
        self.ended?.duration_since(self.began?).ok()
    }
}

/// Where it stands. An end after which the audit could not be read on is none: nobody knows what has happened since.
fn outcome(ledger: &Ledger, interrupted: Option<&Interruption>) -> Outcome {
    let outcome = ledger.stage.outcome();
    let is_good = matches!(outcome, Outcome::Migrated | Outcome::RolledBack);
    if is_good && interrupted.is_some() { Outcome::UnderWay } else { outcome }
}
