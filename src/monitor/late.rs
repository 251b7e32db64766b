//! [`LateEnds`]: how long the runs took that ended when nobody waited for them any more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::nanos;
use crate::observe::Sample;

/// By side: how many there were, and how long they took together, since the monitor was made.
#[derive(Debug, Default)]
pub(super) struct LateEnds([LateEnd; 2]);

#[derive(Debug, Default)]
struct LateEnd {
    runs: AtomicU64,
    nanos: AtomicU64,
}

/// The same at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LateRuns {
    pub(super) runs: u64,
    pub(super) nanos: u64,
}

impl LateEnds {
    pub(super) fn add(&self, sample: &Sample) {
        if let Some(side) = self.0.get(sample.side as usize) {
            side.nanos.fetch_add(nanos(sample.elapsed), Ordering::Relaxed);
            side.runs.fetch_add(1, Ordering::Release);
        }
    }

    /// What there was by now, legacy first.
    pub(super) fn sums(&self) -> [LateRuns; 2] {
        self.0.each_ref().map(|side| {
            let runs = side.runs.load(Ordering::Acquire);
            LateRuns { runs, nanos: side.nanos.load(Ordering::Relaxed) }
        })
    }
}

impl LateRuns {
    pub(super) const fn since(self, earlier: Self) -> Self {
        Self { runs: self.runs.saturating_sub(earlier.runs), nanos: self.nanos.saturating_sub(earlier.nanos) }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self { runs: self.runs.saturating_add(other.runs), nanos: self.nanos.saturating_add(other.nanos) }
    }

    /// With `others`, each of which took `each`.
    pub(super) const fn and(self, others: u64, each: u64) -> Self {
        Self { runs: self.runs.saturating_add(others), nanos: self.nanos.saturating_add(others.saturating_mul(each)) }
    }

    pub(super) fn mean(self) -> Option<Duration> {
        self.nanos.checked_div(self.runs).map(Duration::from_nanos)
    }
}
