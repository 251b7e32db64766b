//! [`Capabilities`] and [`Limits`]: what is checked, and how much of it.

use std::time::Duration;

use crate::store::AuditEntry;

/// Something that not every store or factory has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// The store keeps claims.
    Claims,
    /// The store keeps discrepancies.
    Discrepancies,
    /// The store gives wake-ups.
    Watch,
    /// The factory has a store that cannot be reached.
    Broken,
    /// The factory can write what cannot be read.
    Plant,
    /// The factory has a store that pauses between reading and writing.
    Pause,
    /// The factory can cut connections.
    Disconnect,
}

/// A set of [`Capability`]s.
///
/// ```
/// use cutover::testing::conformance::{Capabilities, Capability};
///
/// let capabilities = Capabilities::of(&[Capability::Claims, Capability::Watch]);
/// assert!(capabilities.has(Capability::Claims) && !capabilities.has(Capability::Plant));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u32);

impl Capabilities {
    /// Those that are listed.
    #[must_use]
    pub fn of(listed: &[Capability]) -> Self {
        listed.iter().fold(Self::default(), |all, &capability| all.with(capability))
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | bit(capability))
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & bit(capability) != 0
    }
}

const fn bit(capability: Capability) -> u32 {
    1 << capability as u32
}

/// How much the checks do, and how long they wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a host's factory makes its own")]
pub struct Limits {
    /// How long one call, or one wake-up, may take. 5 s by default.
    pub patience: Duration,
    /// How long one check may take. 2 minutes by default.
    pub deadline: Duration,
    /// How long the leases last that a check lets run out. 1 s by default; every check waits a few of them. It should be
    /// well above the time that one call takes.
    pub lease: Duration,
    /// How many bytes of JSON the store takes for an audit entry. [`AuditEntry::MAX_BYTES`] by default.
    pub max_bytes: usize,
    /// How many writers race for one record. 8 by default.
    pub writers: usize,
    /// How many changes each of them makes. 50 by default.
    pub changes: usize,
    /// How many items workers race for. 1000 by default.
    pub items: usize,
    /// How many workers race for them. 6 by default.
    pub workers: usize,
    /// Where the racers' orders and pauses come from.
    pub seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(5),
            deadline: Duration::from_secs(120),
            lease: Duration::from_secs(1),
            max_bytes: AuditEntry::MAX_BYTES,
            writers: 8,
            changes: 50,
            items: 1000,
            workers: 6,
            seed: 0,
        }
    }
}
