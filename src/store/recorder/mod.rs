//! [`StoreRecorder`]: discrepancies on their way to a [`DiscrepancyStore`].

mod builder;
mod drain;
mod queue;

pub use builder::StoreRecorderBuilder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{DiscrepancyStore, TextError};
use crate::handover::{FlushTimeout, HandoverCounts};
use crate::record::{Discrepancy, RecordError, Recorder, RecorderQueue};
use drain::Shared;

/// Keeps discrepancies in a [`DiscrepancyStore`], where all processes see them.
///
/// - Recording takes a short lock and never waits for the store.
/// - At most 1,024 discrepancies and 8 MiB wait, beside the batch that is being stored. Equal ones that wait become one.
///   What does not fit is dropped.
/// - A task on the injected runtime stores them in batches, one at a time: at most 100 of them, and no further one once
///   1 MiB is reached. It is spawned when something arrives, and ends when nothing waits.
/// - A store that is not available, or that does not answer before the deadline, is asked again, with pauses that grow up
///   to 30 s. A batch that it refuses or panics at is halved, until the one that is to blame is given up.
/// - All of them are [counted](Self::counts).
/// - When the recorder is dropped, what still waits is stored in the background. After ten failures in a row it is given
///   up.
///
/// A batch whose outcome is not known is stored again, so that its occurrences may be counted twice.
///
/// ```
/// use cutover::store::{DiscrepancyStore, MemoryStore, StoreRecorder};
/// use cutover::{DualRunner, Equality, Route, Side, SystemMode};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let store = MemoryStore::new();
/// let recorder = Arc::new(StoreRecorder::new("price", store.clone())?);
/// let both = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
/// let price = DualRunner::builder("price", both).comparator(Equality).record_to(Arc::clone(&recorder)).build();
/// assert_eq!(price.run_sync("order-17", || Ok::<_, String>(100), || Ok(99)), Ok(100));
///
/// price.flush(Duration::from_secs(5))?;
/// assert_eq!(recorder.counts().handed_over, 1);
/// # futures::executor::block_on(async {
/// assert_eq!(store.page(&"price".parse()?, None, 10).await?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StoreRecorder {
    shared: Arc<Shared>,
}

impl StoreRecorder {
    /// How many discrepancies may wait.
    pub const MAX_ENTRIES: usize = RecorderQueue::MAX_ENTRIES;
    /// How many bytes they may hold, by [`Discrepancy::size`].
    pub const MAX_BYTES: usize = RecorderQueue::MAX_BYTES;
    /// How many discrepancies one call of the store gets at most.
    pub const MAX_BATCH: usize = 100;

    /// A recorder of the migration `id`, with the defaults of [`builder`](Self::builder).
    ///
    /// # Errors
    /// [`TextError`] when the id is not one.
    pub fn new(id: impl AsRef<str>, store: impl DiscrepancyStore + 'static) -> Result<Self, TextError> {
        Self::builder(id, store).build()
    }

    /// Builds a recorder that keeps the discrepancies of the migration `id` in `store`.
    pub fn builder(id: impl AsRef<str>, store: impl DiscrepancyStore + 'static) -> StoreRecorderBuilder {
        StoreRecorderBuilder::new(id.as_ref(), Arc::new(store))
    }

    /// What became of everything recorded so far. What the store had no room for counts as dropped.
    #[must_use]
    pub fn counts(&self) -> HandoverCounts {
        self.shared.counts()
    }

    /// Blocks until everything recorded before is stored or given up, for at most `deadline` of real time: no injected
    /// clock moves it.
    ///
    /// Never call it on the only thread of the runtime that stores: nothing would be stored meanwhile. There,
    /// [`stored`](Self::stored) waits without blocking.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how many discrepancies still wait.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        Shared::start(&self.shared);
        self.shared.wait(deadline)
    }

    /// Completes when everything recorded before is stored or given up. It may take for ever, as the store may: limit it
    /// from outside.
    pub fn stored(&self) -> impl Future<Output = ()> + Send + use<> {
        Shared::start(&self.shared);
        let stored = self.shared.notify();
        async move {
            if let Some(stored) = stored {
                // The other end goes only when there is nothing to wait for any more.
                let _ = stored.await;
            }
        }
    }
}

impl Recorder for StoreRecorder {
    /// Takes the discrepancy, or merges it into an equal one that waits.
    ///
    /// # Errors
    /// [`RecordError`] when the queue is full. The discrepancy is dropped and counted.
    fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError> {
        let taken = self.shared.push(discrepancy);
        Shared::start(&self.shared);
        if taken { Ok(()) } else { Err(RecordError::new(Full)) }
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn has_room(&self) -> bool {
        self.shared.has_room()
    }

    fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        Self::flush(self, deadline)
    }
}

impl Drop for StoreRecorder {
    fn drop(&mut self) {
        self.shared.close();
        Shared::start(&self.shared);
    }
}

impl fmt::Debug for StoreRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreRecorder")
            .field("id", &self.shared.id().as_str())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the queue is full: at most {} discrepancies and {} bytes wait",
    StoreRecorder::MAX_ENTRIES,
    StoreRecorder::MAX_BYTES
)]
struct Full;
