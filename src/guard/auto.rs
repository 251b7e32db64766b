//! [`AutoRollback`]: looks each second, and rolls back.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::FutureExt;

use super::{Action, Guard, GuardReport, Present};
use crate::contain::contain_quietly;
use crate::control::{MigrationController, WeakController};
use crate::lock::lock;
use crate::mode::SystemMode;
use crate::monitor::Evidence;
use crate::runtime::{Runtime, try_sleep};

/// Rolls back when a guard asks for it: automatic rollback without a plan.
///
/// It looks each second, by the runtime of the controller. When the guard asks for a rollback, that is an
/// [emergency](MigrationController::emergency_rollback): it holds in this process at once. The audit gets the counts as reason
/// and the whole report as evidence. What else a guard asks for is only traced, as a warning: there is no plan
/// to freeze, and nobody to ask.
///
/// It ends within a second when its last handle is dropped, and when the controller is gone, which it does not keep alive. If
/// the evidence panics, that look is skipped.
///
/// It judges by statistics, and needs a few bad calls more than an [`AutoFallback`](crate::AutoFallback), which acts at
/// once when new is plainly broken. Both together do no harm. A driver of a plan rolls back by itself: with this beside it
/// there are two guards, each with a budget of its own.
///
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use cutover::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideCounts, SideFailures};
/// use cutover::testing::VirtualRuntime;
/// use cutover::{AutoRollback, Guard, MemoryStore, MigrationController, SystemMode};
///
/// /// 100 of 400 calls of new have failed; a monitor counts that.
/// struct Failing;
///
/// impl Evidence for Failing {
///     fn counts(&self) -> PhaseCounts {
///         let new = SideCounts { started: 400, failed: 100, succeeded: 300, ..SideCounts::default() };
///         PhaseCounts { new, ..PhaseCounts::empty(2, SystemMode::NewOnly) }
///     }
///     fn health_failures(&self) -> SideFailures { SideFailures::default() }
///     fn mean_durations(&self) -> MeanDurations { MeanDurations::default() }
///     fn baseline(&self) -> Option<Baseline> { None }
///     fn latency_factors(&self) -> LatencyFactors { LatencyFactors::default() }
/// }
///
/// let runtime = VirtualRuntime::new();
/// let builder = MigrationController::builder("prices", MemoryStore::new());
/// let prices = runtime.run(builder.runtime(runtime.clone()).clock(runtime.clock()).open())?;
/// for mode in [SystemMode::Parallel, SystemMode::NewOnly] {
///     runtime.run(prices.transition(mode, "ana", "they agree"))?;
/// }
/// let _watching = AutoRollback::start(&prices, Guard::default(), Arc::new(Failing));
/// runtime.run_until_idle();
/// assert_eq!(prices.mode(), SystemMode::EmergencyRollback);
/// assert_eq!(
///     prices.status().reason.unwrap().as_str(),
///     "EMERGENCY: error rate by the latest calls; in all: 100 of 400 calls of new failed (25.0 %); the limit is 5 %",
/// );
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "it ends when its last handle is dropped"]
pub struct AutoRollback {
    watching: Arc<Watching>,
}

struct Watching {
    guard: Mutex<Guard>,
    evidence: Arc<dyn Evidence>,
    controller: WeakController,
    report: Mutex<Option<GuardReport>>,
    /// The epoch that was rolled back, until somebody has exposed new again.
    acted: AtomicU64,
}

const NEVER: u64 = u64::MAX;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Who the audit says it was.
const ACTOR: &str = "guard";

impl AutoRollback {
    /// Begins to watch `evidence` with `guard`.
    pub fn start(controller: &MigrationController, guard: Guard, evidence: Arc<dyn Evidence>) -> Self {
        let controller = controller.downgrade();
        let runtime = controller.runtime();
        let (guard, report, acted) = (Mutex::new(guard), Mutex::default(), AtomicU64::new(NEVER));
        let watching = Watching { guard, evidence, controller, report, acted };
        let watching = Arc::new(watching);
        if let Some(runtime) = runtime {
            let looks = look_on(Arc::downgrade(&watching), Arc::clone(&runtime)).boxed();
            if contain_quietly(|| runtime.spawn(looks)).is_err() {
                tracing::error!("nothing is rolled back automatically: the runtime could not spawn");
            }
        }
        Self { watching }
    }

    /// What the last look found; `None` before the first one.
    #[must_use]
    pub fn report(&self) -> Option<GuardReport> {
        lock(&self.watching.report).clone()
    }

    /// Somebody has looked at what has regressed, and goes on with the same settings: see [`Guard::begin_anew`].
    pub fn begin_anew(&self) {
        lock(&self.watching.guard).begin_anew();
    }
}

async fn look_on(watching: Weak<Watching>, runtime: Arc<dyn Runtime>) {
    while watching.upgrade().is_some_and(|watching| watching.look()) {
        if !try_sleep(&*runtime, INTERVAL).await {
            tracing::error!("nothing is rolled back automatically: the runtime could not sleep");
            return;
        }
    }
}

impl Watching {
    /// Looks once, and acts; `false` when the controller is gone.
    fn look(&self) -> bool {
        let Some((status, now)) = self.controller.status() else { return false };
        let present = Present::of(&status);
        self.begin_anew_after_a_rollback(present);
        let looked = contain_quietly(|| lock(&self.guard).look(&*self.evidence, present, now));
        if let Ok(report) = looked {
            self.act(report);
        } else {
            tracing::error!(migration = %status.id, "the evidence panicked, so nothing was judged");
        }
        true
    }

    /// A person has exposed new again, perhaps with the settings of before: what was counted before the rollback is no
    /// evidence for that.
    fn begin_anew_after_a_rollback(&self, present: Present) {
        let exposed = present.settings.mode != SystemMode::EmergencyRollback;
        if exposed && present.epoch > self.acted.load(Ordering::Relaxed) {
            self.acted.store(NEVER, Ordering::Relaxed);
            lock(&self.guard).begin_anew();
        }
    }

    fn act(&self, report: GuardReport) {
        let asked = lock(&self.report).as_ref().and_then(|last| last.action);
        match report.action {
            Some(Action::Rollback) => {
                self.acted.store(report.epoch, Ordering::Relaxed);
                self.controller.emergency(ACTOR, &report.reason(), report.evidence());
            }
            Some(action) if asked != Some(action) => {
                tracing::warn!(%action, reason = report.reason(), "the guard asks");
            }
            Some(_) | None => {}
        }
        *lock(&self.report) = Some(report);
    }
}

impl fmt::Debug for AutoRollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutoRollback").finish_non_exhaustive()
    }
}
