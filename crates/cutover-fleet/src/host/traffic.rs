//! [`Traffic`]: who serves.

use async_trait::async_trait;
use cutover::Percentage;

use super::HostError;
use crate::system::System;

/// Routes the traffic of a system.
///
/// The [laws](crate::host) of all host traits hold. The way back must depend on nothing that may be broken when it is needed:
/// neither on new, nor on a store, nor on what legacy does.
#[async_trait]
pub trait Traffic: Send + Sync {
    /// Sends `to_new` of the traffic to the new side and the rest to legacy: 0 is all to legacy, 100 % is all to new. When it
    /// returns, traffic that comes from then on goes there; what is under way is ended by the side that has it.
    ///
    /// # Errors
    /// [`HostError`] when it is not known that the traffic goes there.
    async fn switch(&self, system: &System, to_new: Percentage) -> Result<(), HostError>;
}
