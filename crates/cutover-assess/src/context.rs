//! [`Context`]: what a piece of source is to its language.

use serde::{Deserialize, Serialize};

/// What a piece of source is to its language.
///
/// Its wire names are `code`, `comment` and `string`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "every byte of a file is one of the three")]
pub enum Context {
    /// What the language runs. Everything, in files of an unknown language.
    Code,
    /// Comments, with the marks around them.
    Comment,
    /// Literals of text: strings, characters, templates and regular expressions, with their quotes and prefixes.
    String,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Code, Self::Comment, Self::String];

    /// The wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Comment => "comment",
            Self::String => "string",
        }
    }

    /// What several pieces of it are called.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Comment => "comments",
            Self::String => "strings",
        }
    }
}
