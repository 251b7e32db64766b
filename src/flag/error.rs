//! What can be wrong with a configuration.

use crate::excerpt::excerpt;

/// A flag name that the set does not have. It is never taken for a flag that is off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no flag `{name}`")]
#[non_exhaustive]
pub struct UnknownFlag {
    /// The name that was asked for, cut after 40 characters.
    pub name: String,
}

impl UnknownFlag {
    #[cold]
    pub(super) fn new(name: &str) -> Self {
        Self { name: excerpt(name) }
    }
}

/// Layers that make no set of flags. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagSetError {
    /// A flag requires one that no layer has.
    #[error("flag `{flag}` requires `{required}`, which no layer has")]
    UnknownRequirement {
        /// The flag that requires.
        flag: String,
        /// The name that is not there, cut after 40 characters.
        required: String,
    },
    /// Flags require each other in a circle.
    #[error("flags require each other in a circle: {}", circle(path))]
    Cycle {
        /// The flags of the circle; the first one stands at the end again.
        path: Vec<String>,
    },
    /// A flag requires more flags, directly or through others, than a call may ask.
    #[error("flag `{flag}` requires {count} others, directly or through them; allowed are {max}")]
    TooManyRequirements {
        /// The flag that requires.
        flag: String,
        /// How many it requires.
        count: usize,
        /// How many are allowed.
        max: usize,
    },
    /// There is no layer of this name.
    #[error("there is no layer `{layer}`; the layers are: {}", known.join(", "))]
    UnknownLayer {
        /// The name that was asked for.
        layer: String,
        /// The layers that there are, lowest first.
        known: Vec<String>,
    },
    /// Two layers have the same name, or one has a reserved name.
    #[error("the layer name `{layer}` is taken; names are used once, and `override` is reserved")]
    LayerNameTaken {
        /// The name.
        layer: String,
    },
    /// An environment variable stands for several flags.
    #[error("`{spelling}` from the environment stands for several flags: {}", candidates.join(", "))]
    AmbiguousName {
        /// The lower-case name that the variable gave.
        spelling: String,
        /// The flags that it may mean.
        candidates: Vec<String>,
    },
}

/// A long circle is shown without its middle.
fn circle(path: &[String]) -> String {
    match path {
        [first, second, _, .., last] if path.len() > SHOWN => {
            format!("{first} -> {second} -> … -> {last} ({} flags)", path.len() - 1)
        }
        short => short.join(" -> "),
    }
}

/// How many names of a circle are shown.
const SHOWN: usize = 5;

/// A configuration that cannot be read. Errors of a file format are that format's own and carry these texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagConfigError {
    /// No name of a flag.
    #[error("`{name}` is no name of a flag; names are a-z, 0-9, `.`, `_` and `-`, up to 64, and start with a-z or 0-9")]
    InvalidName {
        /// The text, cut after 40 characters.
        name: String,
    },
    /// An environment variable whose value cannot be read.
    #[error("environment variable `{variable}`: {problem}")]
    InvalidVariable {
        /// The name of the variable.
        variable: String,
        /// What is wrong with it, and what is allowed.
        problem: String,
    },
}

impl FlagConfigError {
    pub(super) fn invalid_name(name: &str) -> Self {
        Self::InvalidName { name: excerpt(name) }
    }
}
