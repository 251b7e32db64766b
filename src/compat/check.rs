//! What a host's test asks of a report.

use std::collections::BTreeMap;
use std::fmt;

use super::Release;
use super::baseline::{DeprecationBaseline, Growth};
use super::deprecation::DeclareError;
use super::display::{Amount, Entry, Lines};
use super::report::{Deprecated, DeprecationReport};

impl DeprecationReport {
    /// The old things that should be gone in the release `now`, used or not, by their names.
    pub fn overdue(&self, now: Release) -> impl Iterator<Item = (&str, &Deprecated)> {
        let is_overdue = move |entry: &Deprecated| entry.remove_after.is_some_and(|last| now.is_after(last));
        let entries = self.deprecated.iter().filter(move |(_, entry)| is_overdue(entry));
        entries.map(|(old, entry)| (old.as_str(), entry))
    }

    /// Whether everything is gone that should be, in the release `now`.
    ///
    /// ```
    /// use cutover::Deprecations;
    /// use cutover::compat::{Deprecation, Release};
    ///
    /// static OLD: Deprecations =
    ///     Deprecations::of(&[Deprecation::new("price").instead("quote").remove_after(Release::new([2]))]);
    /// OLD.used_in(&Deprecation::new("price"), "the nightly job");
    ///
    /// assert!(OLD.report().check_removals("2.9.1".parse()?).is_ok()); // in a test: env!("CARGO_PKG_VERSION").parse()?
    /// assert_eq!(
    ///     OLD.report().check_removals("3.0.0-beta.1".parse()?).unwrap_err().to_string(),
    ///     "1 deprecated thing should be gone in 3.0.0:
    /// `price`, use `quote` (to go after 2): 1 use
    ///   the nightly job: 1 use
    /// move the callers that are left, and delete it; or give it more time with a later `remove_after`",
    /// );
    /// # Ok::<(), cutover::compat::InvalidRelease>(())
    /// ```
    ///
    /// # Errors
    /// [`DeprecationError::Overdue`] names what should be gone, and who still calls it. What cannot be judged is an error
    /// too: [`DeprecationError::Contradictory`] and [`DeprecationError::Uncounted`].
    pub fn check_removals(&self, now: Release) -> Result<(), DeprecationError> {
        let overdue: BTreeMap<_, _> = self.overdue(now).map(|(old, entry)| (old.to_owned(), entry.clone())).collect();
        if !overdue.is_empty() {
            return Err(DeprecationError::Overdue { now, overdue });
        }
        if !self.problems.is_empty() {
            return Err(DeprecationError::Contradictory { problems: self.problems.clone() });
        }
        self.check_all_were_counted()
    }

    /// Whether callers have only become fewer than in the baseline.
    ///
    /// # Errors
    /// [`DeprecationError::Grown`] names each file with more call sites than it may have, and
    /// [`DeprecationError::Uncounted`] says that callers are missing here.
    pub fn check_callers(&self, allowed: &DeprecationBaseline) -> Result<(), DeprecationError> {
        let grown = self.growth(allowed);
        if !grown.is_empty() {
            return Err(DeprecationError::Grown { grown });
        }
        self.check_all_were_counted()
    }

    /// As [`check_removals`](Self::check_removals), for tests that have no use for the error.
    ///
    /// # Panics
    /// When `check_removals` returns an error, with its message.
    #[track_caller]
    pub fn assert_removals(&self, now: Release) {
        assert_ok(self.check_removals(now));
    }

    /// As [`check_callers`](Self::check_callers), for tests that have no use for the error.
    ///
    /// # Panics
    /// When `check_callers` returns an error, with its message.
    #[track_caller]
    pub fn assert_callers(&self, allowed: &DeprecationBaseline) {
        assert_ok(self.check_callers(allowed));
    }

    fn check_all_were_counted(&self) -> Result<(), DeprecationError> {
        match self.uncounted {
            0 => Ok(()),
            uses => Err(DeprecationError::Uncounted { uses }),
        }
    }
}

#[track_caller]
fn assert_ok(checked: Result<(), DeprecationError>) {
    #[expect(clippy::panic, reason = "an assertion for tests, as documented")]
    if let Err(error) = checked {
        panic!("{error}");
    }
}

/// A report is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeprecationError {
    /// Old things are there that should be gone.
    #[error("{} should be gone in {now}:{}\nmove the callers that are left, and delete it; or give it more time with a later `remove_after`", Amount(overdue.len() as u64, "deprecated thing"), Entries(overdue))]
    Overdue {
        /// The release that was asked about.
        now: Release,
        /// What should be gone, and who still uses it.
        overdue: BTreeMap<String, Deprecated>,
    },
    /// Files have more call sites than they may have.
    #[error("more call sites use what is deprecated than the baseline allows:{}\nif they are meant to be there, commit the baseline of this report, which `baseline()` makes", Lines(&grown.iter().map(ToString::to_string).collect::<Vec<_>>()))]
    Grown {
        /// Each of these files.
        grown: Vec<Growth>,
    },
    /// What is declared cannot be so, so that nobody knows what is overdue.
    #[error("what is deprecated is not declared well:{}", Lines(&problems.iter().map(ToString::to_string).collect::<Vec<_>>()))]
    Contradictory {
        /// What is wrong.
        problems: Vec<DeclareError>,
    },
    /// There were more call sites than are told apart, so that callers are missing in the report.
    #[error("{} took place at call sites beyond the capacity; raise it with `Deprecations::capacity`", Amount(*uses, "use"))]
    Uncounted {
        /// How many uses were not told apart.
        uses: u64,
    },
}

struct Entries<'a>(&'a BTreeMap<String, Deprecated>);

impl fmt::Display for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(old, entry)| write!(f, "\n{}", Entry(old, entry)))
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, are) = (Amount(self.found, "call site"), if self.allowed == 1 { "is" } else { "are" });
        write!(f, "`{}` in {}: {found}, allowed {are} {}", self.old, self.file, self.allowed)?;
        self.new.iter().try_for_each(|new| write!(f, "; use `{new}`"))?;
        let callers: Vec<_> = self.callers.iter().map(ToString::to_string).collect();
        write!(f, " ({})", callers.join(", "))
    }
}
