//! [`Comparator`]: decides whether two answers are the same. Nothing is equal by default.

mod display;
mod noise;
mod structural;

pub use display::render;
pub(crate) use display::{Printable, write_short};
pub use noise::{AlphaError, Noise, NoisePath, NoiseReport};
pub(crate) use structural::to_value;
pub use structural::{By, RuleError, Structural};

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Decides whether two answers are the same.
///
/// It always receives `(legacy, new)`, whichever side serves. An error or a panic means that it has no opinion: the
/// call counts as ignored and the fault is counted apart. Closures over `(&T, &T)` that return `bool`,
/// [`Comparison`], or a `Result` of one of them are comparators too. Write the types of both
/// parameters, as in `|a: &Hits, b: &Hits| a.ids == b.ids`: a closure without them is refused by the compiler.
///
/// ```
/// use cutover::compare::{Comparator, Comparison};
///
/// let same_length = |legacy: &String, new: &String| legacy.len() == new.len();
/// assert_eq!(same_length.compare(&"abc".to_owned(), &"xyz".to_owned())?, Comparison::Match);
/// # Ok::<(), cutover::compare::ComparatorError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot compare `{T}`",
    label = "not a comparator of `{T}`",
    note = "`Equality` compares what is `PartialEq`, and `Structural` what is `Serialize`",
    note = "a closure needs the types of both parameters: `|legacy: &{T}, new: &{T}| ..`"
)]
pub trait Comparator<T: ?Sized>: Send + Sync {
    /// Compares the two sides' answers.
    ///
    /// # Errors
    /// [`ComparatorError`] when the answers cannot be compared.
    fn compare(&self, legacy: &T, new: &T) -> Result<Comparison, ComparatorError>;
}

impl<T: ?Sized, F, R> Comparator<T> for F
where
    F: Fn(&T, &T) -> R + Send + Sync,
    R: IntoComparison,
{
    fn compare(&self, legacy: &T, new: &T) -> Result<Comparison, ComparatorError> {
        self(legacy, new).into_comparison()
    }
}

/// `==`, for answers where every difference matters.
///
/// ```
/// use cutover::compare::{Comparator, Comparison, Equality};
///
/// assert_eq!(Equality.compare(&[1, 2], &[1, 2])?, Comparison::Match);
/// assert_eq!(Equality.compare(&[1, 2], &[2, 1])?, Comparison::Mismatch(vec![]));
/// # Ok::<(), cutover::compare::ComparatorError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct has nothing to add")]
pub struct Equality;

impl<T: PartialEq + ?Sized> Comparator<T> for Equality {
    #[inline]
    fn compare(&self, legacy: &T, new: &T) -> Result<Comparison, ComparatorError> {
        Ok((legacy == new).into())
    }
}

/// What a comparator says.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the verdict is a match over all of them")]
pub enum Comparison {
    /// The answers agree.
    Match,
    /// They differ in a way that does not matter.
    Ignored,
    /// They disagree. The list may be empty when the comparator knows no paths.
    Mismatch(Vec<Difference>),
}

impl From<bool> for Comparison {
    fn from(equal: bool) -> Self {
        if equal { Self::Match } else { Self::Mismatch(Vec::new()) }
    }
}

/// One place where two answers disagree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// A JSON pointer (RFC 6901) to the place; empty for the whole answer.
    pub path: String,
    /// In which way they disagree.
    pub kind: DifferenceKind,
    /// What legacy has there, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy: Option<Value>,
    /// What new has there, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

impl Difference {
    /// A disagreement at `path` whose kind follows from the two values.
    #[must_use]
    pub fn new(path: impl Into<String>, legacy: Option<Value>, new: Option<Value>) -> Self {
        let kind = DifferenceKind::between(legacy.as_ref(), new.as_ref());
        Self { path: path.into(), kind, legacy, new }
    }
}

/// The path with `*` for every token of digits: what happens at one index of an array happens at all.
pub(crate) fn without_indices(path: &str) -> String {
    let is_index = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    let general = |token| if is_index(token) { "*" } else { token };
    path.split('/').map(general).collect::<Vec<_>>().join("/")
}

/// In which way two answers disagree at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// Both have a value of the same type, and the values differ.
    Value,
    /// Both have a value, of different types.
    Type,
    /// Only legacy has a value.
    OnlyLegacy,
    /// Only new has a value.
    OnlyNew,
}

impl DifferenceKind {
    fn between(legacy: Option<&Value>, new: Option<&Value>) -> Self {
        match (legacy, new) {
            (Some(legacy), Some(new)) if std::mem::discriminant(legacy) != std::mem::discriminant(new) => Self::Type,
            (Some(_), None) => Self::OnlyLegacy,
            (None, Some(_)) => Self::OnlyNew,
            (Some(_), Some(_)) | (None, None) => Self::Value,
        }
    }

    /// The wire name, such as `only_legacy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Type => "type",
            Self::OnlyLegacy => "only_legacy",
            Self::OnlyNew => "only_new",
        }
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a comparing closure may return.
#[diagnostic::on_unimplemented(
    message = "a comparing closure cannot return `{Self}`",
    note = "it may return `bool`, `Comparison`, or a `Result` of one of them"
)]
pub trait IntoComparison {
    /// The same as a comparator says it.
    ///
    /// # Errors
    /// [`ComparatorError`] when the closure returned an error.
    fn into_comparison(self) -> Result<Comparison, ComparatorError>;
}

impl IntoComparison for bool {
    fn into_comparison(self) -> Result<Comparison, ComparatorError> {
        Ok(self.into())
    }
}

impl IntoComparison for Comparison {
    fn into_comparison(self) -> Result<Comparison, ComparatorError> {
        Ok(self)
    }
}

impl<C: Into<Comparison>, E: Into<BoxError>> IntoComparison for Result<C, E> {
    fn into_comparison(self) -> Result<Comparison, ComparatorError> {
        self.map(Into::into).map_err(ComparatorError::new)
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A comparator could not compare. The cause is the source.
#[derive(Debug, thiserror::Error)]
#[error("the answers cannot be compared")]
pub struct ComparatorError(#[source] BoxError);

impl ComparatorError {
    /// An error with its cause, which may be a text.
    pub fn new(cause: impl Into<BoxError>) -> Self {
        Self(cause.into())
    }
}
