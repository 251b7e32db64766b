//! [`HealthSchedule`].

use std::time::Duration;

use crate::bucket::ppm_of;

/// How often a side is checked, and how long a check may take. By default every 10 s, for at most 2 s.
///
/// The first check comes after a random part of the interval, and each further one an interval after the last one
/// ended, longer or shorter by up to a fifth: processes that start together do not check together.
///
/// ```
/// use cutover::control::HealthSchedule;
/// use std::time::Duration;
///
/// let schedule = HealthSchedule::every(Duration::from_secs(30)).timeout(Duration::from_secs(5));
/// assert_ne!(schedule, HealthSchedule::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthSchedule {
    interval: Duration,
    timeout: Duration,
}

impl HealthSchedule {
    /// The shortest interval.
    pub const MIN_INTERVAL: Duration = Duration::from_millis(10);
    /// The longest interval: a day.
    pub const MAX_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

    /// Checks every `interval`, from [`MIN_INTERVAL`](Self::MIN_INTERVAL) to [`MAX_INTERVAL`](Self::MAX_INTERVAL); what
    /// lies outside becomes the nearest of the two. The timeout is 2 s.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self { interval: interval.clamp(Self::MIN_INTERVAL, Self::MAX_INTERVAL), timeout: DEFAULT_TIMEOUT }
    }

    /// Gives each check at most `timeout`. The default is 2 s.
    #[must_use]
    pub const fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    pub(super) const fn limit(self) -> Duration {
        self.timeout
    }

    pub(super) fn first_wait(self, random: u64) -> Duration {
        self.interval * ppm_of(random) / 1_000_000
    }

    pub(super) fn next_wait(self, random: u64) -> Duration {
        self.interval * (800_000 + ppm_of(random) * 2 / 5) / 1_000_000
    }

    /// How old the last check becomes at most while the checks go on, with room to spare.
    pub(super) fn max_age(self) -> Duration {
        self.interval.saturating_add(self.timeout).saturating_mul(2)
    }
}

impl Default for HealthSchedule {
    fn default() -> Self {
        Self::every(Duration::from_secs(10))
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_spread_around_the_interval_and_no_interval_is_too_long_to_reckon_with() {
        let schedule = HealthSchedule::every(Duration::from_secs(10));
        assert_eq!(schedule.first_wait(0), Duration::ZERO);
        assert!(schedule.first_wait(u64::MAX) < Duration::from_secs(10));
        assert_eq!(schedule.next_wait(0), Duration::from_secs(8));
        assert_eq!(schedule.next_wait(1 << 63), Duration::from_secs(10));
        assert!(schedule.next_wait(u64::MAX) < Duration::from_secs(12));
        let endless = HealthSchedule::every(Duration::MAX).timeout(Duration::MAX);
        assert_eq!(HealthSchedule::MAX_INTERVAL.as_secs(), 86_400);
        assert!(endless.next_wait(u64::MAX) < 2 * HealthSchedule::MAX_INTERVAL);
        assert_eq!(endless.max_age(), Duration::MAX);
        assert!(HealthSchedule::every(Duration::ZERO).next_wait(0) > Duration::ZERO);
    }
}
