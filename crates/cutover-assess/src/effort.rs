//! [`EffortWeights`]: what places of each complexity cost.

use serde::{Deserialize, Serialize};

use crate::rule::Complexity;

/// What it costs to migrate one place of each complexity, in a unit of the host's choice.
///
/// The default is 1, 3 and 8 `points`, which compare places with each other and say nothing of hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "hosts write it as a literal, and complexities are these three")]
pub struct EffortWeights {
    /// For one place of low complexity.
    pub low: u32,
    /// For one of medium complexity.
    pub medium: u32,
    /// For one of high complexity.
    pub high: u32,
    /// What is counted, such as `points` or `hours`.
    pub unit: String,
}

impl EffortWeights {
    /// What one place of this complexity costs.
    #[must_use]
    pub const fn of(&self, complexity: Complexity) -> u32 {
        match complexity {
            Complexity::Low => self.low,
            Complexity::Medium => self.medium,
            Complexity::High => self.high,
        }
    }
}

impl Default for EffortWeights {
    fn default() -> Self {
        Self { low: 1, medium: 3, high: 8, unit: "points".into() }
    }
}
