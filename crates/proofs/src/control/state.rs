//! [`State`]: the store, the instances, and what is left of the scope's budget.

use cutover::SystemMode;

use super::instance::Instance;
use super::record::{Answer, Change, Etag, Kind, Store};
use super::variant::Variant;

/// How many instances share the store.
pub const INSTANCES: usize = 3;

/// What may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Operations that operators begin.
    pub(crate) changes: u8,
    /// Emergencies.
    pub(crate) pulls: u8,
    /// Lost answers, repeated requests, and operators who give up on a request that is on its way.
    pub(crate) messages: u8,
    /// Faults of the store.
    pub(crate) faults: u8,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub(crate) store: Store,
    /// Sorted: instances are interchangeable.
    pub(crate) instances: [Instance; INSTANCES],
    /// A request that its sender no longer waits for and that the store may still get.
    pub(crate) late: Option<Change>,
    pub(crate) budget: Budget,
    pub(crate) past: Past,
}

/// Only for the properties: what cannot be seen in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each belongs to one promise")]
pub struct Past {
    pub(crate) store_failed: bool,
    pub(crate) acknowledged_write_lost: bool,
    pub(crate) promoted_in_doubt: bool,
    pub(crate) went_back_unnoticed: bool,
    /// A record was believed though the known one is gone from the audit and nobody settled what holds.
    pub(crate) fork_believed: bool,
}

impl State {
    pub(crate) fn beginning(mode: Option<SystemMode>, budget: Budget) -> Self {
        let store = Store::beginning(mode);
        let instances = [Instance::new(store.record); INSTANCES];
        Self { store, instances, late: None, budget, past: Past::default() }
    }

    /// The store handles a write.
    pub(crate) fn arrive(&mut self, change: Change, variant: Variant) -> Answer {
        let before = self.store.record;
        let answer = self.store.compare_and_swap(change, variant);
        let left = before.is_some_and(|record| record.mode == SystemMode::EmergencyRollback)
            && self.store.record != before
            && change.kind != Kind::Emergency;
        if left {
            self.release_stored_emergencies();
        }
        answer
    }

    /// An operator has left the emergency: it no longer binds the instances whose emergency was stored.
    fn release_stored_emergencies(&mut self) {
        let store = &self.store;
        for instance in &mut self.instances {
            let stored = instance.brake.is_none_or(|brake| store.entry_of(brake.op).is_some());
            instance.pulled &= !stored;
        }
    }

    /// The smallest number of an operation that stands nowhere. Names do not matter, so equal names make equal states.
    pub(crate) fn fresh_op(&self) -> u8 {
        let used = self.etags().fold(1_u32, |used, etag| used | 1 << etag.op);
        let tasks = self.instances.iter().flat_map(Instance::tasks);
        let used = tasks.fold(used, |used, task| used | 1 << task.op);
        u8::try_from(used.trailing_ones()).unwrap_or(u8::MAX)
    }

    /// An etag for the operation that stands nowhere.
    pub(crate) fn fresh_etag(&self, op: u8) -> Etag {
        let own = self.etags().filter(|etag| etag.op == op);
        let used = own.fold(0_u32, |used, etag| used | 1 << etag.attempt);
        Etag { op, attempt: u8::try_from(used.trailing_ones()).unwrap_or(u8::MAX) }
    }

    fn etags(&self) -> impl Iterator<Item = Etag> {
        let stored = self.store.audit.iter().chain(&self.late).flat_map(Change::ids);
        let current = self.store.record.into_iter().map(|record| record.id);
        stored.chain(current).chain(self.instances.iter().flat_map(Instance::ids)).map(|id| id.etag)
    }
}
