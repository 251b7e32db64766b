//! [`Ledger`]: the audit of a migration that nobody stores.

use std::time::{Duration, SystemTime};

use super::chance::Chance;
use crate::RolloutPlan;
use crate::guard::{GuardReport, Present};
use crate::plan::{Event, Progress, evidence};
use crate::store::{Author, Change, ChangeKind, Record, Settings, Stamp};

/// The present record, and what a plan knows by all entries so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    record: Option<Record>,
    pub(super) progress: Progress,
}

/// What is written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) event: Event,
    pub(super) step: Option<&'a str>,
    pub(super) after: Settings,
    pub(super) report: Option<&'a GuardReport>,
}

impl Ledger {
    /// What holds.
    pub(super) fn present(&self) -> Present {
        let settings = self.record.as_ref().map(Record::settings).unwrap_or_default();
        Present { epoch: self.record.as_ref().map_or(0, |record| record.epoch), settings }
    }

    pub(super) fn write(&mut self, plan: &RolloutPlan, line: Line<'_>, seconds: u64, chance: &mut Chance) {
        let Line { event, step, after, report } = line;
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let stamp = Stamp { at, etag: chance.bits(), op_id: chance.bits() };
        let kind = kind(self.present().settings, after).unwrap_or_else(|| event.kind());
        let author = Author::for_emergency("simulation", plan.name());
        let next = Change::new(self.record.as_ref(), after, kind, author, stamp);
        let next = next.with_evidence(evidence(plan, event, step, report));
        self.progress.follow(plan, next.entry());
        self.record = Some(next.record().clone());
    }
}

fn kind(before: Settings, after: Settings) -> Option<ChangeKind> {
    if before.mode != after.mode {
        return Some(ChangeKind::Transition);
    }
    (before != after).then_some(ChangeKind::Rollout)
}
