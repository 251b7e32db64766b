//! The least that a latency costs that can be asked for percentiles by all threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ours::latencies;
use crate::traffic::in_turn;
use crate::{Subject, Worker};

/// Eight buckets in each doubling.
pub(super) struct Array {
    counts: Box<[AtomicU64]>,
    latencies: Vec<Duration>,
}

impl Array {
    pub(super) fn new() -> Self {
        Self { counts: (0..512).map(|_| AtomicU64::new(0)).collect(), latencies: latencies() }
    }

    fn add(&self, took: Duration) {
        let nanos = took.as_secs().saturating_mul(1_000_000_000) + u64::from(took.subsec_nanos());
        let octave = nanos.max(8).ilog2();
        let bucket = 8 * octave as usize + (nanos >> (octave - 3) & 7) as usize;
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Subject for Array {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.latencies, |took| self.add(*took))
    }
}
