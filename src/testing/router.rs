//! [`ScriptedRouter`]: routes in a given order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::bucket::BucketKey;
use crate::mode::SystemMode;
use crate::outcome::Side;
use crate::route::{Route, Router};

/// Answers one route after the other, then the last one again and again. Clones share the script and the count.
///
/// An empty script routes to legacy alone.
///
/// ```
/// use cutover::testing::ScriptedRouter;
/// use cutover::{Route, Router, Side, SystemMode};
///
/// let legacy = Route::new(SystemMode::LegacyOnly, Side::Legacy);
/// let new = Route::new(SystemMode::NewOnly, Side::New);
/// let router = ScriptedRouter::new([legacy, new]);
/// assert_eq!(["a", "b", "c"].map(|user| router.route(user.into())), [legacy, new, new]);
/// assert_eq!(router.routed(), 3);
/// ```
#[derive(Debug, Clone)]
pub struct ScriptedRouter {
    routes: Arc<[Route]>,
    routed: Arc<AtomicUsize>,
}

impl ScriptedRouter {
    /// A router that answers with `routes`.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        Self { routes: routes.into_iter().collect(), routed: Arc::default() }
    }

    /// How many calls were routed.
    #[must_use]
    pub fn routed(&self) -> usize {
        self.routed.load(Ordering::Relaxed)
    }
}

impl Router for ScriptedRouter {
    fn route(&self, _key: BucketKey<'_>) -> Route {
        let call = self.routed.fetch_add(1, Ordering::Relaxed);
        let scripted = self.routes.get(call).or_else(|| self.routes.last());
        scripted.copied().unwrap_or(Route::new(SystemMode::LegacyOnly, Side::Legacy))
    }
}
