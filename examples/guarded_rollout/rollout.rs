//! What a host sets up: a controller, a monitor, a plan, and a guard.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cutover::guard::{Criterion, Guard};
use cutover::monitor::Evidence;
use cutover::plan::{PlanEnd, Step};
use cutover::store::{AuditEntry, MigrationId};
use cutover::{
    Claims, DualRunner, Equality, MemoryStore, MigrationController, Percentage, PerformanceMonitor, PlanDriver,
    RolloutPlan, StateStore,
};

use crate::prices::Prices;
use crate::server::Site;
use crate::shoppers::Shoppers;
use crate::show::{Seen, Show};

/// A step lasts seconds here. In life it lasts days: see `RolloutPlan::five_week_ramp`.
const HOLD: Duration = Duration::from_secs(2);
/// The guard looks four times a second. In life once a minute will do.
const LOOK: Duration = Duration::from_millis(250);
/// Nothing here takes longer than that.
const LONGEST: Duration = Duration::from_secs(40);

pub(crate) struct Rollout {
    store: MemoryStore,
    controller: MigrationController,
    monitor: Arc<PerformanceMonitor>,
    driver: PlanDriver,
    prices: Arc<Prices>,
}

impl Rollout {
    pub(crate) async fn open(prices: &Arc<Prices>) -> Result<Self, Box<dyn Error>> {
        let store = MemoryStore::new();
        let monitor = PerformanceMonitor::builder().tick(Duration::from_millis(100)).timeout(Duration::from_secs(2));
        let monitor = Arc::new(monitor.build()?);
        let controller = MigrationController::builder("prices", store.clone());
        let controller = controller.performance(Arc::clone(&monitor)).open().await?;
        let claims = Claims::new(&controller, store.clone(), "this process")?;
        let evidence: Arc<dyn Evidence> = Arc::<PerformanceMonitor>::clone(&monitor);
        let driver = PlanDriver::new(plan()?, &controller, claims, evidence, Guard::default());
        Ok(Self { store, controller, monitor, driver, prices: Arc::clone(prices) })
    }

    /// The call site: one runner for every request.
    pub(crate) fn site(&self) -> Site {
        let runner = DualRunner::builder("price", self.controller.clone())
            .comparator(Equality)
            .observe(Arc::clone(&self.monitor))
            .build();
        Site { runner: Arc::new(runner), prices: Arc::clone(&self.prices) }
    }

    /// Follows the plan to its end; `None` if it takes too long.
    pub(crate) async fn follow(&self, shoppers: &Shoppers, show: &mut Show) -> Result<Option<PlanEnd>, Box<dyn Error>> {
        let mut looks = tokio::time::interval(LOOK);
        let mut after_the_end = 0;
        for number in 0..LONGEST.as_millis() / LOOK.as_millis() {
            looks.tick().await;
            // Legacy alone at first, until it is known what is slow.
            let has_baseline = self.monitor.baseline().is_some();
            let report = if has_baseline { Some(self.driver.look_once().await) } else { None };
            let status = self.controller.status();
            let broke = self.prices.comes_to(status.rollout.percent());
            let time = LOOK * u32::try_from(number)?;
            let snapshot = self.monitor.snapshot();
            show.look(Seen { time, status, snapshot, report: report.as_ref(), got: shoppers.got(), broke })?;
            let end = report.and_then(|report| report.end);
            // A moment longer, to see that all is well again.
            after_the_end += u32::from(end.is_some());
            if after_the_end > 6 {
                return Ok(end);
            }
        }
        Ok(None)
    }

    /// What the store says of it all.
    pub(crate) async fn audit(&self) -> Result<Vec<AuditEntry>, Box<dyn Error>> {
        let id: MigrationId = "prices".parse()?;
        Ok(self.store.history(&id, 0, 100).await?)
    }
}

/// Both run and are compared, and then 10, 25, 40, 75 and 100 % of the orders are served by new.
fn plan() -> Result<RolloutPlan, Box<dyn Error>> {
    // What can be proven in two seconds: that answers are the same, and that calls come to an end. How exactly the p95 is
    // kept takes thousands of calls.
    let served = |step: Step| step.hold(HOLD).min_samples(60).gate([Criterion::Throughput]);
    let mut plan = RolloutPlan::builder("two-seconds-each");
    plan = plan.step(Step::parallel("compare").hold(HOLD).min_samples(200).gate([Criterion::Validation]));
    for percent in [10, 25, 40, 75] {
        plan = plan.step(served(Step::gradual(format!("at-{percent}"), Percentage::new(f64::from(percent))?)));
    }
    Ok(plan.step(served(Step::new_only("everybody"))).build()?)
}
