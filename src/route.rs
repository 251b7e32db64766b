//! [`Route`]: how one call runs, and the [`Router`]s that decide it.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::bucket::BucketKey;
use crate::contain::contain_quietly;
use crate::mode::SystemMode;
use crate::outcome::Side;

/// Decides how a call runs. It stands on the path of every call.
///
/// Laws: one call to `route` reads one snapshot, so that its answer is never a mixture of two policies; the same key
/// gets the same answer until the policy changes; it never blocks and never allocates. A router that panics is taken
/// for one that says legacy only, and counted.
///
/// Closures from a key to a [`Route`] are routers too.
///
/// ```
/// use cutover::{BucketKey, Route, Router, Side, SystemMode};
///
/// /// New serves the tenants that have asked for it.
/// struct Volunteers(Vec<u64>);
///
/// impl Router for Volunteers {
///     fn route(&self, key: BucketKey<'_>) -> Route {
///         let asked = matches!(key, BucketKey::U64(tenant) if self.0.contains(&tenant));
///         Route::new(SystemMode::GradualRollout, if asked { Side::New } else { Side::Legacy })
///     }
/// }
/// assert_eq!(Volunteers(vec![7]).route(7_u64.into()).serve, Side::New);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot route calls",
    label = "not a router",
    note = "routers are `MigrationController`, `FeatureFlag`, `FlagSet::router(..)`, a fixed `Route`, and an `Arc` of a router",
    note = "so is a closure that names its type: `|key: BucketKey<'_>| Route::new(..)`"
)]
pub trait Router: Send + Sync {
    /// How the call for `key` runs.
    fn route(&self, key: BucketKey<'_>) -> Route;
}

impl<F: Fn(BucketKey<'_>) -> Route + Send + Sync> Router for F {
    fn route(&self, key: BucketKey<'_>) -> Route {
        self(key)
    }
}

impl<R: Router + ?Sized> Router for Arc<R> {
    fn route(&self, key: BucketKey<'_>) -> Route {
        (**self).route(key)
    }
}

/// The same route for every key.
impl Router for Route {
    fn route(&self, _key: BucketKey<'_>) -> Route {
        *self
    }
}

/// How one call runs: decided once, from one snapshot, and small enough for two registers.
///
/// A fixed route is a [`Router`] itself, which is handy in tests.
///
/// ```
/// use cutover::{Route, Side, SystemMode};
///
/// let route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
/// assert_eq!(route.shadow, Shadow::Run);
/// assert_eq!(route.running_shadow(), Some(Side::New));
/// # use cutover::Shadow;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Who gives the caller's answer.
    pub serve: Side,
    /// Whether the other side runs as the shadow.
    pub shadow: Shadow,
    /// The mode that decided.
    pub mode: SystemMode,
    /// The epoch of the record that decided; 0 where there is none.
    pub epoch: u64,
}

impl Route {
    /// A route without shadow and epoch.
    #[must_use]
    pub const fn new(mode: SystemMode, serve: Side) -> Self {
        Self { serve, shadow: Shadow::Never, mode, epoch: 0 }
    }

    /// The same route, with the other side as its shadow.
    #[must_use]
    pub const fn with_shadow(mut self) -> Self {
        self.shadow = Shadow::Run;
        self
    }

    /// The side that runs as the shadow, if one does.
    #[must_use]
    pub const fn running_shadow(&self) -> Option<Side> {
        match self.shadow {
            Shadow::Run => Some(self.serve.other()),
            Shadow::Never | Shadow::NotSampled => None,
        }
    }
}

/// Whether the side that does not serve runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shadow {
    /// The mode runs one side only, or its shadow share is 0 %.
    Never,
    /// The mode has a shadow share, and this key is not in it.
    NotSampled,
    /// It runs.
    Run,
}

/// A router as a runner asks it: contained, and by reference, because a key that was put together a moment ago is slow to
/// copy.
pub(crate) trait ContainedRouter: Send + Sync {
    /// The route of the call; none when the router panics.
    fn route_contained(&self, key: &BucketKey<'_>) -> Option<RouteWords>;
}

impl<R: Router> ContainedRouter for R {
    #[inline]
    fn route_contained(&self, key: &BucketKey<'_>) -> Option<RouteWords> {
        contain_quietly(|| RouteWords::of(self.route(*key))).ok()
    }
}

/// A [`Route`] that travels in two registers. A processor that has just written the bytes of a structure one by one waits for
/// them when it is asked to copy them as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RouteWords {
    epoch: u64,
    /// Side, shadow and mode, a byte each, and one bit that is always set.
    bytes: NonZeroU32,
}

impl RouteWords {
    #[inline]
    pub(crate) const fn of(route: Route) -> Self {
        let Route { serve, shadow, mode, epoch } = route;
        let bytes = serve as u32 | (shadow as u32) << 8 | (mode as u32) << 16;
        Self { epoch, bytes: NonZeroU32::MIN.saturating_add(bytes << 1) }
    }

    #[inline]
    pub(crate) const fn route(self) -> Route {
        Route { serve: self.serve(), shadow: self.shadow(), mode: self.mode(), epoch: self.epoch }
    }

    #[inline]
    pub(crate) const fn serve(self) -> Side {
        match self.byte(0) {
            0 => Side::Legacy,
            _ => Side::New,
        }
    }

    #[inline]
    pub(crate) const fn shadow(self) -> Shadow {
        match self.byte(8) {
            0 => Shadow::Never,
            1 => Shadow::NotSampled,
            _ => Shadow::Run,
        }
    }

    #[inline]
    const fn mode(self) -> SystemMode {
        SystemMode::of_number(self.byte(16) as u64)
    }

    #[inline]
    const fn byte(self, at: u32) -> u32 {
        (self.bytes.get() >> 1) >> at & 0xff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_comes_out_of_two_words_as_it_went_in() {
        for serve in [Side::Legacy, Side::New] {
            for shadow in [Shadow::Never, Shadow::NotSampled, Shadow::Run] {
                for mode in SystemMode::ALL {
                    for epoch in [0, 1, u64::MAX] {
                        let route = Route { serve, shadow, mode, epoch };
                        let words = RouteWords::of(route);
                        assert_eq!((words.route(), words.serve(), words.shadow()), (route, serve, shadow));
                    }
                }
            }
        }
    }
}
