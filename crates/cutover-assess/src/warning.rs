//! [`Warning`]: what makes an assessment weaker than it looks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What makes an assessment weaker than it looks.
///
/// On the wire it is an object whose member `kind` is the name of the variant in `snake_case`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Warning {
    /// A glob of a rule that no scanned file matches: a misspelt one, or one for files that are not there any more.
    GlobWithoutFiles {
        /// The rule's id.
        rule: String,
        /// The glob.
        glob: String,
    },
    /// A rule for which no file was scanned, because none of its globs matches one.
    RuleWithoutFiles {
        /// The rule's id.
        rule: String,
    },
    /// A `migrate:allow(..)` for a rule that there is not.
    UnknownAllow {
        /// The file, below the root.
        path: String,
        /// The line of the comment, from 1.
        line: usize,
        /// The id that no rule has.
        rule: String,
    },
    /// A `migrate:allow(..)` where its rule finds nothing.
    UnusedAllow {
        /// The file, below the root.
        path: String,
        /// The line of the comment, from 1.
        line: usize,
        /// The rule's id.
        rule: String,
    },
    /// A `migrate:allow` that names no rule.
    MalformedAllow {
        /// The file, below the root.
        path: String,
        /// The line of the comment, from 1.
        line: usize,
    },
}

impl Warning {
    /// Whether a legacy call site could be where nobody has looked.
    pub(crate) const fn is_gap(&self) -> bool {
        matches!(self, Self::GlobWithoutFiles { .. } | Self::RuleWithoutFiles { .. })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GlobWithoutFiles { rule, glob } => {
                write!(f, "the glob `{glob}` of the rule `{rule}` matches no file")
            }
            Self::RuleWithoutFiles { rule } => write!(f, "no file was scanned for the rule `{rule}`"),
            Self::UnknownAllow { path, line, rule } => {
                write!(f, "{path}:{line} allows `{rule}`, which no rule is called")
            }
            Self::UnusedAllow { path, line, rule } => {
                write!(f, "{path}:{line} allows `{rule}`, which finds nothing there")
            }
            Self::MalformedAllow { path, line } => {
                write!(f, "{path}:{line} allows nothing; write `migrate:allow(rule-id)`")
            }
        }
    }
}
