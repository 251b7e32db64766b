//! Does what was decided: on the record that was read, or not at all.

use super::Shared;
use super::work::Work;
use crate::control::{ChangeError, Changed, Note, Proposal};
use crate::guard::{GuardReport, Trigger};
use crate::mode::SystemMode;
use crate::plan::progress::{Event, evidence, name};
use crate::plan::{Decision, Stop};

/// What became of a decision.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) stored: Option<u64>,
    pub(super) refused: Option<String>,
}

impl From<Result<Changed, ChangeError>> for Done {
    fn from(answer: Result<Changed, ChangeError>) -> Self {
        match answer {
            Ok(changed) => Self { stored: changed.stored.then_some(changed.epoch), refused: None },
            Err(error) => Self { stored: None, refused: Some(error.to_string()) },
        }
    }
}

impl Work {
    pub(super) async fn act(
        &self,
        shared: &Shared,
        decision: &Decision,
        active: bool,
        guard: Option<&GuardReport>,
    ) -> Done {
        match decision {
            Decision::Rollback => self.roll_back(shared, guard).await.into(),
            Decision::Promote { step } if active => self.enter(shared, step, guard).await.into(),
            decision if active => match self.unsaid(shared, decision) {
                Some((event, reason)) => self.say(shared, event, reason, guard).await.into(),
                None => Done::default(),
            },
            Decision::Hold { .. }
            | Decision::Promote { .. }
            | Decision::AwaitApproval { .. }
            | Decision::AwaitAcknowledgement { .. }
            | Decision::Freeze { .. }
            | Decision::Ask
            | Decision::Done
            | Decision::RolledBack => Done::default(),
        }
    }

    /// What the audit does not say yet of a decision that changes no settings, and why it holds.
    fn unsaid(&self, shared: &Shared, decision: &Decision) -> Option<(Event, &'static str)> {
        let stopped = self.progress.stop(&shared.plan).is_some();
        let frozen = matches!(decision, Decision::Freeze { cause: Stop::Frozen });
        if *decision == Decision::Done {
            return self.progress.end().is_none().then_some((Event::Done, "the last step is over"));
        }
        if stopped {
            return None;
        }
        let asked = (*decision == Decision::Ask).then_some((Event::Asked, "the guard asks"));
        asked.or_else(|| frozen.then_some((Event::Frozen, "the guard freezes")))
    }

    async fn roll_back(&self, shared: &Shared, guard: Option<&GuardReport>) -> Result<Changed, ChangeError> {
        let step = self.step(shared);
        let evidence = evidence(&shared.plan, Event::RolledBack, step, guard);
        let reason = format!("{}: {}", step.unwrap_or("no step"), regressed(guard));
        let emergency = Proposal::to(SystemMode::EmergencyRollback).evidence(evidence);
        let changed = shared.controller.propose(&emergency, &actor(shared), &reason).await?;
        shared.tell(&changed, Event::RolledBack, self.progress.place());
        Ok(changed)
    }

    async fn enter(&self, shared: &Shared, to: &str, guard: Option<&GuardReport>) -> Result<Changed, ChangeError> {
        let place = shared.plan.position(to);
        let Some(step) = place.and_then(|place| shared.plan.step(place)) else {
            return shared.controller.propose(&Proposal::new(), &actor(shared), "nothing").await;
        };
        let settings = step.settings();
        let evidence = evidence(&shared.plan, Event::Entered, Some(to), guard);
        let proposal = Proposal::to(settings.mode).rollout(settings.rollout).shadow_share(settings.shadow_share);
        let from = self.step(shared).map_or_else(|| "the beginning".to_owned(), ToOwned::to_owned);
        let proposal = proposal.note(Note::Step).evidence(evidence);
        let changed = self.propose(shared, proposal, &format!("{to} follows {from}")).await?;
        shared.tell(&changed, Event::Entered, place);
        Ok(changed)
    }

    async fn say(
        &self,
        shared: &Shared,
        event: Event,
        reason: &str,
        guard: Option<&GuardReport>,
    ) -> Result<Changed, ChangeError> {
        let done = event == Event::Done;
        let note = if done { Note::Step } else { Note::Pause };
        let reason = if done { reason.to_owned() } else { format!("{reason}: {}", regressed(guard)) };
        let evidence = evidence(&shared.plan, event, self.step(shared), guard);
        let changed = self.propose(shared, Proposal::noting(note).evidence(evidence), &reason).await?;
        shared.tell(&changed, event, self.progress.place());
        Ok(changed)
    }

    async fn propose(&self, shared: &Shared, proposal: Proposal, reason: &str) -> Result<Changed, ChangeError> {
        let head = self.progress.head;
        shared.controller.propose(&proposal.expecting(head.epoch, head.etag), &actor(shared), reason).await
    }

    fn step<'a>(&self, shared: &'a Shared) -> Option<&'a str> {
        self.progress.place().map(|place| name(&shared.plan, place))
    }
}

fn actor(shared: &Shared) -> String {
    format!("plan {}", shared.plan.name())
}

fn regressed(guard: Option<&GuardReport>) -> String {
    let acting = guard.into_iter().flat_map(GuardReport::regressed).filter(|report| !report.dry_run);
    let names: Vec<&str> = acting.map(|report| report.trigger).map(Trigger::name).collect();
    if names.is_empty() { "by the report of the guard".to_owned() } else { format!("regressed: {}", names.join(", ")) }
}
