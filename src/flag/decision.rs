//! [`Decision`]: what a flag said to one key, and why.

use std::fmt;

use crate::Percentage;

/// What a flag says to one key, which rule decided, and the numbers it decided by.
///
/// ```
/// use cutover::{FeatureFlag, Percentage};
/// use cutover::flag::Rule;
///
/// let decision = FeatureFlag::new("new-search").rollout(Percentage::HUNDRED).decide("user-17");
/// assert!(decision.enabled);
/// assert_eq!(decision.rule, Rule::Percentage);
/// assert!(decision.bucket.is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// Whether the flag is on for this key.
    pub enabled: bool,
    /// The rule that decided.
    pub rule: Rule,
    /// Where the key fell, or what was drawn for a missing one; `None` when a rule decided before anything was hashed.
    pub bucket: Option<u64>,
    /// The flag's rollout: the share of buckets that are on.
    pub threshold: Percentage,
}

/// The rules of a flag, in the order in which they are asked. [`Requires`](Self::Requires) is asked when all others
/// say yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The kill switch is on: off for everybody.
    KillSwitch,
    /// The key is in the deny list: off.
    DenyList,
    /// The key is in the allow list: on.
    AllowList,
    /// The key's bucket was compared with the rollout.
    Percentage,
    /// There is no key: the flag's [`MissingKey`](crate::MissingKey) policy decided.
    MissingKey,
    /// The flag itself is on for the key, and one that it requires is not: off.
    Requires,
}

impl Rule {
    /// The name in messages, such as `deny_list`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillSwitch => "kill_switch",
            Self::DenyList => "deny_list",
            Self::AllowList => "allow_list",
            Self::Percentage => "percentage",
            Self::MissingKey => "missing_key",
            Self::Requires => "requires",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
