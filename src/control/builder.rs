//! [`ControllerBuilder`].

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_channel::oneshot;

use super::MigrationController;
use super::error::OpenError;
use super::flight::Flights;
use super::follow::{Polling, follow};
use super::freshness::Freshness;
use super::health::{Checks, HealthCheck, HealthSchedule, Plan};
use super::inner::Inner;
use super::port::Port;
use super::routing::Routing;
use super::start::{Policies, Start, StartPolicy};
use crate::bucket::MissingKey;
use crate::clock::{Clock, SystemClock};
use crate::monitor::PerformanceMonitor;
use crate::observe::{Observer, Observers};
use crate::outcome::Side;
use crate::random::{RandomSource, SystemRandom};
use crate::runtime::{HostRuntime, Runtime};
use crate::store::{AuditKey, MigrationId, StateStore, TextError};

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
    polling: Option<Polling>,
    max_staleness: Option<Duration>,
    start_policies: Vec<StartPolicy>,
    audit_key: Option<AuditKey>,
    health: Plan,
    performance: Option<Arc<PerformanceMonitor>>,
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
            polling: Some(Polling::default()),
            max_staleness: None,
            start_policies: Vec::new(),
            audit_key: None,
            health: Plan::default(),
            performance: None,
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

    /// Measures the two sides: the [status](super::MigrationStatus::performance) says what it finds, and it hears the events
    /// of the controller, such as health checks. The runners of the migration have to
    /// [tell](crate::dual::DualRunnerBuilder::observe) it of their calls. A later monitor takes the place of an earlier one
    /// in the status. The default is none.
    ///
    /// ```
    /// use cutover::{DualRunner, Equality, MemoryStore, MigrationController, PerformanceMonitor};
    /// use std::sync::Arc;
    ///
    /// # futures::executor::block_on(async {
    /// let monitor = Arc::new(PerformanceMonitor::new());
    /// let prices = MigrationController::builder("prices", MemoryStore::new()).performance(monitor.clone()).open().await?;
    /// let price = DualRunner::<u32, ()>::builder("price", prices.clone()).comparator(Equality).observe(monitor).build();
    /// price.run_sync("order-17", || Ok(100), || Ok(99));
    /// assert_eq!(prices.status().performance.map(|found| found.success_rate_change), Some(None)); // no tick is closed yet
    /// # Ok::<(), cutover::control::OpenError>(())
    /// # }).unwrap();
    /// ```
    pub fn performance(self, monitor: Arc<PerformanceMonitor>) -> Self {
        let builder = self.observe(Arc::clone(&monitor));
        Self { performance: Some(monitor), ..builder }
    }

    /// How often the store is read for changes of others, longer or shorter by up to a fifth, so that processes do not
    /// read together. The default is 10 s, the shortest 10 ms.
    ///
    /// A store that [wakes](StateStore::watch) its watchers is also read when it does, within a tenth of a second. Wake-ups
    /// get lost; the interval is what can be relied upon.
    pub fn poll_interval(self, interval: Duration) -> Self {
        Self { polling: Some(Polling::every(interval)), ..self }
    }

    /// Neither polls nor watches: changes of others are seen with each change of one's own and with each
    /// [`refresh`](MigrationController::refresh). For tests, and for programs that end soon.
    pub fn manual_refresh(self) -> Self {
        Self { polling: None, ..self }
    }

    /// After how long without an answer of the store the [status](super::MigrationStatus::stale) is stale. The default is
    /// three polling intervals. A failed call makes it stale at once.
    pub fn max_staleness(self, longest: Duration) -> Self {
        Self { max_staleness: Some(longest), ..self }
    }

    /// What holds if the store gives no record that is understood while the controller opens. May be called several times:
    /// the policies are tried in that order. Without one, or after the last one, opening fails.
    ///
    /// ```
    /// # use cutover::control::StartPolicy;
    /// # use cutover::{MemoryStore, MigrationController, SystemMode};
    /// # use std::time::Duration;
    /// # futures::executor::block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("search.json");
    /// let search = MigrationController::builder("search", MemoryStore::new())
    ///     .on_unreachable(StartPolicy::LastKnownGood { file, max_age: Duration::from_secs(3600) })
    ///     .on_unreachable(StartPolicy::Assume(SystemMode::NewOnly)) // the cut-over was last month
    ///     .open()
    ///     .await?;
    /// assert_eq!(search.mode(), SystemMode::LegacyOnly); // the store answers: this is a new migration
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn on_unreachable(mut self, policy: StartPolicy) -> Self {
        self.start_policies.push(policy);
        self
    }

    /// The secret that the audit is hashed and [verified](MigrationController::verify) with; all processes need the same.
    /// Without one, the hashes find accidents, but whoever can write to the store can make them anew.
    ///
    /// Use it from the first change on. An entry that was written without it, or with another one, is
    /// [`Altered`](crate::store::AuditProblem::Altered) for whoever verifies with it, and no entry is ever hashed anew.
    pub fn audit_key(self, key: AuditKey) -> Self {
        Self { audit_key: Some(key), ..self }
    }

    /// Reads the stored state once, begins to route by it, and follows it in the background. With nothing stored that is
    /// legacy only, at 0 %.
    ///
    /// Following goes on on the runtime on which this is called, and ends with the last handle.
    ///
    /// # Errors
    /// [`OpenError`] when the id is not one, or when the store does not answer with a record that this version knows and no
    /// [policy](Self::on_unreachable) says what to do then: it is not known who has to serve, and no mode is assumed.
    pub async fn open(self) -> Result<MigrationController, OpenError> {
        let runtime = self.runtime.unwrap_or_else(|| Arc::new(HostRuntime));
        let port = Port { id: self.id?, store: self.store, runtime, deadline: self.store_deadline };
        let health = self.health.checks(&port.runtime, &self.clock, &self.random);
        let policies = Policies::new(&self.start_policies, &port.id)?;
        let Start { known, emergency } = policies.start(&port, &*self.clock).await?;
        let (alive, gone) = oneshot::channel();
        let interval = self.polling.unwrap_or_default().interval;
        let max_staleness = self.max_staleness.unwrap_or_else(|| interval.saturating_mul(3));
        let inner = Arc::new(Inner {
            routing: Routing::new(port.id.as_str(), self.missing_key, Arc::clone(&self.random), known.snapshot()),
            keeper: policies.keeper(),
            audit_key: self.audit_key.map(|key| key.of(&port.id)),
            freshness: Freshness::new(&known, max_staleness),
            max_staleness,
            port,
            clock: self.clock,
            random: self.random,
            observers: self.observers,
            performance: self.performance,
            known: Mutex::new(known),
            flights: Flights::default(),
            _alive: alive,
            health,
        });
        inner.begin(emergency).await;
        if let Some(polling) = self.polling {
            follow(&inner, polling, gone);
        }
        Checks::start(&inner);
        Ok(MigrationController { inner })
    }
}

impl fmt::Debug for ControllerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerBuilder").field("id", &self.id).finish_non_exhaustive()
    }
}
