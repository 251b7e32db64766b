//! [`State`], and what each step does to it.

use super::rules::Rules;
use super::store::{ITEMS, Lease, Policy, Store, Verb};
use super::{Action, Budget};

/// How many instances share the store.
pub const INSTANCES: usize = 3;

/// A process that knows an older or the present policy, and holds tokens that may be out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    pub(crate) cached: Policy,
    pub(crate) tokens: [Option<u8>; ITEMS],
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub(crate) store: Store,
    /// The content before the last write, where the store may fail.
    pub(crate) replica: Option<Store>,
    /// Sorted: instances are interchangeable.
    pub(crate) instances: [Instance; INSTANCES],
    pub(crate) budget: Budget,
    pub(crate) past: Past,
}

/// Only for the properties: what cannot be seen in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each belongs to one promise")]
pub struct Past {
    /// Accepted completions of each item.
    pub(crate) completions: [u8; ITEMS],
    /// The highest token of each item that was granted.
    pub(crate) granted: [u8; ITEMS],
    pub(crate) token_did_not_grow: bool,
    pub(crate) granted_at_other_epoch: bool,
    pub(crate) granted_for_other_side: bool,
    pub(crate) granted_after_completion: bool,
    pub(crate) accepted_old_token: bool,
    pub(crate) accepted_after_expiry: bool,
}

impl State {
    pub(crate) fn beginning(store: Store, budget: Budget) -> Self {
        let instances = [Instance { cached: store.policy, tokens: [None; ITEMS] }; INSTANCES];
        let replica = (budget.faults > 0).then_some(store);
        Self { store, replica, instances, budget, past: Past::default() }
    }

    pub(crate) fn after(&self, action: Action, rules: Rules) -> Self {
        let mut next = self.clone();
        next.take(action, rules);
        if next.store != self.store && action != Action::FailOver && next.budget.faults > 0 {
            next.replica = Some(self.store);
        }
        next.instances.sort_unstable();
        next
    }

    pub(crate) fn take(&mut self, action: Action, rules: Rules) {
        match action {
            Action::Transition(mode) => {
                self.budget.transitions -= 1;
                let etag = self.fresh_etag();
                self.store.policy = Policy { epoch: self.store.policy.epoch + 1, etag, mode };
            }
            Action::Read(i) => self.instances[i].cached = self.store.policy,
            Action::Claim { i, item, heard } => self.claim(i, item, heard, rules),
            Action::Ask { i, item, verb, heard } => self.ask(i, item, verb, heard, rules),
            Action::Late { item, token, verb } => {
                self.judge(item, token, verb, rules);
            }
            Action::Expire(item) => self.store.rows[item].lease = Lease::Expired,
            Action::FailOver => self.fail_over(),
        }
    }

    fn claim(&mut self, i: usize, item: usize, heard: bool, rules: Rules) {
        let (before, cached) = (self.store, self.instances[i].cached);
        let Some(token) = self.store.claim(item, cached, rules) else { return };
        self.budget.claims[item] -= 1;
        let past = &mut self.past;
        past.granted_at_other_epoch |= cached.epoch != before.policy.epoch;
        past.granted_for_other_side |= cached.side(item) != before.policy.side(item);
        past.granted_after_completion |= before.rows[item].lease == Lease::Completed;
        past.token_did_not_grow |= token <= past.granted[item];
        past.granted[item] = token;
        if heard {
            self.instances[i].tokens[item] = Some(token);
        }
    }

    /// A holder that hears of its completion, its release or a refusal forgets the token.
    fn ask(&mut self, i: usize, item: usize, verb: Verb, heard: bool, rules: Rules) {
        let Some(token) = self.instances[i].tokens[item] else { return };
        let accepted = self.judge(item, token, verb, rules);
        if heard && (!accepted || verb != Verb::Renew) {
            self.instances[i].tokens[item] = None;
        }
    }

    fn judge(&mut self, item: usize, token: u8, verb: Verb, rules: Rules) -> bool {
        let before = self.store.rows[item];
        let accepted = self.store.ask(item, token, verb, rules);
        if accepted {
            self.past.accepted_old_token |= token != self.past.granted[item];
            self.past.accepted_after_expiry |= before.lease == Lease::Expired;
            self.past.completions[item] += u8::from(verb == Verb::Complete);
        }
        accepted
    }

    /// A replica takes over that has not got the last write.
    fn fail_over(&mut self) {
        self.budget.faults -= 1;
        self.store = self.replica.take().unwrap_or(self.store);
    }

    /// The smallest etag that nobody knows.
    fn fresh_etag(&self) -> u8 {
        let known = self.instances.iter().map(|instance| instance.cached);
        let stored = self.replica.iter().chain([&self.store]).map(|store| store.policy);
        let used = known.chain(stored).fold(0_u32, |used, policy| used | 1 << policy.etag);
        u8::try_from(used.trailing_ones()).unwrap_or(u8::MAX)
    }
}
