//! [`Evidence`]: what readiness is judged by.

use cutover::compat::DeprecationReport;
use cutover::dual::Counts;
use cutover::{MigrationStatus, Percentage};

use crate::assessment::Assessment;

/// What [`Readiness`](super::Readiness) is judged by. A part that is not given is missing.
#[derive(Debug, Clone)]
pub struct Evidence<'e> {
    pub(super) assessment: Option<&'e Assessment>,
    pub(super) status: Option<&'e MigrationStatus>,
    pub(super) counts: Option<&'e Counts>,
    pub(super) deprecations: Option<&'e DeprecationReport>,
    pub(super) least_judged: u64,
    pub(super) least_match_rate: Percentage,
}

impl<'e> Evidence<'e> {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is left in the sources.
    #[must_use]
    pub const fn assessment(mut self, assessment: &'e Assessment) -> Self {
        self.assessment = Some(assessment);
        self
    }

    /// How the migration stands.
    #[must_use]
    pub const fn status(mut self, status: &'e MigrationStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// How the calls of both sides ended, such as `runner.counts()`.
    #[must_use]
    pub const fn counts(mut self, counts: &'e Counts) -> Self {
        self.counts = Some(counts);
        self
    }

    /// Who still calls what is deprecated.
    #[must_use]
    pub const fn deprecations(mut self, report: &'e DeprecationReport) -> Self {
        self.deprecations = Some(report);
        self
    }

    /// How many calls have to be judged at least (default 1,000).
    #[must_use]
    pub const fn at_least_judged(mut self, calls: u64) -> Self {
        self.least_judged = calls;
        self
    }

    /// The share of judged calls that have to match at least (default 99.9 %).
    #[must_use]
    pub const fn at_least_matching(mut self, share: Percentage) -> Self {
        self.least_match_rate = share;
        self
    }
}

impl Default for Evidence<'_> {
    fn default() -> Self {
        Self {
            assessment: None,
            status: None,
            counts: None,
            deprecations: None,
            least_judged: 1_000,
            least_match_rate: Percentage::from_ppm(999_000).unwrap_or(Percentage::HUNDRED),
        }
    }
}
