//! [`Ledger`]: how far the migration of a system has come, by its audit alone. Pure.

mod event;

pub use event::UnreadableEntry;
pub(crate) use event::{Event, Found, Watched};

use std::time::{Duration, SystemTime};

use cutover::store::{AuditEntry, AuditHash, Settings};
use cutover::{Percentage, SystemMode};

use crate::checklist::{Facts, ItemResult};
use crate::host::Backup;
use crate::outcome::Outcome;
use crate::recovery::{FailureKind, FailureReport, PartReport, PartResult, RecoveryPart, RecoveryScope};
use crate::strategy::{Step, Strategy};

/// What follows from the audit of a system.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ledger {
    pub(crate) head: Head,
    pub(crate) settings: Settings,
    pub(crate) stage: Stage,
    pub(crate) strategy: Option<Strategy>,
    /// Steps of this attempt that are done, in their order.
    pub(crate) done: Vec<(Step, Found)>,
    /// Steps of this attempt that have begun, also those that were taken one share back since.
    pub(crate) begun: Vec<Step>,
    /// The step that has begun and not ended.
    pub(crate) in_doubt: Option<Step>,
    pub(crate) step_backs: u32,
    pub(crate) cause: Option<Cause>,
    pub(crate) recovered: Vec<PartReport>,
    pub(crate) report: Option<FailureReport>,
    pub(crate) backup: Option<Backup>,
    pub(crate) after: Vec<ItemResult>,
    pub(crate) cleanup: Vec<ItemResult>,
    pub(crate) figures: Figures,
}

/// The last entry that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub(crate) epoch: u64,
    pub(crate) etag: Option<u128>,
    hash: AuditHash,
}

/// Where the migration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Stage {
    #[default]
    Untouched,
    UnderWay,
    /// Somebody else changed the settings while it was under way, or the mode when it was migrated.
    ByHand,
    Recovering,
    Blocked,
    RolledBack,
    Failed,
    Migrated,
    Decommissioning,
    Decommissioned,
}

impl Stage {
    pub(crate) const fn outcome(self) -> Outcome {
        match self {
            Self::Untouched => Outcome::Pending,
            Self::UnderWay | Self::ByHand | Self::Recovering => Outcome::UnderWay,
            Self::Blocked => Outcome::Blocked,
            Self::RolledBack => Outcome::RolledBack,
            Self::Failed => Outcome::Failed,
            Self::Migrated | Self::Decommissioning => Outcome::Migrated,
            Self::Decommissioned => Outcome::Decommissioned,
        }
    }
}

/// Why everything goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) step: Option<Step>,
    pub(crate) kind: FailureKind,
    pub(crate) reason: String,
    pub(crate) at: SystemTime,
}

/// What is counted over all attempts.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Figures {
    pub(crate) began: Option<SystemTime>,
    pub(crate) ended: Option<SystemTime>,
    pub(crate) rollbacks: u32,
    pub(crate) failures: u32,
    pub(crate) step_backs: u32,
    pub(crate) downtime: Duration,
    /// Since when neither side serves.
    down_since: Option<SystemTime>,
}

impl Ledger {
    /// Whether this entry is the one after the last.
    pub(crate) fn is_followed_by(&self, entry: &AuditEntry) -> bool {
        (entry.epoch, entry.previous) == (self.head.epoch.saturating_add(1), self.head.hash)
    }

    /// Takes in the next entry of the audit.
    pub(crate) fn follow(&mut self, entry: &AuditEntry) -> Result<(), UnreadableEntry> {
        let event = Event::of(entry)?;
        let changed = entry.before.unwrap_or_default() != entry.after;
        self.head = Head { epoch: entry.epoch, etag: Some(entry.etag), hash: entry.hash };
        self.settings = entry.after;
        match event {
            Some(event) => self.hear(event, entry.at),
            None if changed => self.hear_of_others(entry),
            None => {}
        }
        Ok(())
    }

    /// A change of the settings that no fleet made.
    fn hear_of_others(&mut self, entry: &AuditEntry) {
        let emergency = entry.after.mode == SystemMode::EmergencyRollback;
        let alone = entry.after.mode == SystemMode::NewOnly;
        match self.stage {
            Stage::UnderWay | Stage::ByHand | Stage::Migrated if emergency => {
                let reason = format!("{}: {}", entry.actor, entry.reason);
                self.break_off(Cause { step: self.in_doubt, kind: FailureKind::CalledOff, reason, at: entry.at });
            }
            Stage::UnderWay => self.stage = Stage::ByHand,
            Stage::Migrated if !alone => self.stage = Stage::ByHand,
            // Its end is known only where it was migrated, and then its mode was changed and changed back.
            Stage::ByHand if alone && self.figures.ended.is_some() => self.stage = Stage::Migrated,
            Stage::Untouched
            | Stage::ByHand
            | Stage::Recovering
            | Stage::Blocked
            | Stage::RolledBack
            | Stage::Failed
            | Stage::Migrated
            | Stage::Decommissioning
            | Stage::Decommissioned => {}
        }
    }

    fn hear(&mut self, event: Event, at: SystemTime) {
        match event {
            Event::Begun { strategy } => self.begin(strategy, at),
            Event::Began { step } => self.begin_step(step, at),
            Event::Done { step, found } => self.end_step(step, *found, at),
            Event::SteppedBack { to, .. } => self.step_back(to),
            Event::Blocked { report } => self.end(Stage::Blocked, Some(*report), at),
            Event::Broken { step, kind, reason } => self.break_off(Cause { step, kind, reason, at }),
            Event::Recovered { part } => self.hear_of_part(part, at),
            Event::Ended { report } => self.end_recovery(*report, at),
            Event::Migrated => self.end(Stage::Migrated, None, at),
            Event::Retried => self.clear(),
            Event::BackedUp { .. } if self.rests_on_backup() => {}
            Event::BackedUp { backup } => self.backup = Some(backup),
            Event::Decommissioning { checks } => {
                self.stage = Stage::Decommissioning;
                self.after = checks;
            }
            Event::Decommissioned => self.stage = Stage::Decommissioned,
            Event::CleanedUp { checks } => self.cleanup = checks,
        }
    }

    fn begin(&mut self, strategy: Strategy, at: SystemTime) {
        self.clear();
        self.figures.began.get_or_insert(at);
        self.strategy = Some(strategy);
        self.stage = Stage::UnderWay;
    }

    /// Forgets the last attempt, but for the backup and what is counted over all attempts.
    fn clear(&mut self) {
        let Self { head, settings, ref backup, ref figures, .. } = *self;
        let figures = Figures { ended: None, ..figures.clone() };
        *self = Self { head, settings, backup: backup.clone(), figures, ..Self::default() };
    }

    fn begin_step(&mut self, step: Step, at: SystemTime) {
        self.in_doubt = Some(step);
        self.begun.push(step);
        if step == Step::StopLegacy {
            self.figures.down_since.get_or_insert(at);
        }
    }

    fn end_step(&mut self, step: Step, found: Found, at: SystemTime) {
        self.in_doubt = None;
        if found.backup.is_some() {
            self.backup.clone_from(&found.backup);
        }
        self.done.push((step, found));
        if matches!(step, Step::Shift(_)) {
            self.is_up(at);
        }
    }

    /// Goes on with the switch to the share `to`, which has begun already.
    fn step_back(&mut self, to: Percentage) {
        let places = self.steps();
        let place = |step: Step| places.iter().position(|other| *other == step);
        let from = place(Step::Shift(to));
        self.done.retain(|(step, _)| place(*step) < from);
        self.in_doubt = Some(Step::Shift(to));
        self.step_backs += 1;
        self.figures.step_backs += 1;
    }

    fn break_off(&mut self, cause: Cause) {
        self.stage = Stage::Recovering;
        self.cause = Some(cause);
        self.recovered.clear();
        self.report = None;
    }

    fn hear_of_part(&mut self, part: PartReport, at: SystemTime) {
        let done = part.result == PartResult::Done;
        if part.part == RecoveryPart::StartLegacy && done {
            self.is_up(at);
        }
        if part.part == RecoveryPart::Route && done && !self.legacy_runs() {
            self.figures.down_since.get_or_insert(at);
        }
        self.recovered.push(part);
    }

    fn end_recovery(&mut self, report: FailureReport, at: SystemTime) {
        let failed = report.outcome == Outcome::Failed;
        self.figures.rollbacks += u32::from(!failed);
        self.figures.failures += u32::from(failed);
        self.is_up_until(at, failed);
        self.end(if failed { Stage::Failed } else { Stage::RolledBack }, Some(report), at);
    }

    fn end(&mut self, stage: Stage, report: Option<FailureReport>, at: SystemTime) {
        self.stage = stage;
        self.report = report;
        self.figures.ended = Some(at);
    }

    /// Whether legacy was never stopped, or was started again.
    fn legacy_runs(&self) -> bool {
        let started =
            |report: &PartReport| report.part == RecoveryPart::StartLegacy && report.result == PartResult::Done;
        !self.begun.contains(&Step::StopLegacy) || self.recovered.iter().any(started)
    }

    /// The end of a recovery. One that failed before legacy was started leaves the system down.
    fn is_up_until(&mut self, at: SystemTime, failed: bool) {
        let down = failed && self.figures.down_since.is_some();
        self.is_up(at);
        self.figures.down_since = down.then_some(at);
    }

    fn is_up(&mut self, at: SystemTime) {
        if let Some(since) = self.figures.down_since.take() {
            self.figures.downtime += at.duration_since(since).unwrap_or_default();
        }
    }

    /// Whether what has been read since says nothing else about the migration.
    pub(crate) fn means_the_same_as(&self, before: &Self) -> bool {
        let Self { head, backup, .. } = self;
        *self == Self { head: *head, backup: backup.clone(), ..before.clone() }
    }

    /// The steps of this attempt.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.strategy.as_ref().map(Strategy::steps).unwrap_or_default()
    }

    /// The first step that is not done; `None` when all are.
    pub(crate) fn next(&self) -> Option<Step> {
        self.steps().into_iter().find(|step| self.found(*step).is_none())
    }

    /// What a step has found, if it is done.
    pub(crate) fn found(&self, step: Step) -> Option<&Found> {
        self.done.iter().find(|(done, _)| *done == step).map(|(_, found)| found)
    }

    /// What there is to take back.
    pub(crate) fn scope(&self) -> RecoveryScope {
        RecoveryScope::of(&self.begun, self.backup.clone())
    }

    /// Whether the backup from before legacy was stopped is the way back: a later one may hold what new has written.
    pub(crate) fn rests_on_backup(&self) -> bool {
        self.begun.contains(&Step::StopLegacy) && self.stage != Stage::RolledBack
    }

    /// Whether something outside has, or may have, changed.
    pub(crate) fn has_effects(&self) -> bool {
        self.begun.iter().any(|step| step.has_effect())
    }

    /// What checks may know.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            mode: self.settings.mode,
            validation: self.found(Step::Validate).and_then(|found| found.validation),
            baseline: self.found(Step::Baseline).and_then(|found| found.baseline),
        }
    }

    /// How new did when it was watched last.
    pub(crate) fn watched(&self) -> Option<Watched> {
        self.done.iter().rev().find_map(|(_, found)| found.watched)
    }
}
