//! [`StoreFactory`]: what a host gives the kit.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Capabilities, Limits, Planted};
use crate::runtime::{HostRuntime, Runtime};
use crate::store::{ClaimStore, DiscrepancyStore, MigrationId, StateStore, async_trait};

/// Why a factory could not give what was asked for.
pub type FactoryError = Box<dyn std::error::Error + Send + Sync>;

/// What a store awaits between reading and writing; see [`StoreFactory::pausing`].
pub type Pause = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Makes the stores that are checked.
///
/// An error of any method fails the check that called it: a backend that was asked for and cannot be reached is a failed
/// test, not a skipped one. The methods with a default belong to a [`Capability`](super::Capability) each; what is
/// declared is checked, and what is not declared must give what the default gives.
#[async_trait]
pub trait StoreFactory: Send + Sync {
    /// What the stores and this factory can do.
    fn capabilities(&self) -> Capabilities;

    /// An empty store in a namespace of its own.
    async fn fresh(&self) -> Result<Stores, FactoryError>;

    /// A second handle on the content of `stores`, as another process has: it shares no connection and no memory with the
    /// first one, as far as the store can do without.
    async fn reopen(&self, stores: &Stores) -> Result<Stores, FactoryError>;

    /// The same content after the last handle on it was closed. By default the last handle is closed after
    /// [`reopen`](Self::reopen), which is all that a process sees of a server.
    async fn restart(&self, stores: Stores) -> Result<Stores, FactoryError> {
        let reopened = self.reopen(&stores).await?;
        drop(stores);
        Ok(reopened)
    }

    /// Lets `duration` pass on the store's clock. By default it passes on [`runtime`](Self::runtime).
    async fn wait(&self, duration: Duration) {
        self.runtime().sleep(duration).await;
    }

    /// A store that cannot be reached, such as one at a port where nobody listens.
    async fn broken(&self) -> Result<Option<Stores>, FactoryError> {
        Ok(None)
    }

    /// Writes `planted` in place of the record of `id`, past the store's own methods. `false` if the store cannot hold
    /// such a thing, as a column of numbers cannot hold a text.
    async fn plant(&self, stores: &Stores, id: &MigrationId, planted: &Planted) -> Result<bool, FactoryError> {
        let _ = (stores, id, planted);
        Ok(false)
    }

    /// A handle on the content of `stores` that awaits `pause` within `compare_and_swap`, after it has read the present
    /// record and before it writes. A store that does both in one statement has no such place, and none of these.
    async fn pausing(&self, stores: &Stores, pause: Pause) -> Result<Option<Stores>, FactoryError> {
        drop((stores, pause));
        Ok(None)
    }

    /// Cuts every connection that `stores` has now; new ones may be made. `false` if there is nothing to cut.
    async fn disconnect(&self, stores: &Stores) -> Result<bool, FactoryError> {
        let _ = stores;
        Ok(false)
    }

    /// Where the kit spawns tasks that race, and what measures its patience. The default is [`HostRuntime`]: races are
    /// real ones on a Tokio runtime with several threads.
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(HostRuntime)
    }

    /// How much the checks do, and how long they wait.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

/// One handle on a store, as far as the store goes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Stores {
    /// The records.
    pub state: Arc<dyn StateStore>,
    /// The claims, next to the records; `None` without [`Capability::Claims`](super::Capability::Claims).
    pub claims: Option<Arc<dyn ClaimStore>>,
    /// The discrepancies; `None` without [`Capability::Discrepancies`](super::Capability::Discrepancies).
    pub discrepancies: Option<Arc<dyn DiscrepancyStore>>,
    context: Arc<dyn Any + Send + Sync>,
}

impl Stores {
    /// A store of records only. `context` is what the factory needs to [reopen](StoreFactory::reopen) it, such as a path or
    /// the name of a schema, or to remove it when the last handle is dropped.
    pub fn new(state: impl StateStore + 'static, context: impl Any + Send + Sync) -> Self {
        Self { state: Arc::new(state), claims: None, discrepancies: None, context: Arc::new(context) }
    }

    /// The same, with claims.
    #[must_use]
    pub fn with_claims(self, claims: impl ClaimStore + 'static) -> Self {
        Self { claims: Some(Arc::new(claims)), ..self }
    }

    /// The same, with discrepancies.
    #[must_use]
    pub fn with_discrepancies(self, discrepancies: impl DiscrepancyStore + 'static) -> Self {
        Self { discrepancies: Some(Arc::new(discrepancies)), ..self }
    }

    /// What [`new`](Self::new) was given.
    ///
    /// # Errors
    /// [`FactoryError`] when that was of another type.
    pub fn context<T: Any>(&self) -> Result<&T, FactoryError> {
        let wanted = std::any::type_name::<T>();
        self.context.downcast_ref().ok_or_else(|| format!("these stores have another context than {wanted}").into())
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores")
            .field("claims", &self.claims.is_some())
            .field("discrepancies", &self.discrepancies.is_some())
            .finish_non_exhaustive()
    }
}
