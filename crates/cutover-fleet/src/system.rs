//! [`System`]: one of many that are migrated.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cutover::store::{MigrationId, TextError};
use serde::{Deserialize, Serialize};

/// The name of a system, and the id of its migration: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`, the first a letter or digit.
///
/// ```
/// use cutover_fleet::SystemName;
/// assert!("billing-eu.2".parse::<SystemName>().is_ok());
/// assert!("Billing".parse::<SystemName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SystemName(MigrationId);

/// A name that is not one of a system. The message names the value and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a system: {0}")]
pub struct NameError(TextError);

impl SystemName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for SystemName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        name.parse().map(Self).map_err(NameError)
    }
}

impl AsRef<str> for SystemName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for SystemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// When a system has its turn: `P0` first, `P4` last. It is the priority of *migrating*, not of the system: give `P0` to
/// those that you can do without for an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
#[expect(clippy::exhaustive_enums, reason = "there are five, and a match over them has to be complete")]
pub enum Priority {
    /// First.
    P0,
    /// Second.
    P1,
    /// Third.
    P2,
    /// Fourth.
    P3,
    /// Last.
    P4,
}

impl Priority {
    /// All of them, in the order of their turns.
    pub const ALL: [Self; 5] = [Self::P0, Self::P1, Self::P2, Self::P3, Self::P4];

    /// The name in data and messages, such as `P0`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<Priority> for &'static str {
    fn from(priority: Priority) -> Self {
        priority.name()
    }
}

impl FromStr for Priority {
    type Err = UnknownPriority;

    fn from_str(name: &str) -> Result<Self, UnknownPriority> {
        Self::ALL.into_iter().find(|priority| priority.name() == name).ok_or_else(|| UnknownPriority::new(name))
    }
}

impl TryFrom<String> for Priority {
    type Error = UnknownPriority;

    fn try_from(name: String) -> Result<Self, UnknownPriority> {
        name.parse()
    }
}

/// A priority that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a priority; there are P0, P1, P2, P3 and P4")]
pub struct UnknownPriority {
    name: String,
}

impl UnknownPriority {
    fn new(name: &str) -> Self {
        Self { name: crate::text::excerpt(name) }
    }
}

/// What kind of system it is, in the host's own words: `service`, `batch`, `workflow`. It groups reports, and means nothing
/// else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Category(String);

impl Category {
    /// The category `name`; a blank one is `other`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let name = name.trim();
        Self(if name.is_empty() { OTHER } else { name }.to_owned())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const OTHER: &str = "other";

impl From<String> for Category {
    fn from(name: String) -> Self {
        Self::new(&name)
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

impl Default for Category {
    /// `other`.
    fn default() -> Self {
        Self::new(OTHER)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One system, as the host's calls get it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct System {
    /// Its name, and the id of its migration in the store.
    pub name: SystemName,
    /// When it has its turn.
    pub priority: Priority,
    /// What kind it is.
    pub category: Category,
    /// Whatever the host wants to know of it, as the inventory has it: a port, a path, an owner. No secrets.
    pub attributes: BTreeMap<String, String>,
}

impl System {
    /// A system of the last priority, without category and attributes.
    #[must_use]
    pub fn new(name: SystemName) -> Self {
        Self { name, priority: Priority::P4, category: Category::default(), attributes: BTreeMap::new() }
    }

    /// An attribute, if the inventory has it.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}
