//! [`WeakController`]: for whoever watches a migration in the background, and must not keep it alive.

use std::sync::{Arc, Weak};

use serde_json::Value;

use super::inner::Inner;
use super::{MigrationController, MigrationStatus};
use crate::clock::{Clock, Instant};
use crate::runtime::Runtime;

/// A controller that may be gone.
#[derive(Clone)]
pub(crate) struct WeakController(Weak<Inner>);

impl MigrationController {
    pub(crate) fn downgrade(&self) -> WeakController {
        WeakController(Arc::downgrade(&self.inner))
    }
}

impl WeakController {
    /// What holds, and since it is asked for by the same clock, when that was.
    pub(crate) fn status(&self) -> Option<(MigrationStatus, Instant)> {
        self.0.upgrade().map(|inner| (inner.status(), inner.clock.now()))
    }

    pub(crate) fn runtime(&self) -> Option<Arc<dyn Runtime>> {
        self.0.upgrade().map(|inner| Arc::clone(&inner.port.runtime))
    }

    /// An emergency. It holds when this returns, and is stored in the background.
    pub(crate) fn emergency(&self, actor: &str, reason: &str, evidence: Value) {
        if let Some(inner) = self.0.upgrade() {
            drop(MigrationController { inner }.emergency_rollback_with(actor, reason, evidence));
        }
    }
}
