//! The claim protocol: an item is claimed before either side starts, and completed at most once.

mod properties;
mod rules;
mod state;
mod store;

pub use rules::Rules;
pub use state::{INSTANCES, Instance, Past, State};
pub use store::{ITEMS, Lease, Policy, Row, Store, Verb};

use cutover::SystemMode;
use stateright::{Model, Property};

/// One step. Instances are numbered as they stand in the state before the step.
///
/// A holder that is paused is one that takes no step. A request on its way is one that is made later: it carries what the
/// instance knew, and the instance may know old things for any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// An operator changes the mode.
    Transition(SystemMode),
    /// An instance reads the policy.
    Read(usize),
    /// An instance claims an item by the policy that it knows; it may not hear the answer.
    Claim {
        /// The instance.
        i: usize,
        /// The item.
        item: usize,
        /// Whether the answer comes back.
        heard: bool,
    },
    /// A holder asks for something; it may not hear the answer, and asks again.
    Ask {
        /// The instance.
        i: usize,
        /// The item.
        item: usize,
        /// What it asks for.
        verb: Verb,
        /// Whether the answer comes back.
        heard: bool,
    },
    /// A request that somebody sent at some time, with any token that was ever granted, reaches the store.
    Late {
        /// The item.
        item: usize,
        /// Its token.
        token: u8,
        /// What it asks for.
        verb: Verb,
    },
    /// The lease of an item is over by the store's clock.
    Expire(usize),
    /// A replica takes over that lacks the last write.
    FailOver,
}

/// What may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    pub(crate) transitions: u8,
    /// Granted claims of each item.
    pub(crate) claims: [u8; ITEMS],
    pub(crate) faults: u8,
}

/// Instances that claim items, within a bounded number of claims, changes and faults.
#[derive(Debug, Clone)]
pub struct ClaimModel {
    rules: Rules,
    budget: Budget,
    /// Whether tokens and completions are promised although the store fails.
    durable: bool,
}

impl ClaimModel {
    /// A store that keeps what it acknowledges, and two items: one in the rollout, one not.
    #[must_use]
    pub const fn sound() -> Self {
        let budget = Budget { transitions: 2, claims: [2, 1], faults: 0 };
        Self { rules: Rules::Epoch, budget, durable: true }
    }

    /// A store that keeps what it acknowledges, and one item that is claimed again and again.
    #[must_use]
    pub const fn contended() -> Self {
        let budget = Budget { transitions: 1, claims: [4, 0], faults: 0 };
        Self { rules: Rules::Epoch, budget, durable: true }
    }

    /// A store that once loses its last write.
    #[must_use]
    pub const fn failover() -> Self {
        let budget = Budget { transitions: 2, claims: [2, 0], faults: 1 };
        Self { rules: Rules::EpochAndEtag, budget, durable: false }
    }

    /// The same scope under other rules.
    #[must_use]
    pub const fn with(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Demands tokens that grow and single completions although the store fails.
    #[must_use]
    pub const fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    fn of_instance(state: &State, i: usize, actions: &mut Vec<Action>) {
        actions.push(Action::Read(i));
        for item in 0..ITEMS {
            for heard in [true, false] {
                if state.budget.claims[item] > 0 {
                    actions.push(Action::Claim { i, item, heard });
                }
                if state.instances[i].tokens[item].is_some() {
                    actions.extend(VERBS.map(|verb| Action::Ask { i, item, verb, heard }));
                }
            }
        }
    }
}

const VERBS: [Verb; 3] = [Verb::Renew, Verb::Complete, Verb::Release];

impl Model for ClaimModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        SystemMode::ALL.into_iter().map(|mode| State::beginning(Store::beginning(mode), self.budget)).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.budget.transitions > 0 {
            actions.extend(state.store.policy.mode.allowed().iter().copied().map(Action::Transition));
        }
        for i in 0..INSTANCES {
            Self::of_instance(state, i, actions);
        }
        for (item, row) in state.store.rows.iter().enumerate() {
            actions.extend((row.lease == Lease::Held).then_some(Action::Expire(item)));
            for token in 1..=state.past.granted[item] {
                actions.extend(VERBS.map(|verb| Action::Late { item, token, verb }));
            }
        }
        if state.budget.faults > 0 {
            actions.push(Action::FailOver);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let next = state.after(action, self.rules);
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = properties::sides();
        if self.durable {
            properties.extend(properties::tokens());
        }
        properties.extend(properties::happenings());
        properties
    }
}
