//! The claim store: each function is one atomic step, in which the stored mode is judged too.

use cutover::{Side, SystemMode};

use super::rules::Rules;

/// How many items there are: the first is in the rollout, the second is not.
pub const ITEMS: usize = 2;

/// What the store says about the migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Policy {
    pub(crate) epoch: u8,
    /// Stands for the random bits of the record.
    pub(crate) etag: u8,
    pub(crate) mode: SystemMode,
}

/// One item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// The token of the last claim; it only grows.
    pub(crate) token: u8,
    pub(crate) lease: Lease,
}

/// Whether an item is held, by the store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lease {
    /// Never claimed, or released.
    Free,
    /// Claimed.
    Held,
    /// Claimed, and the time is over.
    Expired,
    /// Completed.
    Completed,
}

/// What a holder asks of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// More time.
    Renew,
    /// The work is done.
    Complete,
    /// Somebody else may.
    Release,
}

/// Everything that the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Store {
    pub(crate) policy: Policy,
    pub(crate) rows: [Row; ITEMS],
}

impl Policy {
    /// Who serves an item.
    pub(crate) const fn side(self, item: usize) -> Side {
        self.mode.routing(item == 0).serves
    }
}

impl Store {
    pub(crate) const fn beginning(mode: SystemMode) -> Self {
        let row = Row { token: 0, lease: Lease::Free };
        Self { policy: Policy { epoch: 1, etag: 0, mode }, rows: [row; ITEMS] }
    }

    /// Grants a claim with a token that was never granted before, or refuses it.
    pub(crate) fn claim(&mut self, item: usize, expected: Policy, rules: Rules) -> Option<u8> {
        let row = &mut self.rows[item];
        let open = match row.lease {
            Lease::Free | Lease::Expired => true,
            Lease::Held => false,
            Lease::Completed => rules == Rules::ClaimCompleted,
        };
        if !open || !is_current(expected, self.policy, rules) {
            return None;
        }
        *row = Row { token: row.token + 1, lease: Lease::Held };
        Some(row.token)
    }

    /// Does what the holder of `token` asks for, or refuses it.
    pub(crate) fn ask(&mut self, item: usize, token: u8, verb: Verb, rules: Rules) -> bool {
        let row = &mut self.rows[item];
        let good = match row.lease {
            Lease::Held => true,
            Lease::Expired => rules == Rules::NoExpiry,
            Lease::Completed => rules == Rules::CompleteTwice && verb == Verb::Complete,
            Lease::Free => false,
        };
        if !good || (token != row.token && rules != Rules::NoToken) {
            return false;
        }
        row.lease = match verb {
            Verb::Renew => Lease::Held,
            Verb::Complete => Lease::Completed,
            Verb::Release => Lease::Free,
        };
        if verb == Verb::Release && rules == Rules::ForgetToken {
            row.token = 0;
        }
        true
    }
}

fn is_current(expected: Policy, stored: Policy, rules: Rules) -> bool {
    let epoch = expected.epoch == stored.epoch || rules == Rules::NoEpoch;
    epoch && (expected.etag == stored.etag || rules != Rules::EpochAndEtag)
}
