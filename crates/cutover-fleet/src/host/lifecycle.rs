//! [`Lifecycle`]: what runs.

use async_trait::async_trait;
use cutover::Side;

use super::{Artifact, HostError};
use crate::system::System;

/// Deploys, starts and stops the two sides of a system. Who gets traffic is not its business.
///
/// The [laws](crate::host) of all host traits hold.
#[async_trait]
pub trait Lifecycle: Send + Sync {
    /// Puts `artifact` in place as the new side and starts it, beside legacy and without traffic. What is deployed already,
    /// also of another artifact, is replaced by it.
    ///
    /// # Errors
    /// [`HostError`] when new does not run afterwards. New is stopped then, and legacy goes on.
    async fn deploy(&self, system: &System, artifact: &Artifact) -> Result<(), HostError>;

    /// Starts a side that was deployed before. What runs goes on.
    ///
    /// # Errors
    /// [`HostError`] when it does not run afterwards.
    async fn start(&self, system: &System, side: Side) -> Result<(), HostError>;

    /// Stops a side; it can be started again. What does not run, or was never deployed, succeeds.
    ///
    /// # Errors
    /// [`HostError`] when it may still run.
    async fn stop(&self, system: &System, side: Side) -> Result<(), HostError>;

    /// Removes legacy for good. It is called on the explicit word of a person only, after legacy was stopped.
    ///
    /// # Errors
    /// [`HostError`] when something of it is left.
    async fn decommission(&self, system: &System) -> Result<(), HostError>;
}
