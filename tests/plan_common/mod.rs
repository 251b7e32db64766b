//! What the tests of plans share: a migration in virtual time, and a judge that says what it is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::clock::Instant;
use cutover::control::ControllerBuilder;
use cutover::guard::{Action, Criterion, GuardReport, Present};
use cutover::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideFailures};
use cutover::plan::{Judge, RolloutPlan, Step};
use cutover::store::{
    AuditEntry, Change, ClaimError, ClaimRecord, ClaimRequest, ClaimStore, Expect, Grant, ItemId, MigrationId, Record,
    WakeUps, async_trait,
};
use cutover::testing::{SeededRandom, VirtualRuntime};
use cutover::{Claims, MemoryStore, MigrationController, Percentage, PlanDriver, StateStore, StoreError, SystemMode};
use serde_json::json;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// What a [`Scripted`] judge says.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) action: Option<Action>,
    pub(crate) proven: Vec<Criterion>,
    pub(crate) trials: u64,
    pub(crate) panics: bool,
    /// Whether it judges what held before the present step.
    pub(crate) late: bool,
    /// How often it was told to begin anew, and after how many phases it went on.
    pub(crate) begun_anew: u32,
    pub(crate) after: Option<u64>,
}

/// A judge that says what it is told, of whatever holds. Clones say the same.
#[derive(Debug, Clone)]
pub(crate) struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    /// Everything is proven.
    pub(crate) fn new() -> Self {
        let proven = Criterion::ALL.to_vec();
        let script =
            Script { action: None, proven, trials: 100_000, panics: false, late: false, begun_anew: 0, after: None };
        Self(Arc::new(Mutex::new(script)))
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.lock().unwrap());
    }

    pub(crate) fn script(&self) -> Script {
        self.0.lock().unwrap().clone()
    }
}

impl Judge for Scripted {
    fn look(&mut self, _: &dyn Evidence, present: Present, _: Instant) -> GuardReport {
        let script = self.script();
        assert!(!script.panics, "scripted");
        let criteria: Vec<_> = Criterion::ALL
            .into_iter()
            .map(|criterion| {
                let verdict = if script.proven.contains(&criterion) { "healthy" } else { "inconclusive" };
                json!({ "criterion": criterion, "verdict": verdict, "events": 0, "trials": script.trials,
                    "estimate": 0.0, "limit": 0.05, "ln_e": 9.0, "ln_threshold": 3.0, "lately_worse": false })
            })
            .collect();
        let report = json!({ "verdict": "healthy", "action": script.action, "epoch": present.epoch - u64::from(script.late),
            "mode": present.settings.mode, "rollout": present.settings.rollout, "phase": 1, "triggers": [],
            "criteria": criteria, "notes": [] });
        serde_json::from_value(report).unwrap()
    }

    fn begin_anew(&mut self) {
        self.set(|script| {
            script.begun_anew += 1;
            script.action = None;
        });
    }

    fn go_on_after(&mut self, phases: u64) {
        self.set(|script| script.after = Some(phases));
    }
}

/// Evidence that nobody reads but the driver itself: failed health checks of legacy.
#[derive(Debug, Default)]
pub(crate) struct Checks(pub(crate) Mutex<u32>);

impl Evidence for Checks {
    fn counts(&self) -> PhaseCounts {
        PhaseCounts::empty(0, SystemMode::LegacyOnly)
    }

    fn health_failures(&self) -> SideFailures {
        SideFailures { legacy: *self.0.lock().unwrap(), new: 0 }
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

/// Compare for an hour, then 10 %, 50 % and all for an hour each.
pub(crate) fn ramp() -> RolloutPlan {
    let gradual = |name: &str, share| Step::gradual(name, Percentage::new(share).unwrap()).hold(HOUR);
    RolloutPlan::builder("ramp")
        .step(Step::parallel("compare").hold(HOUR))
        .step(gradual("tenth", 10.0))
        .step(gradual("half", 50.0))
        .step(Step::new_only("all").hold(HOUR))
        .build()
        .unwrap()
}

pub(crate) fn builder(runtime: &VirtualRuntime, store: impl StateStore + 'static, seed: u64) -> ControllerBuilder {
    MigrationController::builder("search", store)
        .runtime(runtime.clone())
        .clock(runtime.clock())
        .random(SeededRandom::new(seed))
        .manual_refresh()
}

/// A process: a controller of its own, a driver, and what its judge says.
pub(crate) struct Process {
    pub(crate) controller: MigrationController,
    pub(crate) driver: PlanDriver,
    pub(crate) judge: Scripted,
    pub(crate) checks: Arc<Checks>,
}

impl Process {
    pub(crate) fn start(runtime: &VirtualRuntime, store: &(impl ClaimStore + Clone + 'static), seed: u64) -> Self {
        Self::of(runtime, store, seed, ramp())
    }

    pub(crate) fn of(
        runtime: &VirtualRuntime,
        store: &(impl ClaimStore + Clone + 'static),
        seed: u64,
        plan: RolloutPlan,
    ) -> Self {
        let controller = runtime.run(builder(runtime, store.clone(), seed).open()).unwrap();
        Self::with(controller, store, plan)
    }

    pub(crate) fn with(
        controller: MigrationController,
        store: &(impl ClaimStore + Clone + 'static),
        plan: RolloutPlan,
    ) -> Self {
        let claims = Claims::new(&controller, store.clone(), "a process").unwrap();
        let (judge, checks) = (Scripted::new(), Arc::new(Checks::default()));
        let evidence = Arc::clone(&checks) as Arc<dyn Evidence>;
        let driver = PlanDriver::new(plan, &controller, claims, evidence, judge.clone());
        Self { controller, driver, judge, checks }
    }
}

/// A store whose content can be exchanged, as a restore does.
#[derive(Clone)]
pub(crate) struct Exchangeable(Arc<Mutex<MemoryStore>>);

impl Exchangeable {
    pub(crate) fn new(store: MemoryStore) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    pub(crate) fn exchange(&self, other: MemoryStore) {
        *self.0.lock().unwrap() = other;
    }

    fn present(&self) -> MemoryStore {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl StateStore for Exchangeable {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.present().load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.present().compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.present().history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl ClaimStore for Exchangeable {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        self.present().claim(id, request).await
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        self.present().renew(id, item, token, ttl).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.present().complete(id, item, token).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.present().release(id, item, token).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        self.present().claimed(id, item).await
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        self.present().expired(id, limit).await
    }
}

/// The steps that the audit says were entered, in that order.
pub(crate) fn entered(audit: &[AuditEntry]) -> Vec<String> {
    let said = |entry: &AuditEntry| {
        let evidence = entry.evidence.as_ref()?;
        (evidence["event"] == "entered").then(|| evidence["step"].as_str().unwrap().to_owned())
    };
    audit.iter().filter_map(said).collect()
}

pub(crate) fn audit(runtime: &VirtualRuntime, store: &impl StateStore) -> Vec<AuditEntry> {
    runtime.run(store.history(&"search".parse().unwrap(), 0, 1000)).unwrap()
}
