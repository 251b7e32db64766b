//! [`ModuloRouter`]: a rollout that can be worked out by head.

use crate::bucket::BucketKey;
use crate::mode::SystemMode;
use crate::outcome::Side;
use crate::route::{Route, Router};

/// Routes numbered items in `GradualRollout`: new serves when `item % 100` is below the percentage. For tests only, since
/// items with neighbouring numbers are alike in most systems; keys that are not `u64` are served by legacy.
///
/// ```
/// use cutover::{Router, Side, testing::ModuloRouter};
///
/// let quarter = ModuloRouter::new(25);
/// let served = [1_u64, 24, 25, 99, 100].map(|item| quarter.route(item.into()).serve);
/// assert_eq!(served, [Side::New, Side::New, Side::Legacy, Side::Legacy, Side::New]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuloRouter {
    percent: u8,
}

impl ModuloRouter {
    /// A rollout of `percent`; from 100 on it is everybody.
    #[must_use]
    pub const fn new(percent: u8) -> Self {
        Self { percent }
    }
}

impl Router for ModuloRouter {
    fn route(&self, key: BucketKey<'_>) -> Route {
        let is_in = matches!(key, BucketKey::U64(item) if item % 100 < u64::from(self.percent));
        Route::new(SystemMode::GradualRollout, if is_in { Side::New } else { Side::Legacy })
    }
}
