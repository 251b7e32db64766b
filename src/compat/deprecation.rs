//! [`Deprecation`]: what is known of one old thing.

use serde::{Deserialize, Serialize};

use super::Release;

/// What is known of one old thing: its name, what replaces it, and when it goes. It is `Copy` and can be a constant.
///
/// ```
/// use cutover::compat::{Deprecation, Release};
///
/// const PRICE: Deprecation<'_> = Deprecation::new("Shop::price")
///     .instead("Shop::quote")
///     .since(Release::new([2, 1]))
///     .remove_after(Release::new([2])); // 3.0 is the first release without it
/// assert_eq!(PRICE.to_string(), "`Shop::price` is deprecated, use `Shop::quote`");
/// assert_eq!(Deprecation::new("fax").to_string(), "`fax` is deprecated, and nothing replaces it");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deprecation<'a> {
    /// The old name: a path in code, a configuration key, the name of an event.
    pub old: &'a str,
    /// What to use instead, if there is something.
    pub new: Option<&'a str>,
    /// The first release in which it is deprecated.
    pub since: Option<Release>,
    /// The last release that has it.
    pub remove_after: Option<Release>,
}

impl<'a> Deprecation<'a> {
    /// The old thing with this name; nothing else is known of it.
    #[must_use]
    pub const fn new(old: &'a str) -> Self {
        Self { old, new: None, since: None, remove_after: None }
    }

    /// What to use instead. Without it, nothing replaces the old thing.
    #[must_use]
    pub const fn instead(mut self, new: &'a str) -> Self {
        self.new = Some(new);
        self
    }

    /// The first release in which it is deprecated.
    #[must_use]
    pub const fn since(mut self, release: Release) -> Self {
        self.since = Some(release);
        self
    }

    /// The last release that has it: `Release::new([2])` is every 2.x. Without it, nothing is ever overdue.
    #[must_use]
    pub const fn remove_after(mut self, release: Release) -> Self {
        self.remove_after = Some(release);
        self
    }
}

impl std::fmt::Display for Deprecation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.new {
            Some(new) => write!(f, "`{}` is deprecated, use `{new}`", self.old),
            None => write!(f, "`{}` is deprecated, and nothing replaces it", self.old),
        }
    }
}

/// Something declared that cannot be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeclareError {
    /// A name is declared twice, with facts that differ. The first one holds.
    #[error("`{old}` is declared twice: {fact} `{first}`, and {fact} `{second}`; decide on one")]
    Differs {
        /// The old name.
        old: String,
        /// What differs.
        fact: Fact,
        /// What was declared first.
        first: String,
        /// What was declared later.
        second: String,
    },
    /// It is to be gone before it is deprecated.
    #[error("`{old}` is deprecated since {since}, which comes after {remove_after}, the last release that has it")]
    GoneBefore {
        /// The old name.
        old: String,
        /// The first release in which it is deprecated.
        since: Release,
        /// The last release that has it.
        remove_after: Release,
    },
    /// The old thing has no name.
    #[error("an old thing needs a name that is not empty")]
    NoName,
}

/// What can be known of an old thing, beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fact {
    /// What replaces it.
    Instead,
    /// The first release in which it is deprecated.
    Since,
    /// The last release that has it.
    RemoveAfter,
}

impl std::fmt::Display for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Instead => "instead",
            Self::Since => "since",
            Self::RemoveAfter => "remove after",
        })
    }
}
