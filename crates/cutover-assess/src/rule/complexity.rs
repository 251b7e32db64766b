//! [`Complexity`]: how hard it is to migrate one place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::excerpt::excerpt;

/// How hard it is to migrate one place that a rule finds. The easier, the smaller.
///
/// Its wire names are `low`, `medium` and `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[expect(clippy::exhaustive_enums, reason = "weights, totals and limits are given for each")]
pub enum Complexity {
    /// A rename.
    Low,
    /// A change that wants a look at its surroundings.
    Medium,
    /// A change of design.
    High,
}

impl Complexity {
    /// All of them, the easiest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Complexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Complexity {
    type Err = UnknownComplexity;

    fn from_str(name: &str) -> Result<Self, UnknownComplexity> {
        let known = Self::ALL.into_iter().find(|complexity| complexity.name() == name);
        known.ok_or_else(|| UnknownComplexity { name: excerpt(name) })
    }
}

impl TryFrom<String> for Complexity {
    type Error = UnknownComplexity;

    fn try_from(name: String) -> Result<Self, UnknownComplexity> {
        name.parse()
    }
}

impl From<Complexity> for String {
    fn from(complexity: Complexity) -> Self {
        complexity.name().into()
    }
}

/// A name that is no [`Complexity`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no complexity `{name}`; it is low, medium or high")]
#[non_exhaustive]
pub struct UnknownComplexity {
    /// The name, cut after 40 characters.
    pub name: String,
}
