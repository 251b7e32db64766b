//! [`InventoryError`].

use crate::strategy::StrategyError;
use crate::system::{NameError, SystemName, UnknownPriority};

/// An inventory that is not one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InventoryError {
    /// It has no systems.
    #[error("the inventory has no systems")]
    Empty,
    /// A name is not allowed.
    #[error(transparent)]
    Name(NameError),
    /// A system is there twice: it would be migrated twice.
    #[error("the system {system} is listed twice; list it once")]
    ListedTwice {
        /// Which one.
        system: SystemName,
    },
    /// A pattern cannot be read.
    #[error("the pattern `{pattern}` cannot be read; allowed: names with *, ?, [a-z] and {{a,b}}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A pattern matches no system, so that it does not say what was meant.
    #[error("the pattern `{pattern}` matches no system; there are {}", few(systems))]
    MatchesNothing {
        /// The pattern.
        pattern: String,
        /// All systems.
        systems: Vec<SystemName>,
    },
    /// A priority that there is not.
    #[error("for `{pattern}`: {problem}")]
    Priority {
        /// The pattern that it was given for.
        pattern: String,
        /// The value, and what is allowed.
        problem: UnknownPriority,
    },
    /// A strategy that is not one.
    #[error("for `{pattern}`: {problem}")]
    Strategy {
        /// The pattern that it was given for.
        pattern: String,
        /// The value, and what is allowed.
        problem: StrategyError,
    },
}

/// The first names, and how many more.
fn few(systems: &[SystemName]) -> String {
    let named: Vec<&str> = systems.iter().take(8).map(SystemName::as_str).collect();
    let rest = systems.len().saturating_sub(named.len());
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    named.join(", ") + &more
}
