//! Recorders that fail on request, and something for them to record.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use crate::compare::Difference;
use crate::lock::lock;
use crate::mode::SystemMode;
use crate::outcome::{Outcome, Side};
use crate::record::{Discrepancy, DiscrepancyKind, Fingerprint, RecordError, Recorder, SideRecord};

/// A discrepancy of `runner`: both sides returned `Ok`, and the values differ at `/field-{number}`. Each number has its
/// own fingerprint. No values are captured.
///
/// ```
/// use cutover::testing::discrepancy;
///
/// assert_eq!(discrepancy("search", 1), discrepancy("search", 1));
/// assert_ne!(discrepancy("search", 1).fingerprint, discrepancy("search", 2).fingerprint);
/// ```
#[must_use]
pub fn discrepancy(runner: &str, number: u64) -> Discrepancy {
    let side = SideRecord::new(Outcome::Ok, Duration::from_millis(1));
    let mut discrepancy = Discrepancy {
        fingerprint: Fingerprint::NONE,
        runner: runner.into(),
        kind: DiscrepancyKind::ValuesDiffer,
        differences_truncated: false,
        differences: vec![Difference::new(format!("/field-{number}"), None, None)],
        legacy: side.clone(),
        new: side,
        served: Side::Legacy,
        mode: SystemMode::Parallel,
        epoch: 1,
        key: None,
        context: None,
        occurrences: 1,
        first_seen: UNIX_EPOCH,
        last_seen: UNIX_EPOCH,
    };
    discrepancy.fingerprint = Fingerprint::of(&discrepancy);
    discrepancy
}

/// Panics at every discrepancy. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct PanickingRecorder {
    received: Arc<AtomicU64>,
}

impl PanickingRecorder {
    /// A recorder that panics.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many discrepancies it panicked at.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Acquire)
    }
}

impl Recorder for PanickingRecorder {
    /// # Panics
    /// Always.
    fn record(&self, _discrepancy: Discrepancy) -> Result<(), RecordError> {
        self.received.fetch_add(1, Ordering::AcqRel);
        #[expect(clippy::panic, reason = "that is what it is for")]
        {
            panic!("this recorder panics")
        }
    }
}

/// Blocks at every discrepancy until it is released. Clones are the same recorder.
#[derive(Clone, Default)]
pub struct StuckRecorder {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    received: u64,
    released: bool,
}

impl StuckRecorder {
    /// A recorder that blocks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many discrepancies it has received, the one at which it is stuck included.
    #[must_use]
    pub fn received(&self) -> u64 {
        lock(&self.shared.state).received
    }

    /// Blocks the caller until it has received a discrepancy, that is, until it is stuck.
    pub fn wait_until_stuck(&self) {
        let fresh = |state: &mut State| state.received == 0;
        drop(self.shared.changed.wait_while(lock(&self.shared.state), fresh));
    }

    /// Lets it go on, and never block again.
    pub fn release(&self) {
        lock(&self.shared.state).released = true;
        self.shared.changed.notify_all();
    }
}

impl Recorder for StuckRecorder {
    fn record(&self, _discrepancy: Discrepancy) -> Result<(), RecordError> {
        let mut state = lock(&self.shared.state);
        state.received += 1;
        self.shared.changed.notify_all();
        let stuck = |state: &mut State| !state.released;
        drop(self.shared.changed.wait_while(state, stuck).unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}

impl fmt::Debug for StuckRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = *lock(&self.shared.state);
        f.debug_struct("StuckRecorder").field("received", &state.received).field("released", &state.released).finish()
    }
}
