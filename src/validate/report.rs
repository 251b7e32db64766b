//! [`ValidationReport`]: what came of the cases.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::compare::Difference;

/// What came of the cases. `passed + failed + errors` is always `total`.
///
/// It prints one line of counts, then each failure with its differences by path, expected before actual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValidationReport {
    /// Cases whose answer is as expected.
    pub passed: usize,
    /// Cases whose answer is not.
    pub failed: usize,
    /// Cases without an answer: an error, a panic, or out of time.
    pub errors: usize,
    /// All cases.
    pub total: usize,
    /// The whole run, in nanoseconds when serialised.
    #[serde(with = "crate::wire::nanos")]
    pub duration: Duration,
    /// Every case that did not pass, in the order of the cases.
    pub failures: Vec<Failure>,
}

impl ValidationReport {
    pub(super) fn new(total: usize, failures: Vec<Failure>, duration: Duration) -> Self {
        let failed = failures.iter().filter(|failure| failure.kind == FailureKind::Mismatch).count();
        let errors = failures.len() - failed;
        Self { passed: total - failures.len(), failed, errors, total, duration, failures }
    }

    /// The share of cases that passed, 0.0 to 1.0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of more than 2^53 cases may be rounded")]
    pub fn success_rate(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.passed as f64 / self.total as f64 }
    }
}

/// A case that did not pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The name of the case.
    pub name: String,
    /// In which way it failed.
    pub kind: FailureKind,
    /// What was expected; nothing for a predicate.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub expected: Option<Value>,
    /// The answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub actual: Option<Value>,
    /// The text of the error or panic, or which predicate is not satisfied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where the answer differs: `legacy` is what was expected, `new` what came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// How long the case took, in nanoseconds when serialised.
    #[serde(with = "crate::wire::nanos")]
    pub elapsed: Duration,
}

/// In which way a case failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The answer is not as expected.
    Mismatch,
    /// The side returned an error, or its answer cannot be read.
    Error,
    /// The side, or the predicate, panicked.
    Panicked,
    /// The side took longer than a case may take.
    TimedOut,
}

impl FailureKind {
    /// The wire name, such as `timed_out`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mismatch => "mismatch",
            Self::Error => "error",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for ValidationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, errors, total, duration, failures } = self;
        let percent = self.success_rate() * 100.0;
        write!(
            f,
            "{passed} of {total} cases passed ({percent:.1}%); failed: {failed}; errors: {errors}; took {duration:.1?}"
        )?;
        failures.iter().try_for_each(|failure| write!(f, "\n{failure}"))
    }
}

/// The kind and the name, then one line per difference and line of the error text.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind, self.name)?;
        if !self.differences.is_empty() {
            f.write_str(" (expected -> actual)")?;
        }
        self.differences.iter().try_for_each(|difference| write!(f, "\n    {difference}"))?;
        self.error.iter().flat_map(|error| error.lines()).try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// Keeps `null` apart from a value that is not there.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
