//! What the tests of the dashboard share: two migrations on one router, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use cutover::plan::{OnBreach, Reversibility, RolloutPlan, Step};
use cutover::runtime::Runtime;
use cutover::testing::{FailingStore, ManualClock, discrepancy};
use cutover::{
    AutoRollback, Claims, Guard, MemoryRecorder, MemoryStore, MigrationController, MigrationRegistry, Percentage,
    PerformanceMonitor, PlanDriver, Recorder, SystemMode,
};
use cutover_dashboard::{Dashboard, Deny, Migration, Principal, Role};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::request::{Builder, Parts};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The Tokio runtime of the test, whose time is paused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestRuntime;

impl Runtime for TestRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}

pub(crate) type Store = FailingStore<MemoryStore>;

/// `search` has everything beside it, `cart` nothing but the group `shop`.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
    pub(crate) search: MigrationController,
    pub(crate) cart: MigrationController,
    pub(crate) monitor: Arc<PerformanceMonitor>,
    pub(crate) recorder: Arc<MemoryRecorder>,
    pub(crate) claims: Claims,
    pub(crate) driver: PlanDriver,
    pub(crate) router: Router,
}

/// The paths that can be read, each with a migration that is there.
pub(crate) const READ: [&str; 7] = [
    "/api/v1/migrations",
    "/api/v1/migrations/search",
    "/api/v1/migrations/search/series",
    "/api/v1/migrations/search/discrepancies",
    "/api/v1/migrations/search/discrepancies/00000000000000000000000000000001",
    "/api/v1/migrations/search/audit",
    "/api/v1/migrations/search/claims",
];

/// All commands, with a body that fits a migration of which nothing is stored.
pub(crate) fn commands() -> Vec<(&'static str, Value)> {
    let extra = [
        ("mode", json!({ "mode": "parallel" })),
        ("rollout", json!({ "percent": 10 })),
        ("shadow-share", json!({ "percent": 10 })),
        ("emergency", json!({})),
        ("approve", json!({ "step": "compare" })),
        ("acknowledge", json!({ "step": "all" })),
        ("pause", json!({})),
        ("resume", json!({})),
        ("restart", json!({})),
        ("abort", json!({})),
        ("reconcile", json!({})),
        ("clear-discrepancies", json!({})),
        ("begin-anew", json!({})),
    ];
    let common = json!({ "epoch": 0, "etag": "", "reason": "because", "confirm": "search" });
    extra.into_iter().map(|(name, extra)| (name, merged(&common, &extra))).collect()
}

pub(crate) fn merged(one: &Value, other: &Value) -> Value {
    let both = [one, other].into_iter().flat_map(|value| value.as_object().unwrap().clone());
    Value::Object(both.collect())
}

/// Lets those in who name themselves, with the role that they name.
pub(crate) fn by_header(parts: &Parts) -> Result<Principal, Deny> {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let role = match text("x-role") {
        Some("override") => Role::Override,
        Some("operate") => Role::Operate,
        _ => Role::View,
    };
    Principal::new(text("x-user").ok_or(Deny::Unauthenticated)?, role).map_err(|_| Deny::Forbidden)
}

pub(crate) fn plan() -> RolloutPlan {
    let minute = Duration::from_secs(60);
    RolloutPlan::builder("ramp")
        .step(Step::parallel("compare").hold(minute).approved_by_a_person())
        .step(Step::gradual("tenth", Percentage::new(10.0).unwrap()).hold(minute).approved_by_a_person())
        .step(Step::new_only("all").reversibility(Reversibility::ForwardOnly).on_breach(OnBreach::Ask))
        .build()
        .unwrap()
}

pub(crate) async fn open(
    id: &str,
    store: &Store,
    clock: &ManualClock,
    monitor: &Arc<PerformanceMonitor>,
) -> MigrationController {
    let builder = MigrationController::builder(id, store.clone()).runtime(TestRuntime).clock(clock.clone());
    builder.performance(Arc::clone(monitor)).open().await.unwrap()
}

pub(crate) fn monitor(clock: &ManualClock) -> Arc<PerformanceMonitor> {
    Arc::new(PerformanceMonitor::builder().clock(clock.clone()).build().unwrap())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|dashboard| dashboard).await
    }

    /// With a dashboard that is built further.
    pub(crate) async fn with(further: impl FnOnce(Dashboard) -> Dashboard) -> Self {
        let clock = ManualClock::new();
        let store = FailingStore::new(MemoryStore::with_clock(clock.clone()), TestRuntime);
        let monitor = monitor(&clock);
        let search = open("search", &store, &clock, &monitor).await;
        let cart = open("cart", &store, &clock, &self::monitor(&clock)).await;
        let claims = Claims::new(&search, store.clone(), "host 3").unwrap();
        let driver = PlanDriver::new(plan(), &search, claims.clone(), monitor.clone(), Guard::default());
        let recorder = Arc::new(MemoryRecorder::new());
        let migration = Migration::new(&search)
            .monitor(monitor.clone())
            .guard(AutoRollback::start(&search, Guard::default(), monitor.clone()))
            .plan(driver.clone())
            .recorder(recorder.clone())
            .claims(claims.clone());
        let dashboard =
            Dashboard::new(by_header).clock(clock.clone()).migration(migration).migration(Migration::new(&cart));
        let registry = MigrationRegistry::new();
        registry.register(cart.clone(), &["shop"]).unwrap();
        let router = further(dashboard.registry(&registry)).router().unwrap();
        Self { clock, store, search, cart, monitor, recorder, claims, driver, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        Reply::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Reads as somebody who may look.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(somebody("view", Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// Reads with a role.
    pub(crate) async fn get_as(&self, role: &str, path: &str) -> Reply {
        self.send(somebody(role, Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// Sends a command to the API.
    pub(crate) async fn post(&self, role: &str, path: &str, body: &Value) -> Reply {
        self.send(api(role, path).body(Body::from(body.to_string())).unwrap()).await
    }

    /// Sends a command for `search` with what is seen now.
    pub(crate) async fn command(&self, role: &str, name: &str, extra: &Value) -> Reply {
        let status = self.search.status();
        let etag = status.etag.map(|etag| format!("{etag:032x}")).unwrap_or_default();
        let common = json!({ "epoch": status.epoch, "etag": etag, "reason": "because", "confirm": "search" });
        self.post(role, &format!("/api/v1/migrations/search/{name}"), &merged(&common, extra)).await
    }

    /// What is stored about both migrations, which no refused request changes.
    pub(crate) async fn stored(&self) -> Value {
        let (search, cart) = (self.search.history(0, 200).await.unwrap(), self.cart.history(0, 200).await.unwrap());
        let modes = [self.search.mode(), self.cart.mode()];
        json!({ "search": search, "cart": cart, "modes": modes, "discrepancies": self.recorder.len() })
    }

    pub(crate) fn record_discrepancies(&self, numbers: impl IntoIterator<Item = u64>) {
        numbers.into_iter().for_each(|number| self.recorder.record(discrepancy("search", number)).unwrap());
    }

    pub(crate) async fn to(&self, mode: SystemMode) {
        self.search.transition(mode, "ana", "by hand").await.unwrap();
    }
}

/// A request of `ana` with a role.
pub(crate) fn somebody(role: &str, method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(path).header("x-user", "ana").header("x-role", role)
}

/// A request to the API that may change something.
pub(crate) fn api(role: &str, path: &str) -> Builder {
    somebody(role, Method::POST, path).header("content-type", "application/json").header("x-cutover-dashboard", "1")
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status.as_u16(), headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| Value::from(self.body.clone()))
    }

    /// The kind of the problem.
    pub(crate) fn problem(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }
}
