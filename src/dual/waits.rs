//! [`Waits`]: the time of a side that is its caller's.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Clock;

/// Takes off a side's time what it waits for its caller, such as for the rest of a request that is still being sent. Made by
/// [`PlannedCall::waits`](super::PlannedCall::waits); clones are handles on the same time.
///
/// A wait lasts from [`begin`](Self::begin) to [`end`](Self::end), and all of them add up. Whatever else the side does during
/// a wait is not timed either. A wait that goes on when the side answers is not taken off: the side has answered without
/// what it waited for.
#[derive(Clone)]
pub struct Waits(Arc<Waiting>);

struct Waiting {
    clock: Arc<dyn Clock>,
    /// When the wait that goes on has begun, in nanoseconds, or [`NONE`].
    since: AtomicU64,
    /// How long all waits took that are over, in nanoseconds.
    over: AtomicU64,
}

/// No wait goes on.
const NONE: u64 = u64::MAX;

impl Waits {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        let (clock, since, over) = (Arc::clone(clock), AtomicU64::new(NONE), AtomicU64::new(0));
        Self(Arc::new(Waiting { clock, since, over }))
    }

    /// A wait begins, unless one goes on.
    pub fn begin(&self) {
        let now = self.0.clock.now().as_nanos();
        let _goes_on = self.0.since.compare_exchange(NONE, now, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// The wait that goes on, if there is one, is over.
    pub fn end(&self) {
        let since = self.0.since.swap(NONE, Ordering::AcqRel);
        if since != NONE {
            let waited = self.0.clock.now().as_nanos().saturating_sub(since);
            self.0.over.fetch_add(waited, Ordering::Release);
        }
    }

    /// How long all waits took that are over, in nanoseconds.
    pub(super) fn nanos(&self) -> u64 {
        self.0.over.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waits").field("nanos", &self.nanos()).finish_non_exhaustive()
    }
}
