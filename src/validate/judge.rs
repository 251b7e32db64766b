//! Holds an answer against what is expected of it.

use serde_json::Value;

use super::attempt::Fault;
use super::case::Expectation;
use crate::compare::{Comparator, Comparison, Difference, DifferenceKind, Structural};
use crate::contain::contain;

/// What speaks against an answer.
pub(super) enum Objection {
    /// It differs from the expected value in these places.
    Differs(Vec<Difference>),
    /// It does not satisfy the predicate of this description.
    Unsatisfied(String),
}

/// What speaks against `actual`, if anything.
///
/// # Errors
/// When the comparison itself fails or panics.
pub(super) fn judge(rules: &Structural, expected: &Expectation, actual: &Value) -> Result<Option<Objection>, Fault> {
    contain(|| objection(rules, expected, actual)).map_err(Fault::panicked)?
}

fn objection(rules: &Structural, expected: &Expectation, actual: &Value) -> Result<Option<Objection>, Fault> {
    let differences = match expected {
        Expectation::Equals(expected) => differences(rules, expected, actual)?,
        Expectation::Includes(expected) => missing(rules, expected, actual)?,
        Expectation::Satisfies { what, predicate } => {
            return Ok((!predicate(actual)).then(|| Objection::Unsatisfied(what.clone())));
        }
    };
    Ok((!differences.is_empty()).then_some(Objection::Differs(differences)))
}

/// The differences but for members that only `actual` has.
fn missing(rules: &Structural, expected: &Value, actual: &Value) -> Result<Vec<Difference>, Fault> {
    let all = differences(&rules.clone().max_differences(usize::MAX), expected, actual)?;
    let counts = all.into_iter().filter(|difference| !is_extra_member(difference, expected));
    Ok(counts.take(MAX_DIFFERENCES).collect())
}

const MAX_DIFFERENCES: usize = 100;

fn is_extra_member(difference: &Difference, expected: &Value) -> bool {
    let parent = difference.path.rsplit_once('/').and_then(|(parent, _)| expected.pointer(parent));
    difference.kind == DifferenceKind::OnlyNew && parent.is_some_and(Value::is_object)
}

fn differences(rules: &Structural, expected: &Value, actual: &Value) -> Result<Vec<Difference>, Fault> {
    match rules.compare(expected, actual) {
        Ok(Comparison::Match | Comparison::Ignored) => Ok(Vec::new()),
        Ok(Comparison::Mismatch(list)) if list.is_empty() => {
            Ok(vec![Difference::new("", Some(expected.clone()), Some(actual.clone()))])
        }
        Ok(Comparison::Mismatch(list)) => Ok(list),
        Err(error) => Err(Fault::error(with_source(&error))),
    }
}

fn with_source(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
