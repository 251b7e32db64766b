//! [`Freshness`]: from when on what is known is stale, for whoever asks without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::known::Known;
use crate::clock::Instant;

/// A moment in nanoseconds of the controller's clock; 0 when the store failed when it was last asked.
pub(super) struct Freshness(AtomicU64);

impl Freshness {
    pub(super) fn new(known: &Known, longest: Duration) -> Self {
        Self(AtomicU64::new(stale_from(known, longest).as_nanos()))
    }

    /// Comes after what routes by `known` is published: who sees this moment sees that, or something later.
    pub(super) fn publish(&self, known: &Known, longest: Duration) {
        self.0.store(stale_from(known, longest).as_nanos(), Ordering::Release);
    }

    #[inline]
    pub(super) fn stale_from(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::Acquire))
    }
}

/// The first moment at which what is known is stale.
pub(super) fn stale_from(known: &Known, longest: Duration) -> Instant {
    if known.failed { Instant::default() } else { known.heard.moment.plus(longest).plus(Duration::from_nanos(1)) }
}
