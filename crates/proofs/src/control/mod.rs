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
pub use instance::{Acknowledged, Instance, Sent, Slot, Task};
pub use known::{Doubted, Finding, Known};
pub use record::{Answer, Change, Etag, Id, Kind, Record, Store};
pub use state::{Budget, INSTANCES, Past, State};
pub use variant::Variant;

use cutover::SystemMode;
use stateright::{Model, Property};

use action::{FEWER_WISHES, WISHES};
use scope::{ANYWHERE, AT_THE_ENDS, EMPTY_OR_NEW, NEW, SERVING_NEW, Scope};

/// Instances that share one store, within a bounded number of operations and faults.
#[derive(Debug, Clone)]
pub struct ControlModel {
    scope: Scope,
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

    /// Three changes, and reads that arrive after others have acted.
    #[must_use]
    pub const fn overtaken_reads() -> Self {
        Self::of(Budget { changes: 3, pulls: 0, messages: 0, faults: 0 }, ANYWHERE).with_slow_reads()
    }

    /// Two changes and an emergency, and reads that arrive after others have acted.
    #[must_use]
    pub const fn overtaken_reads_of_emergencies() -> Self {
        Self::of(Budget { changes: 2, pulls: 1, messages: 0, faults: 0 }, SERVING_NEW).with_slow_reads()
    }

    /// A store that once loses its last write, or everything, between two changes and one unknown outcome.
    #[must_use]
    pub const fn failover() -> Self {
        Self::of(Budget { changes: 2, pulls: 0, messages: 1, faults: 1 }, ANYWHERE)
    }

    /// The same with one change and an emergency.
    #[must_use]
    pub const fn failover_of_emergencies() -> Self {
        Self::of(Budget { changes: 1, pulls: 1, messages: 1, faults: 1 }, EMPTY_OR_NEW)
    }

    /// The same with two changes and an emergency, whose messages are not disturbed.
    #[must_use]
    pub const fn failover_of_races() -> Self {
        Self::of(Budget { changes: 2, pulls: 1, messages: 0, faults: 1 }, NEW).with_fewer_wishes()
    }

    /// An emergency alone, two unknown outcomes, and a store that fails while somebody reads, or confirms what it answered.
    #[must_use]
    pub const fn failover_of_emergencies_while_reading() -> Self {
        Self::of(Budget { changes: 0, pulls: 1, messages: 2, faults: 1 }, NEW).with_slow_reads()
    }

    /// Two changes, and a store that fails while somebody reads.
    #[must_use]
    pub const fn failover_while_reading() -> Self {
        Self::of(Budget { changes: 2, pulls: 0, messages: 0, faults: 1 }, AT_THE_ENDS).with_slow_reads()
    }

    const fn of(budget: Budget, begins: &'static [Option<SystemMode>]) -> Self {
        Self { scope: Scope { variant: Variant::AsBuilt, budget, slow_reads: false, begins, wishes: &WISHES } }
    }

    const fn with_fewer_wishes(mut self) -> Self {
        self.scope.wishes = FEWER_WISHES;
        self
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
        properties
    }
}
