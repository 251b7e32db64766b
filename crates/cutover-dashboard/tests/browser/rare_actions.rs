//! What is asked for rarely: acknowledging, settling a doubt, and letting the guard begin anew.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::guard::Guard;
use cutover::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideCounts, SideFailures};
use cutover::plan::{OnBreach, Reversibility, Step};
use cutover::store::{AuditEntry, Change, ChangeKind, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::{
    AutoRollback, Claims, MemoryStore, MigrationController, PlanDriver, RolloutPlan, StateStore, StoreError, SystemMode,
};
use cutover_dashboard::Migration;

use crate::stage::{Stage, serve, signed_in};
use crate::window::Window;

/// So many calls of new have failed.
struct Failing(u64);

impl Evidence for Failing {
    fn counts(&self) -> PhaseCounts {
        let new = SideCounts { started: 400, failed: self.0, succeeded: 400 - self.0, ..SideCounts::default() };
        PhaseCounts { new, ..PhaseCounts::empty(2, SystemMode::NewOnly) }
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

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_back_is_acknowledged_with_the_name_typed() {
    let store = MemoryStore::new();
    let ledger = MigrationController::open("ledger", store.clone()).await.unwrap();
    let claims = Claims::new(&ledger, store, "this host").unwrap();
    let compare = Step::parallel("compare").hold(Duration::from_secs(3_600)).without_gate();
    let all = Step::new_only("all").reversibility(Reversibility::ForwardOnly).on_breach(OnBreach::Ask).without_gate();
    let plan = RolloutPlan::builder("short").step(compare).step(all).build().unwrap();
    let driver = PlanDriver::new(plan, &ledger, claims, Arc::new(Failing(0)), Guard::default());
    driver.look_once().await;
    driver.look_once().await;
    let (url, server) = serve(signed_in().migration(Migration::new(&ledger).plan(driver))).await;

    let otto = Window::at(&url, "otto", true).await;
    otto.go("/m/ledger").await;
    assert!(!otto.has("form[action$='/acknowledge']").await, "it takes the role override");
    otto.close().await;
    let window = Window::at(&url, "olga", true).await;
    window.go("/m/ledger").await;
    window.act("acknowledge", "", &[("reason", "I know"), ("confirm", "ledger")]).await;
    let entry = Stage::last(&ledger).await;
    assert_eq!((entry.kind, entry.actor.as_str()), (ChangeKind::Acknowledgement, "olga"));
    window.close().await;
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_that_has_acted_begins_anew() {
    let prices = MigrationController::open("prices", MemoryStore::new()).await.unwrap();
    for mode in [SystemMode::Parallel, SystemMode::NewOnly] {
        prices.transition(mode, "ana", "they agree").await.unwrap();
    }
    let guard = AutoRollback::start(&prices, Guard::default(), Arc::new(Failing(100)));
    let (url, server) = serve(signed_in().migration(Migration::new(&prices).guard(guard))).await;
    let window = Window::at(&url, "olga", true).await;
    window.go("/m/prices").await;
    window.appears(".title-row", "Emergency rollback").await;
    window.appears("[data-live=guard]", "Begin anew").await;
    window.act("begin-anew", "", &[("reason", "it was a bad deploy")]).await;
    let entry = Stage::last(&prices).await;
    assert_eq!((entry.actor.as_str(), entry.reason.as_str()), ("olga", "it was a bad deploy"));
    assert_eq!(entry.evidence.unwrap()["event"], "guard_begins_anew");
    window.close().await;
    server.abort();
}

/// A store that can be flushed.
#[derive(Clone, Default)]
struct Flushed(Arc<Mutex<MemoryStore>>);

impl Flushed {
    fn store(&self) -> MemoryStore {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl StateStore for Flushed {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.store().load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.store().compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.store().history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubt_is_an_alarm_and_is_settled_with_the_name_typed() {
    let store = Flushed::default();
    let search = MigrationController::builder("search", store.clone()).manual_refresh().open().await.unwrap();
    search.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    *store.0.lock().unwrap() = MemoryStore::new();
    search.refresh().await.unwrap();
    let (url, server) = serve(signed_in().migration(Migration::new(&search))).await;
    let window = Window::at(&url, "olga", true).await;
    window.go("").await;
    assert!(window.text(".tally").await.contains("1 in alarm"));
    assert!(window.client.title().await.unwrap().starts_with("(1!)"));
    window.go("/m/search").await;
    window.act("reconcile", "", &[("reason", "the cache was flushed"), ("confirm", "search")]).await;
    window.find("#notice[role=status]").await;
    let entry = Stage::last(&search).await;
    assert_eq!((entry.kind, entry.actor.as_str()), (ChangeKind::Reconciliation, "olga"));
    assert!(search.status().doubt.is_none());
    window.close().await;
    server.abort();
}
