//! [`Change`]: the next record together with its [`AuditEntry`].

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::check_mode;
use super::{Actor, AuditHash, AuditKey, Author, Reason, Record, Settings, StoreError, chain};
use crate::wire;

/// One change: the next record and its audit entry, which a store keeps in one atomic step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    record: Record,
    entry: AuditEntry,
    key: Option<AuditKey>,
}

impl Change {
    /// The change from `before`, which is `None` for the first one, to `after`.
    ///
    /// The epoch is one above that of `before`; times are kept in whole milliseconds.
    #[must_use]
    pub fn new(before: Option<&Record>, after: Settings, kind: ChangeKind, author: Author, stamp: Stamp) -> Self {
        let epoch = before.map_or(0, |record| record.epoch).saturating_add(1);
        let stamp = Stamp { at: wire::unix_millis::rounded(stamp.at), ..stamp };
        let settles = before.map_or(0, |record| record.settles);
        let record = Record { settles, ..Record::new(after.entering(after.mode), epoch, author, stamp) };
        let entry = AuditEntry::of(&record, kind, before);
        Self { record, entry, key: None }.hashed()
    }

    /// The same change with what led to it, such as the numbers that a guard saw; `null` is no evidence.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Value) -> Self {
        // JSON would give `null` back as `None`, which has another hash.
        self.entry.evidence = (!evidence.is_null()).then_some(evidence);
        self.hashed()
    }

    /// The same change, which settles doubts of processes that know records up to `epoch`; see [`Record::settles`].
    #[must_use]
    pub fn settling(mut self, epoch: u64) -> Self {
        self.record.settles = self.record.settles.max(epoch);
        self.entry.settles = self.record.settles;
        self.hashed()
    }

    /// The same change, hashed with the key [of](AuditKey::of) the migration.
    #[must_use]
    pub fn with_key(mut self, key: AuditKey) -> Self {
        self.key = Some(key);
        self.hashed()
    }

    fn hashed(mut self) -> Self {
        self.entry.hash = chain::hash(&self.entry, self.key.as_ref());
        self.record.audit_hash = self.entry.hash;
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

/// One line of the audit: who changed what, when and why, chained to the line before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// The layout of this entry; see [`FORMAT`](Self::FORMAT).
    pub format: u16,
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
    /// As in [`Record::settles`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub settles: u64,
    /// The hash of the entry before it; [`AuditHash::START`] for the first.
    pub previous: AuditHash,
    /// The hash of all of the above.
    pub hash: AuditHash,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub(super) const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl AuditEntry {
    /// The layout that this version writes.
    pub const FORMAT: u16 = 1;

    /// The longest JSON text that [`from_json`](Self::from_json) reads: 64 KiB.
    pub const MAX_BYTES: usize = Record::MAX_BYTES;

    fn of(record: &Record, kind: ChangeKind, before: Option<&Record>) -> Self {
        Self {
            format: Self::FORMAT,
            epoch: record.epoch,
            etag: record.etag,
            at: record.since,
            actor: record.actor.clone(),
            reason: record.reason.clone(),
            op_id: record.op_id,
            kind,
            before: before.map(Record::settings),
            after: record.settings(),
            evidence: None,
            settles: record.settles,
            previous: before.map_or(AuditHash::START, |record| record.audit_hash),
            hash: AuditHash::START,
        }
    }

    /// The record that this change made: the answer to a repeated operation.
    #[must_use]
    pub fn record(&self) -> Record {
        let author = Author { actor: self.actor.clone(), reason: self.reason.clone() };
        let stamp = Stamp { at: self.at, etag: self.etag, op_id: self.op_id };
        let record = Record::new(self.after, self.epoch, author, stamp);
        Record { settles: self.settles, audit_hash: self.hash, ..record }
    }

    /// Reads the JSON text of an entry.
    ///
    /// # Errors
    /// [`StoreError::UnknownFormat`] for a higher `format` or an unknown mode, [`StoreError::TooLarge`] above
    /// [`MAX_BYTES`](Self::MAX_BYTES), [`StoreError::Corrupt`] for anything else that is not an entry.
    pub fn from_json(json: &[u8]) -> Result<Self, StoreError> {
        Record::check_size(json.len())?;
        let Format { format } = wire::read(json).map_err(StoreError::corrupt)?;
        if format > Self::FORMAT {
            return Err(StoreError::unknown_format(format!("format {format}; known up to {}", Self::FORMAT)));
        }
        let Modes { before, after } = wire::read(json).map_err(StoreError::corrupt)?;
        before.iter().chain([&after]).try_for_each(|settings| check_mode(&settings.mode))?;
        wire::read(json).map_err(StoreError::corrupt)
    }

    /// The JSON text that [`from_json`](Self::from_json) reads.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] when its evidence makes it longer than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn to_json(&self) -> Result<String, StoreError> {
        let json = serde_json::to_string(self).map_err(StoreError::corrupt)?;
        Record::check_size(json.len())?;
        Ok(json)
    }

    /// Whether the mode changed.
    #[must_use]
    pub fn is_transition(&self) -> bool {
        self.before.unwrap_or_default().mode != self.after.mode
    }
}

/// What every version's entry says about itself.
#[derive(Deserialize)]
struct Format {
    format: u16,
}

/// The modes of an entry, whether they are known or not.
#[derive(Deserialize)]
struct Modes {
    #[serde(default)]
    before: Option<Named>,
    after: Named,
}

#[derive(Deserialize)]
struct Named {
    mode: String,
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
    /// A person allowed a step of a plan. This and what follows may change no settings.
    Approval,
    /// A person said that they know that a step of a plan cannot be taken back.
    Acknowledgement,
    /// A plan is to wait.
    Pause,
    /// A plan is to go on.
    Resume,
    /// A plan came to a step whose settings held already, or to its end.
    Step,
    /// The discrepancies that were kept are forgotten, which is done after this is stored.
    Clearing,
    /// A kind that this version does not know, so that it cannot verify the entry either.
    #[serde(other)]
    Other,
}

impl ChangeKind {
    /// All kinds that this version writes.
    pub const ALL: [Self; 10] = [
        Self::Transition,
        Self::Rollout,
        Self::ShadowShare,
        Self::Reconciliation,
        Self::Approval,
        Self::Acknowledgement,
        Self::Pause,
        Self::Resume,
        Self::Step,
        Self::Clearing,
    ];

    /// The wire name, such as `transition`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transition => "transition",
            Self::Rollout => "rollout",
            Self::ShadowShare => "shadow_share",
            Self::Reconciliation => "reconciliation",
            Self::Approval => "approval",
            Self::Acknowledgement => "acknowledgement",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Step => "step",
            Self::Clearing => "clearing",
            Self::Other => "other",
        }
    }
}
