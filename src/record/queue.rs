//! [`RecorderQueue`]: lets nobody wait for a slow recorder.

use std::fmt;
use std::time::Duration;

use super::{Discrepancy, Fingerprint, RecordError, Recorder};
use crate::handover::{FlushTimeout, Handover, HandoverCounts, Limits, Parcel};

/// Stands in front of a recorder that may block, and calls it from a thread of its own.
///
/// - Recording never waits for the recorder: it takes a short lock.
/// - At most 1,024 discrepancies and 8 MiB wait. Equal ones that wait become one. What does not fit is dropped.
/// - All of them are [counted](Self::counts), and so are the errors and panics of the recorder, which end here.
/// - The thread starts with the first discrepancy. When the queue is dropped, the thread hands over what still waits and
///   ends; nobody waits for it, also where the recorder never returns.
///
/// ```
/// use cutover::Recorder;
/// use cutover::record::{MemoryRecorder, RecorderQueue};
/// use std::time::Duration;
/// # #[cfg(feature = "testing")] {
/// # let discrepancy = cutover::testing::discrepancy("search", 1);
///
/// let queue = RecorderQueue::new(MemoryRecorder::new());
/// queue.record(discrepancy)?;
/// queue.flush(Duration::from_secs(5))?;
/// assert_eq!(queue.counts().handed_over, 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RecorderQueue {
    handover: Handover<Discrepancy>,
}

impl RecorderQueue {
    /// How many discrepancies may wait.
    pub const MAX_ENTRIES: usize = 1_024;
    /// How many bytes they may hold, by [`Discrepancy::size`].
    pub const MAX_BYTES: usize = 8 * 1024 * 1024;

    /// A queue in front of `recorder`.
    #[must_use]
    pub fn new(recorder: impl Recorder + 'static) -> Self {
        Self::with_receiver("cutover-recorder", move |discrepancy| recorder.record(discrepancy).is_ok())
    }

    pub(super) fn with_receiver(name: &'static str, receive: impl FnMut(Discrepancy) -> bool + Send + 'static) -> Self {
        let limits = Limits { entries: Self::MAX_ENTRIES, bytes: Self::MAX_BYTES };
        Self { handover: Handover::new(name, limits, receive) }
    }

    /// As [`record`](Recorder::record), but says only whether the discrepancy was taken.
    #[expect(clippy::must_use_candidate, reason = "what is not taken is counted in any case")]
    pub fn push(&self, discrepancy: Discrepancy) -> bool {
        self.handover.push(discrepancy)
    }

    /// What became of everything recorded so far.
    #[must_use]
    pub fn counts(&self) -> HandoverCounts {
        self.handover.counts()
    }

    /// Blocks until everything recorded before is handed over, for at most `deadline`. That is real time: no injected
    /// clock moves it. Never call it from the recorder itself.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how many discrepancies still wait.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        self.handover.flush(deadline)
    }
}

impl Recorder for RecorderQueue {
    /// Takes the discrepancy, or merges it into an equal one that waits.
    ///
    /// # Errors
    /// [`RecordError`] when the queue is full. The discrepancy is dropped and counted.
    fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError> {
        if self.push(discrepancy) { Ok(()) } else { Err(RecordError::new(Full)) }
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn has_room(&self) -> bool {
        self.handover.has_room()
    }

    fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        self.handover.flush(deadline)
    }
}

impl fmt::Debug for RecorderQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderQueue").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the queue is full: at most {} discrepancies and {} bytes wait",
    RecorderQueue::MAX_ENTRIES,
    RecorderQueue::MAX_BYTES
)]
struct Full;

impl Parcel for Discrepancy {
    type Label = Fingerprint;

    fn label(&self) -> Option<Fingerprint> {
        Some(self.fingerprint)
    }

    fn size(&self) -> usize {
        Self::size(self)
    }

    fn merge(&mut self, later: &Self) {
        Self::merge(self, later);
    }
}
