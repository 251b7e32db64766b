//! [`WeakController`]: for whoever watches a migration, and must not keep it alive.

use std::fmt;
use std::sync::{Arc, Weak};

use serde_json::Value;

use super::inner::Inner;
use super::{MigrationController, MigrationStatus};
use crate::clock::{Clock, Instant};
use crate::runtime::Runtime;

/// A controller that may be gone, made by [`MigrationController::downgrade`].
///
/// An observer of a controller that has to ask it something holds it so: the controller holds its observers, and two who hold
/// each other live for ever.
///
/// ```
/// # use cutover::{MemoryStore, MigrationController};
/// # futures::executor::block_on(async {
/// let search = MigrationController::open("search", MemoryStore::new()).await?;
/// let watched = search.downgrade();
/// assert!(watched.upgrade().is_some());
/// drop(search);
/// assert!(watched.upgrade().is_none());
/// # Ok::<(), cutover::control::OpenError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct WeakController(Weak<Inner>);

impl MigrationController {
    /// A handle that does not keep the controller alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakController {
        WeakController(Arc::downgrade(&self.inner))
    }
}

impl WeakController {
    /// The controller; `None` once its last handle was dropped. Whoever holds the answer longest drops the last one, and with it
    /// the store and the observers of the host.
    #[must_use]
    pub fn upgrade(&self) -> Option<MigrationController> {
        self.0.upgrade().map(|inner| MigrationController { inner })
    }

    /// Whether the last handle was dropped.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// What holds, and since it is asked for by the same clock, when that was.
    pub(crate) fn status(&self) -> Option<(MigrationStatus, Instant)> {
        self.0.upgrade().map(|inner| (inner.status(), inner.clock.now()))
    }

    pub(crate) fn runtime(&self) -> Option<Arc<dyn Runtime>> {
        self.0.upgrade().map(|inner| Arc::clone(&inner.port.runtime))
    }

    /// An emergency. It holds when this returns, and is stored in the background.
    pub(crate) fn emergency(&self, actor: &str, reason: &str, evidence: Value) {
        if let Some(controller) = self.upgrade() {
            drop(controller.emergency_rollback_with(actor, reason, evidence));
        }
    }
}

impl fmt::Debug for WeakController {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakController").field("is_gone", &self.is_gone()).finish()
    }
}
