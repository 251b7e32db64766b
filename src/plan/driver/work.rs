//! [`Work`]: one look after the other.

use std::fmt;

use super::Shared;
use super::clock::HoldClock;
use super::report::PlanReport;
use crate::contain::contain_quietly;
use crate::control::{Claim, HealthState, NotClaimed};
use crate::guard::{GuardReport, Hold, Present};
use crate::plan::progress::name;
use crate::plan::{Decision, Judge, Look, Need, Progress, Readiness, StoreView, decide};
use std::time::Duration;

pub(super) struct Work {
    pub(super) judge: Box<dyn Judge>,
    pub(super) progress: Progress,
    pub(super) begun_anew: Option<u64>,
    clock: HoldClock,
    /// How long ago the plan was rolled back.
    cooling: HoldClock,
    pub(super) claim: Option<Claim>,
    /// How many items of the plan somebody has completed, which nobody should.
    completed: u32,
}

/// How long an active driver that has gone is waited for.
const TTL: Duration = Duration::from_secs(60);

impl Work {
    pub(super) fn new(judge: impl Judge + 'static) -> Self {
        Self {
            judge: Box::new(judge),
            progress: Progress::new(),
            begun_anew: None,
            clock: HoldClock::default(),
            cooling: HoldClock::default(),
            claim: None,
            completed: 0,
        }
    }

    pub(super) async fn look(&mut self, shared: &Shared) -> PlanReport {
        let store = self.read(shared).await.map_or_else(|unread| unread.view(), |()| StoreView::Fresh);
        let guard = self.judge(shared);
        let mut look = self.seen(shared, store, guard.as_ref());
        let active = store == StoreView::Fresh && self.is_active(shared).await;
        let assumed = self.assumed(shared, store);
        let mut decision = decide(&shared.plan, assumed.as_ref().unwrap_or(&self.progress), &look);
        if active && waits_for_legacy_only(&decision) {
            look.legacy = legacy(shared).await;
            decision = decide(&shared.plan, &self.progress, &look);
        }
        let done = self.act(shared, &decision, active, guard.as_ref()).await;
        if done.stored.is_some() {
            // What cannot be read now is read by the next look.
            drop(self.read(shared).await);
            // A step that it has entered itself holds from now on.
            self.clock.held(self.progress.entered, shared.controller.clock());
        }
        let end = self.progress.end();
        if end.is_some() {
            self.step_down().await;
        }
        PlanReport {
            plan: shared.plan.name().to_owned(),
            step: self.progress.place().map(|place| name(&shared.plan, place).to_owned()),
            decision,
            active,
            stored: done.stored,
            refused: done.refused,
            end,
            held: look.held,
            samples: look.samples,
            guard,
        }
    }

    /// Where the plan seems to stand, as long as the store has not said so: a rollback does not wait for it.
    fn assumed(&self, shared: &Shared, store: StoreView) -> Option<Progress> {
        let unread = store != StoreView::Fresh && self.progress.head.epoch == 0;
        let status = unread.then(|| shared.controller.status())?;
        Progress::assumed(&shared.plan, status.mode, status.rollout)
    }

    /// What the judge says; a panic of it, or of the evidence, is an outage of monitoring.
    fn judge(&mut self, shared: &Shared) -> Option<GuardReport> {
        let Shared { controller, evidence, .. } = shared;
        let (present, now) = (Present::of(&controller.status()), controller.clock().now());
        contain_quietly(|| self.judge.look(&**evidence, present, now)).ok()
    }

    fn seen(&mut self, shared: &Shared, store: StoreView, guard: Option<&GuardReport>) -> Look {
        let held = self.clock.held(self.progress.entered, shared.controller.clock());
        let look = guard.map(Look::of).unwrap_or_default();
        let held_by = match look.held_by {
            Some(Hold::Regressed) => Some(Hold::Regressed),
            _ if self.cools_down(shared) => Some(Hold::CoolingDown),
            held_by => held_by,
        };
        let seen = Look { held_by, held, store, ..look };
        // What was counted in another step proves nothing here.
        if guard.is_some_and(|guard| self.is_of_this_step(guard)) {
            return seen;
        }
        Look { action: seen.action, held_by: seen.held_by, held, store, ..Look::default() }
    }

    /// Whether the last rollback is too short a while ago, whichever process made it.
    fn cools_down(&mut self, shared: &Shared) -> bool {
        let since = self.cooling.held(self.progress.rolled_back, shared.controller.clock());
        self.progress.rolled_back.is_some() && since < self.judge.cool_down()
    }

    fn is_of_this_step(&self, guard: &GuardReport) -> bool {
        let settings = self.progress.settings();
        let since = self.progress.entered.map_or(0, |entered| entered.epoch);
        (guard.mode, guard.rollout) == (settings.mode, settings.rollout)
            && (since..=self.progress.head.epoch).contains(&guard.epoch)
    }

    /// Whether this driver holds the item of the plan, or has got it now.
    async fn is_active(&mut self, shared: &Shared) -> bool {
        if self.progress.end().is_some() {
            return false;
        }
        if self.claim.as_ref().is_some_and(Claim::still_valid) {
            return true;
        }
        // The side is of no meaning here, but only one that serves may claim.
        let status = shared.controller.status();
        let side = status.mode.routing(false).serves;
        let claimed = shared.claims.claim(&self.item(shared), side, status.epoch, TTL).await;
        if matches!(claimed, Err(NotClaimed::Completed)) {
            self.completed += 1;
        }
        self.claim = claimed.ok();
        self.claim.is_some()
    }

    /// A host that settles stuck items may have completed this one, which is final: then another one takes its place.
    fn item(&self, shared: &Shared) -> String {
        match self.completed {
            0 => format!("plan.{}", shared.plan.name()),
            completed => format!("plan.{}/{completed}", shared.plan.name()),
        }
    }

    /// Lets another one be active.
    async fn step_down(&mut self) {
        if let Some(claim) = self.claim.take() {
            // If the store does not take it, it runs out.
            drop(claim.release().await);
        }
    }
}

fn waits_for_legacy_only(decision: &Decision) -> bool {
    matches!(decision, Decision::Hold { needs } if needs.as_slice() == [Need::LegacyHealth])
}

/// Whether legacy could take over.
async fn legacy(shared: &Shared) -> Readiness {
    let checked = shared.controller.check_health_now().await.and_then(|health| health.legacy);
    let ready = match checked {
        Some(side) => side.state == HealthState::Healthy,
        None => contain_quietly(|| shared.evidence.health_failures().legacy).is_ok_and(|failures| failures == 0),
    };
    if ready { Readiness::Ready } else { Readiness::NotReady }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("progress", &self.progress).field("claim", &self.claim).finish_non_exhaustive()
    }
}
