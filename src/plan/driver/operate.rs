//! What operators say to a plan.

use super::read::Unread;
use super::{PlanDriver, Shared};
use crate::control::{ChangeError, Changed, Doubt, Note, Proposal};
use crate::mode::SystemMode;
use crate::plan::progress::{Event, Head, evidence, name};
use crate::plan::{Approval, Reversibility};
use crate::store::StoreError;

/// What an operator said to a plan was not taken. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperateError {
    /// The plan has no such step.
    #[error("the plan has no step `{step}`; it has {}", known.join(", "))]
    NoSuchStep {
        /// The start of what was said.
        step: String,
        /// The steps that it has.
        known: Vec<String>,
    },
    /// A step is allowed while the plan stands at the one before it, and not ahead.
    #[error("step {step} is not the next one; {}", next.as_ref().map_or_else(|| "there is none".to_owned(), |next| format!("that is {next}")))]
    NotNext {
        /// The step.
        step: String,
        /// The next one, if there is one.
        next: Option<String>,
    },
    /// Nobody asks for it: the step needs no approval, or no acknowledgement.
    #[error("step {step} needs no {needs_no}")]
    NotNeeded {
        /// The step.
        step: String,
        /// What it does not need.
        needs_no: &'static str,
    },
    /// It is not known how far the plan has come.
    #[error("the store did not say how far the plan has come")]
    Store(#[from] StoreError),
    /// The store lost records.
    #[error("{0}; reconcile first")]
    InDoubt(Doubt),
    /// Others change the store without end.
    #[error("the store changed with every reading; try again")]
    Unsettled,
    /// The store did not take it.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<Unread> for OperateError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Store(error) => Self::Store(error),
            Unread::InDoubt(doubt) => Self::InDoubt(doubt),
            Unread::Unsettled => Self::Unsettled,
        }
    }
}

/// The record that an operator saw when they decided.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    epoch: u64,
    etag: Option<u128>,
}

impl Seen {
    fn check(self, head: &Head) -> Result<(), ChangeError> {
        let same = self.epoch == head.epoch && (self.etag.is_none() || self.etag == head.etag);
        if same { Ok(()) } else { Err(ChangeError::Outdated { expected: self.epoch, found: head.epoch }) }
    }
}

impl PlanDriver {
    /// A handle for an operator who decides on the record of this epoch, 0 if nothing is stored, and of this etag, if another
    /// one of the same epoch will not do; both stand in the [status](crate::MigrationStatus). What is said through it is
    /// [outdated](ChangeError::Outdated) when another record holds by then, such as in a window that was left open. Only
    /// [`abort`](Self::abort) is never outdated.
    ///
    /// ```
    /// # use cutover::monitor::PerformanceMonitor;
    /// # use cutover::{Claims, Guard, MemoryStore, MigrationController, PlanDriver, RolloutPlan};
    /// # use std::sync::Arc;
    /// # futures::executor::block_on(async {
    /// # let store = MemoryStore::new();
    /// # let search = MigrationController::open("search", store.clone()).await?;
    /// # let claims = Claims::new(&search, store, "host 3")?;
    /// # let monitor = Arc::new(PerformanceMonitor::new());
    /// # let driver = PlanDriver::new(RolloutPlan::five_week_ramp(), &search, claims, monitor, Guard::default());
    /// let seen = search.status();
    /// driver.pause("ana", "we look first").await?;
    /// let late = driver.expecting(seen.epoch, seen.etag).resume("ben", "go on").await;
    /// assert_eq!(late.unwrap_err().to_string(), "it was decided on the record of epoch 0, and epoch 1 holds");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn expecting(&self, epoch: u64, etag: Option<u128>) -> Self {
        Self { seen: Some(Seen { epoch, etag }), ..self.clone() }
    }

    /// Allows the next step, `step`, which has to be [approved by a person](Approval::Person). It is entered when everything
    /// else is met too. Any process may say so: the active driver reads it in the store.
    ///
    /// # Errors
    /// [`OperateError`], such as for a step that is not the next one.
    pub async fn approve(&self, step: &str, actor: &str, reason: &str) -> Result<Changed, OperateError> {
        self.allow(step, Event::Approved, actor, reason).await
    }

    /// Says that the actor knows that the next step, `step`, is [forward only](Reversibility::ForwardOnly).
    ///
    /// # Errors
    /// As [`approve`](Self::approve).
    pub async fn acknowledge(&self, step: &str, actor: &str, reason: &str) -> Result<Changed, OperateError> {
        self.allow(step, Event::Acknowledged, actor, reason).await
    }

    async fn allow(&self, step: &str, event: Event, actor: &str, reason: &str) -> Result<Changed, OperateError> {
        let shared = &*self.shared;
        let mut work = shared.work.lock().await;
        work.read(shared).await?;
        let head = work.progress.head;
        self.seen.map_or(Ok(()), |seen| seen.check(&head))?;
        let place = self.place(step)?;
        let next = work.progress.next(&shared.plan).filter(|_| work.progress.end().is_none());
        if next != Some(place) {
            let next = next.map(|place| name(&shared.plan, place).to_owned());
            return Err(OperateError::NotNext { step: step.to_owned(), next });
        }
        check_needed(shared, place, event)?;
        let note = if event == Event::Approved { Note::Approval } else { Note::Acknowledgement };
        let proposal = Proposal::noting(note).evidence(evidence(&shared.plan, event, Some(step), None));
        let changed = shared.controller.propose(&proposal.expecting(head.epoch, head.etag), actor, reason).await?;
        shared.tell(&changed, event, Some(place));
        Ok(changed)
    }

    fn place(&self, step: &str) -> Result<usize, OperateError> {
        let plan = self.plan();
        plan.position(step).ok_or_else(|| {
            let known = plan.steps().iter().map(|step| step.name.clone()).collect();
            OperateError::NoSuchStep { step: crate::excerpt::excerpt(step), known }
        })
    }

    /// Lets the plan wait where it is. A rollback does not wait.
    ///
    /// # Errors
    /// [`OperateError::Change`].
    pub async fn pause(&self, actor: &str, reason: &str) -> Result<Changed, OperateError> {
        self.note(Note::Pause, Event::Paused, actor, reason).await
    }

    /// Lets the plan go on after a pause, a freeze, a question or a change by hand. What the guard had found is answered by
    /// that, and it begins anew. Where the settings are not those of the step, the plan stays frozen.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub async fn resume(&self, actor: &str, reason: &str) -> Result<Changed, OperateError> {
        self.note(Note::Resume, Event::Resumed, actor, reason).await
    }

    /// Lets the plan begin anew, such as after a rollback: with the first step, as soon as settings hold from which it can
    /// begin. The settings stay as they are.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub async fn restart(&self, actor: &str, reason: &str) -> Result<Changed, OperateError> {
        self.note(Note::Resume, Event::Restarted, actor, reason).await
    }

    async fn note(&self, note: Note, event: Event, actor: &str, reason: &str) -> Result<Changed, OperateError> {
        let proposal = Proposal::noting(note).evidence(evidence(self.plan(), event, None, None));
        let proposal = match self.seen {
            Some(Seen { epoch, etag }) => proposal.expecting(epoch, etag),
            None => proposal,
        };
        let changed = self.shared.controller.propose(&proposal, actor, reason).await?;
        self.shared.tell(&changed, event, None);
        Ok(changed)
    }

    /// Ends the plan with an emergency rollback, which holds in this process when this is polled first, whatever the store
    /// says. Nothing refuses it, not even a step that is [forward only](Reversibility::ForwardOnly): who aborts there has to
    /// know what legacy does not.
    ///
    /// # Errors
    /// [`ChangeError::Unpersisted`] when it is not stored yet; that goes on in the background.
    pub async fn abort(&self, actor: &str, reason: &str) -> Result<Changed, OperateError> {
        let aborted = || evidence(self.plan(), Event::Aborted, None, None);
        let emergency = Proposal::to(SystemMode::EmergencyRollback).evidence(aborted());
        let changed = self.shared.controller.propose(&emergency, actor, reason).await?;
        if changed.stored {
            self.shared.tell(&changed, Event::Aborted, None);
            return Ok(changed);
        }
        // The emergency held already. The plan has to know that it has ended, too.
        Self { seen: None, ..self.clone() }.note(Note::Pause, Event::Aborted, actor, reason).await
    }
}

fn check_needed(shared: &Shared, place: usize, event: Event) -> Result<(), OperateError> {
    let Some(step) = shared.plan.step(place) else { return Ok(()) };
    let (needed, needs_no) = if event == Event::Approved {
        (step.approval == Approval::Person, "approval")
    } else {
        (step.reversibility == Reversibility::ForwardOnly, "acknowledgement")
    };
    if needed { Ok(()) } else { Err(OperateError::NotNeeded { step: step.name.clone(), needs_no }) }
}
