//! A baseline of legacy call sites that may only shrink.

mod baseline;
mod compare;
mod error;

use std::path::{Path, PathBuf};

use baseline::Baseline;
pub use baseline::Known;
pub use compare::RatchetReport;
pub use error::RatchetError;

use crate::assessment::Assessment;

/// Compares assessments with a committed baseline that may only shrink.
///
/// One test in the host keeps new legacy call sites out while the old ones are migrated:
///
/// ```no_run
/// # fn assessment() -> cutover_assess::Assessment { unimplemented!() }
/// use cutover_assess::Ratchet;
///
/// # type Result = std::result::Result<(), cutover_assess::ratchet::RatchetError>;
/// #[test]
/// fn legacy_call_sites_only_shrink() -> Result {
///     Ratchet::at("migration-baseline.json").check(&assessment())?;
///     Ok(())
/// }
/// ```
///
/// - A finding that the baseline does not know fails the test, by place and rule.
/// - Findings that are gone fail it too, until the baseline has shrunk: `CUTOVER_RATCHET=shrink cargo test`, once, and commit. So
///   nobody brings them back unnoticed.
/// - A finding whose place has moved is not new, in its file or to another one (see [`Fingerprint`](crate::Fingerprint)). One whose
///   line was edited counts as the same if it stays in its file and the file has no more findings of its rule than before.
/// - Only [`accept`](Self::accept) lets the baseline grow, and it wants a reason.
///
/// It never takes silence for progress: an assessment without a single file, without one of the baseline's rules, that skipped a file
/// of which the baseline knows findings, or that [has gaps](Assessment::has_gaps) is an error, unless it has only something new to say.
///
/// The baseline is JSON with one finding on a line, sorted by path, so that diffs are readable and merges are easy. Where it lies below
/// the root of the scan, [leave it out](crate::Scan::leave_out).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ratchet {
    path: PathBuf,
}

/// The environment variable by which [`Ratchet::check`] may shrink the baseline. Its only value is `shrink`.
pub const RATCHET_VARIABLE: &str = "CUTOVER_RATCHET";

impl Ratchet {
    /// The ratchet whose baseline is the file at `path`.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the baseline is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How the assessment differs from the baseline.
    ///
    /// # Errors
    /// [`RatchetError`] if there is no baseline, if it cannot be read, or if the assessment has not seen enough to tell.
    pub fn compare(&self, assessment: &Assessment) -> Result<RatchetReport, RatchetError> {
        self.compared(assessment).map(|(_, report)| report)
    }

    /// Whether the assessment is what the baseline says: nothing new, and nothing gone. If the environment variable
    /// [`RATCHET_VARIABLE`] is `shrink`, what is gone is taken out of the baseline first.
    ///
    /// # Errors
    /// As [`compare`](Self::compare); [`RatchetError::Grown`] names what is new, [`RatchetError::Shrunk`] what is gone.
    pub fn check(&self, assessment: &Assessment) -> Result<RatchetReport, RatchetError> {
        let value = std::env::var_os(RATCHET_VARIABLE).unwrap_or_default();
        let report = match value.to_string_lossy().as_ref() {
            "" => self.compare(assessment)?,
            "shrink" => self.shrink(assessment)?,
            other => return Err(RatchetError::variable(other)),
        };
        report.judged()
    }

    /// Takes what is gone out of the baseline, and writes it if that changes it. It never grows.
    ///
    /// # Errors
    /// As [`compare`](Self::compare), and when the file cannot be written. What is new is no error here, but in the report.
    pub fn shrink(&self, assessment: &Assessment) -> Result<RatchetReport, RatchetError> {
        let (mut baseline, report) = self.compared(assessment)?;
        baseline.forget(&report.gone);
        baseline.follow(&report.edited);
        baseline.write(&self.path)?;
        Ok(RatchetReport { gone: Vec::new(), edited: Vec::new(), ..report })
    }

    /// Makes the baseline what the assessment found, also if it grows thereby, and also if there is none yet. `reason` stands in the
    /// file with each finding that is new.
    ///
    /// # Errors
    /// As [`compare`](Self::compare), except that a missing baseline is an empty one; and for a reason without text.
    pub fn accept(&self, assessment: &Assessment, reason: &str) -> Result<RatchetReport, RatchetError> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(RatchetError::NoReason);
        }
        let (mut baseline, report) = match self.compared(assessment) {
            Err(RatchetError::Missing { .. }) => compare::compared(Baseline::default(), assessment)?,
            compared => compared?,
        };
        baseline.forget(&report.gone);
        baseline.follow(&report.edited);
        baseline.learn(&report.new, reason);
        baseline.write(&self.path)?;
        let known = report.known + report.new.len();
        Ok(RatchetReport { known, new: Vec::new(), gone: Vec::new(), edited: Vec::new() })
    }

    fn compared(&self, assessment: &Assessment) -> Result<(Baseline, RatchetReport), RatchetError> {
        compare::compared(Baseline::read(&self.path)?, assessment)
    }
}
