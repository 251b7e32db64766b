//! [`ControllerBuilder`].

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::MigrationController;
use super::error::OpenError;
use super::health::{Checks, HealthCheck, HealthSchedule, Plan};
use super::inner::Inner;
use super::known::Known;
use super::port::Port;
use super::routing::Routing;
use crate::bucket::MissingKey;
use crate::clock::{Clock, SystemClock};
use crate::observe::{Observer, Observers};
use crate::outcome::Side;
use crate::random::{RandomSource, SystemRandom};
use crate::runtime::{HostRuntime, Runtime};
use crate::store::{MigrationId, StateStore, TextError};

/// Builds a [`MigrationController`]; every part has a default.
///
/// ```
/// use cutover::observe::Event;
/// use cutover::{MemoryStore, MigrationController, MissingKey, SystemMode};
/// use std::time::Duration;
///
/// # futures::executor::block_on(async {
/// let migration = MigrationController::builder("search.v2", MemoryStore::new())
///     .store_deadline(Duration::from_millis(500))
///     .missing_key(MissingKey::Random)
///     .observe(|migration: &str, event: &Event| println!("{migration}: {event:?}"))
///     .open()
///     .await?;
/// assert_eq!(migration.mode(), SystemMode::LegacyOnly);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "a builder does nothing until it opens"]
pub struct ControllerBuilder {
    id: Result<MigrationId, TextError>,
    store: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    runtime: Option<Arc<dyn Runtime>>,
    observers: Observers,
    missing_key: MissingKey,
    store_deadline: Duration,
    health: Plan,
}

impl ControllerBuilder {
    pub(super) fn new(id: &str, store: Arc<dyn StateStore>) -> Self {
        Self {
            id: id.parse(),
            store,
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            runtime: None,
            observers: Observers::new(),
            missing_key: MissingKey::default(),
            store_deadline: Duration::from_secs(2),
            health: Plan::default(),
        }
    }

    /// Where the times of changes come from. The default is [`SystemClock`].
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Where etags, operations, jitter and the buckets of keyless calls come from. The default is [`SystemRandom`].
    pub fn random(self, random: impl RandomSource + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// Who times the calls of the store, and stores emergencies in the background. The default is [`HostRuntime`]: the
    /// Tokio runtime of whoever calls, and a thread where there is none.
    ///
    /// A store that works inside Tokio only wants its runtime named here if an emergency may come from another thread.
    pub fn runtime(self, runtime: impl Runtime + 'static) -> Self {
        Self { runtime: Some(Arc::new(runtime)), ..self }
    }

    /// Hears [`Event::ModeChanged`](crate::observe::Event::ModeChanged) after the change holds; may be called several
    /// times. The default is nobody.
    pub fn observe(self, observer: impl Observer + 'static) -> Self {
        Self { observers: self.observers.with(observer), ..self }
    }

    /// What happens to calls without a key. The default is [`MissingKey::Legacy`].
    pub fn missing_key(self, policy: MissingKey) -> Self {
        Self { missing_key: policy, ..self }
    }

    /// How long one call of the store may take. The default is 2 s.
    pub fn store_deadline(self, deadline: Duration) -> Self {
        Self { store_deadline: deadline, ..self }
    }

    /// Checks `side` in the background by `schedule`, as long as there is a handle of the controller. One check per side:
    /// a later one takes the place of an earlier one. The default is none.
    ///
    /// ```
    /// use cutover::control::{BoxError, HealthSchedule};
    /// use cutover::{MemoryStore, MigrationController, Side};
    /// use std::time::Duration;
    ///
    /// # async fn ping() -> Result<(), BoxError> { Ok(()) }
    /// let builder = MigrationController::builder("search", MemoryStore::new())
    ///     .health_check(Side::New, || async { ping().await }, HealthSchedule::every(Duration::from_secs(30)));
    /// ```
    pub fn health_check(mut self, side: Side, check: impl HealthCheck + 'static, schedule: HealthSchedule) -> Self {
        self.health.set(side, Arc::new(check), schedule);
        self
    }

    /// Reads the stored state once and begins to route by it. With nothing stored that is legacy only, at 0 %.
    ///
    /// # Errors
    /// [`OpenError`] when the id is not one, or when the store does not answer with a record that this version knows. It
    /// is then not known who has to serve, and no mode is assumed.
    pub async fn open(self) -> Result<MigrationController, OpenError> {
        let Self { id, store, clock, random, runtime, observers, missing_key, store_deadline, health } = self;
        let runtime = runtime.unwrap_or_else(|| Arc::new(HostRuntime));
        let health = health.checks(&runtime, &clock, &random);
        let port = Port { id: id?, store, runtime, deadline: store_deadline };
        let known = Known::new(port.load().await?, clock.wall());
        let routing = Routing::new(port.id.as_str(), missing_key, Arc::clone(&random), known.snapshot());
        let inner = Inner { port, routing, clock, random, observers, known: Mutex::new(known), health };
        inner.read_recent().await;
        let inner = Arc::new(inner);
        Checks::start(&inner);
        Ok(MigrationController { inner })
    }
}

impl fmt::Debug for ControllerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerBuilder").field("id", &self.id).finish_non_exhaustive()
    }
}
