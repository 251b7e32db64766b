//! The judge: gives the verdict on a pair and hands what disagrees to the recorder.

use std::any::Any;
use std::error::Error;

use super::capture::Captures;
use super::end::{ErrorTraces, View};
use super::errors::ErrorComparator;
use super::report::Pair;
use super::shared::Shared;
use super::slot::Contained;
use crate::compare::{Comparator, ComparatorError, Comparison, Difference, Noise};
use crate::contain::contain_quietly;
use crate::observe::Part;
use crate::outcome::{Pairing, Verdict};
use crate::record::DiscrepancyKind;

/// What a runner knows about its types: how to compare and how to show values.
pub(super) struct Judge<T, E> {
    pub(super) comparator: Box<dyn Comparator<T>>,
    pub(super) errors: Option<Box<dyn ErrorComparator<E>>>,
    pub(super) noise: Noise,
    pub(super) captures: Captures<T, E>,
}

/// The verdict on a pair, and what a discrepancy would say about it.
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    pub(super) differences: Vec<Difference>,
    errors_compared: bool,
    /// What a runner that panics on discrepancies says when nothing was compared.
    pub(super) fault: Option<String>,
}

impl Judgement {
    const fn new(verdict: Verdict) -> Self {
        Self { verdict, differences: Vec::new(), errors_compared: false, fault: None }
    }

    const fn mismatched(differences: Vec<Difference>, errors_compared: bool) -> Self {
        Self { verdict: Verdict::Mismatched, differences, errors_compared, fault: None }
    }

    /// A comparator that has no opinion: the call is ignored, and the fault counted.
    fn without_opinion(shared: &Shared, fault: String) -> Self {
        shared.fault(Part::Comparator);
        let fault = shared.panics_on_discrepancy.then_some(fault);
        Self { fault, ..Self::new(Verdict::Ignored) }
    }

    /// The kind of discrepancy, where the verdict is one.
    pub(super) fn kind<T, E>(&self, legacy: &View<'_, T, E>) -> Option<DiscrepancyKind> {
        match self.verdict {
            Verdict::Mismatched if self.errors_compared => Some(DiscrepancyKind::ErrorsDiffer),
            Verdict::Mismatched => Some(DiscrepancyKind::ValuesDiffer),
            Verdict::OneFailed if matches!(legacy, View::Ok(_)) => Some(DiscrepancyKind::NewFailed),
            Verdict::OneFailed => Some(DiscrepancyKind::LegacyFailed),
            Verdict::Panicked => Some(DiscrepancyKind::Panicked),
            Verdict::TimedOut => Some(DiscrepancyKind::TimedOut),
            Verdict::Matched | Verdict::Ignored | Verdict::BothFailed | Verdict::Abandoned => None,
        }
    }
}

impl<T, E> Judge<T, E> {
    /// Compares the values of a pair, if both sides returned one.
    #[inline]
    pub(super) fn compare(&self, pair: &Pair<'_, T, E>) -> Option<Compared> {
        match (&pair.legacy, &pair.new) {
            (View::Ok(legacy), View::Ok(new)) => Some(contained(|| self.comparator.compare(legacy, new))),
            _ => None,
        }
    }

    /// Judges a pair whose values have been compared, if both sides returned one.
    pub(super) fn judge(&self, shared: &Shared, pair: &Pair<'_, T, E>, compared: Option<Compared>) -> Judgement {
        let Pair { legacy, new, twin } = pair;
        match (Pairing::of(legacy.outcome(), new.outcome()), legacy, compared) {
            (Pairing::Decided(verdict), ..) => Judgement::new(verdict),
            (Pairing::CompareValues, View::Ok(legacy), Some(compared)) => {
                self.judge_values(shared, legacy, compared, *twin)
            }
            _ => self.judge_errors(shared, legacy, new),
        }
    }

    fn judge_values(&self, shared: &Shared, legacy: &T, compared: Compared, twin: Option<&T>) -> Judgement {
        match compared {
            Err(fault) => Judgement::without_opinion(shared, fault),
            Ok(comparison) => self.judge_with_noise(shared, comparison, legacy, twin),
        }
    }

    /// Takes known noise out of a comparison, and learns from the twin what is noise.
    fn judge_with_noise(&self, shared: &Shared, comparison: Comparison, legacy: &T, twin: Option<&T>) -> Judgement {
        let between_twins = twin.map(|twin| contained(|| self.comparator.compare(legacy, twin)));
        let left = match between_twins {
            Some(Ok(between_twins)) => self.noise.settle(comparison, &between_twins),
            Some(Err(_)) => {
                shared.fault(Part::Comparator);
                self.noise.hold_back(comparison)
            }
            None => self.noise.hold_back(comparison),
        };
        match left {
            Comparison::Match => Judgement::new(Verdict::Matched),
            Comparison::Ignored => Judgement::new(Verdict::Ignored),
            Comparison::Mismatch(differences) => Judgement::mismatched(differences, false),
        }
    }

    fn judge_errors(&self, shared: &Shared, legacy: &View<'_, T, E>, new: &View<'_, T, E>) -> Judgement {
        let Some(errors) = &self.errors else { return Judgement::new(Verdict::BothFailed) };
        if legacy.lost_projection() || new.lost_projection() {
            return Judgement::new(Verdict::Ignored);
        }
        let compared = contained(|| {
            let (legacy, new) = (ErrorPart::of(&**errors, legacy)?, ErrorPart::of(&**errors, new)?);
            errors.compare(legacy.as_any(), new.as_any())
        });
        match compared {
            Err(fault) => Judgement::without_opinion(shared, fault),
            Ok(Comparison::Match) => Judgement::new(Verdict::Matched),
            Ok(Comparison::Ignored) => Judgement::new(Verdict::Ignored),
            Ok(Comparison::Mismatch(differences)) => Judgement::mismatched(differences, true),
        }
    }

    /// What has to be kept of an error that leaves before the shadow has ended.
    pub(super) fn trace_error(&self, shared: &Shared, error: &E) -> ErrorTraces {
        let projection = self.errors.as_ref().and_then(|errors| {
            let projected = contain_quietly(|| errors.project(error));
            projected.inspect_err(|_| shared.fault(Part::Comparator)).ok()
        });
        ErrorTraces { projection, captured: self.captures.error(shared, error) }
    }
}

/// A comparator's opinion, or how it failed.
pub(super) type Compared = Result<Comparison, String>;

/// Asks a comparator. Its error is read and dropped in here, where a panic ends.
#[inline]
fn contained(compare: impl FnOnce() -> Result<Comparison, ComparatorError>) -> Compared {
    contain_quietly(|| compare().map_err(|error| chain(&error))).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

/// An error with its causes, as one line.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        None => error.to_string(),
        Some(source) => format!("{error}: {}", chain(source)),
    }
}

/// One side's error, projected now or when it left.
enum ErrorPart<'a> {
    Now(Contained<Box<dyn Any + Send>>),
    Before(&'a (dyn Any + Send)),
}

impl<'a> ErrorPart<'a> {
    fn of<T, E>(errors: &dyn ErrorComparator<E>, side: &View<'a, T, E>) -> Result<Self, ComparatorError> {
        match side {
            View::Err(error) => Ok(Self::Now(Contained::new(errors.project(error)))),
            View::ErrLeft(ErrorTraces { projection: Some(projection), .. }) => Ok(Self::Before(&**projection)),
            View::Ok(_) | View::ErrLeft(_) | View::Panicked(_) | View::TimedOut | View::Abandoned => {
                Err(ComparatorError::new("the error left without its projection"))
            }
        }
    }

    fn as_any(&self) -> &dyn Any {
        match self {
            Self::Now(projection) => projection.get().map_or(&(), |projection| &**projection),
            Self::Before(projection) => *projection,
        }
    }
}
