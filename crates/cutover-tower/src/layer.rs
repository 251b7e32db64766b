//! [`MigrationLayer`]: puts a new service beside each service that it wraps.

use std::fmt;
use std::sync::Arc;

use cutover::dual::DualRunnerBuilder;
use cutover::{BucketKey, Comparator, DualRunner, Router};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tower_layer::Layer;

use crate::counts::{Counters, RequestCounts};
use crate::head::mark;
use crate::shared::{Describe, Edit, FailsBy, Rule, Shared};
use crate::{HttpAnswer, HttpComparator, HttpFailure, MigrationService, RequestKey};

/// Puts a new service beside the one it wraps, which is legacy: a request goes to the side that serves, the other side
/// runs as its shadow, and the responses are compared.
///
/// Clones, and the services that they make, share one runner and count together.
///
/// ```
/// use axum::{Router, routing::get};
/// use cutover::{MemoryStore, MigrationController, Structural};
/// use cutover_tower::{HttpComparator, MigrationLayer, by_header};
/// use http::HeaderName;
/// use tower::Layer;
///
/// # futures::executor::block_on(async {
/// let new = Router::new().route("/price", get(|| async { "99" }));
/// let legacy = Router::new().route("/price", get(|| async { "100" }));
///
/// let controller = MigrationController::open("price", MemoryStore::new()).await?;
/// let layer = MigrationLayer::builder("price", controller, new)
///     .key(by_header(HeaderName::from_static("x-user")))
///     .comparator(HttpComparator::new().json(Structural::new().ignore("/took_ms")))
///     .build();
/// let service: Router = Router::new().fallback_service(layer.layer(legacy));
/// assert_eq!(layer.runner().counts().selected, 0);
/// # Ok::<(), cutover::control::OpenError>(())
/// # })?;
/// # Ok::<(), cutover::control::OpenError>(())
/// ```
pub struct MigrationLayer<N> {
    new: N,
    shared: Arc<Shared>,
}

impl<N> MigrationLayer<N> {
    /// Starts a layer. `name` stands in counts, discrepancies and the [header of shadows](crate::SHADOW_HEADER); `router`
    /// decides how each request runs: a controller, a flag, a closure or a fixed [`Route`](cutover::Route).
    pub fn builder(name: &str, router: impl Router + 'static, new: N) -> MigrationLayerBuilder<N> {
        MigrationLayerBuilder {
            name: name.to_owned(),
            router: Arc::new(router),
            new,
            key: Box::new(without_key),
            comparator: Box::new(HttpComparator::new()),
            configure: Box::new(|runner| runner),
            allows: Box::new(|head| head.method.is_safe()),
            edit: None,
            describe: None,
            fails_by: Box::new(|status, _| status.is_server_error()),
            limit: DEFAULT_LIMIT,
        }
    }

    /// The runner, for its counts and for flushing its recorder.
    #[must_use]
    pub fn runner(&self) -> &DualRunner<HttpAnswer, HttpFailure> {
        &self.shared.runner
    }

    /// Why requests had no shadow.
    #[must_use]
    pub fn request_counts(&self) -> RequestCounts {
        self.shared.counters.sum()
    }
}

/// 64 KiB.
const DEFAULT_LIMIT: usize = 64 * 1024;

const fn without_key(_: &Parts) -> BucketKey<'_> {
    BucketKey::Missing
}

impl<L, N: Clone> Layer<L> for MigrationLayer<N> {
    type Service = MigrationService<L, N>;

    fn layer(&self, legacy: L) -> Self::Service {
        MigrationService::new(legacy, self.new.clone(), Arc::clone(&self.shared))
    }
}

/// What a layer is made of; every part has a default.
#[must_use = "call `build` to get the layer"]
pub struct MigrationLayerBuilder<N> {
    name: String,
    router: Arc<dyn Router>,
    new: N,
    key: Box<dyn RequestKey>,
    comparator: Box<dyn Comparator<HttpAnswer>>,
    configure: Box<dyn FnOnce(Runner) -> Runner>,
    allows: Rule,
    edit: Option<Edit>,
    describe: Option<Describe>,
    fails_by: FailsBy,
    limit: usize,
}

type Runner = DualRunnerBuilder<HttpAnswer, HttpFailure>;

impl<N> MigrationLayerBuilder<N> {
    /// Whose request it is. Default: nobody's, so that the router's [`MissingKey`](cutover::MissingKey) decides.
    pub fn key(mut self, key: impl RequestKey + 'static) -> Self {
        self.key = Box::new(key);
        self
    }

    /// What decides whether two responses say the same. Default: [`HttpComparator::new`].
    pub fn comparator(mut self, comparator: impl Comparator<HttpAnswer> + 'static) -> Self {
        self.comparator = Box::new(comparator);
        self
    }

    /// Everything else about the runner: what shadows may cost, who records, who observes, what is captured, the clock
    /// and the runtime. Default: as the runner's own. Its `fallback` and `patience` have no say here.
    ///
    /// ```
    /// # use cutover::{MemoryRecorder, Percentage, Route, Side, SystemMode, dual::ShadowPolicy};
    /// # use cutover_tower::MigrationLayer;
    /// # let (router, new) = (Route::new(SystemMode::LegacyOnly, Side::Legacy), axum::Router::<()>::new());
    /// let recorder = std::sync::Arc::new(MemoryRecorder::new());
    /// let tenth = Percentage::new(10.0)?;
    /// let layer = MigrationLayer::builder("price", router, new)
    ///     .runner(move |runner| runner.shadow_policy(ShadowPolicy::new().sample(tenth)).record_to(recorder))
    ///     .build();
    /// # Ok::<(), cutover::PercentageError>(())
    /// ```
    pub fn runner(mut self, configure: impl FnOnce(Runner) -> Runner + 'static) -> Self {
        let before = self.configure;
        self.configure = Box::new(move |runner| configure(before(runner)));
        self
    }

    /// Which requests may have a shadow. Default: those with a safe method (GET, HEAD, OPTIONS, TRACE).
    ///
    /// A shadow does what the request says *a second time*. Allow another method only where both sides together may do so:
    /// where the request is idempotent *and* both sides write to the same place, or where the new side writes to a place of
    /// its own, or nowhere. Being idempotent (PUT, DELETE) is not enough when a later request may come between.
    ///
    /// The side that serves reads a body while its client sends it, the shadow has all of it at once. What the first one waits
    /// for its client is taken off its time, so that the two are timed alike; README.md says how.
    ///
    /// ```
    /// # use cutover::{Route, Side, SystemMode};
    /// # use cutover_tower::MigrationLayer;
    /// # let (router, new) = (Route::new(SystemMode::LegacyOnly, Side::Legacy), axum::Router::<()>::new());
    /// // Searches are sent by POST here, and change nothing.
    /// let layer = MigrationLayer::builder("search", router, new)
    ///     .shadow_when(|head| head.method.is_safe() || head.uri.path() == "/search")
    ///     .build();
    /// ```
    pub fn shadow_when(mut self, rule: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.allows = Box::new(rule);
        self
    }

    /// Changes the head of a shadow's request before it is sent, such as by taking credentials out. Default: as it is.
    ///
    /// It comes after headers of the connection were taken out, and before [`SHADOW_HEADER`](crate::SHADOW_HEADER) is set.
    /// A panic counts as one of the shadow.
    ///
    /// ```
    /// # use cutover::{Route, Side, SystemMode};
    /// # use cutover_tower::MigrationLayer;
    /// # let (router, new) = (Route::new(SystemMode::LegacyOnly, Side::Legacy), axum::Router::<()>::new());
    /// let layer = MigrationLayer::builder("search", router, new)
    ///     .edit_shadow(|head| {
    ///         head.headers.remove(http::header::AUTHORIZATION);
    ///     })
    ///     .build();
    /// ```
    pub fn edit_shadow(mut self, edit: impl Fn(&mut Parts) + Send + Sync + 'static) -> Self {
        self.edit = Some(Box::new(edit));
        self
    }

    /// What a discrepancy says about its request. Default: nothing.
    ///
    /// It runs only when there is something to record. A path may hold what must not be kept: say here what may be.
    pub fn describe(mut self, describe: impl Fn(&Parts) -> Value + Send + Sync + 'static) -> Self {
        self.describe = Some(Box::new(describe));
        self
    }

    /// Which responses count as failures of their side. Default: those with a status of 500 or more.
    ///
    /// A gRPC service that fails at once says so in a header:
    /// `|status, headers| status.is_server_error() || headers.get("grpc-status").is_some_and(|code| code != "0")`.
    pub fn failure(mut self, rule: impl Fn(StatusCode, &HeaderMap) -> bool + Send + Sync + 'static) -> Self {
        self.fails_by = Box::new(rule);
        self
    }

    /// How many bytes of a body are copied at most, of the request and of each response. Default: 64 KiB.
    ///
    /// A call with a shadow holds at most three times as much, and the policy's `max_in_flight` (1,024 by default) says how
    /// many of them there are at most: 192 MiB where all of them are full.
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// The layer.
    #[must_use]
    pub fn build(self) -> MigrationLayer<N> {
        let runner = DualRunner::builder(&self.name, self.router).comparator(Chosen(self.comparator));
        let shared = Shared {
            runner: (self.configure)(runner).build(),
            mark: mark(&self.name),
            key: self.key,
            allows: self.allows,
            edit: self.edit,
            describe: self.describe,
            fails_by: self.fails_by,
            limit: self.limit,
            counters: Counters::default(),
        };
        MigrationLayer { new: self.new, shared: Arc::new(shared) }
    }
}

/// A comparator whose type is forgotten.
struct Chosen(Box<dyn Comparator<HttpAnswer>>);

impl Comparator<HttpAnswer> for Chosen {
    fn compare(
        &self,
        legacy: &HttpAnswer,
        new: &HttpAnswer,
    ) -> Result<cutover::Comparison, cutover::compare::ComparatorError> {
        self.0.compare(legacy, new)
    }
}

impl<N: Clone> Clone for MigrationLayer<N> {
    fn clone(&self) -> Self {
        Self { new: self.new.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<N> fmt::Debug for MigrationLayer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationLayer").field("runner", &self.shared.runner).finish_non_exhaustive()
    }
}

impl<N> fmt::Debug for MigrationLayerBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationLayerBuilder")
            .field("name", &self.name)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
