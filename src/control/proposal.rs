//! [`Proposal`]: what is to hold, and on which record that was decided.

use serde_json::Value;

use super::MigrationController;
use super::change::Changed;
use super::decide::{Expected, Target, Wish};
use super::emergency::Persisted;
use super::error::ChangeError;
use crate::Percentage;
use crate::mode::SystemMode;
use crate::store::{Author, ChangeKind};

/// What is to hold: mode, rollout and shadow share, together or some of them, stored in one step.
///
/// A proposal may say on [which record](Self::expecting) it was decided. Then it is stored on that record or not at all:
/// nothing is decided anew when others were faster. A guard or a plan, whose reasons lie in what it has seen of one record,
/// proposes so.
///
/// ```
/// use cutover::control::{ChangeError, Proposal};
/// use cutover::{MemoryStore, MigrationController, Percentage, SystemMode};
/// use serde_json::json;
///
/// # futures::executor::block_on(async {
/// let search = MigrationController::open("search", MemoryStore::new()).await?;
/// let seen = search.status();
/// let tenth = Proposal::to(SystemMode::GradualRollout)
///     .rollout(Percentage::new(10.0)?)
///     .shadow_share(Some(Percentage::HUNDRED))
///     .evidence(json!({ "compared": 12_000, "mismatched": 3 }))
///     .expecting(seen.epoch, seen.etag);
/// assert_eq!(search.propose(&tenth, "ana", "they agree").await?.epoch, 1);
///
/// let late = search.propose(&tenth, "ben", "they agree").await;
/// assert!(matches!(late, Err(ChangeError::Outdated { expected: 0, found: 1 })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "a proposal does nothing until a controller stores it"]
pub struct Proposal {
    target: Target,
    note: Option<Note>,
    expected: Option<Expected>,
    evidence: Option<Value>,
}

/// What an audit entry says that may change no settings: it is stored all the same, with an epoch of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Note {
    /// A person allowed the next step of a plan.
    Approval,
    /// A person said that they know that a step cannot be taken back.
    Acknowledgement,
    /// A plan is to wait.
    Pause,
    /// A plan is to go on.
    Resume,
    /// A plan came to a step, or to its end.
    Step,
    /// The discrepancies that were kept are to be forgotten: whoever has them forgotten notes it first.
    Clearing,
}

impl Note {
    const fn kind(self) -> ChangeKind {
        match self {
            Self::Approval => ChangeKind::Approval,
            Self::Acknowledgement => ChangeKind::Acknowledgement,
            Self::Pause => ChangeKind::Pause,
            Self::Resume => ChangeKind::Resume,
            Self::Step => ChangeKind::Step,
            Self::Clearing => ChangeKind::Clearing,
        }
    }
}

impl Proposal {
    /// The most bytes that evidence has as JSON: 32 KiB.
    pub const MAX_EVIDENCE: usize = 32 * 1024;

    /// The most levels of arrays and objects in evidence.
    pub const MAX_DEPTH: usize = 32;

    /// That everything stays as it is: a beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// That `mode` is to hold.
    pub fn to(mode: SystemMode) -> Self {
        Self::new().mode(mode)
    }

    /// That something is to be written down.
    pub fn noting(note: Note) -> Self {
        Self::new().note(note)
    }

    /// The mode that is to hold. One to `EmergencyRollback` is an
    /// [emergency](MigrationController::emergency_rollback_with), which no expectation holds up, and which takes nothing else
    /// of the proposal but the evidence.
    pub fn mode(mut self, mode: SystemMode) -> Self {
        self.target.mode = Some(mode);
        self
    }

    /// The share of keys that new is to serve in `GradualRollout`.
    pub fn rollout(mut self, rollout: Percentage) -> Self {
        self.target.rollout = Some(rollout);
        self
    }

    /// The share of calls that are also to run the shadow; `None` for the mode's default.
    pub fn shadow_share(mut self, share: Option<Percentage>) -> Self {
        self.target.shadow_share = Some(share);
        self
    }

    /// What else the audit is to say. It is stored also when nothing changes; when something does, the entry's kind is that
    /// of the change.
    pub fn note(mut self, note: Note) -> Self {
        self.note = Some(note);
        self
    }

    /// The record on which this was decided: its epoch, which is 0 if nothing is stored, and its etag, if another record of
    /// the same epoch will not do. Both stand in the [status](super::MigrationStatus).
    pub fn expecting(mut self, epoch: u64, etag: Option<u128>) -> Self {
        self.expected = Some(Expected { epoch, etag });
        self
    }

    /// What led to it, for the audit: at most [`MAX_EVIDENCE`](Self::MAX_EVIDENCE) bytes and
    /// [`MAX_DEPTH`](Self::MAX_DEPTH) levels. It must hold no secrets and no captured values. `null` is none.
    pub fn evidence(mut self, evidence: Value) -> Self {
        self.evidence = Some(evidence);
        self
    }

    fn checked(&self) -> Result<(), ChangeError> {
        self.evidence.as_ref().map_or(Ok(()), check_evidence)
    }

    fn wish(&self) -> Wish {
        Wish {
            target: self.target,
            note: self.note.map(Note::kind),
            expected: self.expected,
            evidence: self.evidence.clone(),
            ..Wish::default()
        }
    }
}

/// Whether every store keeps the evidence and every reader reads it.
fn check_evidence(evidence: &Value) -> Result<(), ChangeError> {
    let deep = !is_within(evidence, Proposal::MAX_DEPTH);
    let bytes = if deep { 0 } else { evidence.to_string().len() };
    if deep || bytes > Proposal::MAX_EVIDENCE { Err(ChangeError::Evidence { bytes, deep }) } else { Ok(()) }
}

fn is_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| is_within(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|member| is_within(member, depth - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Nothing stands in the way of an emergency: evidence that cannot be kept is left out, and that is said.
fn fitting(evidence: Value) -> Value {
    match check_evidence(&evidence) {
        Ok(()) => evidence,
        Err(error) => Value::from(format!("left out: {error}")),
    }
}

impl MigrationController {
    /// Stores what is proposed, with its evidence, in one step. What holds already is not stored again, unless the proposal
    /// [notes](Proposal::note) something.
    ///
    /// The rules are those of every other change: the transition has to be valid, the rollout is 0 where the mode says so,
    /// and nothing exposes more to new while the store is in [`Doubt`](super::Doubt). Nor is anything noted then.
    ///
    /// # Errors
    /// [`ChangeError::Outdated`] when another record holds than the proposal expects; any other [`ChangeError`].
    pub async fn propose(&self, proposal: &Proposal, actor: &str, reason: &str) -> Result<Changed, ChangeError> {
        if proposal.target.mode == Some(SystemMode::EmergencyRollback) {
            let evidence = proposal.evidence.clone().unwrap_or_default();
            return self.transition_to_emergency(actor, reason, Some(evidence)).await;
        }
        match proposal.checked() {
            Ok(()) => self.change(proposal.wish(), actor, reason).await,
            Err(error) => self.heard(Err(error)),
        }
    }

    /// As [`emergency_rollback`](Self::emergency_rollback), with what led to it, for the audit. Evidence that is larger or
    /// deeper than a [`Proposal`] may have is left out, and the audit says so.
    #[expect(clippy::must_use_candidate, reason = "the emergency holds without its handle")]
    pub fn emergency_rollback_with(&self, actor: &str, reason: &str, evidence: Value) -> Persisted {
        self.inner.emergency(Author::for_emergency(actor, reason), Some(fitting(evidence)))
    }
}
