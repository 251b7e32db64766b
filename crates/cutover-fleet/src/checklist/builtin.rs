//! Checks that need nothing but the [`View`].

use async_trait::async_trait;
use cutover::Side;

use super::{Check, Finding, View};
use crate::host::HostError;

/// Passes where the host has a backup.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct has nothing to add")]
pub struct BackupExists;

#[async_trait]
impl Check for BackupExists {
    async fn check(&self, view: &View<'_>) -> Result<Finding, HostError> {
        let backup = view.latest_backup().await?;
        Ok(Finding::when(backup.is_some(), || "there is no backup: make one first".to_owned()))
    }
}

/// Passes where at least this share of the validation's cases passed. No cases are no success.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a limit and nothing else")]
pub struct ValidationPassed {
    /// The share, 0.0 to 1.0.
    pub at_least: f64,
}

#[async_trait]
impl Check for ValidationPassed {
    async fn check(&self, view: &View<'_>) -> Result<Finding, HostError> {
        let Some(rate) = view.validation().and_then(crate::ValidationCounts::success_rate) else {
            return Err(HostError::new("nothing was validated"));
        };
        Ok(Finding::when(rate >= self.at_least, || format!("{rate:.3} of the cases passed; wanted: {}", self.at_least)))
    }
}

/// Passes where the p95 of new is at most so much longer than that of legacy was: `0.10` is a tenth slower, and minus is
/// faster. What is not measured on both sides is an error.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a limit and nothing else")]
pub struct NoRegression {
    /// The most that the p95 may change: plus is slower.
    pub latency_change_at_most: f64,
}

#[async_trait]
impl Check for NoRegression {
    async fn check(&self, view: &View<'_>) -> Result<Finding, HostError> {
        let new = view.vitals(Side::New).await?;
        let Some(change) = view.baseline().and_then(|legacy| new.latency_change(&legacy)) else {
            return Err(HostError::new("the p95 is not measured on both sides"));
        };
        let most = self.latency_change_at_most;
        Ok(Finding::when(change <= most, || {
            format!("the p95 changed by {change:+.2} (plus is slower); at most {most:+.2}")
        }))
    }
}
