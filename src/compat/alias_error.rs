//! What can be wrong with aliases, and with names.

use std::fmt;

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

/// A name of which a map knows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is neither an old nor a new name; old names are: {}; new names are: {}", some(old), some(new))]
#[non_exhaustive]
pub struct UnknownName {
    /// The name, cut after 40 characters.
    pub name: String,
    /// The old names that there are.
    pub old: Vec<String>,
    /// The new names that there are.
    pub new: Vec<String>,
}

/// The first names of a list, and how many more there are.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => "none".to_owned(),
        1..=SHOWN => shown,
        many => format!("{shown} and {} more", many - SHOWN),
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
