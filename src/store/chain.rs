//! The hash chain of the audit: [`AuditHash`], [`AuditKey`] and [`AuditVerifier`].

use std::fmt;

use hmac_sha256::{HMAC, Hash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AuditEntry, ChangeKind, MigrationId, Record, Settings};
use crate::wire;

/// The hash of an audit entry, over everything that the entry says and over the hash of the entry before it.
///
/// Without a key it is SHA-256 (FIPS 180-4), with an [`AuditKey`] it is HMAC-SHA-256 (RFC 2104). As JSON it is 64
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AuditHash([u8; 32]);

impl AuditHash {
    /// What stands before the first entry.
    pub const START: Self = Self([0; 32]);

    /// The hash as its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<AuditHash> for String {
    fn from(hash: AuditHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for AuditHash {
    type Error = NotAHash;

    fn try_from(text: String) -> Result<Self, NotAHash> {
        let mut bytes = [0; 32];
        let pairs = text.as_bytes().chunks(2);
        if text.len() != 64 {
            return Err(NotAHash);
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            *byte = hex_pair(pair).ok_or(NotAHash)?;
        }
        Ok(Self(bytes))
    }
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// A text that is no audit hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
#[non_exhaustive]
pub struct NotAHash;

/// A secret that makes the audit's chain impossible to rebuild for those who can write to the store but do not have it.
///
/// Every process that changes or verifies a migration needs the same key. It is derived anew for each migration, so that
/// entries of one are no entries of another. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditKey([u8; 32]);

impl AuditKey {
    /// A key from a secret of at least 16 bytes.
    ///
    /// # Errors
    /// [`ShortKey`] says how many bytes there are.
    pub fn new(secret: &[u8]) -> Result<Self, ShortKey> {
        if secret.len() < ShortKey::LEAST {
            return Err(ShortKey { bytes: secret.len() });
        }
        Ok(Self(HMAC::mac(DOMAIN, secret)))
    }

    /// The key of one migration.
    #[must_use]
    pub fn of(&self, id: &MigrationId) -> Self {
        Self(HMAC::mac(id.as_str(), self.0))
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(..)")
    }
}

/// A secret that is too short for an [`AuditKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an audit key of {bytes} bytes is too short; allowed: at least {} bytes", Self::LEAST)]
#[non_exhaustive]
pub struct ShortKey {
    /// How many bytes there are.
    pub bytes: usize,
}

impl ShortKey {
    /// The shortest secret, in bytes.
    pub const LEAST: usize = 16;
}

/// Says that hashes and keys are those of this layout.
const DOMAIN: &[u8] = b"cutover/audit-v1";

/// The hash of `entry`, whatever its own field says.
pub(super) fn hash(entry: &AuditEntry, key: Option<&AuditKey>) -> AuditHash {
    let bytes = canonical(entry);
    AuditHash(key.map_or_else(|| Hash::hash(&bytes), |key| HMAC::mac(&bytes, key.0)))
}

/// Everything that an entry says, each part behind its length as 8 little-endian bytes, so that no two entries are
/// written alike.
fn canonical(entry: &AuditEntry) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut part = |part: &[u8]| {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    };
    part(DOMAIN);
    part(&entry.previous.0);
    part(&entry.format.to_le_bytes());
    part(&entry.epoch.to_le_bytes());
    part(&entry.etag.to_le_bytes());
    part(&wire::unix_millis::millis(entry.at).to_le_bytes());
    part(entry.actor.as_str().as_bytes());
    part(entry.reason.as_str().as_bytes());
    part(&entry.op_id.to_le_bytes());
    part(entry.kind.name().as_bytes());
    part(entry.before.map(settings).unwrap_or_default().as_bytes());
    part(settings(entry.after).as_bytes());
    part(&entry.settles.to_le_bytes());
    part(entry.evidence.as_ref().map(sorted).unwrap_or_default().as_bytes());
    bytes
}

fn settings(settings: Settings) -> String {
    let Settings { mode, rollout, shadow_share } = settings;
    let share = shadow_share.map(|share| share.ppm().to_string()).unwrap_or_default();
    format!("{mode} {} {share}", rollout.ppm())
}

/// The JSON text with the members of every object in the order of their names, whatever order a store gives them back in.
fn sorted(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let texts = members.into_iter().map(|(name, member)| format!("{}:{}", quoted(name), sorted(member)));
            format!("{{{}}}", texts.collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

/// Where an audit ends: enough to notice later that its end was cut off or rebuilt.
///
/// Keep one outside the store now and then, in a log or a ticket, and
/// [verify against it](crate::MigrationController::verify_against).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an epoch and its hash are all there is to it")]
pub struct AuditHead {
    /// The epoch of the last entry; 0 for an empty audit.
    pub epoch: u64,
    /// Its hash.
    pub hash: AuditHash,
}

impl AuditHead {
    /// Where the audit of `record` ends.
    #[must_use]
    pub const fn of(record: &Record) -> Self {
        Self { epoch: record.epoch, hash: record.audit_hash }
    }
}

/// Follows an audit from its first entry and stops at the first that does not follow from those before it.
///
/// ```
/// use cutover::store::{AuditVerifier, MigrationId};
/// use cutover::{MemoryStore, MigrationController, StateStore, SystemMode};
///
/// # futures::executor::block_on(async {
/// let store = MemoryStore::new();
/// let controller = MigrationController::open("search", store.clone()).await?;
/// controller.transition(SystemMode::Parallel, "ana", "first look").await?;
/// controller.transition(SystemMode::LegacyOnly, "ana", "seen enough").await?;
///
/// let mut entries = store.history(&"search".parse()?, 0, 10).await?;
/// let mut verifier = AuditVerifier::new();
/// entries.iter().try_for_each(|entry| verifier.follow(entry))?;
///
/// entries[0].reason = "something else".parse()?;
/// let fault = AuditVerifier::new().follow(&entries[0]).unwrap_err();
/// assert_eq!(fault.to_string(), "audit entry 1 is not what was written: its hash does not fit what it says");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct AuditVerifier {
    key: Option<AuditKey>,
    head: AuditHead,
}

impl AuditVerifier {
    /// Verifies an audit without a key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Verifies an audit that was written with the key [of](AuditKey::of) the migration.
    #[must_use]
    pub fn with_key(key: AuditKey) -> Self {
        Self { key: Some(key), ..Self::default() }
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`AuditFault`] when it does not follow from those before it. The verifier stays where it was.
    pub fn follow(&mut self, entry: &AuditEntry) -> Result<(), AuditFault> {
        let problem = self.problem(entry);
        if let Some(problem) = problem {
            return Err(AuditFault { epoch: self.head.epoch.saturating_add(1), problem });
        }
        self.head = AuditHead { epoch: entry.epoch, hash: entry.hash };
        Ok(())
    }

    fn problem(&self, entry: &AuditEntry) -> Option<AuditProblem> {
        // Of an unknown kind the name is lost, which is a part of what was hashed.
        if entry.format > AuditEntry::FORMAT || entry.kind == ChangeKind::Other {
            return Some(AuditProblem::UnknownFormat);
        }
        if entry.epoch != self.head.epoch.saturating_add(1) {
            return Some(AuditProblem::Missing);
        }
        if entry.previous != self.head.hash {
            return Some(AuditProblem::Unlinked);
        }
        (hash(entry, self.key.as_ref()) != entry.hash).then_some(AuditProblem::Altered)
    }

    /// Where the entries so far end.
    #[must_use]
    pub const fn head(&self) -> AuditHead {
        self.head
    }
}

/// The first audit entry that is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("audit entry {epoch} is not what was written: {problem}")]
#[non_exhaustive]
pub struct AuditFault {
    /// Its epoch.
    pub epoch: u64,
    /// What is wrong with it.
    pub problem: AuditProblem,
}

impl AuditFault {
    /// The entry of `epoch` has `problem`.
    #[must_use]
    pub const fn new(epoch: u64, problem: AuditProblem) -> Self {
        Self { epoch, problem }
    }
}

/// What is wrong with an audit entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditProblem {
    /// It is not there, or another one stands in its place.
    #[error("it is missing")]
    Missing,
    /// It does not name the hash of the entry before it.
    #[error("it does not follow the entry before it")]
    Unlinked,
    /// Its hash is not that of its content; or it was written with another key.
    #[error("its hash does not fit what it says")]
    Altered,
    /// It is not the one that the record or a kept head names.
    #[error("the audit was known to have another entry there")]
    Replaced,
    /// The stored record is older, or gone: it was not written together with its record, or the record was lost.
    #[error("the stored record is older than it, or gone")]
    Unrecorded,
    /// A newer version wrote it, so that this one cannot tell.
    #[error("a newer version wrote it, which this one cannot verify")]
    UnknownFormat,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_hashed_in_one_order_and_escaped() {
        let value = json!({"b": [1, {"z": null, "a": "\"x\""}], "a\"": 0.1});
        assert_eq!(sorted(&value), r#"{"a\"":0.1,"b":[1,{"a":"\"x\"","z":null}]}"#);
    }

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let bytes = std::array::from_fn(|at| u8::try_from(at * 8 % 256).unwrap_or(0));
        let hash = AuditHash::from_bytes(bytes);
        assert_eq!(hash.to_bytes(), bytes);
        assert_eq!(AuditHash::try_from(hash.to_string()), Ok(hash));
        assert_eq!(json!(hash), json!(hash.to_string()));
        for bad in ["", "0g", &"0".repeat(63), &"é".repeat(32), &"+1".repeat(32)] {
            assert_eq!(AuditHash::try_from(bad.to_owned()), Err(NotAHash), "{bad}");
        }
    }

    #[test]
    fn a_key_does_not_show_and_must_not_be_short() {
        let key = AuditKey::new(b"0123456789abcdef");
        assert_eq!(key.map(|key| format!("{key:?}")), Ok("AuditKey(..)".to_owned()));
        assert_eq!(AuditKey::new(b"short").map(drop), Err(ShortKey { bytes: 5 }));
    }
}
