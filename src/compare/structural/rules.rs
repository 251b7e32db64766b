//! The rules of a [`Structural`](super::Structural) and the paths they stand at.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// How the elements of an unordered array find their partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum By<'a> {
    /// By their whole value: the array is a multiset.
    Value,
    /// By the value at this JSON pointer inside each element, such as `/id`. Elements with equal keys, and those
    /// without one, pair up in their order.
    Key(&'a str),
}

/// What holds at a path.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pattern: Pattern,
    pub(super) action: Action,
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    Ignore,
    Tolerance(f64),
    /// With the pointer to the key; without one by value.
    Unordered(Option<String>),
}

/// How far a rule has come after one step down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Leaves,
    Continues,
    Arrives,
}

impl Rule {
    /// # Errors
    /// [`RuleError`] for a path or a setting that cannot be used.
    pub(super) fn new(path: &str, action: Action) -> Result<Self, RuleError> {
        let refuse = |problem| Err(RuleError::new(path, problem));
        match &action {
            Action::Ignore if path.is_empty() => refuse(Problem::IgnoresAll),
            Action::Tolerance(size) if !size.is_finite() || *size < 0.0 => refuse(Problem::Tolerance(*size)),
            Action::Unordered(Some(key)) if !is_pointer(key) => refuse(Problem::Key(key.clone())),
            Action::Ignore | Action::Tolerance(_) | Action::Unordered(_) => {
                Ok(Self { pattern: Pattern::parse(path)?, action })
            }
        }
    }

    pub(super) fn stands_at_root(&self) -> bool {
        self.pattern.0.is_empty()
    }

    /// Where one more step leads a rule whose first `depth` tokens have matched.
    pub(super) fn reach(&self, depth: usize, step: Step<'_>) -> Reach {
        match self.pattern.0.get(depth) {
            Some(token) if token.matches(step) => {
                if depth + 1 == self.pattern.0.len() {
                    Reach::Arrives
                } else {
                    Reach::Continues
                }
            }
            Some(_) | None => Reach::Leaves,
        }
    }
}

/// A host's function for the values at a path.
#[derive(Clone)]
pub(super) struct Normaliser {
    pattern: Pattern,
    function: Arc<dyn Fn(&mut Value) + Send + Sync>,
}

impl Normaliser {
    pub(super) fn new(path: &str, function: Arc<dyn Fn(&mut Value) + Send + Sync>) -> Result<Self, RuleError> {
        Ok(Self { pattern: Pattern::parse(path)?, function })
    }

    pub(super) fn apply(&self, value: &mut Value) {
        apply_below(value, &self.pattern.0, &*self.function);
    }
}

impl fmt::Debug for Normaliser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Normaliser").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

fn apply_below(value: &mut Value, pattern: &[Token], function: &dyn Fn(&mut Value)) {
    let Some((token, rest)) = pattern.split_first() else { return function(value) };
    let below = |child: &mut Value| apply_below(child, rest, function);
    match (value, token) {
        (Value::Array(items), Token::Any) => items.iter_mut().for_each(below),
        (Value::Array(items), Token::One { index, .. }) => {
            index.and_then(|index| items.get_mut(index)).into_iter().for_each(below);
        }
        (Value::Object(map), Token::Any) => map.values_mut().for_each(below),
        (Value::Object(map), Token::One { key, .. }) => map.get_mut(key).into_iter().for_each(below),
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => {}
    }
}

/// One step down into an object or array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// A JSON pointer in which `*` stands for any one token.
#[derive(Debug, Clone)]
struct Pattern(Vec<Token>);

#[derive(Debug, Clone)]
enum Token {
    Any,
    One { key: String, index: Option<usize> },
}

impl Pattern {
    fn parse(path: &str) -> Result<Self, RuleError> {
        if !is_pointer(path) {
            return Err(RuleError::new(path, Problem::Path));
        }
        Ok(Self(path.split('/').skip(1).map(Token::parse).collect()))
    }
}

impl Token {
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let is_index = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
        let index = if is_index { text.parse().ok() } else { None };
        Self::One { key: text.replace("~1", "/").replace("~0", "~"), index }
    }

    fn matches(&self, step: Step<'_>) -> bool {
        match (self, step) {
            (Self::Any, _) => true,
            (Self::One { key, .. }, Step::Key(step)) => key == step,
            (Self::One { index, .. }, Step::Index(step)) => *index == Some(step),
        }
    }
}

/// Whether `path` is a JSON pointer: empty or beginning with `/`, with `~` only in `~0` and `~1`.
fn is_pointer(path: &str) -> bool {
    let escapes = path.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    escapes && (path.is_empty() || path.starts_with('/'))
}

/// A rule that cannot be used; the message names its path, the bad value and what is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the rule for the path `{path}` cannot be used: {problem}")]
pub struct RuleError {
    path: String,
    problem: Problem,
}

impl RuleError {
    fn new(path: &str, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    /// The path as it was given.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
enum Problem {
    #[error("a path is a JSON pointer such as `/items/*/price`, in which `~` is written `~0` and `/` is written `~1`")]
    Path,
    #[error("ignoring the whole answer would make everything equal; name a path below it")]
    IgnoresAll,
    #[error("the tolerance {0} is not a finite number of at least 0")]
    Tolerance(f64),
    #[error("the key `{0}` is not a JSON pointer such as `/id`")]
    Key(String),
}
