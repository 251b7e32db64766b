//! Half an hour of a shop, played in virtual time: one migration is rolled back by its guard, one waits for a person, one is
//! through and one has not begun.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cutover::control::{BoxError, HealthSchedule};
use cutover::guard::{Criterion, Guard};
use cutover::monitor::Evidence;
use cutover::observe::Sample;
use cutover::plan::{OnBreach, Reversibility, Step};
use cutover::testing::ManualClock;
use cutover::{
    AutoRollback, Claims, MemoryRecorder, MemoryStore, MigrationController, Outcome, PerformanceMonitor, PlanDriver,
    RolloutPlan, Side, SystemMode, Verdict,
};
use cutover_dashboard::Migration;
use tokio::task::JoinHandle;

use crate::stage::{differ, percent, serve, signed_in, stuck};

pub(crate) struct Played {
    pub(crate) url: String,
    server: JoinHandle<()>,
}

impl Drop for Played {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A migration with its traffic.
struct Part {
    controller: MigrationController,
    monitor: Arc<PerformanceMonitor>,
    recorder: Arc<MemoryRecorder>,
    store: MemoryStore,
}

/// One round of the play.
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: u64 = 360;
const CALLS: u64 = 100;
/// From this round on new fails one call in four.
const BREAKS: u64 = 345;

impl Played {
    pub(crate) async fn play() -> Self {
        let clock = ManualClock::new();
        clock.set_wall(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_175_000));
        let search = Part::open("search", &clock).await;
        let price = Part::open("price", &clock).await;
        let suggest = Part::open("suggest", &clock).await;
        let invoice = Part::open("invoice-total", &clock).await;
        let guard = AutoRollback::start(&search.controller, Guard::default(), search.evidence());
        let claims = Claims::new(&price.controller, price.store.clone(), "this host").unwrap();
        let driver = PlanDriver::new(plan(), &price.controller, claims, price.evidence(), Guard::default());
        let parts = [&search, &price, &suggest, &invoice];
        through(&suggest.controller).await;
        stuck(&suggest.store, &suggest.controller, "catalogue/mugs").await;
        let found = Claims::new(&suggest.controller, suggest.store.clone(), "this host").unwrap();

        let dashboard = signed_in()
            .migration(search.shown().guard(guard))
            .migration(price.shown().plan(driver.clone()))
            .migration(suggest.shown().claims(found))
            .migration(invoice.shown())
            .sample_every(ROUND)
            .clock(clock.clone());
        let (url, server) = serve(dashboard).await;
        for round in 0..ROUNDS {
            by_hand(&search, round).await;
            if round > 30 {
                driver.look_once().await;
            }
            for (number, part) in parts.iter().enumerate() {
                part.calls(round, number == 0 && round >= BREAKS);
            }
            for _ in 0..ROUND.as_secs() {
                clock.advance(Duration::from_secs(1));
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        }
        Self { url, server }
    }
}

/// What people do with `search`.
async fn by_hand(search: &Part, round: u64) {
    let controller = &search.controller;
    match round {
        40 => {
            controller
                .transition(SystemMode::Parallel, "ana", "compare the index with what it replaces")
                .await
                .unwrap();
            differ(controller, &search.recorder, &search.monitor, "search").await;
        }
        130 => {
            controller.transition(SystemMode::GradualRollout, "ana", "they agree").await.unwrap();
            controller.set_rollout(percent(10.0), "ana", "a tenth").await.unwrap();
        }
        230 => drop(controller.set_rollout(percent(25.0), "ben", "a quarter, before the weekend").await.unwrap()),
        _ => {}
    }
}

async fn through(suggest: &MigrationController) {
    suggest.transition(SystemMode::Parallel, "cem", "compare").await.unwrap();
    suggest.transition(SystemMode::NewOnly, "dora", "two weeks without a complaint").await.unwrap();
}

fn plan() -> RolloutPlan {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let gate = [Criterion::Throughput];
    let gradual = |name: &str, share: f64| Step::gradual(name, percent(share)).min_samples(200).gate(gate);
    let compare = Step::parallel("compare").hold(minutes(6)).min_samples(1_000).gate([Criterion::Validation]);
    let half = gradual("half", 50.0).hold(minutes(30)).approved_by_a_person();
    let all = Step::new_only("all").approved_by_a_person().reversibility(Reversibility::ForwardOnly);
    let all = all.on_breach(OnBreach::Ask).without_gate();
    let tenth = gradual("tenth", 10.0).hold(minutes(5));
    RolloutPlan::builder("price-ramp").step(compare).step(tenth).step(half).step(all).build().unwrap()
}

impl Part {
    async fn open(id: &str, clock: &ManualClock) -> Self {
        let store = MemoryStore::new();
        let monitor = PerformanceMonitor::builder().tick(Duration::from_secs(1)).timeout(Duration::from_secs(3));
        let monitor = Arc::new(monitor.clock(clock.clone()).build().unwrap());
        let well = || async { Ok::<(), BoxError>(()) };
        let controller = MigrationController::builder(id, store.clone()).clock(clock.clone());
        let controller = controller
            .performance(Arc::clone(&monitor))
            .health_check(Side::Legacy, well, HealthSchedule::default())
            .health_check(Side::New, well, HealthSchedule::default());
        let controller = controller.max_staleness(Duration::from_secs(86_400)).open().await.unwrap();
        Self { controller, monitor, recorder: Arc::new(MemoryRecorder::new()), store }
    }

    fn evidence(&self) -> Arc<dyn Evidence> {
        Arc::<PerformanceMonitor>::clone(&self.monitor)
    }

    fn shown(&self) -> Migration {
        Migration::new(&self.controller).monitor(Arc::clone(&self.monitor)).recorder(Arc::clone(&self.recorder))
    }

    fn calls(&self, round: u64, broken: bool) {
        for call in 0..CALLS {
            let key = round * CALLS + call;
            let route = self.controller.route(key);
            let draw = mixed(key);
            let legacy = Sample::new(Side::Legacy, Outcome::Ok, millis(8 + draw % 6 + tail(draw)));
            let fails = broken && draw.is_multiple_of(4);
            let outcome = if fails { Outcome::Err } else { Outcome::Ok };
            let new = Sample::new(Side::New, outcome, millis(5 + draw % 4 + tail(draw >> 8)));
            match (route.running_shadow().is_some(), route.serve) {
                (true, _) => {
                    let verdict = if draw.is_multiple_of(60) { Verdict::Mismatched } else { Verdict::Matched };
                    self.monitor.record_pair(&route, &legacy, &new, verdict);
                }
                (false, Side::Legacy) => self.monitor.record(&route, &legacy),
                (false, Side::New) => self.monitor.record(&route, &new),
            }
        }
    }
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// One call in twelve takes longer.
fn tail(draw: u64) -> u64 {
    if draw.is_multiple_of(12) { (draw >> 24) % 9 } else { 0 }
}

fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^= mixed >> 29;
    mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}
