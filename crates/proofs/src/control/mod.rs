//! The control protocol: changes by compare-and-swap, caches, emergencies, a store that fails.

mod action;
mod decide;
mod instance;
mod known;
mod properties;
mod record;
mod scope;
mod settle;
mod state;
mod step;
mod variant;

#[cfg(test)]
mod agreement;

pub use action::Action;
pub use decide::Wish;
pub use instance::{Instance, Sent, Slot, Task};
pub use known::{Doubted, Finding, Known};
pub use record::{Answer, Change, Etag, Id, Kind, Record, Store};
pub use state::{Budget, INSTANCES, Past, State};
pub use variant::Variant;

use cutover::SystemMode;
use stateright::{Model, Property};

use scope::{ANYWHERE, SERVING_NEW, Scope};

/// Instances that share one store, within a bounded number of operations and faults.
#[derive(Debug, Clone)]
pub struct ControlModel {
    scope: Scope,
    demand: Demand,
}

impl ControlModel {
    /// Operators who race each other: three changes.
    #[must_use]
    pub const fn changes() -> Self {
        Self::of(Budget { changes: 3, pulls: 0, messages: 0, faults: 0 }, ANYWHERE)
    }

    /// Two changes race an emergency.
    #[must_use]
    pub const fn emergencies() -> Self {
        Self::of(Budget { changes: 2, pulls: 1, messages: 0, faults: 0 }, ANYWHERE)
    }

    /// Two changes and an emergency, of which one answer is lost or one request repeated, late or abandoned.
    #[must_use]
    pub const fn unknown_outcomes() -> Self {
        Self::of(Budget { changes: 2, pulls: 1, messages: 1, faults: 0 }, SERVING_NEW)
    }

    /// Two changes, and reads that arrive after others have acted.
    #[must_use]
    pub const fn overtaken_reads() -> Self {
        Self::of(Budget { changes: 2, pulls: 0, messages: 0, faults: 0 }, ANYWHERE).with_slow_reads()
    }

    /// A change and an emergency, and reads that arrive after others have acted.
    #[must_use]
    pub const fn overtaken_reads_of_emergencies() -> Self {
        Self::of(Budget { changes: 1, pulls: 1, messages: 0, faults: 0 }, ANYWHERE).with_slow_reads()
    }

    /// A store that once loses its last write, or everything, between two changes and one unknown outcome.
    #[must_use]
    pub const fn failover() -> Self {
        Self::of(Budget { changes: 2, pulls: 0, messages: 1, faults: 1 }, ANYWHERE)
    }

    /// The same with one change and an emergency.
    #[must_use]
    pub const fn failover_of_emergencies() -> Self {
        Self::of(Budget { changes: 1, pulls: 1, messages: 1, faults: 1 }, ANYWHERE)
    }

    const fn of(budget: Budget, begins: &'static [Option<SystemMode>]) -> Self {
        let scope = Scope { variant: Variant::AsBuilt, budget, slow_reads: false, begins };
        Self { scope, demand: Demand::AsBuilt }
    }

    const fn with_slow_reads(mut self) -> Self {
        self.scope.slow_reads = true;
        self
    }

    /// The same scope with another protocol.
    #[must_use]
    pub const fn with(mut self, variant: Variant) -> Self {
        self.scope.variant = variant;
        self
    }

    /// Demands more than the protocol as built promises.
    #[must_use]
    pub const fn demand(mut self, demand: Demand) -> Self {
        self.demand = demand;
        self
    }

    const fn demands_emergencies(&self) -> bool {
        matches!(self.demand, Demand::Emergencies)
    }

    const fn demands_lineage(&self) -> bool {
        matches!(self.demand, Demand::Lineage)
    }
}

/// What is promised where the store has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Demand {
    /// What the protocol as built promises.
    AsBuilt,
    /// An emergency holds also where the store has forgotten it.
    Emergencies,
    /// A record is never believed if the one that was known before it is gone.
    Lineage,
}

impl Model for ControlModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        self.scope.begins.iter().map(|mode| State::beginning(*mode, self.scope.budget)).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        action::possible(state, &self.scope, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let next = step::after(state, action, &self.scope);
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = properties::promises();
        properties.extend(properties::happenings(self.scope.budget));
        if self.demands_lineage() {
            properties.push(properties::lineage());
        }
        properties
    }
}
