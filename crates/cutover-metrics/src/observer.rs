//! [`MetricsObserver`].

use std::fmt;
use std::sync::Arc;

use cutover::guard::GuardReport;
use cutover::observe::{Event, Observer, Sample};
use cutover::{MigrationController, MigrationRegistry, Side};
use opentelemetry::metrics::Meter;

use crate::migration::MigrationSeries;
use crate::names::Names;
use crate::series::{Role, RunnerSeries};
use crate::state::State;
use crate::watch::{Source, Watch};

/// Feeds a meter of the host with what runners and controllers tell, and with gauges of what it is shown.
///
/// Clones are handles on the same counts. Give one to every [runner](cutover::dual::DualRunnerBuilder::observe) and every
/// [controller](cutover::control::ControllerBuilder::observe). It hears neither keys nor starts, never waits for I/O, and
/// allocates nothing for an event of a name that it knows, whatever the SDK does.
///
/// Make one for each meter provider, and the provider first: a global meter that is asked for before there is a provider stays
/// silent. The provider keeps the counts for as long as it lives, also when all handles are gone.
///
/// ```
/// use cutover::{DualRunner, Equality, MemoryStore, MigrationController};
/// use cutover_metrics::MetricsObserver;
///
/// # futures::executor::block_on(async {
/// let metrics = MetricsObserver::new(&opentelemetry::global::meter("shop"));
/// let prices = MigrationController::builder("prices", MemoryStore::new()).observe(metrics.clone()).open().await?;
/// metrics.observe_controller(&prices).keep();
///
/// let price = DualRunner::builder("price", prices.clone())
///     .comparator(Equality)
///     .observe(metrics.for_migration("prices"))
///     .build();
/// assert_eq!(price.run_sync("order-17", || Ok::<_, String>(100), || Ok(99)), Ok(100));
/// # Ok::<(), cutover::control::OpenError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MetricsObserver {
    state: Arc<State>,
    /// The migration of the runners that tell this handle; else each is one of its own.
    migration: Option<Arc<str>>,
}

impl MetricsObserver {
    /// An observer that feeds `meter`, with the defaults of [`builder`](Self::builder).
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        Self::builder().build(meter)
    }

    /// Builds an observer.
    pub const fn builder() -> MetricsBuilder {
        MetricsBuilder { max_names: MetricsBuilder::MAX_NAMES }
    }

    /// A handle on the same counts for the runners of the migration `id`: what they tell stands under it. Without, the name
    /// of a runner is also taken for that of its migration.
    ///
    /// Controllers tell their ids themselves, whatever the handle.
    #[must_use]
    pub fn for_migration(&self, id: &str) -> Self {
        Self { migration: Some(id.into()), ..self.clone() }
    }

    /// Reads gauges from `controller` whenever the meter is asked, until the answer is dropped. Its
    /// [status](MigrationController::status) is read: the store is not asked.
    ///
    /// The watch does not keep the controller alive: its gauges end with its last handle. What the controller tells is counted
    /// only if it was [built](cutover::control::ControllerBuilder::observe) with this observer.
    pub fn observe_controller(&self, controller: &MigrationController) -> Watch {
        self.count_from_zero(controller.id().as_str());
        Watch::new(&self.state, Source::Controller(controller.downgrade()))
    }

    /// As [`observe_controller`](Self::observe_controller), for all that are in `registry` whenever the meter is asked. The
    /// registry is not kept alive either.
    pub fn observe_registry(&self, registry: &MigrationRegistry) -> Watch {
        registry.ids().iter().for_each(|id| self.count_from_zero(id.as_str()));
        Watch::new(&self.state, Source::Registry(registry.downgrade()))
    }

    /// Reads what a guard of the migration `id` found last, whenever the meter is asked, until the answer is dropped.
    ///
    /// What `report` holds is held for as long. A driver holds its controller, which holds this observer: give the
    /// [reports](cutover::PlanDriver::reports) of a driver, and not the driver.
    ///
    /// ```
    /// # use cutover::{AutoRollback, PlanDriver};
    /// # use cutover_metrics::{MetricsObserver, Watch};
    /// # fn watch(metrics: &MetricsObserver, rollback: AutoRollback, driver: PlanDriver) -> [Watch; 2] {
    /// let guarding = metrics.observe_guard("prices", move || rollback.report());
    /// let reports = driver.reports();
    /// let driving = metrics.observe_guard("search", move || reports()?.guard);
    /// # [guarding, driving] }
    /// ```
    pub fn observe_guard(&self, id: &str, report: impl Fn() -> Option<GuardReport> + Send + Sync + 'static) -> Watch {
        Watch::new(&self.state, Source::Guard { migration: id.into(), report: Arc::new(report) })
    }

    /// Tells the counts of a migration before anything has happened, so that the first event is seen to be one more.
    fn count_from_zero(&self, id: &str) {
        let _known: Option<&MigrationSeries> = self.state.migrations.named(id, id);
    }

    #[inline]
    fn runner(&self, source: &str) -> &RunnerSeries {
        self.state.runners.get(self.migration.as_deref().unwrap_or(source), source)
    }

    fn migration(&self, source: &str) -> &MigrationSeries {
        self.state.migrations.get(source, source)
    }

    #[inline]
    fn ran(&self, series: &RunnerSeries, role: Role, sample: &Sample) {
        series.ran(role, sample.side, sample.outcome);
        if let Some(attributes) = series.duration(role, sample.side, sample.outcome) {
            self.state.durations.record(sample.elapsed.as_secs_f64(), attributes);
        }
    }
}

impl Observer for MetricsObserver {
    fn observe(&self, source: &str, event: &Event) {
        match *event {
            Event::Served { ref sample, .. } => self.ran(self.runner(source), Role::Serve, sample),
            Event::Compared { ref route, ref legacy, ref new, verdict, fell_back, .. } => {
                let series = self.runner(source);
                for sample in [legacy, new] {
                    self.ran(series, role(sample.side, route.serve, fell_back), sample);
                }
                series.compared(verdict, fell_back);
            }
            Event::Skipped { reason, .. } => self.runner(source).skipped(reason),
            Event::Fault { part } => self.runner(source).fault(part),
            Event::BreakerOpened { .. } => self.runner(source).breaker_opened(),
            Event::BreakerClosed => self.runner(source).breaker_closed(),
            Event::ModeChanged { to, .. } => self.migration(source).entered(to),
            Event::StoreLost => self.migration(source).store_lost(),
            Event::DoubtRaised { doubt } => self.migration(source).doubted(doubt),
            Event::HealthChecked { side, outcome, .. } => self.migration(source).checked(side, outcome.name()),
            Event::ChangeRefused { why } => self.migration(source).refused(why.name()),
            Event::PlanMoved { event, .. } => self.migration(source).plan_moved(event.name()),
            Event::Claimed { side } => self.migration(source).claimed(side),
            Event::NotClaimed { side, why } => self.migration(source).not_claimed(side, why.name()),
            Event::ClaimEnded { side, end } => self.migration(source).claim_ended(side, end.name()),
            Event::Started { .. } | Event::StoreBack | Event::DoubtSettled | _ => {}
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// What `side` ran for in a call that `serves` was to answer.
#[inline]
fn role(side: Side, serves: Side, fell_back: bool) -> Role {
    match (side == serves, fell_back) {
        (true, _) => Role::Serve,
        (false, true) => Role::Fallback,
        (false, false) => Role::Shadow,
    }
}

impl fmt::Debug for MetricsObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsObserver").field("migration", &self.migration).finish_non_exhaustive()
    }
}

/// Builds a [`MetricsObserver`]; every part has a default.
#[derive(Debug, Clone, Copy)]
#[must_use = "a builder does nothing until it builds"]
pub struct MetricsBuilder {
    max_names: usize,
}

impl MetricsBuilder {
    /// The number of names unless [`max_names`](Self::max_names) says another.
    const MAX_NAMES: usize = 64;

    /// For how many pairs of a migration and a runner there are series of their own, and for how many migrations. All later
    /// ones share the name `other`, and `cutover.metrics.unnamed` counts their events. At least 1 and at most 1,000; the
    /// default is 64.
    ///
    /// SDKs keep 2,000 series of a metric unless told otherwise, which is enough for 75 names in every state that there is.
    pub const fn max_names(mut self, names: usize) -> Self {
        self.max_names = match names {
            0 => 1,
            1..=1_000 => names,
            _ => 1_000,
        };
        self
    }

    /// The observer. It makes its instruments at once.
    #[must_use]
    pub fn build(self, meter: &Meter) -> MetricsObserver {
        MetricsObserver { state: State::start(meter, self.max_names), migration: None }
    }
}

const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<MetricsObserver>();
    shared::<Watch>();
    shared::<Names<RunnerSeries>>();
};
