//! [`Discrepancy`]: one recorded disagreement.

use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::Captured;
use crate::compare::{Difference, without_indices};
use crate::mode::SystemMode;
use crate::outcome::{Outcome, Side};
use crate::wire;

/// A recorded disagreement between the two sides of one call, or of several calls with the same fingerprint.
///
/// It holds nothing raw: values, context and key are there only as far as the host gave a function for them.
///
/// It is serialised like this. Durations are nanoseconds, times are milliseconds since 1970 (UTC), and what was not
/// captured is left out.
///
/// ```
/// use cutover::Discrepancy;
///
/// let json = serde_json::json!({
///     "fingerprint": "a8d196470494d23eb437e2083f4eb0b1",
///     "runner": "price",
///     "kind": "values_differ",
///     "differences": [{ "path": "/total", "kind": "value", "legacy": 100, "new": 99 }],
///     "legacy": { "outcome": "ok", "elapsed": 9914, "value": { "text": "{\"total\":100}" } },
///     "new": { "outcome": "ok", "elapsed": 4329, "value": { "text": "{\"total\":99}" } },
///     "served": "legacy",
///     "mode": "parallel",
///     "epoch": 2,
///     "key": "4e908ac81bacba5a",
///     "occurrences": 1,
///     "first_seen": 1795175331865_u64,
///     "last_seen": 1795175331865_u64,
/// });
/// let discrepancy: Discrepancy = serde_json::from_value(json.clone())?;
/// assert_eq!(serde_json::to_value(&discrepancy)?, json);
/// assert_eq!(
///     discrepancy.to_string(),
///     "price: values_differ (legacy ok vs new ok), key 4e908ac81bacba5a\n  /total: value, 100 -> 99"
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Discrepancy {
    /// Groups equal discrepancies.
    pub fingerprint: Fingerprint,
    /// The name of the runner that found it.
    pub runner: Arc<str>,
    /// What kind of disagreement it is.
    pub kind: DiscrepancyKind,
    /// Where the answers differ, as far as the comparator knows. Values are there only if the host asked for them.
    pub differences: Vec<Difference>,
    /// Whether values of differences are missing because those of one side together passed the capture limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub differences_truncated: bool,
    /// The legacy side.
    pub legacy: SideRecord,
    /// The new side.
    pub new: SideRecord,
    /// Which side gave the caller's answer.
    pub served: Side,
    /// The mode that routed the call.
    pub mode: SystemMode,
    /// The epoch of the record that routed the call.
    pub epoch: u64,
    /// The key: its hash in 16 hexadecimal digits, or the key itself if the host asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What the call site said about the call, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Captured>,
    /// How many calls this stands for.
    pub occurrences: u64,
    /// When the first of them was seen.
    #[serde(with = "wire::unix_millis")]
    pub first_seen: SystemTime,
    /// When the last of them was seen.
    #[serde(with = "wire::unix_millis")]
    pub last_seen: SystemTime,
}

impl Discrepancy {
    /// Takes in a later discrepancy with the same fingerprint: the first sample stays, the counts grow.
    pub fn merge(&mut self, later: &Self) {
        self.occurrences = self.occurrences.saturating_add(later.occurrences);
        self.first_seen = self.first_seen.min(later.first_seen);
        self.last_seen = self.last_seen.max(later.last_seen);
    }

    /// Roughly the bytes held, for bounded buffers.
    #[must_use]
    pub fn size(&self) -> usize {
        let captured = [&self.legacy.value, &self.new.value, &self.context];
        let texts: usize = captured.into_iter().flatten().map(Captured::size).sum();
        let differences: usize = self.differences.iter().map(size_of_difference).sum();
        size_of::<Self>() + texts + differences + self.key.as_ref().map_or(0, String::len)
    }
}

fn size_of_difference(difference: &Difference) -> usize {
    let values = [&difference.legacy, &difference.new];
    let values: usize = values.into_iter().flatten().map(heap_size).sum();
    size_of::<Difference>() + difference.path.len() + values
}

/// What a value holds on the heap. It is as deep as a serialised answer may be, which is bounded.
fn heap_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + heap_size(item)).sum(),
        Value::Object(members) => {
            members.iter().map(|(key, member)| OBJECT_MEMBER + key.len() + heap_size(member)).sum()
        }
    }
}

/// A member of an object: its name, its value and its share of a tree node.
const OBJECT_MEMBER: usize = 2 * (size_of::<String>() + size_of::<Value>());

/// What kind of disagreement a discrepancy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DiscrepancyKind {
    /// Both returned `Ok`, and the comparator says that the values differ.
    ValuesDiffer,
    /// Both returned `Err`, and the error comparator says that the errors differ.
    ErrorsDiffer,
    /// Legacy returned `Err`, new `Ok`.
    LegacyFailed,
    /// New returned `Err`, legacy `Ok`.
    NewFailed,
    /// At least one side panicked.
    Panicked,
    /// The shadow took too long.
    TimedOut,
}

impl DiscrepancyKind {
    /// The wire name, such as `values_differ`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ValuesDiffer => "values_differ",
            Self::ErrorsDiffer => "errors_differ",
            Self::LegacyFailed => "legacy_failed",
            Self::NewFailed => "new_failed",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
        }
    }
}

impl fmt::Display for DiscrepancyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One side of a discrepancy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SideRecord {
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in nanoseconds when serialised.
    #[serde(with = "wire::nanos")]
    pub elapsed: Duration,
    /// Its value, error or panic text, captured by the host's function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Captured>,
}

impl SideRecord {
    /// A side without its value.
    #[must_use]
    pub const fn new(outcome: Outcome, elapsed: Duration) -> Self {
        Self { outcome, elapsed, value: None }
    }
}

/// Groups discrepancies that say the same: 128 bits over runner, kind, outcomes and the paths and kinds of the
/// differences, with array indices taken as equal. Where a comparator knows no paths, the captured values count too.
///
/// It is a hash for grouping, not for security.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// Stands in until the rest of a discrepancy is known.
    #[cfg(feature = "testing")]
    pub(crate) const NONE: Self = Self(0);

    /// The fingerprint of a discrepancy, whatever its own field says.
    #[must_use]
    pub fn of(discrepancy: &Discrepancy) -> Self {
        let mut hasher = SipHasher13::new_with_keys(0, 0);
        let mut part = |text: &str| {
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text.as_bytes());
        };
        part(&discrepancy.runner);
        part(discrepancy.kind.name());
        part(discrepancy.legacy.outcome.name());
        part(discrepancy.new.outcome.name());
        for difference in &discrepancy.differences {
            part(&without_indices(&difference.path));
            part(difference.kind.name());
        }
        if discrepancy.differences.is_empty() {
            let values = [&discrepancy.legacy.value, &discrepancy.new.value];
            values.into_iter().flatten().for_each(|value| part(&value.text));
        }
        Self(hasher.finish128().as_u128())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}
