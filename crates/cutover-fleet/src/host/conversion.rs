//! [`Conversion`]: from what legacy is to what new is to be.

use async_trait::async_trait;
use cutover::validate::ValidationReport;
use serde::{Deserialize, Serialize};

use super::{Artifact, HostError};
use crate::system::System;

/// Makes the new side of a system out of the legacy one: load, convert, generate, validate. Nothing of it touches what
/// serves.
///
/// The [laws](crate::host) of all host traits hold. Each step gets what the step before it made, also in another process
/// after a crash; a step that is repeated may make another artifact.
#[async_trait]
pub trait Conversion: Send + Sync {
    /// Reads what legacy is: its definition, its configuration.
    ///
    /// # Errors
    /// [`HostError`] when it cannot be read. The system is not migrated then, and nothing has changed.
    async fn load(&self, system: &System) -> Result<Artifact, HostError>;

    /// Converts what was loaded.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    async fn convert(&self, system: &System, loaded: &Artifact) -> Result<Artifact, HostError>;

    /// Makes of it what can be deployed.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    async fn generate(&self, system: &System, converted: &Artifact) -> Result<Artifact, HostError>;

    /// Holds what was generated against known answers, best with a
    /// [`MigrationValidator`](cutover::MigrationValidator), whose report turns into counts.
    ///
    /// # Errors
    /// As [`load`](Self::load). A case that fails is no error: it is counted.
    async fn validate(&self, system: &System, generated: &Artifact) -> Result<ValidationCounts, HostError>;
}

/// How many cases of a validation passed.
///
/// ```
/// use cutover_fleet::ValidationCounts;
/// assert_eq!(ValidationCounts::new(4, 5).success_rate(), Some(0.8));
/// assert_eq!(ValidationCounts::new(0, 0).success_rate(), None); // no data is not success
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValidationCounts {
    /// Cases that passed, at most `total`.
    pub passed: u64,
    /// All cases.
    pub total: u64,
}

impl ValidationCounts {
    /// `passed` of `total` cases passed; more than all counts as all.
    #[must_use]
    pub const fn new(passed: u64, total: u64) -> Self {
        Self { passed: if passed < total { passed } else { total }, total }
    }

    /// The share of cases that passed, 0.0 to 1.0; `None` where there were none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of more than 2^53 cases may be rounded")]
    pub fn success_rate(self) -> Option<f64> {
        (self.total > 0).then(|| self.passed.min(self.total) as f64 / self.total as f64)
    }
}

impl From<&ValidationReport> for ValidationCounts {
    fn from(report: &ValidationReport) -> Self {
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Self::new(wide(report.passed), wide(report.total))
    }
}
