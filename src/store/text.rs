//! [`MigrationId`], [`GroupName`], [`Actor`], [`Reason`] and [`ItemId`]: texts that are checked once, where they come in.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::excerpt::excerpt;
use serde::{Deserialize, Serialize};

/// The name of a migration: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`, the first a letter or digit.
///
/// It is a key in stores and the salt of the migration's buckets, so that two migrations never move the same users.
///
/// ```
/// use cutover::store::MigrationId;
/// assert!("search.v2".parse::<MigrationId>().is_ok());
/// assert!("../search".parse::<MigrationId>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MigrationId(Arc<str>);

/// The name of a group of migrations: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`, the first a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(Arc<str>);

/// Who changes something: 1 to 256 bytes, not blank, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Actor(Arc<str>);

/// Why something is changed: 1 to 1024 bytes, not blank, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(Arc<str>);

/// What one side processes: 1 to 512 bytes, not blank, without control characters. Anything else is allowed, in any
/// language, so a store must take it for no more than a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemId(Arc<str>);

macro_rules! checked_text {
    ($name:ident, $rule:expr) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                $rule.check(text).map(|()| Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.as_ref().to_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

checked_text!(MigrationId, Rule::MigrationId);
checked_text!(GroupName, Rule::Group);
checked_text!(Actor, Rule::Actor);
checked_text!(Reason, Rule::Reason);
checked_text!(ItemId, Rule::Item);

/// Who changes something, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Author {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
}

impl Author {
    /// Checks both texts.
    ///
    /// # Errors
    /// [`TextError`] for the first that is not allowed.
    pub fn new(actor: &str, reason: &str) -> Result<Self, TextError> {
        Ok(Self { actor: actor.parse()?, reason: reason.parse()? })
    }

    /// As [`new`](Self::new), but takes any text: a control character becomes a blank, what is too long is cut at a whole
    /// character and ends with `… [cut]`, what is missing is named as missing, and the reason begins with `EMERGENCY: `.
    /// Nothing may stand in the way of an emergency.
    ///
    /// ```
    /// use cutover::store::Author;
    ///
    /// let author = Author::for_emergency("ana", &"the totals are wrong. ".repeat(100));
    /// assert!(author.reason.as_str().starts_with("EMERGENCY: the totals are wrong. "));
    /// assert!(author.reason.as_str().ends_with("… [cut]"));
    /// ```
    #[must_use]
    pub fn for_emergency(actor: &str, reason: &str) -> Self {
        let reason = trimmed(reason);
        let given = trimmed(reason.strip_prefix(EMERGENCY.trim_end()).unwrap_or(reason));
        let given = if given.is_empty() { "no reason given" } else { given };
        let actor = trimmed(actor);
        let actor = if actor.is_empty() { "unknown" } else { actor };
        let given = printable(given, MAX_REASON - EMERGENCY.len());
        Self { actor: Actor(printable(actor, MAX_ACTOR).into()), reason: Reason(format!("{EMERGENCY}{given}").into()) }
    }
}

/// What the reason of every emergency begins with.
const EMERGENCY: &str = "EMERGENCY: ";
/// What a text ends with of which something is missing.
const CUT: &str = "… [cut]";
const MAX_ID: usize = 64;
const MAX_ACTOR: usize = 256;
const MAX_REASON: usize = 1024;
const MAX_ITEM: usize = 512;

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
}

/// The text without control characters, in at most `bytes` bytes.
fn printable(text: &str, bytes: usize) -> String {
    // Only as much as can be kept is looked at: the text may be of any size.
    let kept = if text.len() > bytes { trimmed(cut(text, bytes - CUT.len())) } else { text };
    let mark = if kept.len() < text.len() { CUT } else { "" };
    let printed = kept.chars().map(|c| if c.is_control() { ' ' } else { c });
    printed.chain(mark.chars()).collect()
}

/// The longest start of `text` that has at most `bytes` bytes and ends with a whole character.
fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// A text that is not allowed where it was given. Nothing has changed.
///
/// The message names what is allowed and at most 40 characters of the text, escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{excerpt}` is not {rule}: it {problem}; allowed: {}", rule.allowed())]
pub struct TextError {
    rule: Rule,
    excerpt: String,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Rule {
    #[error("a migration id")]
    MigrationId,
    #[error("the name of a group")]
    Group,
    #[error("an actor")]
    Actor,
    #[error("a reason")]
    Reason,
    #[error("an item")]
    Item,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("is empty or blank")]
    Empty,
    #[error("is too long")]
    TooLong,
    #[error("has a character that is not allowed")]
    Character,
}

impl Rule {
    const fn allowed(self) -> &'static str {
        match self {
            Self::MigrationId | Self::Group => "1 to 64 of a-z, 0-9, `.`, `_`, `-`, the first a letter or digit",
            Self::Actor => "1 to 256 bytes, not blank, without control characters",
            Self::Reason => "1 to 1024 bytes, not blank, without control characters",
            Self::Item => "1 to 512 bytes, not blank, without control characters",
        }
    }

    const fn max_bytes(self) -> usize {
        match self {
            Self::MigrationId | Self::Group => MAX_ID,
            Self::Actor => MAX_ACTOR,
            Self::Reason => MAX_REASON,
            Self::Item => MAX_ITEM,
        }
    }

    fn check(self, text: &str) -> Result<(), TextError> {
        self.problem(text).map_or(Ok(()), |problem| Err(TextError { rule: self, excerpt: excerpt(text), problem }))
    }

    fn problem(self, text: &str) -> Option<Problem> {
        if text.trim().is_empty() {
            return Some(Problem::Empty);
        }
        if text.len() > self.max_bytes() {
            return Some(Problem::TooLong);
        }
        let allowed = match self {
            Self::MigrationId | Self::Group => is_id(text),
            Self::Actor | Self::Reason | Self::Item => !text.chars().any(char::is_control),
        };
        (!allowed).then_some(Problem::Character)
    }
}

fn is_id(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(alphanumeric)
        && text.bytes().all(|byte| alphanumeric(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_taken_and_what_is_not_is_refused() {
        for id in ["a", "9", "search.v2_x-y", &"a".repeat(64)] {
            assert!(id.parse::<MigrationId>().is_ok(), "{id}");
        }
        for id in ["", "-a", ".a", "A", "a b", "a/b", "a:b", "{a}", "ä", "a\0", &"a".repeat(65)] {
            assert!(id.parse::<MigrationId>().is_err(), "{id}");
        }
        assert!("ü".repeat(128).parse::<Actor>().is_ok());
        assert!("a".repeat(257).parse::<Actor>().is_err());
        assert!(" \t".parse::<Actor>().is_err());
        assert!("a".repeat(1024).parse::<Reason>().is_ok());
        assert!("a".repeat(1025).parse::<Reason>().is_err());
        assert!("two\nlines".parse::<Reason>().is_err());
    }

    #[test]
    fn an_error_says_what_is_allowed_and_repeats_little_of_the_text() {
        let error = "x".repeat(5000).parse::<Reason>().unwrap_err().to_string();
        assert!(error.contains("1 to 1024 bytes"), "{error}");
        assert!(error.len() < 200, "{error}");
        let error = " ".parse::<Actor>().unwrap_err().to_string();
        assert!(error.contains("is empty or blank; allowed: 1 to 256 bytes, not blank"), "{error}");
        let error = "\u{1b}[31mred".parse::<Actor>().unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn an_emergency_takes_any_text() {
        let twice = Author::for_emergency("ana", "EMERGENCY: fire");
        assert_eq!(twice.reason.as_str(), "EMERGENCY: fire");
        for (actor, reason) in [("", ""), ("\0\n", "\u{7}"), (&*"ü".repeat(9999), &*"ü".repeat(9999)), ("a\nb", "c\td")]
        {
            let author = Author::for_emergency(actor, reason);
            assert_eq!(Author::new(author.actor.as_str(), author.reason.as_str()), Ok(author.clone()));
            assert!(author.reason.as_str().starts_with("EMERGENCY: "));
            assert_eq!(Author::for_emergency(author.actor.as_str(), author.reason.as_str()), author);
        }
    }

    #[test]
    fn what_an_emergency_cuts_is_marked_and_what_fits_is_not() {
        let reason = |text: &str| Author::for_emergency("ana", text).reason.as_str().to_owned();
        let longest = "ü".repeat((1024 - EMERGENCY.len()) / 2);
        assert_eq!(reason(&longest), format!("{EMERGENCY}{longest}"));
        let cut = reason(&"wrong totals; ".repeat(200));
        assert!(cut.starts_with("EMERGENCY: wrong totals; wrong") && cut.ends_with("… [cut]"), "{cut}");
        assert!((1000..=1024).contains(&cut.len()), "{}", cut.len());
        assert!(reason(&"日本".repeat(400)).ends_with("本… [cut]"));
        // Blanks and control characters, which are not kept, hide nothing of it.
        let late = format!("{}fire\n{}", " \0".repeat(4000), "\u{85}".repeat(2000));
        assert_eq!(reason(&late), "EMERGENCY: fire");
        assert!(reason(&format!("fire{}{}", " ".repeat(5000), "x")).ends_with("fire… [cut]"));
        assert_eq!(reason("EMERGENCY:\tfire\u{1b}[31m"), "EMERGENCY: fire [31m");
        let actor = Author::for_emergency(&"a".repeat(300), "fire").actor;
        assert!(actor.as_str().len() == 256 && actor.as_str().ends_with("a… [cut]"), "{actor}");
    }
}
