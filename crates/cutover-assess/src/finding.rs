//! [`Finding`]: one place that has to be migrated.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::fingerprint::Fingerprint;
use crate::rule::Complexity;

/// One place that has to be migrated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Finding {
    /// The file, as its path below the root of the scan, with `/` between its parts on every system.
    pub path: String,
    /// The line that the place starts in, from 1. Lines end with a line feed.
    pub line: usize,
    /// The character of that line that it starts with, from 1, in Unicode scalar values. A byte that is not UTF-8 counts
    /// as one character, and a byte order mark does not count.
    pub column: usize,
    /// Where it stands in the file, in bytes from its start, a byte order mark included.
    pub span: Range<usize>,
    /// The id of the rule that found it.
    pub rule: String,
    /// What the rule calls such a place.
    pub name: String,
    /// How hard it is to migrate.
    pub complexity: Complexity,
    /// Where in its language it stands.
    pub context: Context,
    /// The line without the white space around it, or what is around the place in a long one: at most about 160
    /// characters, with `…` where it is cut. What is not UTF-8 is shown as `U+FFFD`.
    pub excerpt: String,
    /// Where the place stands in the excerpt, in bytes; as much of it as the excerpt has.
    pub matched: Range<usize>,
    /// Which place it is, over moves of the place.
    pub fingerprint: Fingerprint,
    /// What to write in place of `span`, if that is all there is to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}
