//! [`Record`]: what is stored about a migration.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::change::is_zero;
use super::{Actor, AuditHash, Author, Reason, Stamp, StoreError};
use crate::Percentage;
use crate::mode::SystemMode;
use crate::wire;

/// The stored state of a migration: what holds, since when, who wanted it and why.
///
/// As JSON, `etag` and `op_id` are 32 hexadecimal digits, `since` is in milliseconds since the Unix epoch, shares are in
/// percent. Unknown fields are ignored when reading, an unknown mode is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The layout of this record; see [`FORMAT`](Self::FORMAT).
    pub format: u16,
    /// Who serves.
    pub mode: SystemMode,
    /// The share of keys that new serves in `GradualRollout`.
    pub rollout: Percentage,
    /// The share of calls that also run the shadow; `None` for the mode's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_share: Option<Percentage>,
    /// Grows by one with every stored change, from 1.
    pub epoch: u64,
    /// 128 random bits, new with every stored change: two records of the same epoch are never taken for one.
    #[serde(with = "wire::hex")]
    pub etag: u128,
    /// When this record was made.
    #[serde(with = "wire::unix_millis")]
    pub since: SystemTime,
    /// Who made it.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
    /// The operation that made it. Repeating an operation never makes a second record.
    #[serde(with = "wire::hex")]
    pub op_id: u128,
    /// The hash of this record's audit entry, and through it of the whole audit so far.
    pub audit_hash: AuditHash,
    /// Up to which epoch an operator settled what holds after the store had lost records: a process that knows a record up
    /// to that epoch believes this one. 0 where nothing was ever lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub settles: u64,
}

impl Record {
    /// The layout that this version writes. What has a higher one is [`StoreError::UnknownFormat`].
    pub const FORMAT: u16 = 1;

    /// The longest JSON text that [`from_json`](Self::from_json) reads: 64 KiB.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// The mode and the shares. The rollout is 0 in the modes that reset it, whatever was stored.
    #[must_use]
    pub const fn settings(&self) -> Settings {
        let stored = Settings { mode: self.mode, rollout: self.rollout, shadow_share: self.shadow_share };
        stored.entering(self.mode)
    }

    /// Reads the JSON text of a record.
    ///
    /// # Errors
    /// [`StoreError::UnknownFormat`] for a higher `format` or an unknown mode, [`StoreError::TooLarge`] above
    /// [`MAX_BYTES`](Self::MAX_BYTES), [`StoreError::Corrupt`] for anything else that is not a record.
    pub fn from_json(json: &[u8]) -> Result<Self, StoreError> {
        Self::check_size(json.len())?;
        let header: Header = wire::read(json).map_err(StoreError::corrupt)?;
        header.check()?;
        wire::read(json).map_err(StoreError::corrupt)
    }

    /// Whether this version understands the record.
    ///
    /// # Errors
    /// [`StoreError::UnknownFormat`] for a higher `format`.
    pub fn check_format(&self) -> Result<(), StoreError> {
        check_format(self.format)
    }

    /// The JSON text that [`from_json`](Self::from_json) reads.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] never happens for a record that this version made.
    pub fn to_json(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(StoreError::corrupt)
    }

    pub(super) const fn check_size(size: usize) -> Result<(), StoreError> {
        if size > Self::MAX_BYTES { Err(StoreError::TooLarge { size, max: Self::MAX_BYTES }) } else { Ok(()) }
    }

    pub(super) fn new(settings: Settings, epoch: u64, author: Author, stamp: Stamp) -> Self {
        let Settings { mode, rollout, shadow_share } = settings;
        let Stamp { at, etag, op_id } = stamp;
        let Author { actor, reason } = author;
        Self {
            format: Self::FORMAT,
            mode,
            rollout,
            shadow_share,
            epoch,
            etag,
            since: at,
            actor,
            reason,
            op_id,
            audit_hash: AuditHash::START,
            settles: 0,
        }
    }
}

/// What every version's record says about itself.
#[derive(Deserialize)]
struct Header {
    format: u16,
    mode: String,
}

impl Header {
    fn check(&self) -> Result<(), StoreError> {
        check_format(self.format)?;
        check_mode(&self.mode)
    }
}

pub(super) fn check_mode(name: &str) -> Result<(), StoreError> {
    let known = SystemMode::ALL.into_iter().any(|mode| mode.name() == name);
    if known { Ok(()) } else { Err(StoreError::unknown_format("it names a mode that this version does not know")) }
}

fn check_format(format: u16) -> Result<(), StoreError> {
    if format <= Record::FORMAT {
        return Ok(());
    }
    Err(StoreError::unknown_format(format!("format {format}; known up to {}", Record::FORMAT)))
}

/// What a record says about routing.
///
/// The default is the state of a migration that has never been changed: legacy only, at 0 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a new setting must break every place that decides over all of them")]
pub struct Settings {
    /// Who serves.
    pub mode: SystemMode,
    /// The share of keys that new serves in `GradualRollout`.
    pub rollout: Percentage,
    /// The share of calls that also run the shadow; `None` for the mode's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_share: Option<Percentage>,
}

impl Settings {
    /// The settings after a transition to `mode`: the rollout is 0 in the modes that reset it, and stays otherwise.
    #[must_use]
    pub const fn entering(self, mode: SystemMode) -> Self {
        let rollout = if mode.resets_rollout() { Percentage::ZERO } else { self.rollout };
        Self { mode, rollout, ..self }
    }

    /// The shadow share in effect: the one that is set, or the mode's default.
    #[must_use]
    pub fn effective_shadow_share(&self) -> Percentage {
        self.shadow_share.unwrap_or_else(|| self.mode.routing(false).default_share)
    }
}

/// What a [`compare_and_swap`](super::StateStore::compare_and_swap) expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a store must decide over all of them")]
pub enum Expect {
    /// No record.
    Absent,
    /// The record with this epoch *and* this etag: after a failover two records may share an epoch.
    Exact {
        /// Its epoch.
        epoch: u64,
        /// Its etag.
        etag: u128,
    },
}

impl Expect {
    /// Expects what was read.
    #[must_use]
    pub const fn of(record: Option<&Record>) -> Self {
        match record {
            None => Self::Absent,
            Some(record) => Self::Exact { epoch: record.epoch, etag: record.etag },
        }
    }

    /// Whether `current` is what is expected.
    #[must_use]
    pub fn matches(self, current: Option<&Record>) -> bool {
        self == Self::of(current)
    }
}
