//! [`Migration`]: what the dashboard shows of one migration, and through what it acts.

use std::fmt;
use std::sync::Arc;

use cutover::control::Claims;
use cutover::monitor::PerformanceMonitor;
use cutover::record::MemoryRecorder;
use cutover::store::{DiscrepancyStore, MigrationId, StoreError};
use cutover::{AutoRollback, MigrationController, PlanDriver};

/// One migration on a dashboard: its controller, and the parts that the host has beside it. What is left out is not shown.
///
/// ```
/// use cutover::{MemoryRecorder, MemoryStore, MigrationController, PerformanceMonitor};
/// use cutover_dashboard::Migration;
/// use std::sync::Arc;
///
/// # futures::executor::block_on(async {
/// let monitor = Arc::new(PerformanceMonitor::new());
/// let recorder = Arc::new(MemoryRecorder::new());
/// let controller =
///     MigrationController::builder("search", MemoryStore::new()).performance(monitor.clone()).open().await?;
/// let search = Migration::new(&controller).monitor(monitor).recorder(recorder);
/// # Ok::<(), cutover::control::OpenError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "it is shown by the dashboard that it is given to"]
pub struct Migration {
    pub(crate) controller: MigrationController,
    pub(crate) monitor: Option<Arc<PerformanceMonitor>>,
    pub(crate) guard: Option<AutoRollback>,
    pub(crate) plan: Option<PlanDriver>,
    pub(crate) discrepancies: Option<Discrepancies>,
    pub(crate) claims: Option<Claims>,
}

/// Where discrepancies are kept.
#[derive(Clone)]
pub(crate) enum Discrepancies {
    /// In this process.
    Memory(Arc<MemoryRecorder>),
    /// Where all processes see them.
    Store(Arc<dyn DiscrepancyStore>),
}

impl Discrepancies {
    /// How many there are, where that is known without waiting.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Memory(recorder) => Some(recorder.len()),
            Self::Store(_) => None,
        }
    }

    pub(crate) async fn clear(&self, id: &MigrationId) -> Result<(), StoreError> {
        match self {
            Self::Memory(recorder) => recorder.clear(),
            Self::Store(store) => store.clear(id).await?,
        }
        Ok(())
    }
}

impl Migration {
    /// The migration of `controller`.
    pub fn new(controller: &MigrationController) -> Self {
        let controller = controller.clone();
        Self { controller, monitor: None, guard: None, plan: None, discrepancies: None, claims: None }
    }

    /// Charts come from this monitor: it counts the calls of this process.
    pub fn monitor(self, monitor: Arc<PerformanceMonitor>) -> Self {
        Self { monitor: Some(monitor), ..self }
    }

    /// What this guard finds is shown.
    pub fn guard(self, guard: AutoRollback) -> Self {
        Self { guard: Some(guard), ..self }
    }

    /// The plan that this driver follows is shown with what its gates need and what its guard finds, and is operated through
    /// it.
    pub fn plan(self, driver: PlanDriver) -> Self {
        Self { plan: Some(driver), ..self }
    }

    /// The discrepancies of this process are shown: all that the recorder keeps. Give each migration one of its own.
    pub fn recorder(self, recorder: Arc<MemoryRecorder>) -> Self {
        Self { discrepancies: Some(Discrepancies::Memory(recorder)), ..self }
    }

    /// The discrepancies of all processes are shown. The last one named of this and [`recorder`](Self::recorder) holds.
    pub fn discrepancy_store(self, store: impl DiscrepancyStore + 'static) -> Self {
        Self { discrepancies: Some(Discrepancies::Store(Arc::new(store))), ..self }
    }

    /// Items that are stuck are shown, and any item can be looked up.
    pub fn claims(self, claims: Claims) -> Self {
        Self { claims: Some(claims), ..self }
    }

    pub(crate) fn id(&self) -> &MigrationId {
        self.controller.id()
    }
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration").field("id", self.id()).finish_non_exhaustive()
    }
}
