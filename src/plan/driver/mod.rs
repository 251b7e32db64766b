//! [`PlanDriver`]: follows a plan.

mod act;
mod clock;
mod operate;
mod read;
mod report;
mod work;

pub use operate::OperateError;
pub use report::PlanReport;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::lock::Mutex as Turns;

use super::{Judge, PlanEnd, RolloutPlan};
use crate::bucket::ppm_of;
use crate::contain::contain_quietly;
use crate::control::{Changed, Claims, MigrationController};
use crate::lock::lock;
use crate::monitor::Evidence;
use crate::observe::{Event, PlanEvent};
use crate::runtime::sleep;
use operate::Seen;
use work::Work;

/// Follows a plan: it looks from time to time, and does what [`decide`](super::decide) says.
///
/// Everything that it knows stands in the store: a process that takes over, or the same one after a crash, goes on where the
/// last one stopped. Any number of processes may drive one plan:
///
/// - One of them is *active*: it holds the item `plan.<name>` among the [`Claims`], and alone goes forward, freezes and asks.
///   The others watch. When it is gone, one of them takes over: at its next look if the active one ended in order, else after
///   a minute more.
/// - Whatever an active one does, it does on the record that it has read, or not at all. So a step is entered once, also where
///   two take themselves for active.
/// - All of them roll back, since each may be the only one that sees its calls fail. An emergency is one, however many call
///   it. Where each process has a guard of its own, a false rollback is as many times as probable; give all of them the
///   [`Evidence`] of all processes to avoid that.
///
/// What it needs to go forward is the evidence of this process's present run: calls that were counted before a crash are
/// counted anew. How long a step has held is measured from its entry in the audit, by the time of day at the first look and
/// by a clock that does not jump from then on.
///
/// Before each step legacy has to be well: its [health check](crate::control::ControllerBuilder::health_check) is asked; where
/// there is none, the evidence must have no failed check of it.
///
/// Operators [approve](Self::approve), [acknowledge](Self::acknowledge), [pause](Self::pause), [resume](Self::resume),
/// [restart](Self::restart) and [abort](Self::abort), from any process. A change of the settings by hand stops the plan: it
/// does not change them back.
///
/// ```
/// use cutover::guard::Guard;
/// use cutover::plan::{Decision, Need};
/// use cutover::{Claims, MemoryStore, MigrationController, PlanDriver, RolloutPlan, SystemMode};
/// # use cutover::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideFailures};
/// # use std::sync::Arc;
/// # struct Silent;
/// # impl Evidence for Silent {
/// #     fn counts(&self) -> PhaseCounts { PhaseCounts::empty(0, SystemMode::Parallel) }
/// #     fn health_failures(&self) -> SideFailures { SideFailures::default() }
/// #     fn mean_durations(&self) -> MeanDurations { MeanDurations::default() }
/// #     fn baseline(&self) -> Option<Baseline> { None }
/// #     fn latency_factors(&self) -> LatencyFactors { LatencyFactors::default() }
/// # }
/// # futures::executor::block_on(async {
/// # let evidence = Arc::new(Silent);
/// let store = MemoryStore::new();
/// let search = MigrationController::open("search", store.clone()).await?;
/// let claims = Claims::new(&search, store, "host 3")?;
/// let driver = PlanDriver::new(RolloutPlan::five_week_ramp(), &search, claims, evidence, Guard::default());
///
/// // `driver.run().await` goes on until the plan has ended. This is one look of it:
/// assert_eq!(driver.look_once().await.decision, Decision::Promote { step: "parallel".into() });
/// assert_eq!(search.mode(), SystemMode::Parallel);
///
/// let report = driver.look_once().await;
/// assert!(matches!(report.decision, Decision::Hold { needs } if needs.contains(&Need::Samples { missing: 1_000 })));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct PlanDriver {
    shared: Arc<Shared>,
    interval: Duration,
    /// The record on which an operator decided.
    seen: Option<Seen>,
}

struct Shared {
    plan: RolloutPlan,
    controller: MigrationController,
    claims: Claims,
    evidence: Arc<dyn Evidence>,
    /// One look at a time.
    work: Turns<Work>,
    report: Mutex<Option<PlanReport>>,
}

impl PlanDriver {
    /// The time between two looks, unless [`every`](Self::every) says another: a minute.
    pub const INTERVAL: Duration = Duration::from_secs(60);

    /// Drives `plan` by what `judge` makes of `evidence`. `claims` must be of `controller`.
    pub fn new(
        plan: RolloutPlan,
        controller: &MigrationController,
        claims: Claims,
        evidence: Arc<dyn Evidence>,
        judge: impl Judge + 'static,
    ) -> Self {
        let (work, report) = (Turns::new(Work::new(judge)), Mutex::default());
        let shared = Shared { plan, controller: controller.clone(), claims, evidence, work, report };
        Self { shared: Arc::new(shared), interval: Self::INTERVAL, seen: None }
    }

    /// Looks every `interval`, longer or shorter by up to a fifth, so that processes do not look together; at least every
    /// tenth of a second.
    #[must_use]
    pub fn every(self, interval: Duration) -> Self {
        Self { interval: interval.max(Duration::from_millis(100)), ..self }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &RolloutPlan {
        &self.shared.plan
    }

    /// What the last look saw and did; `None` before the first one.
    #[must_use]
    pub fn report(&self) -> Option<PlanReport> {
        lock(&self.shared.report).clone()
    }

    /// What says what [`report`](Self::report) says, and keeps neither the driver nor its controller alive: for whoever
    /// watches them. `None` also once they are gone.
    pub fn reports(&self) -> impl Fn() -> Option<PlanReport> + Clone + Send + Sync + use<> {
        let shared = Arc::downgrade(&self.shared);
        move || shared.upgrade().and_then(|shared| lock(&shared.report).clone())
    }

    /// Looks once, and does what is to be done. It may be dropped at any time: what it does is done completely or not at all.
    ///
    /// Looks of clones follow one another.
    pub async fn look_once(&self) -> PlanReport {
        let report = self.shared.work.lock().await.look(&self.shared).await;
        *lock(&self.shared.report) = Some(report.clone());
        report
    }

    /// Looks until the plan has ended. Dropping it ends nothing but the looking.
    ///
    /// On a runtime that cannot sleep it looks once.
    pub async fn run(&self) -> PlanEnd {
        loop {
            if let Some(end) = self.look_once().await.end {
                return end;
            }
            let controller = &self.shared.controller;
            sleep(controller.runtime(), jittered(self.interval, controller.random().next_u64())).await;
        }
    }
}

impl Shared {
    /// Tells the observers what the audit says of the plan from now on.
    fn tell(&self, changed: &Changed, event: PlanEvent, step: Option<usize>) {
        if changed.stored {
            self.controller.tell_of(&Event::PlanMoved { event, step });
        }
    }
}

impl Drop for Shared {
    /// Another driver need not wait until the claim has run out.
    fn drop(&mut self) {
        if let Some(claim) = self.work.get_mut().claim.take() {
            let released = async move { drop(claim.release().await) };
            let _ = contain_quietly(|| self.controller.runtime().spawn(released.boxed()));
        }
    }
}

/// Longer or shorter by up to a fifth.
pub(in crate::plan) fn jittered(interval: Duration, random: u64) -> Duration {
    interval.saturating_mul(800 + ppm_of(random) / 2_500) / 1_000
}

impl fmt::Debug for PlanDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { plan, controller, .. } = &*self.shared;
        f.debug_struct("PlanDriver").field("plan", &plan.name()).field("controller", controller).finish_non_exhaustive()
    }
}
