//! What the host implements: how its systems are converted, run, routed, backed up and looked at.
//!
//! Laws of every trait here:
//! - **Repeatable.** A process may end at any moment, and the next one repeats the call whose end it does not know. What is
//!   done already succeeds: deploying what is deployed, starting what runs, stopping what does not run, switching to where
//!   the traffic is, restoring what is restored.
//! - **Droppable.** Each call has a deadline, by which it is dropped. A later call must find a state from which it can go on.
//! - **Not blocking.** Systems share a task. A call that blocks its thread holds up all of them, and no deadline ends it.
//! - **Apart.** A call changes nothing but the system that it names. Calls for different systems come at the same time, calls
//!   for one system one after the other.
//! - **Honest.** `Ok` says that it is done, not that it was begun.
//!
//! A panic in a call ends there and counts as its failure.

mod artifact;
mod backups;
mod conversion;
mod diagnostics;
mod error;
mod lifecycle;
mod traffic;

pub use artifact::{Artifact, ArtifactError};
pub use backups::{Backup, Backups};
pub use conversion::{Conversion, ValidationCounts};
pub use diagnostics::{Diagnostics, Vitals};
pub use error::HostError;
pub use lifecycle::Lifecycle;
pub use traffic::Traffic;

/// Re-exported, so that a host's implementations need no dependency of their own.
pub use async_trait::async_trait;

use std::fmt;
use std::sync::Arc;

/// Everything that a host gives: the five traits together. Clones share it.
#[derive(Clone)]
pub struct Host {
    pub(crate) conversion: Arc<dyn Conversion>,
    pub(crate) lifecycle: Arc<dyn Lifecycle>,
    pub(crate) traffic: Arc<dyn Traffic>,
    pub(crate) backups: Arc<dyn Backups>,
    pub(crate) diagnostics: Arc<dyn Diagnostics>,
}

impl Host {
    /// A host whose parts are values of their own.
    pub fn new(
        conversion: Arc<dyn Conversion>,
        lifecycle: Arc<dyn Lifecycle>,
        traffic: Arc<dyn Traffic>,
        backups: Arc<dyn Backups>,
        diagnostics: Arc<dyn Diagnostics>,
    ) -> Self {
        Self { conversion, lifecycle, traffic, backups, diagnostics }
    }

    /// A host that is one value with all five traits.
    pub fn of<H>(host: H) -> Self
    where
        H: Conversion + Lifecycle + Traffic + Backups + Diagnostics + 'static,
    {
        let host = Arc::new(host);
        Self::new(host.clone(), host.clone(), host.clone(), host.clone(), host)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
