//! What a host sets up: controllers, monitors, a plan and a guard.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cutover::control::{BoxError, HealthSchedule};
use cutover::guard::{Criterion, Guard};
use cutover::monitor::Evidence;
use cutover::plan::{OnBreach, Reversibility, Step};
use cutover::store::{ClaimRequest, ClaimStore, Expect};
use cutover::{
    AutoRollback, Claims, DualRunner, MemoryRecorder, MemoryStore, MigrationController, MigrationRegistry, Percentage,
    PerformanceMonitor, PlanDriver, RolloutPlan, Side, Structural, SystemMode,
};
use cutover_dashboard::Migration;
use serde::Serialize;
use tokio::time::{interval, sleep};

use crate::faults::Faults;
use crate::shop::{self, NoAnswer};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Begins all four, with their traffic. Those that people pay by are in a group, to be rolled back together.
pub(crate) async fn begin(faults: &Arc<Faults>) -> Result<(Vec<Migration>, MigrationRegistry)> {
    let registry = MigrationRegistry::new();
    let (price, invoice) = (price(faults, &registry).await?, invoice(faults, &registry).await?);
    Ok((vec![price, search(faults).await?, invoice, suggest(faults).await?], registry))
}

/// The parts that each of them has.
struct Move {
    store: MemoryStore,
    controller: MigrationController,
    monitor: Arc<PerformanceMonitor>,
    recorder: Arc<MemoryRecorder>,
}

impl Move {
    async fn open(id: &str) -> Result<Self> {
        let store = MemoryStore::new();
        let monitor = PerformanceMonitor::builder().tick(Duration::from_millis(500)).timeout(Duration::from_secs(3));
        let monitor = Arc::new(monitor.build()?);
        // What a real host checks here is whether the side can be reached.
        let well = || async { Ok::<(), BoxError>(()) };
        let schedule = || HealthSchedule::every(Duration::from_secs(2));
        let controller = MigrationController::builder(id, store.clone())
            .performance(Arc::clone(&monitor))
            .health_check(Side::Legacy, well, schedule())
            .health_check(Side::New, well, schedule())
            .open()
            .await?;
        Ok(Self { store, controller, monitor, recorder: Arc::new(MemoryRecorder::new()) })
    }

    /// The call site. The values of differences are shown, because those of this shop are no secrets.
    fn runner<T: Serialize + Clone + Send + 'static>(&self, name: &str) -> Arc<DualRunner<T, NoAnswer>> {
        let runner = DualRunner::builder(name, self.controller.clone()).comparator(Structural::new());
        let runner = runner.capture_json().capture_differences().observe(Arc::clone(&self.monitor));
        Arc::new(runner.record_to(Arc::clone(&self.recorder)).build())
    }

    fn evidence(&self) -> Arc<dyn Evidence> {
        Arc::<PerformanceMonitor>::clone(&self.monitor)
    }

    fn shown(&self) -> Migration {
        Migration::new(&self.controller).monitor(Arc::clone(&self.monitor)).recorder(Arc::clone(&self.recorder))
    }
}

/// Calls `call` with the numbers from 1 on, a hundred times a second.
fn traffic<F: Future<Output = ()> + Send + 'static>(call: impl Fn(u64) -> F + Send + 'static) {
    drop(tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(10));
        for number in 1.. {
            ticks.tick().await;
            drop(tokio::spawn(call(number)));
        }
    }));
}

fn quotes(of: &Move, name: &str, faults: &Arc<Faults>) {
    let (runner, faults) = (of.runner(name), Arc::clone(faults));
    traffic(move |order| {
        let (runner, faults) = (Arc::clone(&runner), Arc::clone(&faults));
        async move {
            let answer = runner.run(order, shop::legacy_quote(order), shop::new_quote(order, &faults)).await;
            drop(answer); // A customer would get it.
        }
    });
}

fn searches(of: &Move, name: &str, faults: &Arc<Faults>) {
    let (runner, faults) = (of.runner(name), Arc::clone(faults));
    traffic(move |number| {
        let (runner, faults) = (Arc::clone(&runner), Arc::clone(&faults));
        async move {
            let answer = runner.run(number, shop::legacy_search(number), shop::new_search(number, &faults)).await;
            drop(answer);
        }
    });
}

/// Follows a plan, whose steps last half a minute here and weeks in life.
async fn price(faults: &Arc<Faults>, registry: &MigrationRegistry) -> Result<Migration> {
    let price = Move::open("price").await?;
    registry.register(price.controller.clone(), &["checkout"])?;
    quotes(&price, "price", faults);
    let claims = Claims::new(&price.controller, price.store.clone(), "this process")?;
    let driver = PlanDriver::new(plan()?, &price.controller, claims.clone(), price.evidence(), Guard::default());
    let driver = driver.every(Duration::from_secs(1));
    let (driving, monitor) = (driver.clone(), Arc::clone(&price.monitor));
    drop(tokio::spawn(async move {
        // Legacy alone, until it is known what is slow.
        while monitor.baseline().is_none() {
            sleep(Duration::from_millis(250)).await;
        }
        // A plan that was rolled back can be restarted from the dashboard.
        loop {
            driving.look_once().await;
            sleep(Duration::from_secs(1)).await;
        }
    }));
    Ok(price.shown().plan(driver).claims(claims))
}

fn plan() -> Result<RolloutPlan> {
    let short = |step: Step| step.hold(Duration::from_secs(30)).min_samples(300);
    let compare = short(Step::parallel("compare")).gate([Criterion::Validation]);
    let tenth = short(Step::gradual("tenth", Percentage::new(10.0)?)).min_samples(100).gate([Criterion::Throughput]);
    let half =
        short(Step::gradual("half", Percentage::new(50.0)?)).approved_by_a_person().gate([Criterion::Throughput]);
    let all = short(Step::new_only("all")).approved_by_a_person();
    let all = all.reversibility(Reversibility::ForwardOnly).on_breach(OnBreach::Ask);
    Ok(RolloutPlan::builder("price-ramp").step(compare).step(tenth).step(half).step(all.without_gate()).build()?)
}

/// Was brought to 25 % by hand, and a guard watches it.
async fn search(faults: &Arc<Faults>) -> Result<Migration> {
    let search = Move::open("search").await?;
    searches(&search, "search", faults);
    let guard = AutoRollback::start(&search.controller, Guard::default(), search.evidence());
    let (controller, monitor) = (search.controller.clone(), Arc::clone(&search.monitor));
    drop(tokio::spawn(async move {
        while monitor.baseline().is_none() {
            sleep(Duration::from_millis(250)).await;
        }
        if let Err(error) = raise(&controller).await {
            println!("search stays where it is: {error}");
        }
    }));
    Ok(search.shown().guard(guard))
}

async fn raise(controller: &MigrationController) -> std::result::Result<(), cutover::ChangeError> {
    controller.transition(SystemMode::Parallel, "ana", "compare the index with what it replaces").await?;
    sleep(Duration::from_secs(5)).await;
    controller.transition(SystemMode::GradualRollout, "ana", "they agree").await?;
    controller.set_shadow_share(Some(Percentage::HUNDRED), "ana", "go on comparing").await?;
    controller.set_rollout(quarter(), "ben", "a quarter of the searches, before the weekend").await?;
    Ok(())
}

fn quarter() -> Percentage {
    Percentage::from_ppm(250_000).unwrap_or_default()
}

/// Has not begun yet.
async fn invoice(faults: &Arc<Faults>, registry: &MigrationRegistry) -> Result<Migration> {
    let invoice = Move::open("invoice-total").await?;
    registry.register(invoice.controller.clone(), &["checkout"])?;
    quotes(&invoice, "invoice-total", faults);
    Ok(invoice.shown())
}

/// Is through: new serves everybody. It also has items, one of which is stuck.
async fn suggest(faults: &Arc<Faults>) -> Result<Migration> {
    let suggest = Move::open("suggest").await?;
    let Move { controller, store, .. } = &suggest;
    controller.transition(SystemMode::Parallel, "cem", "compare").await?;
    controller.transition(SystemMode::GradualRollout, "cem", "a tenth").await?;
    controller.set_rollout(Percentage::new(10.0)?, "cem", "a tenth").await?;
    controller.transition(SystemMode::NewOnly, "dora", "two weeks without a complaint").await?;
    searches(&suggest, "suggest", faults);
    let status = controller.status();
    let expect = status.etag.map_or(Expect::Absent, |etag| Expect::Exact { epoch: status.epoch, etag });
    for (item, seconds, op_id) in [("catalogue/lamps", 600, 1), ("catalogue/mugs", 1, 2)] {
        let (item, holder, ttl) = (item.parse()?, "indexer 3".parse()?, Duration::from_secs(seconds));
        let request = ClaimRequest { item, side: Side::New, expect, holder, op_id, ttl };
        store.claim(controller.id(), &request).await?;
    }
    let claims = Claims::new(controller, store.clone(), "this process")?;
    Ok(suggest.shown().claims(claims))
}
