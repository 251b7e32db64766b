//! [`StoreRecorderBuilder`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::StoreRecorder;
use super::drain::{Parts, Shared};
use crate::random::{RandomSource, SystemRandom};
use crate::runtime::{HostRuntime, Runtime};
use crate::store::{DiscrepancyStore, MigrationId, TextError};

/// Builds a [`StoreRecorder`]; every part has a default.
///
/// ```
/// use cutover::store::{MemoryStore, StoreRecorder};
/// use std::time::Duration;
///
/// let builder = StoreRecorder::builder("price", MemoryStore::new()).store_deadline(Duration::from_millis(500));
/// let recorder = builder.build()?;
/// assert_eq!(recorder.counts().pending, 0);
/// # Ok::<(), cutover::store::TextError>(())
/// ```
#[must_use = "a builder does nothing until it builds"]
pub struct StoreRecorderBuilder {
    id: Result<MigrationId, TextError>,
    store: Arc<dyn DiscrepancyStore>,
    runtime: Arc<dyn Runtime>,
    random: Arc<dyn RandomSource>,
    store_deadline: Duration,
}

impl StoreRecorderBuilder {
    pub(super) fn new(id: &str, store: Arc<dyn DiscrepancyStore>) -> Self {
        Self {
            id: id.parse(),
            store,
            runtime: Arc::new(HostRuntime),
            random: Arc::new(SystemRandom),
            store_deadline: Duration::from_secs(2),
        }
    }

    /// Who runs the task that stores, and times the calls of the store. The default is [`HostRuntime`]: the Tokio runtime
    /// of whoever records, and a thread where there is none.
    ///
    /// A store that works inside Tokio only wants its runtime named here if discrepancies may come from other threads.
    pub fn runtime(self, runtime: impl Runtime + 'static) -> Self {
        Self { runtime: Arc::new(runtime), ..self }
    }

    /// Where the jitter of pauses comes from. The default is [`SystemRandom`].
    pub fn random(self, random: impl RandomSource + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// How long one call of the store may take. The default is 2 s.
    pub fn store_deadline(self, deadline: Duration) -> Self {
        Self { store_deadline: deadline, ..self }
    }

    /// The recorder.
    ///
    /// # Errors
    /// [`TextError`] when the id is not one.
    pub fn build(self) -> Result<StoreRecorder, TextError> {
        let Self { id, store, runtime, random, store_deadline } = self;
        let shared = Shared::new(Parts { id: id?, store, runtime, random, deadline: store_deadline });
        Ok(StoreRecorder { shared: Arc::new(shared) })
    }
}

impl fmt::Debug for StoreRecorderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreRecorderBuilder").field("id", &self.id).finish_non_exhaustive()
    }
}
