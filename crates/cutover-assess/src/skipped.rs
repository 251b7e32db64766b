//! [`Skipped`]: a file that was not looked at, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file or folder that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Skipped {
    /// Its path below the root of the scan, with `/` between its parts; empty for the root itself. What is not Unicode in
    /// it is shown as `U+FFFD`.
    pub path: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why a file or folder was not looked at.
///
/// On the wire it is an object whose member `kind` is the name of the variant in `snake_case`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SkipReason {
    /// It has a zero byte among its first 8,192 bytes, as no text has, and its name is not one of source code.
    Binary,
    /// It was to be left out.
    LeftOut,
    /// A link, which is not followed.
    Symlink,
    /// Neither a file, nor a folder, nor a link: a pipe, a socket or a device.
    Special,
    /// It is larger than the scan was allowed to read.
    TooLarge {
        /// Its size in bytes.
        bytes: u64,
        /// The most that was allowed, in bytes.
        limit: u64,
    },
    /// It is text in UTF-16 or UTF-32, in which patterns are not looked for.
    Encoding {
        /// The encoding by its byte order mark, such as `UTF-16LE`.
        encoding: String,
    },
    /// Its name is one of source code, but it has a zero byte among its first 8,192 bytes: text in UTF-16 without a byte order
    /// mark, or a source with a stray byte, which some compilers accept.
    ZeroByte,
    /// Its path is no Unicode, and so no finding could name it.
    PathNotUnicode,
    /// The system did not let it be read.
    Unreadable {
        /// What the system said.
        problem: String,
    },
    /// A matcher failed on it.
    MatcherFailed {
        /// How.
        problem: String,
    },
}

impl SkipReason {
    /// Whether a legacy call site could be in it that nobody has seen: true for all but binary and special files, links, and
    /// what was to be left out.
    #[must_use]
    pub const fn hides_findings(&self) -> bool {
        !matches!(self, Self::Binary | Self::LeftOut | Self::Symlink | Self::Special)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary => f.write_str("binary"),
            Self::LeftOut => f.write_str("left out, as asked"),
            Self::Symlink => f.write_str("a link, which is not followed"),
            Self::Special => f.write_str("no file, folder or link"),
            Self::TooLarge { bytes, limit } => write!(f, "too large: {bytes} bytes, allowed are {limit}"),
            Self::Encoding { encoding } => write!(f, "text in {encoding}; only UTF-8 and what contains ASCII is read"),
            Self::ZeroByte => {
                f.write_str("source code by its name, but with a zero byte; if it is none, name it in an ignore file")
            }
            Self::PathNotUnicode => f.write_str("its path is no Unicode"),
            Self::Unreadable { problem } => write!(f, "unreadable: {problem}"),
            Self::MatcherFailed { problem } => write!(f, "a matcher failed: {problem}"),
        }
    }
}
