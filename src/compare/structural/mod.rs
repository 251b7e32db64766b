//! [`Structural`]: compares answers as JSON documents, place by place.

mod number;
mod rules;
mod tree;
mod walk;

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use rules::{Action, Normaliser, Rule};
pub use rules::{By, RuleError};
pub(crate) use tree::to_value;

use super::{Comparator, ComparatorError, Comparison, Difference};

/// Compares any two serialisable answers as JSON documents and says where they differ.
///
/// Without rules every difference counts. A rule stands at a path: a JSON pointer (RFC 6901), in which `*` is any one
/// array index or key. Literal `~` and `/` in a key are written `~0` and `~1`; a key that is itself `*` cannot be told
/// from the wildcard.
///
/// - The order of an object's members means nothing; the order of an array does, unless it is [`unordered`].
/// - Numbers compare by value: `1` and `1.0` are equal, and integers are never rounded.
/// - A missing member and `null` differ. NaN and the infinities are `null`, as `serde_json` writes them.
/// - Differences come in the order of legacy's document; what only new has follows at the end of its object or array.
///   The list ends after [`max_differences`].
/// - [`normalise`] runs first, on both answers; then [`ignore`], [`unordered`] and [`tolerance`] apply together.
///
/// ```
/// use cutover::compare::{By, Comparator, Comparison, Structural};
/// use serde_json::json;
///
/// let comparator = Structural::new().ignore("/took_ms").tolerance("/hits/*/score", 0.01).unordered("/hits", By::Key("/id"));
/// let legacy = json!({"took_ms": 12, "hits": [{"id": 1, "score": 0.5}, {"id": 2, "score": 0.25}]});
/// let new = json!({"took_ms": 3, "hits": [{"id": 2, "score": 0.251}, {"id": 1, "score": 0.7}]});
///
/// let Comparison::Mismatch(differences) = comparator.compare(&legacy, &new)? else { unreachable!() };
/// assert_eq!(differences.len(), 1);
/// assert_eq!(differences[0].to_string(), "/hits/0/score: value, 0.5 -> 0.7");
/// # Ok::<(), cutover::compare::ComparatorError>(())
/// ```
///
/// # Errors
/// A rule that cannot be used (a bad path or tolerance) is remembered: every comparison is then a [`ComparatorError`]
/// with the first [`RuleError`] as its source, and nothing is taken for equal. [`check`](Self::check) says so at once.
/// An answer that cannot be serialised (a map whose keys are not texts or numbers, an error of the host's
/// `Serialize`), or that nests deeper than 256 levels, is a [`ComparatorError`] too.
///
/// [`ignore`]: Self::ignore
/// [`tolerance`]: Self::tolerance
/// [`unordered`]: Self::unordered
/// [`normalise`]: Self::normalise
/// [`max_differences`]: Self::max_differences
#[derive(Debug, Clone)]
pub struct Structural {
    rules: Vec<Rule>,
    normalisers: Vec<Normaliser>,
    max_differences: usize,
    refused: Option<RuleError>,
}

impl Structural {
    /// A comparator for which every difference counts.
    #[must_use]
    pub const fn new() -> Self {
        Self { rules: Vec::new(), normalisers: Vec::new(), max_differences: MAX_DIFFERENCES, refused: None }
    }

    /// Takes no notice of what stands at `path` and below, whether it is there or not.
    ///
    /// The empty path is refused: it would make all answers equal.
    #[must_use]
    pub fn ignore(self, path: &str) -> Self {
        self.rule(path, Action::Ignore)
    }

    /// Takes numbers at `path` and below as equal when they differ by at most `absolute`.
    ///
    /// The end is included: 1.01 is within 0.01 of 1.00. Where several tolerances meet, the deepest path decides,
    /// then the one given last. NaN, infinite and negative tolerances are refused.
    #[must_use]
    pub fn tolerance(self, path: &str, absolute: f64) -> Self {
        self.rule(path, Action::Tolerance(absolute))
    }

    /// Takes no notice of the order of the array at `path`.
    ///
    /// A difference below a pair carries legacy's index. Rules for elements use `*`: an index means nothing here.
    /// With [`By::Value`] each element of legacy takes the first equal element of new that is free, so elements that
    /// are equal only within a tolerance may block each other. The cost grows in proportion to the elements, but with
    /// their square where a tolerance holds inside, because such elements cannot be told apart by a hash.
    #[must_use]
    pub fn unordered(self, path: &str, by: By<'_>) -> Self {
        let key = match by {
            By::Value => None,
            By::Key(key) => Some(key.to_owned()),
        };
        self.rule(path, Action::Unordered(key))
    }

    /// Changes both answers' values at `path` before they are compared, such as to lower case.
    ///
    /// Functions run in the order in which they were given. A difference shows the changed values.
    ///
    /// ```
    /// use cutover::compare::{Comparator, Comparison, Structural};
    /// use serde_json::{Value, json};
    ///
    /// let comparator = Structural::new().normalise("/name", |name: &mut Value| {
    ///     if let Value::String(text) = name {
    ///         *text = text.to_lowercase();
    ///     }
    /// });
    /// assert_eq!(comparator.compare(&json!({"name": "ADA"}), &json!({"name": "Ada"}))?, Comparison::Match);
    /// # Ok::<(), cutover::compare::ComparatorError>(())
    /// ```
    #[must_use]
    pub fn normalise(mut self, path: &str, function: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        match Normaliser::new(path, Arc::new(function)) {
            Ok(normaliser) => self.normalisers.push(normaliser),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// How many differences a mismatch lists at most; 100 by default. With 0 a mismatch has an empty list.
    #[must_use]
    pub const fn max_differences(mut self, count: usize) -> Self {
        self.max_differences = count;
        self
    }

    /// Whether every rule can be used, for a test or at start-up.
    ///
    /// # Errors
    /// The first [`RuleError`].
    ///
    /// ```
    /// use cutover::compare::Structural;
    /// assert!(Structural::new().ignore("/took_ms").check().is_ok());
    /// assert!(Structural::new().ignore("took_ms").check().is_err());
    /// ```
    pub fn check(&self) -> Result<(), RuleError> {
        self.refused.clone().map_or(Ok(()), Err)
    }

    fn rule(mut self, path: &str, action: Action) -> Self {
        match Rule::new(path, action) {
            Ok(rule) => self.rules.push(rule),
            Err(error) => self.refuse(error),
        }
        self
    }

    fn refuse(&mut self, error: RuleError) {
        self.refused.get_or_insert(error);
    }

    fn tree<T: Serialize + ?Sized>(&self, answer: &T) -> Result<Value, ComparatorError> {
        let mut value = to_value(answer).map_err(ComparatorError::new)?;
        for normaliser in &self.normalisers {
            normaliser.apply(&mut value);
        }
        if !self.normalisers.is_empty() && !tree::is_within(&value, tree::MAX_DEPTH) {
            return Err(ComparatorError::new(tree::too_deep::<serde_json::Error>()));
        }
        Ok(value)
    }
}

const MAX_DIFFERENCES: usize = 100;

impl Default for Structural {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Serialize + ?Sized> Comparator<T> for Structural {
    fn compare(&self, legacy: &T, new: &T) -> Result<Comparison, ComparatorError> {
        self.check().map_err(ComparatorError::new)?;
        let (legacy, new) = (self.tree(legacy)?, self.tree(new)?);
        let found = walk::differences(&self.rules, self.max_differences, &legacy, &new);
        Ok(found.map_or(Comparison::Match, Comparison::Mismatch))
    }
}
