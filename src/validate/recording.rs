//! [`record_from`]: makes cases out of what legacy answers today.

use std::fmt::Display;

use serde::Serialize;

use super::attempt::{Ending, Fault, attempt, attempt_sync};
use super::case::Case;

/// Runs legacy over named inputs, one after the other, and expects its answers of whoever is validated with the cases.
///
/// An input on which legacy fails or panics makes no case; the others go on.
///
/// ```
/// use cutover::validate::{MigrationValidator, record_from};
/// use std::num::ParseIntError;
///
/// # futures::executor::block_on(async {
/// let inputs = [("small", "7"), ("large", "70000"), ("none", "")];
/// let recording = record_from(inputs, |input| async move { input.parse::<u16>() }).await;
/// assert_eq!(recording.cases.len(), 1);
/// assert_eq!(recording.refused[0].name, "large");
///
/// let validator = MigrationValidator::new(recording.cases)?;
/// let report = validator.run_sync(|input| input.parse::<u64>());
/// assert_eq!(report.passed, 1);
/// # Ok::<(), cutover::validate::CasesError>(())
/// # }).unwrap();
/// ```
pub async fn record_from<I, N, F, Fut, T, E>(inputs: impl IntoIterator<Item = (N, I)>, legacy: F) -> Recording<I>
where
    I: Clone,
    N: Into<String>,
    F: Fn(I) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: Serialize,
    E: Display,
{
    let mut recording = Recording::empty();
    for (name, input) in inputs {
        let ending = attempt(|| legacy(input.clone()), None).await;
        recording.add(name.into(), input, ending);
    }
    recording
}

/// As [`record_from`], for a legacy side that is not async.
pub fn record_from_sync<I, N, T, E>(
    inputs: impl IntoIterator<Item = (N, I)>,
    mut legacy: impl FnMut(I) -> Result<T, E>,
) -> Recording<I>
where
    I: Clone,
    N: Into<String>,
    T: Serialize,
    E: Display,
{
    let mut recording = Recording::empty();
    for (name, input) in inputs {
        let ending = attempt_sync(|| legacy(input.clone()));
        recording.add(name.into(), input, ending);
    }
    recording
}

/// What was recorded from legacy.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recording<I> {
    /// A case per input that legacy answered; each expects an equal answer.
    pub cases: Vec<Case<I>>,
    /// The inputs that legacy did not answer.
    pub refused: Vec<Refused>,
}

/// An input that legacy did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refused {
    /// The name of the input.
    pub name: String,
    /// The text of legacy's error or panic.
    pub error: String,
}

impl<I> Recording<I> {
    const fn empty() -> Self {
        Self { cases: Vec::new(), refused: Vec::new() }
    }

    fn add(&mut self, name: String, input: I, ending: Ending) {
        match ending {
            Ok(answer) => self.cases.push(Case::equals(name, input, answer)),
            Err(Fault { text, .. }) => self.refused.push(Refused { name, error: text }),
        }
    }
}
