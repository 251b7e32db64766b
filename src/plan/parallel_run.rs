//! [`ParallelRun`]: runs both sides for a day, and says what came of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde::Serialize;
use serde_json::{Value, json};

use super::Judge;
use super::driver::jittered;
use crate::contain::contain_quietly;
use crate::control::{ChangeError, MigrationController, Note, Proposal};
use crate::guard::{Action, Criterion, GuardReport, Present};
use crate::mode::SystemMode;
use crate::monitor::Evidence;
use crate::runtime::{backoff, try_sleep};
use crate::wire::nanos;

/// Goes to `Parallel` for a while, 24 hours unless it is told otherwise, and looks every 60 s at what both sides do.
///
/// It ends in one of three ways: what was asked for is proven, and new may be promoted; it is not, and everything stays as it
/// is; or new has regressed, and the migration is back in `LegacyOnly`. It promotes nothing itself.
///
/// Whatever happens on the way, `Parallel` is not left behind: when the future is dropped or fails, the migration goes back
/// to `LegacyOnly`, in the background if need be, and to `EmergencyRollback` in this process if the store does not take
/// that. Who changes the mode by hand takes over: then nothing is put back.
///
/// Time is measured from the beginning of the run. It is not kept in the store: a process that crashes leaves `Parallel`
/// behind, and a new run begins anew. A [plan](super::PlanDriver) goes on.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use cutover::guard::Guard;
/// use cutover::plan::ParallelEnd;
/// use cutover::testing::VirtualRuntime;
/// use cutover::{MemoryStore, MigrationController, ParallelRun, SystemMode};
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
/// # let evidence = Arc::new(Silent);
/// let runtime = VirtualRuntime::new();
/// let opened = MigrationController::builder("search", MemoryStore::new())
///     .runtime(runtime.clone())
///     .clock(runtime.clock())
///     .open();
/// let search = runtime.run(opened)?;
///
/// let run = ParallelRun::new(&search, evidence, Guard::default());
/// let report = runtime.run(run.run("ana", "the first day"))?;
/// assert_eq!(report.end, ParallelEnd::Hold); // nothing was counted, so nothing is proven
/// assert_eq!(search.mode(), SystemMode::Parallel);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "it does nothing until it is run"]
pub struct ParallelRun {
    controller: MigrationController,
    evidence: Arc<dyn Evidence>,
    judge: Box<dyn Judge>,
    lasts: Duration,
    every: Duration,
    criteria: Vec<Criterion>,
}

/// What came of a parallel run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ParallelReport {
    /// How it ended.
    pub end: ParallelEnd,
    /// How long it took, in nanoseconds when serialised.
    #[serde(serialize_with = "nanos::serialize")]
    pub lasted: Duration,
    /// How often it looked.
    pub looks: u64,
    /// The mode when it ended.
    pub mode: SystemMode,
    /// What the guard said last; `None` if it did not answer.
    pub guard: Option<GuardReport>,
}

/// How a parallel run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParallelEnd {
    /// What was asked for is proven: new may be promoted. Both sides go on.
    Promote,
    /// It is not proven, or somebody changed the mode by hand, or the guard wants a person to look: everything stays as it is.
    Hold,
    /// New has regressed, or somebody rolled back: legacy serves alone.
    RolledBack,
}

/// A parallel run did not come to an end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParallelError {
    /// It begins in `LegacyOnly` or in `Parallel`: in the others new serves.
    #[error("a parallel run begins in legacy_only or parallel, not in {mode}")]
    Mode {
        /// The mode that holds.
        mode: SystemMode,
    },
    /// The store did not take the change to `Parallel`.
    #[error("the parallel run did not begin")]
    Begin(#[source] ChangeError),
    /// The runtime cannot sleep.
    #[error("the runtime cannot measure out the time between two looks")]
    NoTime,
}

impl ParallelRun {
    /// A run of 24 hours that looks every 60 s and wants all criteria proven.
    pub fn new(controller: &MigrationController, evidence: Arc<dyn Evidence>, judge: impl Judge + 'static) -> Self {
        Self {
            controller: controller.clone(),
            evidence,
            judge: Box::new(judge),
            lasts: Duration::from_secs(24 * 60 * 60),
            every: Duration::from_secs(60),
            criteria: Criterion::ALL.to_vec(),
        }
    }

    /// How long it lasts.
    pub fn lasts(self, lasts: Duration) -> Self {
        Self { lasts, ..self }
    }

    /// How often it looks, longer or shorter by up to a fifth; at least every tenth of a second.
    pub fn every(self, every: Duration) -> Self {
        Self { every: every.max(Duration::from_millis(100)), ..self }
    }

    /// What has to be proven. Nothing is proven without a call.
    pub fn gate(self, criteria: impl IntoIterator<Item = Criterion>) -> Self {
        Self { criteria: criteria.into_iter().collect(), ..self }
    }

    /// Runs it.
    ///
    /// # Errors
    /// [`ParallelError`]; then the migration goes back to `LegacyOnly`, unless it was never in `Parallel`.
    pub async fn run(mut self, actor: &str, reason: &str) -> Result<ParallelReport, ParallelError> {
        // Whatever holds is found out by the change itself if it cannot be read.
        drop(self.controller.refresh().await);
        let status = self.controller.status();
        if !matches!(status.mode, SystemMode::LegacyOnly | SystemMode::Parallel) {
            return Err(ParallelError::Mode { mode: status.mode });
        }
        let mut teardown = Teardown { controller: self.controller.clone(), armed: true };
        let evidence = json!({ "parallel_run": { "seconds": self.lasts.as_secs(), "gate": self.criteria } });
        let parallel = Proposal::to(SystemMode::Parallel).note(Note::Step).evidence(evidence);
        let began = self.controller.propose(&parallel.expecting(status.epoch, status.etag), actor, reason).await;
        if let Err(error) = began {
            teardown.armed = may_be_stored(&error);
            return Err(ParallelError::Begin(error));
        }
        let report = self.watch().await?;
        teardown.armed = false;
        Ok(report)
    }

    /// Looks until the time is over, or until there is nothing more to wait for.
    async fn watch(&mut self) -> Result<ParallelReport, ParallelError> {
        let clock = |run: &Self| run.controller.clock().now();
        let began = clock(self);
        let mut looks = 0;
        loop {
            let left = self.lasts.saturating_sub(clock(self).since(began));
            let pause = jittered(self.every, self.controller.random().next_u64()).min(left);
            if !try_sleep(self.controller.runtime(), pause).await {
                return Err(ParallelError::NoTime);
            }
            looks += 1;
            let guard = self.look();
            let over = clock(self).since(began) >= self.lasts;
            if let Some(end) = self.end(guard.as_ref(), over).await {
                let (lasted, mode) = (clock(self).since(began), self.controller.mode());
                return Ok(ParallelReport { end, lasted, looks, mode, guard });
            }
        }
    }

    /// What the judge says; a panic of it, or of the evidence, is an outage of monitoring.
    fn look(&mut self) -> Option<GuardReport> {
        let Self { controller, evidence, judge, .. } = self;
        let (present, now) = (Present::of(&controller.status()), controller.clock().now());
        contain_quietly(|| judge.look(&**evidence, present, now)).ok()
    }

    async fn end(&self, guard: Option<&GuardReport>, over: bool) -> Option<ParallelEnd> {
        match (self.controller.mode(), guard.and_then(|guard| guard.action)) {
            (SystemMode::LegacyOnly | SystemMode::EmergencyRollback, _) => Some(ParallelEnd::RolledBack),
            (SystemMode::Parallel, Some(Action::Rollback)) => {
                let evidence = json!({ "parallel_run": "regressed", "guard": guard.map(GuardReport::evidence) });
                back(&self.controller, "the guard asked for a rollback", evidence).await;
                Some(ParallelEnd::RolledBack)
            }
            (SystemMode::GradualRollout | SystemMode::NewOnly, _)
            | (SystemMode::Parallel, Some(Action::Freeze | Action::Ask)) => Some(ParallelEnd::Hold),
            (SystemMode::Parallel, _) if !over => None,
            (SystemMode::Parallel, _) => Some(self.judged(guard)),
        }
    }

    fn judged(&self, guard: Option<&GuardReport>) -> ParallelEnd {
        let seen = |guard: &GuardReport| guard.criteria.iter().any(|criterion| criterion.trials > 0);
        let is_of_it = |guard: &GuardReport| guard.mode == SystemMode::Parallel && seen(guard);
        match guard {
            Some(guard) if is_of_it(guard) && guard.promotes(&self.criteria) => ParallelEnd::Promote,
            _ => ParallelEnd::Hold,
        }
    }
}

impl fmt::Debug for ParallelRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { controller, lasts, every, criteria, .. } = self;
        let mut shown = f.debug_struct("ParallelRun");
        shown.field("controller", controller).field("lasts", lasts).field("every", every);
        shown.field("criteria", criteria).finish_non_exhaustive()
    }
}

/// Whether the migration may be in `Parallel` although the change to it failed.
fn may_be_stored(error: &ChangeError) -> bool {
    matches!(error, ChangeError::Store(crate::StoreError::OutcomeUnknown(_)))
}

/// Back to `LegacyOnly`. If the store does not take that, an emergency holds in this process where it routes by `Parallel`;
/// where it does not, `Parallel` may have been stored all the same, and the store is asked again for a while.
async fn back(controller: &MigrationController, reason: &str, evidence: Value) {
    for attempt in 0..RETRIES {
        let read = controller.refresh().await.is_ok();
        let status = controller.status();
        let parallel = status.mode == SystemMode::Parallel;
        if read && !parallel {
            return;
        }
        if parallel {
            let legacy = Proposal::to(SystemMode::LegacyOnly).expecting(status.epoch, status.etag);
            match controller.propose(&legacy.evidence(evidence.clone()), ACTOR, reason).await {
                Ok(_) | Err(ChangeError::Outdated { .. }) => {}
                Err(_) => drop(controller.emergency_rollback_with(ACTOR, reason, evidence)),
            }
            return;
        }
        let wait = backoff(attempt, RETRY, LONGEST_RETRY, controller.random().next_u64());
        let _ = try_sleep(controller.runtime(), wait).await;
    }
}

const RETRIES: u32 = 40;
const RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Who goes back.
const ACTOR: &str = "parallel run";

/// Goes back to `LegacyOnly` when it is dropped, unless the run has come to its end.
struct Teardown {
    controller: MigrationController,
    armed: bool,
}

impl Drop for Teardown {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let controller = self.controller.clone();
        let evidence = json!({ "parallel_run": "given up" });
        let going = async move { back(&controller, "the parallel run was given up", evidence).await };
        // On a runtime that cannot spawn there is nobody to do it.
        let _ = contain_quietly(|| self.controller.runtime().spawn(going.boxed()));
    }
}
