//! [`ShadowPolicy`] and [`Fallback`]: what a shadow may cost, and what happens when new fails while it serves.

use std::time::Duration;

use crate::Percentage;

/// What shadows may cost. Every shadow that the policy leaves out is counted under its
/// [reason](crate::observe::SkipReason).
///
/// ```
/// use cutover::{Percentage, dual::ShadowPolicy};
/// use std::time::Duration;
///
/// let policy = ShadowPolicy::new()
///     .sample(Percentage::new(5.0)?)
///     .timeout(Duration::from_millis(250))
///     .max_in_flight(64)
///     .breaker(20, Duration::from_secs(60));
/// # Ok::<(), cutover::PercentageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowPolicy {
    pub(super) sample: Percentage,
    pub(super) timeout: Duration,
    pub(super) max_in_flight: Option<usize>,
    pub(super) breaker: Option<BreakerPolicy>,
    pub(super) order: Order,
}

impl ShadowPolicy {
    /// All routed shadows run, for at most 1 s each, and 10 faults in a row stop them for 30 s.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sample: Percentage::HUNDRED,
            timeout: Duration::from_secs(1),
            max_in_flight: None,
            breaker: Some(BreakerPolicy { faults: 10, cool_down: Duration::from_secs(30) }),
            order: Order::ServedFirst,
        }
    }

    /// The share of keys whose routed shadows run, on top of the router's own shadow share. Default: 100 %.
    ///
    /// It is sampled by key, with `runner/` and the runner's name as the salt, so that the sample is independent of a
    /// router of the same name. Calls without a key are sampled at random.
    #[must_use]
    pub const fn sample(mut self, share: Percentage) -> Self {
        self.sample = share;
        self
    }

    /// How long a shadow may take from its start. Default: 1 s.
    ///
    /// One that takes longer counts as timed out, whatever it answers. In `run` it is stopped when the served side has
    /// answered; until then it costs the caller no time.
    /// `run` also stops waiting when its patience is over, whichever comes first. `run_sync` cannot stop a closure.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many shadows of this runner may run at a time; 0 means none.
    ///
    /// Default: 1,024 for `run_detached`, no limit for `run` and `run_sync`, whose callers are the limit.
    #[must_use]
    pub const fn max_in_flight(mut self, limit: usize) -> Self {
        self.max_in_flight = Some(limit);
        self
    }

    /// Stops all shadows for `cool_down` after `faults` panics and time-outs in a row; then one shadow is tried, and
    /// its end decides. Default: 10 faults, 30 s.
    #[must_use]
    pub const fn breaker(mut self, faults: u32, cool_down: Duration) -> Self {
        self.breaker = Some(BreakerPolicy { faults, cool_down });
        self
    }

    /// Never stops shadows because of their faults.
    #[must_use]
    pub const fn without_breaker(mut self) -> Self {
        self.breaker = None;
        self
    }

    /// In `run_sync`, which side runs first. Default: the one that serves.
    #[must_use]
    pub const fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }
}

impl Default for ShadowPolicy {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BreakerPolicy {
    pub(super) faults: u32,
    pub(super) cool_down: Duration,
}

/// Which side of a `run_sync` call runs first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Order {
    /// The side that serves (the default).
    #[default]
    ServedFirst,
    /// Either, by chance: neither side always finds the caches warm. The caller waits for both anyway.
    Random,
}

/// What happens when new serves a call and fails.
///
/// ```
/// use cutover::dual::Fallback;
/// use cutover::{DualRunner, Equality, Route, Side, SystemMode};
///
/// let price = DualRunner::builder("price", Route::new(SystemMode::NewOnly, Side::New))
///     .comparator(Equality)
///     .fallback(Fallback::ToLegacy)
///     .build();
/// assert_eq!(price.run_sync("order-17", || Ok(100), || Err("new is down")), Ok(100));
/// assert_eq!(price.counts().fallbacks, 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fallback {
    /// The caller gets the failure of new (the default).
    #[default]
    Never,
    /// Legacy answers this call instead, be it with an error or a panic of its own. Both outcomes are counted and
    /// recorded.
    ///
    /// For calls that may run twice: new may have had effects before it failed. A new side that hangs has not failed: put
    /// a timeout into it.
    ToLegacy,
}
