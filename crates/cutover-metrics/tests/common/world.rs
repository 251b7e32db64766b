//! A migration that is led through all modes while its calls end in all ways.

use std::collections::BTreeMap;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::control::{BoxError, HealthSchedule};
use cutover::dual::{Fallback, ShadowPolicy};
use cutover::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideCounts, SideFailures};
use cutover::observe::{Event, Sample};
use cutover::testing::{FailingStore, Fault, VirtualRuntime};
use cutover::{
    AutoRollback, Claims, Comparison, DualRunner, Guard, MemoryStore, MigrationController, Observer, Outcome,
    Percentage, Side, SystemMode,
};
use cutover_metrics::{MetricsObserver, Watch};
use futures::FutureExt;

use super::Exported;

pub(crate) type Runner = DualRunner<u32, &'static str>;

pub(crate) struct World {
    pub(crate) exported: Exported,
    pub(crate) metrics: MetricsObserver,
    pub(crate) runtime: VirtualRuntime,
    pub(crate) store: FailingStore<MemoryStore>,
    pub(crate) prices: MigrationController,
    /// Compares; its breaker opens after three faults.
    pub(crate) price: Runner,
    /// Falls back to legacy.
    pub(crate) careful: Runner,
    /// Runs at most half of the shadows, and none at a time.
    pub(crate) frugal: Runner,
    pub(crate) guard: AutoRollback,
    /// What the runners told somebody else.
    pub(crate) heard: Arc<Heard>,
    watches: Vec<Watch>,
}

/// How two sides end, for one call.
pub(crate) type Ends = (Outcome, Outcome);

impl World {
    pub(crate) fn new() -> Self {
        let exported = Exported::new();
        let metrics = exported.observer();
        let (runtime, heard) = (VirtualRuntime::new(), Arc::new(Heard::default()));
        let store = FailingStore::new(MemoryStore::new(), runtime.clone());
        let opened = MigrationController::builder("prices", store.clone())
            .runtime(runtime.clone())
            .clock(runtime.clock())
            .manual_refresh()
            .health_check(Side::Legacy, || async { Ok::<_, BoxError>(()) }, HealthSchedule::default())
            .health_check(Side::New, || async { Err::<(), BoxError>("down".into()) }, HealthSchedule::default())
            .observe(metrics.clone())
            .open();
        let migration = runtime.run(opened).unwrap();
        let built = |name: &str, policy, fallback| {
            Runner::builder(name, migration.clone())
                .comparator(compare)
                .observe(metrics.for_migration("prices"))
                .observe(Arc::clone(&heard))
                .shadow_policy(policy)
                .fallback(fallback)
                .clock(runtime.clock())
                .runtime(runtime.clone())
                .build()
        };
        let policy = ShadowPolicy::new();
        let guard = AutoRollback::start(&migration, Guard::default(), Arc::new(Steady));
        let looking = guard.clone();
        let watches =
            vec![metrics.observe_controller(&migration), metrics.observe_guard("prices", move || looking.report())];
        Self {
            price: built("price", policy.clone().breaker(3, Duration::from_secs(30)), Fallback::Never),
            careful: built("careful", policy.clone().without_breaker(), Fallback::ToLegacy),
            frugal: built("frugal", policy.sample(Percentage::new(50.0).unwrap()).max_in_flight(0), Fallback::Never),
            exported,
            metrics,
            runtime,
            store,
            prices: migration,
            guard,
            heard,
            watches,
        }
    }

    /// Everything happens that can be told of.
    pub(crate) fn live(&self) {
        self.traffic();
        for mode in [SystemMode::Parallel, SystemMode::GradualRollout, SystemMode::NewOnly] {
            self.enter(mode);
            self.traffic();
        }
        self.runtime.run(self.prices.check_health_now());
        self.break_the_store();
        self.runtime.run(self.prices.emergency_rollback("ben", "wrong totals"));
        self.traffic();
        self.enter(SystemMode::LegacyOnly);
        self.enter(SystemMode::Parallel);
        self.runtime.run_until_idle();
        self.claim();
    }

    /// Items are claimed, refused, completed, given back and left behind.
    fn claim(&self) {
        let claims = Claims::new(&self.prices, self.store.clone(), "a worker").unwrap();
        let epoch = self.prices.status().epoch;
        let claim = |item: &str, side| self.runtime.run(claims.claim(item, side, epoch, Duration::from_secs(30)));
        let [done, back, _left] = ["a", "b", "c"].map(|item| claim(item, Side::Legacy).unwrap());
        claim("a", Side::Legacy).unwrap_err();
        claim("d", Side::New).unwrap_err();
        self.runtime.run(done.complete()).unwrap();
        self.runtime.run(back.release()).unwrap();
        self.runtime.run(self.prices.transition(SystemMode::NewOnly, "", "nobody")).unwrap_err();
    }

    pub(crate) fn enter(&self, mode: SystemMode) {
        self.runtime.run(async {
            self.prices.transition(mode, "ana", "go on").await.unwrap();
            if mode == SystemMode::GradualRollout {
                self.prices.set_rollout(Percentage::new(50.0).unwrap(), "ana", "half").await.unwrap();
            }
            self.prices.set_shadow_share(Some(Percentage::new(87.5).unwrap()), "ana", "compare").await.unwrap();
        });
    }

    fn break_the_store(&self) {
        self.store.set_standing(Some(Fault::Unavailable));
        self.runtime.run(self.prices.refresh()).unwrap_err();
        self.store.heal();
        self.runtime.run(self.prices.refresh()).unwrap();
    }

    /// Calls of all runners, with every pair of outcomes.
    pub(crate) fn traffic(&self) {
        for runner in [&self.price, &self.careful, &self.frugal] {
            for (key, (legacy, new)) in (0..).zip(all_ends().cycle().take(60)) {
                self.call(runner, key, (legacy, new));
            }
            let inside = || runner.run_sync(7_u64, || Ok(1), || Ok(1));
            assert_eq!(runner.run_sync(8_u64, || Ok(1), inside), Ok(1));
            self.runtime.clock().advance(Duration::from_secs(31));
        }
    }

    /// One call, whose caller leaves after ten seconds.
    pub(crate) fn call(&self, runner: &Runner, key: u64, (legacy, new): Ends) {
        let sides = runner.call(key).run(self.side(legacy, 1), self.side(new, 1 + u32::try_from(key % 5).unwrap()));
        let leaves = cutover::Runtime::sleep(&self.runtime, Duration::from_secs(10));
        let both = async {
            futures::select_biased! {
                answer = Box::pin(sides).fuse() => Some(answer),
                () = leaves.fuse() => None,
            }
        };
        let _answer_or_panic = catch_unwind(AssertUnwindSafe(|| self.runtime.run(both)));
    }

    fn side(&self, ends: Outcome, value: u32) -> impl Future<Output = Result<u32, &'static str>> + Send + 'static {
        let takes = cutover::Runtime::sleep(&self.runtime, Duration::from_millis(10 * u64::from(value)));
        async move {
            takes.await;
            match ends {
                Outcome::Ok => Ok(value),
                Outcome::Err => Err("no"),
                Outcome::Panicked => resume_unwind(Box::new("planned")),
                Outcome::TimedOut | Outcome::Abandoned => pending().await,
            }
        }
    }
}

/// 1 is 1; 2 differs, 3 does not matter, and 4 breaks the comparator.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "comparators take references")]
fn compare(legacy: &u32, new: &u32) -> Comparison {
    match new {
        3 => Comparison::Ignored,
        4 => resume_unwind(Box::new("planned")),
        _ if legacy == new => Comparison::Match,
        _ => Comparison::Mismatch(Vec::new()),
    }
}

fn all_ends() -> impl Iterator<Item = Ends> + Clone {
    // Sides that answer come often, so that every comparison is made.
    let calm = [(Outcome::Ok, Outcome::Ok); 5];
    calm.into_iter().chain(Outcome::ALL.into_iter().flat_map(|legacy| Outcome::ALL.map(|new| (legacy, new))))
}

/// Counts what runners tell, by runner, role, side and outcome.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) calls: Mutex<BTreeMap<[String; 4], Vec<Duration>>>,
}

impl Heard {
    fn note(&self, runner: &str, role: &str, sample: &Sample) {
        let key = [runner, role, sample.side.name(), sample.outcome.name()].map(str::to_owned);
        self.calls.lock().unwrap().entry(key).or_default().push(sample.elapsed);
    }
}

impl Observer for Heard {
    fn observe(&self, source: &str, event: &Event) {
        if let Event::Served { sample, .. } = event {
            self.note(source, "serve", sample);
        }
        if let Event::Compared { route, legacy, new, fell_back, .. } = event {
            let (serves, other) = if route.serve == Side::Legacy { (legacy, new) } else { (new, legacy) };
            self.note(source, "serve", serves);
            self.note(source, if *fell_back { "fallback" } else { "shadow" }, other);
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// New fails once in a while.
pub(crate) struct Steady;

impl Evidence for Steady {
    fn counts(&self) -> PhaseCounts {
        let new = SideCounts { started: 400, failed: 4, succeeded: 396, ..SideCounts::default() };
        PhaseCounts { new, ..PhaseCounts::empty(9, SystemMode::Parallel) }
    }

    fn health_failures(&self) -> SideFailures {
        SideFailures::default()
    }

    fn mean_durations(&self) -> MeanDurations {
        MeanDurations::default()
    }

    fn baseline(&self) -> Option<Baseline> {
        None
    }

    fn latency_factors(&self) -> LatencyFactors {
        LatencyFactors::default()
    }
}
