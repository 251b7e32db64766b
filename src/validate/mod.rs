//! [`MigrationValidator`]: cases in, report out.

mod attempt;
mod case;
mod judge;
mod recording;
mod report;

use std::collections::HashSet;
use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use case::{Case, CasesError};
pub use recording::{Recording, Refused, record_from, record_from_sync};
pub use report::{Failure, FailureKind, ValidationReport};

use crate::clock::{Clock, SystemClock};
use crate::compare::Structural;
use crate::contain::contain_quietly;
use crate::runtime::Runtime;
use attempt::{Ending, Fault, TimeLimit, attempt, attempt_sync};
use judge::{Objection, judge};

/// Runs a side on many inputs and holds each answer against what is expected of it.
///
/// A case whose side returns an error, panics (in its destructors too) or takes too long counts as an error; the run
/// goes on. Answers are compared as JSON. A future in the place of an answer does not compile, so what was never
/// awaited can never pass:
///
/// ```compile_fail
/// # use cutover::validate::{Case, MigrationValidator};
/// async fn parse(text: &str) -> Result<u32, std::num::ParseIntError> { text.parse() }
/// let validator = MigrationValidator::new([Case::equals("seven", "7", 7)]).unwrap();
/// validator.run_sync(|input| Ok::<_, String>(parse(input)));
/// ```
///
/// ```
/// use cutover::validate::{Case, MigrationValidator};
/// use serde_json::json;
///
/// async fn classify(text: &str) -> Result<serde_json::Value, String> {
///     if text.is_empty() { Err("nothing to classify".into()) } else { Ok(json!({"type": "greeting", "text": text})) }
/// }
///
/// # futures::executor::block_on(async {
/// let validator = MigrationValidator::new([
///     Case::equals("plain", "hello", json!({"type": "greeting", "text": "hello"})),
///     Case::includes("polite", "good day", json!({"type": "greeting"})),
///     Case::satisfies("empty", "", "is an object", |answer| answer.is_object()),
/// ])?;
/// let report = validator.concurrency(2).run(classify).await;
///
/// assert_eq!((report.passed, report.failed, report.errors), (2, 0, 1));
/// assert_eq!(report.failures[0].error.as_deref(), Some("nothing to classify"));
/// # Ok::<(), cutover::validate::CasesError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MigrationValidator<I> {
    cases: Vec<Case<I>>,
    concurrency: usize,
    limit: Option<TimeLimit>,
    rules: Structural,
    clock: Arc<dyn Clock>,
    progress: Arc<dyn Fn(&Progress<'_>) + Send + Sync>,
}

impl<I> MigrationValidator<I> {
    /// A validator for `cases`: one at a time, without a time limit.
    ///
    /// # Errors
    /// [`CasesError`] when there are none, or two of the same name.
    pub fn new(cases: impl IntoIterator<Item = Case<I>>) -> Result<Self, CasesError> {
        let cases: Vec<_> = cases.into_iter().collect();
        refuse_duplicates(&cases)?;
        let clock = Arc::new(SystemClock::new());
        Ok(Self { cases, concurrency: 1, limit: None, rules: Structural::new(), clock, progress: Arc::new(|_| {}) })
    }

    /// A validator for the cases in a file: a JSON array of [`Case`]s.
    ///
    /// # Errors
    /// [`CasesError`] when the file cannot be read, holds something else, no cases, or two of the same name.
    pub fn from_json_file(path: impl AsRef<Path>) -> Result<Self, CasesError>
    where
        I: DeserializeOwned,
    {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|source| CasesError::Unreadable { path: path.to_owned(), source })?;
        let cases: Vec<Case<I>> =
            serde_json::from_slice(&text).map_err(|source| CasesError::Malformed { path: path.to_owned(), source })?;
        Self::new(cases)
    }

    /// How many cases are under way at once in [`run`](Self::run); 1 by default, and 0 counts as 1.
    ///
    /// They share the caller's task, so that one which blocks its thread holds up the others.
    #[must_use]
    pub fn concurrency(self, cases: usize) -> Self {
        Self { concurrency: cases.max(1), ..self }
    }

    /// How long a case may take; without limit by default. `runtime` measures it out.
    ///
    /// A case that is still waiting then is dropped. One that blocks its thread, and any case of
    /// [`run_sync`](Self::run_sync), can only be found late when it comes back.
    #[must_use]
    pub fn case_timeout(self, limit: Duration, runtime: impl Runtime + 'static) -> Self {
        Self { limit: Some(TimeLimit { duration: limit, runtime: Arc::new(runtime) }), ..self }
    }

    /// The rules by which answers are compared with expected values, such as what to ignore; none by default.
    #[must_use]
    pub fn rules(self, rules: Structural) -> Self {
        Self { rules, ..self }
    }

    /// Where durations come from; the machine's clock by default.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Hears of each case as it ends. A panic in it is contained.
    #[must_use]
    pub fn on_progress(self, hear: impl Fn(&Progress<'_>) + Send + Sync + 'static) -> Self {
        Self { progress: Arc::new(hear), ..self }
    }

    /// Runs every case through `side`, in the caller's task. Each call gets a clone of the input.
    ///
    /// Dropping the future drops the cases that are under way; there is no report then.
    pub async fn run<F, Fut, T, E>(&self, side: F) -> ValidationReport
    where
        I: Clone,
        F: Fn(I) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: Serialize,
        E: Display,
    {
        let mut run = Run::start(self);
        let mut waiting = self.cases.iter().enumerate();
        let mut under_way = FuturesUnordered::new();
        loop {
            let room = self.concurrency - under_way.len();
            under_way.extend(waiting.by_ref().take(room).map(|(at, case)| self.attempt(at, case, &side)));
            let Some((at, case, ending, elapsed)) = under_way.next().await else { break };
            run.end(at, case, ending, elapsed);
        }
        drop(under_way);
        run.finish()
    }

    /// Runs every case through `side`, one after the other. Each call gets a clone of the input.
    pub fn run_sync<F, T, E>(&self, mut side: F) -> ValidationReport
    where
        I: Clone,
        F: FnMut(I) -> Result<T, E>,
        T: Serialize,
        E: Display,
    {
        let mut run = Run::start(self);
        for (at, case) in self.cases.iter().enumerate() {
            let started = self.clock.now();
            let ending = attempt_sync(|| side(case.input.clone()));
            run.end(at, case, ending, self.clock.now().since(started));
        }
        run.finish()
    }

    async fn attempt<'a, F, Fut, T, E>(
        &self,
        at: usize,
        case: &'a Case<I>,
        side: &F,
    ) -> (usize, &'a Case<I>, Ending, Duration)
    where
        I: Clone,
        F: Fn(I) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: Serialize,
        E: Display,
    {
        let started = self.clock.now();
        let ending = attempt(|| side(case.input.clone()), self.limit.as_ref()).await;
        (at, case, ending, self.clock.now().since(started))
    }

    /// The failure of a case, if it is one.
    fn judge(&self, case: &Case<I>, ending: Ending, elapsed: Duration) -> Option<Failure> {
        let base = |kind| Failure {
            name: case.name.clone(),
            kind,
            expected: case.expectation.value().cloned(),
            actual: None,
            error: None,
            differences: Vec::new(),
            elapsed,
        };
        let actual = match ending.and_then(|answer| self.in_time(answer, elapsed)) {
            Ok(answer) => answer,
            Err(fault) => return Some(Failure { error: Some(fault.text), ..base(fault.kind) }),
        };
        match judge(&self.rules, &case.expectation, &actual) {
            Ok(None) => None,
            Ok(Some(Objection::Differs(differences))) => {
                Some(Failure { actual: Some(actual), differences, ..base(FailureKind::Mismatch) })
            }
            Ok(Some(Objection::Unsatisfied(what))) => {
                let error = Some(format!("not satisfied: {what}"));
                Some(Failure { actual: Some(actual), error, ..base(FailureKind::Mismatch) })
            }
            Err(fault) => Some(Failure { actual: Some(actual), error: Some(fault.text), ..base(fault.kind) }),
        }
    }

    fn in_time<T>(&self, answer: T, elapsed: Duration) -> Result<T, Fault> {
        match &self.limit {
            Some(limit) if elapsed > limit.duration => Err(Fault::timed_out(limit.duration)),
            Some(_) | None => Ok(answer),
        }
    }
}

fn refuse_duplicates<I>(cases: &[Case<I>]) -> Result<(), CasesError> {
    if cases.is_empty() {
        return Err(CasesError::NoCases);
    }
    let mut names = HashSet::new();
    match cases.iter().find(|case| !names.insert(case.name())) {
        Some(case) => Err(CasesError::DuplicateName { name: case.name.clone() }),
        None => Ok(()),
    }
}

/// The books of one run.
struct Run<'a, I> {
    validator: &'a MigrationValidator<I>,
    started: crate::clock::Instant,
    done: usize,
    failures: Vec<(usize, Failure)>,
}

impl<'a, I> Run<'a, I> {
    fn start(validator: &'a MigrationValidator<I>) -> Self {
        Self { validator, started: validator.clock.now(), done: 0, failures: Vec::new() }
    }

    fn end(&mut self, at: usize, case: &Case<I>, ending: Ending, elapsed: Duration) {
        let failure = self.validator.judge(case, ending, elapsed);
        self.done += 1;
        let (done, total) = (self.done, self.validator.cases.len());
        let progress = Progress { done, total, name: &case.name, failure: failure.as_ref() };
        // Nobody is told of a panic here: whoever listens decides nothing.
        let _contained = contain_quietly(|| (self.validator.progress)(&progress));
        self.failures.extend(failure.map(|failure| (at, failure)));
    }

    fn finish(mut self) -> ValidationReport {
        self.failures.sort_by_key(|(at, _)| *at);
        let failures = self.failures.into_iter().map(|(_, failure)| failure).collect();
        let duration = self.validator.clock.now().since(self.started);
        ValidationReport::new(self.validator.cases.len(), failures, duration)
    }
}

/// A case that has just ended.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// Cases that have ended, this one included.
    pub done: usize,
    /// All cases.
    pub total: usize,
    /// The name of the case.
    pub name: &'a str,
    /// Its failure, if it did not pass.
    pub failure: Option<&'a Failure>,
}

impl<I: fmt::Debug> fmt::Debug for MigrationValidator<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationValidator")
            .field("cases", &self.cases)
            .field("concurrency", &self.concurrency)
            .field("limit", &self.limit)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
