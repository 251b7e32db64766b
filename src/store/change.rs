//! [`Change`]: the next record together with its [`AuditEntry`].

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Actor, Author, Reason, Record, Settings};
use crate::wire;

/// One change: the next record and its audit entry, which a store keeps in one atomic step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    record: Record,
    entry: AuditEntry,
}

impl Change {
    /// The change from `before`, which is `None` for the first one, to `after`.
    ///
    /// The epoch is one above that of `before`; times are kept in whole milliseconds.
    #[must_use]
    pub fn new(before: Option<&Record>, after: Settings, kind: ChangeKind, author: Author, stamp: Stamp) -> Self {
        let epoch = before.map_or(0, |record| record.epoch).saturating_add(1);
        let stamp = Stamp { at: wire::unix_millis::rounded(stamp.at), ..stamp };
        let record = Record::new(after.entering(after.mode), epoch, author, stamp);
        let entry = AuditEntry::of(&record, kind, before.map(Record::settings));
        Self { record, entry }
    }

    /// The same change with what led to it, such as the numbers that a guard saw.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Value) -> Self {
        self.entry.evidence = Some(evidence);
        self
    }

    /// The record to store.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// The audit entry to store with it.
    #[must_use]
    pub const fn entry(&self) -> &AuditEntry {
        &self.entry
    }

    /// The operation. Stored once, however often it is repeated.
    #[must_use]
    pub const fn op_id(&self) -> u128 {
        self.record.op_id
    }
}

/// What tells one change from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a host's test of its store makes its own")]
pub struct Stamp {
    /// When it was decided.
    pub at: SystemTime,
    /// 128 random bits of the record.
    pub etag: u128,
    /// 128 random bits of the operation.
    pub op_id: u128,
}

/// One line of the audit: who changed what, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// The epoch of the record that the change made.
    pub epoch: u64,
    /// The etag of that record.
    #[serde(with = "wire::hex")]
    pub etag: u128,
    /// When it was decided.
    #[serde(with = "wire::unix_millis")]
    pub at: SystemTime,
    /// Who changed it.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
    /// The operation.
    #[serde(with = "wire::hex")]
    pub op_id: u128,
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// What held before; `None` if nothing was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Settings>,
    /// What holds since.
    pub after: Settings,
    /// What led to it, if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Value>,
}

impl AuditEntry {
    fn of(record: &Record, kind: ChangeKind, before: Option<Settings>) -> Self {
        Self {
            epoch: record.epoch,
            etag: record.etag,
            at: record.since,
            actor: record.actor.clone(),
            reason: record.reason.clone(),
            op_id: record.op_id,
            kind,
            before,
            after: record.settings(),
            evidence: None,
        }
    }

    /// The record that this change made: the answer to a repeated operation.
    #[must_use]
    pub fn record(&self) -> Record {
        let author = Author { actor: self.actor.clone(), reason: self.reason.clone() };
        let stamp = Stamp { at: self.at, etag: self.etag, op_id: self.op_id };
        Record::new(self.after, self.epoch, author, stamp)
    }

    /// Whether the mode changed.
    #[must_use]
    pub fn is_transition(&self) -> bool {
        self.before.unwrap_or_default().mode != self.after.mode
    }
}

/// What kind of change an audit entry tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// Another mode.
    Transition,
    /// Another rollout.
    Rollout,
    /// Another shadow share.
    ShadowShare,
    /// An operator settled what holds after the store had lost records.
    Reconciliation,
    /// A kind that this version does not know.
    #[serde(other)]
    Other,
}
