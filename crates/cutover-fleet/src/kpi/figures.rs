//! [`KpiFigures`]: what is known of a fleet, in numbers.

use std::time::{Duration, SystemTime};

use super::mean;
use crate::host::ValidationCounts;
use crate::migrator::SystemReport;
use crate::outcome::Outcome;

/// What is known of a fleet, in numbers. `None` is what was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(clippy::exhaustive_structs, reason = "a host that keeps its own books makes it")]
pub struct KpiFigures {
    /// All systems.
    pub total: u32,
    /// Those that are migrated.
    pub migrated: u32,
    /// Migrated systems per day, from the first beginning to the last end.
    pub rate_per_day: Option<f64>,
    /// The mean share of validation cases that passed.
    pub validation: Option<f64>,
    /// How often a system was rolled back.
    pub rollbacks: u32,
    /// Systems whose recovery failed.
    pub failed: u32,
    /// The mean change of the throughput: plus is more.
    pub throughput_change: Option<f64>,
    /// The mean change of the p95: plus is slower.
    pub latency_change: Option<f64>,
    /// The mean of the hours from beginning to end.
    pub hours_per_system: Option<f64>,
    /// The sum of the minutes in which neither side served.
    pub downtime_minutes: Option<f64>,
}

impl KpiFigures {
    pub(crate) fn of(systems: &[&SystemReport]) -> Self {
        let migrated: Vec<&&SystemReport> = systems.iter().filter(|system| system.outcome.is_migrated()).collect();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let failed = systems.iter().filter(|system| system.outcome == Outcome::Failed).count();
        let validations = systems.iter().filter_map(|system| system.validation);
        let downtime: Duration = systems.iter().map(|system| system.downtime).sum();
        Self {
            total: count(systems.len()),
            migrated: count(migrated.len()),
            rate_per_day: rate(&migrated),
            validation: mean(validations.filter_map(ValidationCounts::success_rate)),
            rollbacks: systems.iter().map(|system| system.rollbacks).sum(),
            failed: count(failed),
            throughput_change: mean(migrated.iter().filter_map(|system| system.throughput_change)),
            latency_change: mean(migrated.iter().filter_map(|system| system.latency_change)),
            hours_per_system: mean(
                migrated.iter().filter_map(|system| system.took()).map(|took| took.as_secs_f64() / 3600.0),
            ),
            downtime_minutes: Some(downtime.as_secs_f64() / 60.0),
        }
    }

    /// The share that is migrated; `None` of no systems.
    pub(super) fn share(&self) -> Option<f64> {
        (self.total > 0).then(|| f64::from(self.migrated.min(self.total)) / f64::from(self.total))
    }
}

/// Migrated systems per day; `None` where no time has passed.
fn rate(migrated: &[&&SystemReport]) -> Option<f64> {
    let first: SystemTime = migrated.iter().filter_map(|system| system.began).min()?;
    let last: SystemTime = migrated.iter().filter_map(|system| system.ended).max()?;
    let days = last.duration_since(first).ok()?.as_secs_f64() / 86_400.0;
    let number = u32::try_from(migrated.len()).unwrap_or(u32::MAX);
    (days > 0.0).then(|| f64::from(number) / days)
}
