//! [`Discrepancy`] and the [`Recorder`]s that keep them: bounded, deduplicated, redacted.

mod capture;
mod discrepancy;
mod display;
mod json_lines;
mod memory;
mod queue;

pub use capture::{Capture, Captured};
pub use discrepancy::{Discrepancy, DiscrepancyKind, Fingerprint, SideRecord};
pub use json_lines::JsonLinesRecorder;
pub use memory::MemoryRecorder;
pub use queue::RecorderQueue;

use std::sync::Arc;
use std::time::Duration;

use crate::handover::FlushTimeout;

/// Keeps discrepancies.
///
/// A recorder that [never blocks](Self::never_blocks) is called where the discrepancy was found; any other is called
/// from a thread of its own behind a bounded, deduplicating queue, and what does not fit is dropped and counted.
/// Errors and panics are contained and counted.
///
/// ```
/// use cutover::record::{DiscrepancyKind, RecordError};
/// use cutover::{Discrepancy, DualRunner, Equality, Recorder, Route, Side, SystemMode};
/// use std::sync::mpsc::{SyncSender, sync_channel};
///
/// /// Hands discrepancies to whoever holds the other end.
/// struct Channel(SyncSender<Discrepancy>);
///
/// impl Recorder for Channel {
///     fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError> {
///         self.0.try_send(discrepancy).map_err(RecordError::new)
///     }
///
///     fn never_blocks(&self) -> bool {
///         true // a full channel is an error, and nobody waits
///     }
/// }
///
/// let (sender, receiver) = sync_channel(100);
/// let both = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
/// let price = DualRunner::builder("price", both).comparator(Equality).record_to(Channel(sender)).build();
/// assert_eq!(price.run_sync("order-17", || Ok::<_, String>(100), || Ok(99)), Ok(100));
/// assert_eq!(receiver.recv()?.kind, DiscrepancyKind::ValuesDiffer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Recorder: Send + Sync {
    /// Keeps one discrepancy, or merges it into one with the same fingerprint.
    ///
    /// # Errors
    /// [`RecordError`] when it could not be kept.
    fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError>;

    /// Whether [`record`](Self::record) returns without waiting for anything: no I/O, no lock that others hold long.
    /// The default is `false`.
    fn never_blocks(&self) -> bool {
        false
    }

    /// Whether another discrepancy would probably be kept, so that values that would be dropped are not captured.
    /// The default is `true`.
    fn has_room(&self) -> bool {
        true
    }

    /// Blocks until what was recorded before is where it belongs, for at most the deadline of real time: for shutting
    /// down. A runner asks recorders that never block. The default has nothing to wait for.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how many discrepancies still wait.
    fn flush(&self, _deadline: Duration) -> Result<(), FlushTimeout> {
        Ok(())
    }
}

impl<R: Recorder + ?Sized> Recorder for Arc<R> {
    fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError> {
        (**self).record(discrepancy)
    }

    fn never_blocks(&self) -> bool {
        (**self).never_blocks()
    }

    fn has_room(&self) -> bool {
        (**self).has_room()
    }

    fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        (**self).flush(deadline)
    }
}

/// A discrepancy was not kept. The cause is the source.
#[derive(Debug, thiserror::Error)]
#[error("the discrepancy was not kept")]
pub struct RecordError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl RecordError {
    /// An error with its cause, which may be a text.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}
