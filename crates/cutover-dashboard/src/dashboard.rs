//! [`Dashboard`].

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use cutover::{Clock, MigrationRegistry, SystemClock};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::error::DashboardError;
use crate::origin::Origin;
use crate::rate::Limits;
use crate::respond::refuse;
use crate::state::{STREAMS, State, VERIFICATIONS, Watched};
use crate::view::Problem;
use crate::{Authorizer, Migration, api, gate, live, pages, tasks};

/// Builds the dashboard's router: pages for people and a JSON API, which the host mounts where it likes.
///
/// ```
/// use axum::Router;
/// use cutover::{MemoryStore, MigrationController};
/// use cutover_dashboard::{Dashboard, Deny, Migration, Principal, Role};
/// use http::request::Parts;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let by_proxy = |request: &Parts| {
///     let user = request.headers.get("x-authenticated-user").and_then(|user| user.to_str().ok());
///     Principal::new(user.ok_or(Deny::Unauthenticated)?, Role::Operate).map_err(|_| Deny::Forbidden)
/// };
/// let search = MigrationController::open("search", MemoryStore::new()).await?;
/// let dashboard = Dashboard::new(by_proxy)
///     .origin("https://ops.example.com")
///     .migration(Migration::new(&search))
///     .router()?;
/// let app: Router = Router::new().nest_service("/cutover", dashboard);
/// # Ok(())
/// # }
/// ```
///
/// [`Router::nest`] and [`Router::merge`] do as well; with `nest`, axum leaves `/cutover/` with its slash to the host.
#[must_use = "it does nothing until its router is mounted"]
pub struct Dashboard {
    authorizer: Box<dyn Authorizer>,
    migrations: Vec<Migration>,
    registries: Vec<MigrationRegistry>,
    origin: Option<String>,
    base_path: Option<String>,
    sample_every: Duration,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    until: BoxFuture<'static, ()>,
}

impl Dashboard {
    /// A dashboard for those whom `authorizer` lets in. There is none without.
    pub fn new(authorizer: impl Authorizer + 'static) -> Self {
        Self {
            authorizer: Box::new(authorizer),
            migrations: Vec::new(),
            registries: Vec::new(),
            origin: None,
            base_path: None,
            sample_every: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            clock: Arc::new(SystemClock::new()),
            until: pending().boxed(),
        }
    }

    /// Shows a migration.
    pub fn migration(mut self, migration: Migration) -> Self {
        self.migrations.push(migration);
        self
    }

    /// Shows all migrations of the registry that are in it now, besides those that were given before: they have their
    /// controllers and nothing else. Its groups are shown with a switch for each, as they are when somebody looks or pulls it.
    pub fn registry(mut self, registry: &MigrationRegistry) -> Self {
        let controllers = registry.ids().into_iter().filter_map(|id| registry.get(id.as_str()));
        for controller in controllers {
            if !self.migrations.iter().any(|given| given.id() == controller.id()) {
                self.migrations.push(Migration::new(&controller));
            }
        }
        self.registries.push(registry.clone());
        self
    }

    /// Where the pages come from as browsers see it, such as `https://ops.example.com`. Browsers that do not say by
    /// `Sec-Fetch-Site` where a request comes from have to name this origin; without it, such requests change nothing.
    pub fn origin(self, origin: impl Into<String>) -> Self {
        Self { origin: Some(origin.into()), ..self }
    }

    /// What stands before the paths in links, such as `/cutover`, where a proxy strips it. Otherwise it is known from the
    /// request.
    pub fn base_path(self, base_path: impl Into<String>) -> Self {
        Self { base_path: Some(base_path.into()), ..self }
    }

    /// The time between two points of a chart: 1 s to 1 h, by default 5 s. 720 points are kept.
    pub fn sample_every(self, sample_every: Duration) -> Self {
        Self { sample_every, ..self }
    }

    /// How long a request may take: 1 s to 10 min, by default 10 s. Stores are waited for half as long, and for at most 5 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Where the time of day and the time between requests come from. Waiting is Tokio's.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Event streams end when `end` comes, so that a server that waits for its open connections can shut down. Otherwise they
    /// last for an hour, or as long as the router.
    pub fn until(self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { until: end.boxed(), ..self }
    }

    /// The router. Its background tasks end when it is dropped.
    ///
    /// # Errors
    /// [`DashboardError`] for the first thing that is wrong.
    pub fn router(mut self) -> Result<Router, DashboardError> {
        let runtime = Handle::try_current().map_err(|_| DashboardError::NoRuntime)?;
        let until = std::mem::replace(&mut self.until, pending().boxed());
        let state = Arc::new(self.state()?);
        drop(runtime.spawn(tasks::close(state.closing.clone(), Arc::downgrade(&state), until)));
        drop(runtime.spawn(tasks::sample(Arc::downgrade(&state), state.sample_every)));
        drop(runtime.spawn(tasks::ask(Arc::downgrade(&state))));
        let routes = routes(&state);
        let gated = move |request: Request| {
            let (state, routes, path) = (Arc::clone(&state), routes.clone(), request.uri().path().to_owned());
            async move { pages::written(&state, &path, gate::pass(Arc::clone(&state), routes, request).await) }
        };
        Ok(Router::new().fallback(gated))
    }

    fn state(self) -> Result<State, DashboardError> {
        self.check()?;
        let Self { authorizer, migrations, registries, origin, base_path, sample_every, timeout, clock, until: _ } =
            self;
        Ok(State {
            migrations: migrations.into_iter().map(Watched::new).collect(),
            registries,
            authorizer,
            origin: origin.as_deref().map(Origin::parse).transpose()?,
            base_path: base_path.map(|base| base.trim_end_matches('/').to_owned()),
            timeout,
            sample_every,
            limits: Limits::new(&clock),
            clock,
            streams: Arc::new(Semaphore::new(STREAMS)),
            verifications: Semaphore::new(VERIFICATIONS),
            closing: watch::Sender::new(false),
        })
    }

    fn check(&self) -> Result<(), DashboardError> {
        for (at, migration) in self.migrations.iter().enumerate() {
            if self.migrations.iter().take(at).any(|earlier| earlier.id() == migration.id()) {
                return Err(DashboardError::Twice { id: migration.id().clone() });
            }
        }
        let range = |what, time: Duration, longest: u64, allowed| {
            let allowed_times = Duration::from_secs(1)..=Duration::from_secs(longest);
            if allowed_times.contains(&time) { Ok(()) } else { Err(DashboardError::Time { what, allowed }) }
        };
        range("the time between two points", self.sample_every, 3_600, "1 s to 1 h")?;
        range("the timeout", self.timeout, 600, "1 s to 10 min")?;
        self.base_path.as_deref().map_or(Ok(()), check_base_path)
    }
}

fn check_base_path(path: &str) -> Result<(), DashboardError> {
    if gate::is_base(path) { Ok(()) } else { Err(DashboardError::BasePath) }
}

fn routes(state: &Arc<State>) -> Router {
    let known = api::routes().merge(live::routes());
    let unknown = || async { refuse(&Problem::not_found(), true) };
    let api = Router::new().route("/api/{*rest}", axum::routing::any(unknown));
    known.merge(api).merge(pages::handlers::routes()).with_state(Arc::clone(state))
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard").field("migrations", &self.migrations).finish_non_exhaustive()
    }
}
