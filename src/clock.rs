//! [`Clock`]: where time comes from. Everything that measures or waits asks an injected one.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

/// A moment on a clock that never goes back: nanoseconds since the clock's own origin.
///
/// Moments of different clocks cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The moment `nanos` nanoseconds after the clock's origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time since `earlier`; zero when `earlier` is later.
    ///
    /// ```
    /// use cutover::clock::Instant;
    /// use std::time::Duration;
    /// let start = Instant::from_nanos(1_000);
    /// assert_eq!(Instant::from_nanos(3_500).since(start), Duration::from_nanos(2_500));
    /// assert_eq!(start.since(Instant::from_nanos(3_500)), Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This moment moved by `duration`; the last moment of the clock (584 years) is the limit.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }
}

/// The duration in nanoseconds; what is longer than 584 years is the longest there is.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Where time comes from.
///
/// Laws: [`now`](Self::now) never goes back, on any thread; both calls are cheap, never block and never panic. A clock is
/// asked on the path of every call of both sides, and its panic is not contained.
pub trait Clock: Debug + Send + Sync {
    /// The current moment, for measuring.
    fn now(&self) -> Instant;

    /// The time of day, for people. It may jump; nothing is decided by it, except how long the step of a
    /// [plan](crate::PlanDriver) had held before this process saw it first.
    fn wall(&self) -> SystemTime;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Instant {
        (**self).now()
    }

    fn wall(&self) -> SystemTime {
        (**self).wall()
    }
}

/// The machine's own clock. With the feature `fast-clock` it reads the processor's time-stamp counter.
///
/// All of one process have the same origin, the moment at which the first was made, so that their moments can be compared.
///
/// ```
/// use cutover::{Clock, SystemClock};
/// let clock = SystemClock::new();
/// let start = clock.now();
/// assert!(SystemClock::new().now() >= start);
/// ```
#[derive(Debug, Clone)]
pub struct SystemClock {
    source: source::Monotonic,
}

impl SystemClock {
    /// The machine's clock.
    #[must_use]
    pub fn new() -> Self {
        static FIRST: OnceLock<source::Monotonic> = OnceLock::new();
        Self { source: FIRST.get_or_init(source::Monotonic::start).clone() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Instant {
        Instant(self.source.nanos())
    }

    fn wall(&self) -> SystemTime {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
        SystemTime::now()
    }
}

#[cfg(feature = "fast-clock")]
mod source {
    #[derive(Debug, Clone)]
    pub(super) struct Monotonic {
        clock: quanta::Clock,
        origin: u64,
    }

    impl Monotonic {
        pub(super) fn start() -> Self {
            let clock = quanta::Clock::new();
            let origin = clock.raw();
            Self { clock, origin }
        }

        #[inline]
        pub(super) fn nanos(&self) -> u64 {
            self.clock.delta_as_nanos(self.origin, self.clock.raw())
        }
    }
}

#[cfg(not(feature = "fast-clock"))]
mod source {
    use std::time::Instant;

    #[derive(Debug, Clone)]
    pub(super) struct Monotonic(Instant);

    impl Monotonic {
        pub(super) fn start() -> Self {
            #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
            Self(Instant::now())
        }

        pub(super) fn nanos(&self) -> u64 {
            super::nanos(self.0.elapsed())
        }
    }
}
