//! [`ChecklistError`].

use super::When;

/// A checklist was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChecklistError {
    /// The list has no such item.
    #[error("the list {when} has no item `{name}`; it has {}", known.join(", "))]
    NoSuchItem {
        /// Which list.
        when: When,
        /// The start of the name.
        name: String,
        /// The items that it has.
        known: Vec<String>,
    },
    /// A name for a new item is not one, or is taken.
    #[error("`{name}` cannot be added to the list {when}; allowed: 1 to 64 bytes, not blank, and not there yet")]
    Name {
        /// Which list.
        when: When,
        /// The start of the name.
        name: String,
    },
    /// A pattern over names of systems cannot be read.
    #[error("the pattern `{pattern}` cannot be read; allowed: names with *, ?, [a-z] and {{a,b}}")]
    Pattern {
        /// The start of the pattern.
        pattern: String,
    },
    /// Nobody is named who waives an item, or no reason.
    #[error("the item `{name}` of the list {when} is waived without an actor or a reason; both are needed")]
    Unsaid {
        /// Which list.
        when: When,
        /// The item.
        name: String,
    },
}
