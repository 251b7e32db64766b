//! What a monitor was built with, and the limits that come with its baseline.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Baseline;
use crate::clock::{Instant, nanos};

/// Lengths in nanoseconds, and the factors of the limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) tick: u64,
    pub(super) timeout: u64,
    pub(super) p95_factor: f64,
    pub(super) promotion_factor: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tick: 1_000_000_000, timeout: 30_000_000_000, p95_factor: 2.0, promotion_factor: 1.1 }
    }
}

impl Settings {
    /// The tick of a moment.
    #[inline]
    pub(super) const fn tick_of(&self, moment: Instant) -> u64 {
        moment.as_nanos() / self.tick
    }

    /// When what started in `tick` and has not ended is overdue.
    #[inline]
    pub(super) const fn deadline(&self, tick: u64) -> u64 {
        (tick + 1).saturating_mul(self.tick).saturating_add(self.timeout)
    }

    pub(super) fn span(&self, ticks: u64) -> Duration {
        Duration::from_nanos(ticks.saturating_mul(self.tick))
    }
}

/// The durations above which a call is slow, in nanoseconds; without a baseline nothing is.
#[derive(Debug)]
pub(super) struct Limits {
    p95: AtomicU64,
    slow: AtomicU64,
    slow_for_promotion: AtomicU64,
    /// The first tick whose calls are measured.
    from: AtomicU64,
}

impl Limits {
    pub(super) const fn none() -> Self {
        Self {
            p95: AtomicU64::new(u64::MAX),
            slow: AtomicU64::new(u64::MAX),
            slow_for_promotion: AtomicU64::new(u64::MAX),
            from: AtomicU64::new(u64::MAX),
        }
    }

    /// Calls are measured from the tick `from` on.
    pub(super) fn set(&self, baseline: &Baseline, settings: &Settings, from: u64) {
        let limit = |factor: f64| nanos(times(baseline.p95, factor));
        self.slow.store(limit(settings.p95_factor), Ordering::Relaxed);
        self.slow_for_promotion.store(limit(settings.promotion_factor), Ordering::Relaxed);
        self.from.store(from, Ordering::Relaxed);
        self.p95.store(nanos(baseline.p95), Ordering::Release);
    }

    /// Whether the calls of a tick are measured.
    pub(super) fn hold_in(&self, tick: u64) -> bool {
        tick >= self.from.load(Ordering::Relaxed)
    }

    /// Whether a call may be over one of the limits, none of which is below the p95.
    #[inline]
    pub(super) fn may_exceed(&self, nanos: u64) -> bool {
        nanos > self.p95.load(Ordering::Acquire)
    }

    pub(super) fn is_slow(&self, nanos: u64) -> bool {
        nanos > self.slow.load(Ordering::Relaxed)
    }

    pub(super) fn is_slow_for_promotion(&self, nanos: u64) -> bool {
        nanos > self.slow_for_promotion.load(Ordering::Relaxed)
    }
}

/// A duration times a factor, at most the longest there is.
fn times(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
