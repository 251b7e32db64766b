//! [`Progress`]: how far a plan has come, by the audit alone. Pure.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Decision, Look, Reversibility, RolloutPlan, Step};
use crate::guard::{Criterion, GuardReport};
use crate::mode::SystemMode;
pub(crate) use crate::observe::PlanEvent as Event;
use crate::percentage::Percentage;
use crate::store::{AuditEntry, AuditHash, ChangeKind, Settings};

/// How far a plan has come. It follows from the audit of the migration and from nothing else, so that whoever reads the store
/// goes on where another one stopped.
///
/// Every entry that a plan or its operators make has `plan` and `event` in its evidence, and mostly `step`. The events are
/// `entered`, `approved`, `acknowledged`, `paused`, `frozen`, `asked`, `resumed`, `restarted`, `done`, `rolled_back` and
/// `aborted`. What the plan did by itself has the report of the guard too, as `guard`. A change of the settings without these
/// was made by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    pub(super) head: Head,
    pub(super) settings: Settings,
    pub(super) entered: Option<Entered>,
    pub(super) unknown_step: bool,
    pub(super) approved: bool,
    pub(super) acknowledged: bool,
    pub(super) proven: BTreeSet<Criterion>,
    pub(super) stop: Option<Stop>,
    pub(super) end: Option<PlanEnd>,
    /// The step from which a plan was rolled back last, and when.
    pub(super) rolled_back: Option<Entered>,
    /// Grows when a person lets the plan go on or begin anew.
    pub(super) begun_anew: u64,
    /// How many phases guards have judged so far.
    pub(super) phases: u64,
}

/// The last entry that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    pub(super) epoch: u64,
    pub(super) etag: Option<u128>,
    pub(super) hash: AuditHash,
}

/// The step at which a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entered {
    /// Its place in the plan, from 0.
    pub(super) place: usize,
    pub(super) epoch: u64,
    pub(super) etag: u128,
    pub(super) at: SystemTime,
}

/// Why a plan does not go on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stop {
    /// A person paused it.
    Paused,
    /// A trigger was breached, and the step says to freeze.
    Frozen,
    /// A trigger was breached, and the step says to ask.
    Asked,
    /// A person, or another plan, changed the settings.
    ByHand,
    /// The audit says that the plan stands at a step that it does not have: it is another plan of the same name.
    UnknownStep,
    /// The settings are not those of the step.
    OtherSettings,
}

/// How a plan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanEnd {
    /// The last step is over.
    Done,
    /// There was an emergency rollback, whoever called it.
    RolledBack,
}

impl Event {
    const fn stop(self) -> Stop {
        if matches!(self, Self::Frozen) {
            return Stop::Frozen;
        }
        if matches!(self, Self::Asked) { Stop::Asked } else { Stop::Paused }
    }

    /// The kind of an entry that says this and changes no settings.
    pub(crate) const fn kind(self) -> ChangeKind {
        match self {
            Self::Approved => ChangeKind::Approval,
            Self::Acknowledged => ChangeKind::Acknowledgement,
            Self::Resumed | Self::Restarted => ChangeKind::Resume,
            Self::Entered | Self::Done => ChangeKind::Step,
            // An emergency that held already is not stored again, so that it can only be noted.
            Self::Paused | Self::Frozen | Self::Asked | Self::RolledBack | Self::Aborted => ChangeKind::Pause,
        }
    }
}

/// The evidence of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Said {
    plan: String,
    event: Event,
    #[serde(default)]
    step: Option<String>,
    #[serde(default)]
    proven: Vec<Criterion>,
    #[serde(default)]
    guard: Judged,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
struct Judged {
    phase: u64,
}

impl Said {
    fn of(plan: &RolloutPlan, entry: &AuditEntry) -> Option<Self> {
        let said = Self::deserialize(entry.evidence.as_ref()?).ok()?;
        let emergency = entry.after.mode == SystemMode::EmergencyRollback;
        let rolls_back = matches!(said.event, Event::RolledBack | Event::Aborted);
        let settings = (said.event == Event::Entered && changes(entry)) || (rolls_back && emergency);
        let fits = settings || entry.kind == said.event.kind();
        (said.plan == plan.name() && fits).then_some(said)
    }
}

/// The evidence of an event, in which the report of the guard stands if there is one and it fits.
pub(crate) fn evidence(plan: &RolloutPlan, event: Event, step: Option<&str>, report: Option<&GuardReport>) -> Value {
    let proven = report.map(super::look::proven).unwrap_or_default();
    let guard = report.map(GuardReport::evidence).filter(|guard| guard.to_string().len() < MOST_OF_GUARD);
    let mut said = json!({ "plan": plan.name(), "event": event });
    let parts = [("step", step.map(Value::from)), ("guard", guard), ("proven", report.map(|_| json!(proven)))];
    if let Value::Object(members) = &mut said {
        members.extend(parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?))));
    }
    said
}

/// How many bytes of a guard's report become evidence.
const MOST_OF_GUARD: usize = 24 * 1024;

fn changes(entry: &AuditEntry) -> bool {
    entry.before.unwrap_or_default() != entry.after
}

impl Progress {
    /// Of a migration without any entry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of a plan in whose migration `entries` are the whole audit, from the first.
    #[must_use]
    pub fn of<'a>(plan: &RolloutPlan, entries: impl IntoIterator<Item = &'a AuditEntry>) -> Self {
        let mut progress = Self::new();
        entries.into_iter().for_each(|entry| progress.follow(plan, entry));
        progress
    }

    /// Where a plan seems to stand, by what holds; `None` where none of its steps has these settings.
    pub(super) fn assumed(plan: &RolloutPlan, mode: SystemMode, rollout: Percentage) -> Option<Self> {
        let is_present = |step: &Step| (step.settings().mode, step.settings().rollout) == (mode, rollout);
        let place = plan.steps().iter().rposition(is_present)?;
        let settings = plan.step(place)?.settings();
        let entered = Some(Entered { place, epoch: 0, etag: 0, at: SystemTime::UNIX_EPOCH });
        Some(Self { settings, entered, ..Self::default() })
    }

    /// Takes in the next entry of the audit.
    pub fn follow(&mut self, plan: &RolloutPlan, entry: &AuditEntry) {
        let emergency = entry.after.mode == SystemMode::EmergencyRollback;
        self.head = Head { epoch: entry.epoch, etag: Some(entry.etag), hash: entry.hash };
        self.settings = entry.after;
        match Said::of(plan, entry) {
            Some(said) => self.hear(plan, &said, entry),
            None if changes(entry) && !emergency && self.is_under_way() => self.stop = Some(Stop::ByHand),
            None => {}
        }
        if emergency && changes(entry) && self.is_under_way() {
            self.end = Some(PlanEnd::RolledBack);
        }
    }

    /// Takes in a decision as if it had been carried out, for playing a plan without a store. What it waits for a person for,
    /// a person has said.
    ///
    /// ```
    /// use cutover::RolloutPlan;
    /// use cutover::plan::{Decision, Look, Progress, Readiness, StoreView, decide};
    ///
    /// let plan = RolloutPlan::four_phases();
    /// let ready = Look { store: StoreView::Fresh, legacy: Readiness::Ready, ..Look::default() };
    /// let mut progress = Progress::new();
    /// progress.play(&plan, &decide(&plan, &progress, &ready), &ready);
    /// assert_eq!(progress.place(), Some(0));
    /// ```
    pub fn play(&mut self, plan: &RolloutPlan, decision: &Decision, look: &Look) {
        match decision {
            Decision::Promote { step } => self.play_step(plan, step, look),
            Decision::AwaitApproval { .. } => self.approved = true,
            Decision::AwaitAcknowledgement { .. } => self.acknowledged = true,
            Decision::Rollback => {
                self.settings = self.settings.entering(SystemMode::EmergencyRollback);
                self.end = Some(PlanEnd::RolledBack);
            }
            Decision::Freeze { cause } => self.stop = self.stop.or(Some(*cause)),
            Decision::Ask => self.stop = self.stop.or(Some(Stop::Asked)),
            Decision::Done => self.end = Some(PlanEnd::Done),
            Decision::Hold { .. } | Decision::RolledBack => {}
        }
    }

    fn play_step(&mut self, plan: &RolloutPlan, name: &str, look: &Look) {
        let Some(place) = plan.position(name) else { return };
        self.head.epoch += 1;
        self.settings = plan.step(place).map(Step::settings).unwrap_or_default();
        self.entered = Some(Entered { place, epoch: self.head.epoch, etag: 0, at: SystemTime::UNIX_EPOCH });
        self.proven.extend(&look.proven);
        (self.approved, self.acknowledged) = (false, false);
    }

    /// Whether this entry is the one after the last.
    pub(super) fn is_followed_by(&self, entry: &AuditEntry) -> bool {
        (entry.epoch, entry.previous) == (self.head.epoch.saturating_add(1), self.head.hash)
    }

    fn hear(&mut self, plan: &RolloutPlan, said: &Said, entry: &AuditEntry) {
        self.phases = self.phases.max(said.guard.phase);
        let step = said.step.as_deref();
        let is_next = step.is_some() && step == self.next(plan).map(|place| name(plan, place));
        match said.event {
            Event::Entered => self.enter(plan, said, entry),
            Event::Approved => self.approved |= is_next,
            Event::Acknowledged => self.acknowledged |= is_next,
            Event::Paused | Event::Frozen | Event::Asked => {
                self.stop = self.stop.or_else(|| Some(said.event.stop()));
            }
            Event::Resumed => {
                self.stop = None;
                self.begun_anew += 1;
            }
            Event::Restarted => *self = Self::anew(self),
            Event::Done => self.end = Some(PlanEnd::Done),
            Event::RolledBack => {
                let place = self.place().unwrap_or_default();
                self.rolled_back = Some(Entered { place, epoch: entry.epoch, etag: entry.etag, at: entry.at });
                self.end = Some(PlanEnd::RolledBack);
            }
            Event::Aborted => self.end = Some(PlanEnd::RolledBack),
        }
    }

    fn enter(&mut self, plan: &RolloutPlan, said: &Said, entry: &AuditEntry) {
        let place = said.step.as_deref().and_then(|name| plan.position(name));
        self.unknown_step = place.is_none();
        self.entered = place.map(|place| Entered { place, epoch: entry.epoch, etag: entry.etag, at: entry.at });
        self.proven.extend(&said.proven);
        (self.approved, self.acknowledged) = (false, false);
    }

    fn anew(before: &Self) -> Self {
        let &Self { head, settings, begun_anew, phases, rolled_back, .. } = before;
        Self { head, settings, begun_anew: begun_anew + 1, phases, rolled_back, ..Self::default() }
    }

    /// Whether the plan has begun and not ended.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        (self.entered.is_some() || self.unknown_step) && self.end.is_none()
    }

    /// How it ended, if it has.
    #[must_use]
    pub const fn end(&self) -> Option<PlanEnd> {
        self.end
    }

    /// The place of the step at which it stands, from 0; `None` before the first.
    #[must_use]
    pub fn place(&self) -> Option<usize> {
        self.entered.map(|entered| entered.place)
    }

    /// What holds, by the last entry.
    #[must_use]
    pub const fn settings(&self) -> Settings {
        self.settings
    }

    /// The place of the step that comes next; `None` at the last step, and where the present one is not known.
    #[must_use]
    pub fn next(&self, plan: &RolloutPlan) -> Option<usize> {
        let next = self.entered.map_or(0, |entered| entered.place + 1);
        (!self.unknown_step && next < plan.steps().len()).then_some(next)
    }

    /// Why it does not go on by itself, if so.
    #[must_use]
    pub fn stop(&self, plan: &RolloutPlan) -> Option<Stop> {
        if self.unknown_step {
            return Some(Stop::UnknownStep);
        }
        let step = self.entered.and_then(|entered| plan.step(entered.place));
        let other = step.is_some_and(|step| step.settings() != self.settings);
        self.stop.or_else(|| other.then_some(Stop::OtherSettings))
    }

    /// What a person has to say before the step at `place` is entered: an approval, an acknowledgement.
    pub(super) fn missing(&self, plan: &RolloutPlan, place: usize) -> (bool, bool) {
        let Some(step) = plan.step(place) else { return (false, false) };
        let approval = step.approval == super::Approval::Person && !self.approved;
        (approval, step.reversibility == Reversibility::ForwardOnly && !self.acknowledged)
    }
}

pub(super) fn name(plan: &RolloutPlan, place: usize) -> &str {
    plan.step(place).map(|step| step.name.as_str()).unwrap_or_default()
}
