//! What can be wrong with aliases, and with names.

use std::fmt;

use crate::excerpt::excerpt;

/// Aliases that make no map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AliasError {
    /// A name that is empty, or has a segment that is.
    #[error("`{name}` is no name{}", Rule(separator.as_deref()))]
    InvalidName {
        /// The name, cut after 40 characters.
        name: String,
        /// What stands between segments, if names have any.
        separator: Option<String>,
    },
    /// An old name stands twice.
    #[error("`{old}` stands for `{first}` and for `{second}`; decide on one")]
    Twice {
        /// The old name, cut after 40 characters.
        old: String,
        /// What it stands for first, cut after 40 characters.
        first: String,
        /// What it stands for later, cut after 40 characters.
        second: String,
    },
    /// Following the aliases never ends.
    #[error("aliases lead in a circle: {}", circle(path))]
    Circle {
        /// The names of the circle; the first one stands at the end again.
        path: Vec<String>,
    },
    /// The separator is empty.
    #[error("the separator is empty; leave it out where names are whole")]
    NoSeparator,
}

struct Rule<'a>(Option<&'a str>);

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(separator) if separator.chars().count() > 1 => write!(
                f,
                "; between two `{separator}` stands something, which neither begins nor ends with a part of it"
            ),
            Some(separator) => write!(f, "; before and after each `{separator}` stands something"),
            None => f.write_str("; a name is not empty"),
        }
    }
}

/// A long circle is shown without its middle.
fn circle(path: &[String]) -> String {
    match path {
        [first, second, _, .., last] if path.len() > SHOWN => {
            format!("{first} -> {second} -> … -> {last} ({} names)", path.len() - 1)
        }
        short => short.join(" -> "),
    }
}

/// How many names of a circle are shown.
const SHOWN: usize = 8;

/// A name of which a map knows nothing. It is cheap to make, since anybody may send such names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no name that is known; {}", known_names(known, *more))]
#[non_exhaustive]
pub struct UnknownName {
    /// The name, cut after 40 characters.
    pub name: String,
    /// Names that are known, old ones first; at most eight.
    pub known: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

impl UnknownName {
    #[cold]
    pub(super) fn new<'a>(name: &str, mut known: impl Iterator<Item = &'a String>) -> Self {
        let shown = known.by_ref().take(SHOWN).cloned().collect();
        Self { name: excerpt(name), known: shown, more: known.count() }
    }
}

fn known_names(known: &[String], more: usize) -> String {
    match (known, more) {
        ([], _) => "there are none".to_owned(),
        (all, 0) => format!("known are: {}", all.join(", ")),
        (some, more) => format!("known are: {} and {more} more", some.join(", ")),
    }
}

/// There is not exactly one old name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OldNameError {
    /// No alias leads to it.
    #[error("`{name}` has no old name")]
    None {
        /// The new name, cut after 40 characters.
        name: String,
    },
    /// Several names lead to it.
    #[error("`{name}` has several old names, such as {}", old.join(" and "))]
    Several {
        /// The new name, cut after 40 characters.
        name: String,
        /// Two of them.
        old: [String; 2],
    },
    /// It is an old name itself.
    #[error("`{name}` is old itself: it stands for `{new}`")]
    NotNew {
        /// The name, cut after 40 characters.
        name: String,
        /// What it stands for, cut after 40 characters.
        new: String,
    },
}
