//! [`RouteDecision`]: a route, and the numbers it was decided by.

use crate::Percentage;
use crate::route::Route;

/// How the call for one key runs, with the numbers that decided it: all from one snapshot, but for whether that is stale,
/// which is read just before.
///
/// ```
/// use cutover::{MemoryStore, MigrationController, Percentage, SystemMode};
///
/// # futures::executor::block_on(async {
/// let search = MigrationController::open("search", MemoryStore::new()).await?;
/// search.transition(SystemMode::GradualRollout, "ana", "they agree").await?;
/// search.set_rollout(Percentage::new(25.0)?, "ana", "first quarter").await?;
///
/// let decision = search.decide("user-17");
/// assert_eq!(decision.route, search.route("user-17"));
/// assert_eq!(decision.route.epoch, 2);
/// assert_eq!(decision.rollout.to_string(), "25%");
/// assert!(decision.bucket.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteDecision {
    /// How the call runs.
    pub route: Route,
    /// The rollout in effect. It decides in `GradualRollout` only.
    pub rollout: Percentage,
    /// Where the key fell, or what was drawn for a missing one; `None` when nothing was hashed or drawn: in any mode but
    /// `GradualRollout`, and without a key under [`MissingKey::Legacy`](crate::MissingKey::Legacy).
    pub bucket: Option<u64>,
    /// Whether others may have changed what decided, as in [`MigrationStatus::stale`](super::MigrationStatus::stale).
    pub stale: bool,
}
