//! A host with three migrations, on loopback.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cutover::guard::Guard;
use cutover::monitor::Evidence;
use cutover::plan::{OnBreach, Reversibility, Step};
use cutover::store::{AuditEntry, ClaimRequest, ClaimStore as _, Expect};
use cutover::{
    AutoRollback, Claims, DualRunner, MemoryRecorder, MemoryStore, MigrationController, MigrationRegistry, Percentage,
    PerformanceMonitor, PlanDriver, RolloutPlan, Side, Structural, SystemMode,
};
use cutover_dashboard::{Dashboard, Deny, Migration, Principal, Role};
use http::request::Parts;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Whoever signs in with a hostile name.
pub(crate) const HOSTILE: &str = "\"><img src=x onerror=alert(1)><script>alert(2)</script>\u{202e}";

pub(crate) struct Stage {
    /// Where the dashboard is.
    pub(crate) url: String,
    /// In gradual rollout at 25 %, with a guard, discrepancies and claims.
    pub(crate) search: MigrationController,
    pub(crate) recorder: Arc<MemoryRecorder>,
    /// Waits at the first step of its plan.
    pub(crate) price: MigrationController,
    pub(crate) driver: PlanDriver,
    /// Of which nothing was ever changed.
    pub(crate) fresh: MigrationController,
    server: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The cookie names the user.
fn authorize(request: &Parts) -> Result<Principal, Deny> {
    let cookie = request.headers.get("cookie").and_then(|cookie| cookie.to_str().ok());
    let (name, role) = match cookie.and_then(|cookie| cookie.strip_prefix("user=")) {
        Some("vera") => ("vera", Role::View),
        Some("otto") => ("otto", Role::Operate),
        Some("olga") => ("olga", Role::Override),
        Some("mallory") => (HOSTILE, Role::Override),
        _ => return Err(Deny::Unauthenticated),
    };
    Principal::new(name, role).map_err(|_| Deny::Forbidden)
}

impl Stage {
    pub(crate) async fn open() -> Self {
        let store = MemoryStore::new();
        let monitor = Arc::new(PerformanceMonitor::new());
        let recorder = Arc::new(MemoryRecorder::new());
        let search = MigrationController::builder("search", store.clone()).performance(Arc::clone(&monitor));
        let search = search.open().await.unwrap();
        search.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
        differ(&search, &recorder, &monitor, "search").await;
        search.transition(SystemMode::GradualRollout, "ana", "they agree").await.unwrap();
        search.set_rollout(percent(25.0), "ben", "a quarter").await.unwrap();
        stuck(&store, &search, "order 17").await;
        let evidence: Arc<dyn Evidence> = Arc::<PerformanceMonitor>::clone(&monitor);
        let guard = AutoRollback::start(&search, Guard::default(), Arc::clone(&evidence));
        let claims = Claims::new(&search, store.clone(), "this host").unwrap();

        let price = MigrationController::open("price", store.clone()).await.unwrap();
        let price_claims = Claims::new(&price, store.clone(), "this host").unwrap();
        let driver = PlanDriver::new(plan(), &price, price_claims, evidence, Guard::default());
        driver.look_once().await;
        driver.look_once().await;
        let fresh = MigrationController::open("fresh", store.clone()).await.unwrap();

        let shown = Migration::new(&search).monitor(monitor).guard(guard);
        let shown = shown.recorder(Arc::clone(&recorder)).claims(claims);
        let dashboard = Dashboard::new(authorize)
            .migration(shown)
            .migration(Migration::new(&price).plan(driver.clone()))
            .registry(&groups(&[&fresh, &price]))
            .sample_every(Duration::from_secs(1));
        let (url, server) = serve(dashboard).await;
        Self { url, search, recorder, price, driver, fresh, server }
    }

    /// The last entry of the audit of `migration`.
    pub(crate) async fn last(migration: &MigrationController) -> AuditEntry {
        migration.history(0, 200).await.unwrap().pop().unwrap()
    }
}

/// Serves a dashboard below `/ops`.
pub(crate) async fn serve(dashboard: Dashboard) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().nest("/ops", dashboard.origin(format!("http://{address}")).router().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (format!("http://{address}/ops"), server)
}

pub(crate) fn signed_in() -> Dashboard {
    Dashboard::new(authorize)
}

pub(crate) fn percent(percent: f64) -> Percentage {
    Percentage::new(percent).unwrap()
}

/// Both sides answer, and disagree about the second field.
pub(crate) async fn differ(
    controller: &MigrationController,
    recorder: &Arc<MemoryRecorder>,
    monitor: &Arc<PerformanceMonitor>,
    runner: &str,
) {
    let runner = DualRunner::<Value, String>::builder(runner, controller.clone())
        .comparator(Structural::new())
        .capture_json()
        .capture_differences()
        .capture_keys()
        .observe(Arc::clone(monitor))
        .record_to(Arc::clone(recorder))
        .build();
    for order in ["order 17", "order 18"] {
        let (legacy, new) = (json!({ "order": order, "total": 100 }), json!({ "order": order, "total": HOSTILE }));
        runner.run(order, async { Ok(legacy) }, async { Ok(new) }).await.unwrap();
    }
    runner.flush(Duration::from_secs(10)).unwrap();
}

/// Claims an item, whose holder is gone at once.
pub(crate) async fn stuck(store: &MemoryStore, controller: &MigrationController, item: &str) {
    let status = controller.status();
    let expect = Expect::Exact { epoch: status.epoch, etag: status.etag.unwrap() };
    let (item, holder) = (item.parse().unwrap(), HOSTILE.parse().unwrap());
    let request = ClaimRequest { item, side: Side::New, expect, holder, op_id: 1, ttl: Duration::from_millis(1) };
    store.claim(controller.id(), &request).await.unwrap();
}

/// A registry in which all of them are in the group `checkout`.
fn groups(members: &[&MigrationController]) -> MigrationRegistry {
    let registry = MigrationRegistry::new();
    for member in members {
        registry.register((*member).clone(), &["checkout"]).unwrap();
    }
    registry
}

fn plan() -> RolloutPlan {
    let compare = Step::parallel("compare").hold(Duration::from_secs(3_600)).without_gate();
    let half = Step::gradual("half", percent(50.0)).approved_by_a_person().without_gate();
    let all = Step::new_only("all").reversibility(Reversibility::ForwardOnly).on_breach(OnBreach::Ask).without_gate();
    RolloutPlan::builder("ramp").step(compare).step(half).step(all).build().unwrap()
}
