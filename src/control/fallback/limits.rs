//! When [`AutoFallback`] trips.

use std::time::Duration;

use super::window::Tally;
use super::{AutoFallback, MigrationController};
use crate::Percentage;

#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) failures: u32,
    pub(super) share: Percentage,
    pub(super) window: Duration,
    pub(super) actor: String,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            failures: 10,
            share: Percentage::saturating_from_ppm(500_000),
            window: Duration::from_secs(60),
            actor: "auto-fallback".to_owned(),
        }
    }
}

impl Limits {
    #[inline]
    pub(super) fn are_reached(&self, tally: Tally) -> bool {
        let failed = u128::from(tally.failures) * 1_000_000;
        tally.failures >= u64::from(self.failures) && failed >= u128::from(tally.calls) * u128::from(self.share.ppm())
    }

    fn check(self) -> Result<Self, AutoFallbackError> {
        if self.failures < AutoFallbackBuilder::MIN_FAILURES {
            return Err(AutoFallbackError::Failures { failures: self.failures });
        }
        if self.share < AutoFallbackBuilder::MIN_SHARE {
            return Err(AutoFallbackError::Share { share: self.share });
        }
        if !(AutoFallbackBuilder::MIN_WINDOW..=AutoFallbackBuilder::MAX_WINDOW).contains(&self.window) {
            return Err(AutoFallbackError::Window { window: self.window });
        }
        Ok(self)
    }
}

/// Builds an [`AutoFallback`] with other limits.
///
/// ```
/// # use cutover::{AutoFallback, MemoryStore, MigrationController, Percentage};
/// # use std::time::Duration;
/// # futures::executor::block_on(async {
/// # let controller = MigrationController::open("prices", MemoryStore::new()).await?;
/// let guard = AutoFallback::builder(&controller)
///     .failures(100)
///     .share(Percentage::new(20.0)?)
///     .window(Duration::from_secs(10))
///     .build()?;
/// assert!(AutoFallback::builder(&controller).failures(1).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct AutoFallbackBuilder<'a> {
    controller: &'a MigrationController,
    limits: Limits,
}

impl<'a> AutoFallbackBuilder<'a> {
    /// The smallest limit of failures: nothing is rolled back because of one error.
    pub const MIN_FAILURES: u32 = 2;

    /// The smallest limit of the share, 1 %: below it, the ordinary errors of a busy service would trip it.
    pub const MIN_SHARE: Percentage = Percentage::saturating_from_ppm(10_000);

    /// The shortest window.
    pub const MIN_WINDOW: Duration = Duration::from_secs(1);

    /// The longest window.
    pub const MAX_WINDOW: Duration = Duration::from_secs(60 * 60);

    pub(super) fn new(controller: &'a MigrationController) -> Self {
        Self { controller, limits: Limits::default() }
    }

    /// How many calls have to fail at least. The default is 10, the least 2.
    pub fn failures(mut self, failures: u32) -> Self {
        self.limits.failures = failures;
        self
    }

    /// How large their share of the calls has to be at least that new served. The default is 50 %, the least 1 %.
    pub fn share(mut self, share: Percentage) -> Self {
        self.limits.share = share;
        self
    }

    /// Over how long it is counted. The default is 60 s, allowed are 1 s to 1 h. The oldest twentieth goes at once.
    pub fn window(mut self, window: Duration) -> Self {
        self.limits.window = window;
        self
    }

    /// Who the audit says it was. The default is `auto-fallback`. What is not allowed in an
    /// [`Actor`](crate::store::Actor) is replaced or cut.
    pub fn actor(mut self, actor: &str) -> Self {
        actor.clone_into(&mut self.limits.actor);
        self
    }

    /// The detector.
    ///
    /// # Errors
    /// [`AutoFallbackError`] names the first limit that is out of range.
    pub fn build(self) -> Result<AutoFallback, AutoFallbackError> {
        Ok(AutoFallback::with(self.controller, self.limits.check()?))
    }
}

/// A limit of an [`AutoFallback`] is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AutoFallbackError {
    /// Too few failures.
    #[error("{failures} is too few failures to roll back; allowed: {} and more", AutoFallbackBuilder::MIN_FAILURES)]
    Failures {
        /// What was asked for.
        failures: u32,
    },
    /// Too small a share.
    #[error(
        "{share} of the calls is too small a share to roll back; allowed: {} to 100%",
        AutoFallbackBuilder::MIN_SHARE
    )]
    Share {
        /// What was asked for.
        share: Percentage,
    },
    /// Too short or too long a window.
    #[error(
        "a window of {window:?} is out of range; allowed: {:?} to {:?}",
        AutoFallbackBuilder::MIN_WINDOW,
        AutoFallbackBuilder::MAX_WINDOW
    )]
    Window {
        /// What was asked for.
        window: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_have_to_be_reached() {
        let limits = Limits::default();
        let reached = |failures, calls| limits.are_reached(Tally { failures, calls });
        assert!(reached(10, 10) && reached(10, 20) && reached(5_000_000_000, 10_000_000_000));
        assert!(!reached(9, 9) && !reached(10, 21) && !reached(0, 0) && !reached(1_000, 2_001));
    }
}
