//! [`Case`]: an input and what is expected of the answer to it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// An input and what is expected of the answer to it.
///
/// In files it is an object of `name`, `input` and `expected`; with `"match": "partial"` the answer may have more
/// members than `expected`, as with [`includes`](Self::includes). Other members are refused.
///
/// ```
/// use cutover::validate::Case;
///
/// let cases: Vec<Case<String>> = serde_json::from_str(r#"[
///     {"name": "plain", "input": "hello", "expected": {"type": "greeting", "text": "hello"}},
///     {"name": "polite", "input": "good day", "expected": {"type": "greeting"}, "match": "partial"}
/// ]"#)?;
/// assert_eq!(cases[1].name(), "polite");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Case<I> {
    pub(super) name: String,
    pub(super) input: I,
    pub(super) expectation: Expectation,
}

impl<I> Case<I> {
    /// The answer, as JSON, must equal `expected`; numbers compare by value.
    pub fn equals(name: impl Into<String>, input: I, expected: impl Into<Value>) -> Self {
        Self { name: name.into(), input, expectation: Expectation::Equals(expected.into()) }
    }

    /// The answer, as JSON, must have everything that `expected` has. Its objects may have more members, at every
    /// depth; its arrays must have the same length.
    pub fn includes(name: impl Into<String>, input: I, expected: impl Into<Value>) -> Self {
        Self { name: name.into(), input, expectation: Expectation::Includes(expected.into()) }
    }

    /// The answer, as JSON, must satisfy `predicate`; `what` says in words what that is.
    pub fn satisfies(
        name: impl Into<String>,
        input: I,
        what: impl Into<String>,
        predicate: impl Fn(&Value) -> bool + Send + Sync + 'static,
    ) -> Self {
        let expectation = Expectation::Satisfies { what: what.into(), predicate: Arc::new(predicate) };
        Self { name: name.into(), input, expectation }
    }

    /// The name, unique among the cases of one validator.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The input. Each run gets a clone of it.
    #[must_use]
    pub const fn input(&self) -> &I {
        &self.input
    }
}

/// What is expected of an answer.
#[derive(Clone)]
pub(super) enum Expectation {
    Equals(Value),
    Includes(Value),
    Satisfies { what: String, predicate: Arc<dyn Fn(&Value) -> bool + Send + Sync> },
}

impl Expectation {
    pub(super) const fn value(&self) -> Option<&Value> {
        match self {
            Self::Equals(value) | Self::Includes(value) => Some(value),
            Self::Satisfies { .. } => None,
        }
    }
}

impl fmt::Debug for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(value) => f.debug_tuple("Equals").field(value).finish(),
            Self::Includes(value) => f.debug_tuple("Includes").field(value).finish(),
            Self::Satisfies { what, .. } => f.debug_tuple("Satisfies").field(what).finish(),
        }
    }
}

/// A case as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<I, E> {
    name: String,
    input: I,
    expected: E,
    #[serde(default, rename = "match", skip_serializing_if = "Match::is_exact")]
    how: Match,
}

#[derive(Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Match {
    #[default]
    Exact,
    Partial,
}

impl Match {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    fn is_exact(&self) -> bool {
        *self == Self::Exact
    }
}

impl<'de, I: Deserialize<'de>> Deserialize<'de> for Case<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { name, input, expected, how } = Written::<I, Value>::deserialize(deserializer)?;
        let expectation = match how {
            Match::Exact => Expectation::Equals(expected),
            Match::Partial => Expectation::Includes(expected),
        };
        Ok(Self { name, input, expectation })
    }
}

/// Writes what [`Deserialize`] reads. A predicate cannot be written.
impl<I: Serialize> Serialize for Case<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (expected, how) = match &self.expectation {
            Expectation::Equals(expected) => (expected, Match::Exact),
            Expectation::Includes(expected) => (expected, Match::Partial),
            Expectation::Satisfies { .. } => {
                return Err(S::Error::custom(format_args!("the case `{}` has a predicate, which is code", self.name)));
            }
        };
        Written { name: self.name.clone(), input: &self.input, expected, how }.serialize(serializer)
    }
}

/// Cases that cannot be validated with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CasesError {
    /// There are none: nothing would be shown by running them.
    #[error("there are no cases; at least one is needed")]
    NoCases,
    /// Two have the same name.
    #[error("two cases are called `{name}`; names must be unique")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// The file cannot be read.
    #[error("the cases in `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no JSON array of cases.
    #[error("`{}` is not a JSON array of cases", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
}
