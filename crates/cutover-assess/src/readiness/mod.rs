//! Whether the old code can be deleted, and what is missing until then.

mod display;
mod evidence;
mod missing;

use std::collections::BTreeSet;

use cutover::compat::DeprecationReport;
use cutover::dual::Counts;
use cutover::{MigrationStatus, Percentage, SystemMode};
use serde::Serialize;

pub use evidence::Evidence;
pub use missing::Missing;

use crate::assessment::Assessment;

/// Whether the old code can be deleted: what is left of it, how the migration stands, and what is missing.
///
/// It is ready only when all four parts are there and say so; no data is not readiness. Its text is a small table and a list of
/// what to do.
///
/// ```
/// use cutover_assess::Readiness;
/// use cutover_assess::readiness::Evidence;
///
/// let readiness = Readiness::of(&Evidence::new());
/// assert!(!readiness.is_ready());
/// assert_eq!(
///     readiness.to_string(),
///     "\
/// not ready: 4 things are missing before the old code can be deleted
///   call sites          no data
///   migration           no data
///   match rate          no data
///   deprecated callers  no data
/// missing:
///   - an assessment of the sources
///   - the status of the migration
///   - the counts of a dual run
///   - a report on what is deprecated, in which it is declared",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Readiness {
    /// What an assessment found; `None` without one.
    pub call_sites: Option<CallSites>,
    /// How the migration stands; `None` if that was not said.
    pub migration: Option<Migration>,
    /// How well both sides agreed; `None` without counts.
    pub comparison: Option<Agreement>,
    /// Who still calls what is deprecated; `None` without a report.
    pub deprecated: Option<DeprecatedCalls>,
    /// What is missing, in the order of the parts above.
    pub missing: Vec<Missing>,
}

impl Readiness {
    /// What the evidence says.
    #[must_use]
    pub fn of(evidence: &Evidence<'_>) -> Self {
        Self {
            call_sites: evidence.assessment.map(CallSites::of),
            migration: evidence.status.map(Migration::of),
            comparison: evidence.counts.map(Agreement::of),
            deprecated: evidence.deprecations.map(DeprecatedCalls::of),
            missing: missing::missing(evidence),
        }
    }

    /// Whether nothing is missing.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.missing.is_empty()
    }
}

/// What an assessment found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallSites {
    /// Legacy call sites that have to be migrated.
    pub left: usize,
    /// In how many files they are.
    pub in_files: usize,
    /// Legacy call sites that comments allow to stay.
    pub allowed: usize,
    /// Files and folders that were not looked at and may hold more.
    pub unseen: usize,
    /// Files that were looked at.
    pub scanned: u64,
}

impl CallSites {
    pub(super) fn of(assessment: &Assessment) -> Self {
        let files: BTreeSet<_> = assessment.findings().iter().map(|finding| &finding.path).collect();
        Self {
            left: assessment.findings().len(),
            in_files: files.len(),
            allowed: assessment.allowed().len(),
            unseen: assessment.skipped().iter().filter(|skipped| skipped.reason.hides_findings()).count(),
            scanned: assessment.scanned().files,
        }
    }
}

/// How the migration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Migration {
    /// Its id.
    pub id: String,
    /// Its mode.
    pub mode: SystemMode,
    /// Its rollout, which counts in a gradual rollout.
    pub rollout: Percentage,
    /// Whether the store has confirmed this lately, and is believed.
    pub is_certain: bool,
}

impl Migration {
    pub(super) fn of(status: &MigrationStatus) -> Self {
        let uncertain = status.stale || status.assumed || status.unpersisted_emergency || status.doubt.is_some();
        Self { id: status.id.to_string(), mode: status.mode, rollout: status.rollout, is_certain: !uncertain }
    }
}

/// How well both sides agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Agreement {
    /// Calls in which both sides agreed.
    pub matched: u64,
    /// Calls that were judged: those that matched, those that did not, and those in which one side failed, panicked or took
    /// too long. What was ignored, abandoned, or failed on both sides says nothing.
    pub judged: u64,
    /// The share of judged calls that matched, rounded down; `None` if none was judged.
    pub match_rate: Option<Percentage>,
}

impl Agreement {
    pub(super) fn of(counts: &Counts) -> Self {
        let differed = [counts.mismatched, counts.one_failed, counts.panicked, counts.timed_out];
        let judged = differed.into_iter().fold(counts.matched, u64::saturating_add);
        let ppm = (u128::from(counts.matched) * 1_000_000).checked_div(u128::from(judged));
        let match_rate = ppm.and_then(|ppm| Percentage::from_ppm(u32::try_from(ppm).ok()?).ok());
        Self { matched: counts.matched, judged, match_rate }
    }
}

/// Who still calls what is deprecated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeprecatedCalls {
    /// How many old things are declared.
    pub declared: usize,
    /// How many callers are left.
    pub callers: usize,
    /// How often they called.
    pub uses: u64,
}

impl DeprecatedCalls {
    pub(super) fn of(report: &DeprecationReport) -> Self {
        Self { declared: report.deprecated.len(), callers: report.call_sites(), uses: report.uses() }
    }
}
