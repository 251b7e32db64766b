//! [`Fleet`]: migrates many systems.

mod builder;
mod event;
mod markdown;
mod phase;
mod progress;
mod report;
mod run;

pub use builder::{FleetBuilder, FleetError};
pub use event::{Escalation, FleetEvent, FleetObserver};
pub use phase::Phase;
pub use progress::Progress;
pub use report::{FleetReport, PhaseReport, StopReason};

pub(crate) use progress::Board;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cutover::store::ClaimStore;

use crate::context::Context;
use crate::host::Host;
use crate::inventory::Inventory;
use crate::migrator::SystemMigrator;
use crate::system::SystemName;
use crate::text::excerpt;

/// Migrates the systems of an [`Inventory`], phase by phase, several at once, each by its strategy.
///
/// All that it knows of them stands in the store: a run that was killed at any moment, or another process, goes on with
/// [`run`](Self::run) and ends the same. Several may run at once; each system is migrated by one of them.
///
/// A fleet stops by itself when a phase has had more failures than it may have, and when a recovery has failed: then nothing
/// more is begun, and what is under way goes to its end, forward or back. [`cancel`](Self::cancel) does the same.
///
/// Clones are handles on the same fleet.
#[derive(Clone)]
pub struct Fleet {
    context: Arc<Context>,
    inventory: Arc<Inventory>,
    cancelled: Arc<AtomicBool>,
}

/// A name that is none of the fleet's systems.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fleet has no system `{name}`; it has {}", known.iter().map(SystemName::as_str).collect::<Vec<_>>().join(", "))]
pub struct UnknownSystem {
    name: String,
    known: Vec<SystemName>,
}

impl Fleet {
    /// Builds a fleet of the systems in `inventory`, which `host` runs, and whose state and claims `store` keeps: any store of
    /// the core.
    pub fn builder(inventory: Inventory, host: Host, store: impl ClaimStore + 'static) -> FleetBuilder {
        FleetBuilder::new(inventory, host, Arc::new(store))
    }

    /// The systems and strategies.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The migrator of one system: to migrate it alone, to take it back, to let it be tried again, to decommission legacy.
    ///
    /// # Errors
    /// [`UnknownSystem`].
    pub fn system(&self, name: &str) -> Result<SystemMigrator, UnknownSystem> {
        let entry = self.inventory.entry(name).ok_or_else(|| UnknownSystem {
            name: excerpt(name),
            known: self.inventory.systems().map(|system| system.name.clone()).collect(),
        })?;
        Ok(SystemMigrator::new(&self.context, entry))
    }

    /// How far this process knows that the fleet has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.context.board.progress()
    }

    /// Lets nothing more be begun, in every handle of this fleet and for good: a run that is under way ends when its systems
    /// in flight have ended. Another process, or a fleet that is built anew, goes on from there.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let systems = self.inventory.systems().len();
        f.debug_struct("Fleet").field("systems", &systems).field("progress", &self.progress()).finish_non_exhaustive()
    }
}
