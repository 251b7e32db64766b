//! [`Journal`]: reads how far a migration has come, and writes down what it does next.

use std::sync::Arc;
use std::time::Duration;

use cutover::MigrationController;
use cutover::control::{ChangeError, Claim, Claims, NotClaimed, Note, Proposal};

use super::Interruption;
use crate::call::contain;
use crate::context::Context;
use crate::ledger::{Event, Ledger};
use crate::system::SystemName;
use crate::text;

/// How often something is tried while the store fails or others change the record.
const ATTEMPTS: u32 = 5;
/// The first pause between two tries; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// Entries in one page of the audit.
const PAGE: usize = 200;

/// The audit of one system, as far as it was read, and the claim on it.
pub(crate) struct Journal {
    context: Arc<Context>,
    pub(crate) controller: MigrationController,
    claims: Claims,
    claim: Option<Claim>,
    pub(crate) ledger: Ledger,
}

impl Journal {
    pub(crate) async fn open(context: &Arc<Context>, system: &SystemName) -> Result<Self, Interruption> {
        let builder = MigrationController::builder(system.as_str(), Arc::clone(&context.store));
        let builder = builder.clock(Arc::clone(&context.clock)).random(Arc::clone(&context.random));
        let controller = builder.runtime(Arc::clone(&context.runtime)).open().await?;
        let claims = Claims::new(&controller, Arc::clone(&context.store), &context.actor)?;
        let (context, ledger) = (Arc::clone(context), Ledger::default());
        Ok(Self { context, controller, claims, claim: None, ledger })
    }

    /// Follows the audit to the record that holds.
    pub(crate) async fn read(&mut self) -> Result<(), Interruption> {
        let mut last = Interruption::Unsettled;
        for attempt in 0..ATTEMPTS {
            match self.try_read().await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(Interruption::Store(error)) => {
                    last = Interruption::Store(error);
                    self.pause(attempt).await;
                }
                Err(other) => return Err(other),
            }
        }
        Err(last)
    }

    async fn try_read(&mut self) -> Result<bool, Interruption> {
        self.controller.refresh().await?;
        let status = self.controller.status();
        if let Some(doubt) = status.doubt {
            return Err(Interruption::InDoubt(doubt));
        }
        let whole = self.follow().await?;
        let head = self.ledger.head;
        let settled = whole && (head.epoch, head.etag) == (status.epoch, status.etag);
        if !whole {
            // Another audit than the one that was read: it is read from its beginning.
            self.ledger = Ledger::default();
        }
        Ok(settled)
    }

    /// Follows the audit to its end. `false` where it does not go on from what was read.
    async fn follow(&mut self) -> Result<bool, Interruption> {
        loop {
            let page = self.controller.history(self.ledger.head.epoch, PAGE).await?;
            for entry in &page {
                if !self.ledger.is_followed_by(entry) {
                    return Ok(false);
                }
                self.ledger.follow(entry)?;
            }
            if page.len() < PAGE {
                return Ok(true);
            }
        }
    }

    /// Writes down what happens next, on the record that was read. `false` where that does not hold any more: what is to be
    /// done has to be decided anew, and has been read.
    pub(crate) async fn say(&mut self, event: &Event, reason: &str) -> Result<bool, Interruption> {
        self.say_with(Proposal::new(), event, reason).await
    }

    /// As [`say`](Self::say), together with new settings.
    pub(crate) async fn say_with(
        &mut self,
        settings: Proposal,
        event: &Event,
        reason: &str,
    ) -> Result<bool, Interruption> {
        let actor = self.context.actor.clone();
        self.say_as(settings, event, &actor, reason).await
    }

    /// As [`say_with`](Self::say_with), in the name of a person.
    ///
    /// Where others have written something that has no bearing on the migration, or the store failed and has not changed, it
    /// is said again, so that no step is repeated for that.
    pub(crate) async fn say_as(
        &mut self,
        settings: Proposal,
        event: &Event,
        actor: &str,
        reason: &str,
    ) -> Result<bool, Interruption> {
        let mut last = Interruption::Unsettled;
        for attempt in 0..ATTEMPTS {
            match self.propose(settings.clone(), event, actor, reason).await {
                Ok(()) => return self.read().await.map(|()| true),
                Err(ChangeError::Outdated { .. } | ChangeError::Contended { .. }) => {}
                Err(ChangeError::Store(error)) => {
                    last = Interruption::Store(error);
                    self.pause(attempt).await;
                }
                Err(ChangeError::InDoubt(doubt)) => return Err(Interruption::InDoubt(doubt)),
                Err(other) => return Err(Interruption::Refused(other)),
            }
            let before = self.ledger.clone();
            self.read().await?;
            if !self.ledger.means_the_same_as(&before) {
                return Ok(false);
            }
        }
        Err(last)
    }

    /// As [`say`](Self::say), where what happens does not depend on whether it is written down: nothing waits for a store that
    /// fails.
    pub(crate) async fn mention(&mut self, event: &Event, reason: &str) {
        let actor = self.context.actor.clone();
        for _ in 0..2 {
            let said = self.propose(Proposal::new(), event, &actor, reason).await;
            self.read_if_possible().await;
            if !matches!(said, Err(ChangeError::Outdated { .. } | ChangeError::Contended { .. })) {
                return;
            }
        }
    }

    /// As [`read`](Self::read), once, where what happens next does not depend on it.
    pub(crate) async fn read_if_possible(&mut self) {
        drop(self.try_read().await);
    }

    async fn propose(&self, settings: Proposal, event: &Event, actor: &str, reason: &str) -> Result<(), ChangeError> {
        let head = self.ledger.head;
        let proposal = settings.note(note(event)).evidence(event.evidence()).expecting(head.epoch, head.etag);
        self.controller.propose(&proposal, actor, &text::reason(reason)).await.map(drop)
    }

    /// Makes sure that no other runner is at this system. One that has gone is waited for.
    pub(crate) async fn claim(&mut self) -> Result<(), Interruption> {
        let lease = self.context.settings.lease;
        let end = self.context.clock.now().plus(lease + lease / 2);
        let mut completed = 0;
        loop {
            match self.try_claim(completed).await {
                Ok(claim) => {
                    self.claim = Some(claim);
                    return Ok(());
                }
                Err(NotClaimed::Held { remaining }) if self.context.clock.now() < end => {
                    self.context.sleep(remaining.clamp(PAUSE, 2 * PAUSE)).await;
                }
                Err(NotClaimed::Held { .. }) => return Err(Interruption::HeldByAnother),
                // Somebody has settled a stuck item as completed, which is final: another one takes its place.
                Err(NotClaimed::Completed) if completed < 100 => completed += 1,
                Err(outdated) if outdated.is_outdated() && self.context.clock.now() < end => {
                    self.context.sleep(PAUSE).await;
                }
                Err(other) => return Err(Interruption::NotClaimed(other)),
            }
        }
    }

    async fn try_claim(&self, completed: u32) -> Result<Claim, NotClaimed> {
        let item = if completed == 0 { "fleet".to_owned() } else { format!("fleet/{completed}") };
        // The side is of no meaning here, but only one that serves may claim.
        let status = self.controller.status();
        let side = status.mode.routing(false).serves;
        self.claims.claim(&item, side, status.epoch, self.context.settings.lease).await
    }

    /// Whether this runner may still act.
    pub(crate) fn is_claimed(&self) -> Result<(), Interruption> {
        let valid = self.claim.as_ref().is_some_and(Claim::still_valid);
        if valid { Ok(()) } else { Err(Interruption::ClaimLost) }
    }

    /// Lets another runner go on at once.
    pub(crate) async fn close(&mut self) {
        if let Some(claim) = self.claim.take() {
            // If the store does not take it, it runs out.
            drop(claim.release().await);
        }
    }

    async fn pause(&self, attempt: u32) {
        self.context.sleep(PAUSE * 2_u32.saturating_pow(attempt.min(6))).await;
    }
}

impl Drop for Journal {
    /// Another runner need not wait until the claim has run out.
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            let released = async move { drop(claim.release().await) };
            contain(|| self.context.runtime.spawn(Box::pin(released)));
        }
    }
}

const fn note(event: &Event) -> Note {
    match event {
        Event::Retried => Note::Resume,
        Event::Blocked { .. } | Event::Broken { .. } | Event::Ended { .. } => Note::Pause,
        Event::Begun { .. }
        | Event::Began { .. }
        | Event::Done { .. }
        | Event::SteppedBack { .. }
        | Event::Recovered { .. }
        | Event::Migrated
        | Event::BackedUp { .. }
        | Event::Decommissioning { .. }
        | Event::Decommissioned
        | Event::CleanedUp { .. } => Note::Step,
    }
}
