//! [`Diagnostics`]: how the sides do.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use cutover::Side;
use serde::{Deserialize, Serialize};

use super::HostError;
use crate::system::System;

/// Looks at the sides of a system. It changes nothing.
///
/// The [laws](crate::host) of all host traits hold.
#[async_trait]
pub trait Diagnostics: Send + Sync {
    /// How a side does now. It is asked every few seconds while a side is watched, and has to be quick.
    ///
    /// # Errors
    /// [`HostError`] when it is not known: that is neither healthy nor a proof of failure.
    async fn vitals(&self, system: &System, side: Side) -> Result<Vitals, HostError>;

    /// Tests a side from outside, whether it has traffic or not: new before the switch, legacy after a recovery. The test
    /// must leave nothing behind.
    ///
    /// # Errors
    /// [`HostError`] says what does not work.
    async fn verify(&self, system: &System, side: Side) -> Result<(), HostError>;

    /// The last lines that a side has logged, oldest first, for the report of a failure. They are kept in the report, so
    /// they must hold no secret; of each at most 400 characters, and at most the last 20 of them.
    ///
    /// # Errors
    /// [`HostError`] when there are none to be had.
    async fn logs(&self, system: &System, side: Side) -> Result<Vec<String>, HostError>;

    /// Figures for the report of a failure, by name: at most 50.
    ///
    /// # Errors
    /// [`HostError`] when there are none to be had.
    async fn metrics(&self, system: &System, side: Side) -> Result<BTreeMap<String, f64>, HostError>;
}

/// How a side does.
///
/// ```
/// use cutover_fleet::Vitals;
/// use std::time::Duration;
///
/// let vitals = Vitals::healthy().calls(1_000, 3).p95(Duration::from_millis(40)).throughput(25.0);
/// assert!(vitals.healthy && !Vitals::unhealthy().healthy);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Vitals {
    /// Whether its health check passes.
    pub healthy: bool,
    /// Calls that it has served since it was started; 0 if that is not counted.
    pub calls: u64,
    /// How many of them failed.
    pub failures: u64,
    /// Its 95th percentile of latency of late, if that is measured.
    pub p95: Option<Duration>,
    /// What it does per second, if that is measured: calls, documents, jobs.
    pub throughput: Option<f64>,
}

impl Vitals {
    /// The health check passes, and nothing else is measured.
    #[must_use]
    pub const fn healthy() -> Self {
        Self { healthy: true, calls: 0, failures: 0, p95: None, throughput: None }
    }

    /// The health check does not pass, and nothing else is measured.
    #[must_use]
    pub const fn unhealthy() -> Self {
        Self { healthy: false, ..Self::healthy() }
    }

    /// With calls and failures since the side was started.
    #[must_use]
    pub const fn calls(self, calls: u64, failures: u64) -> Self {
        Self { calls, failures, ..self }
    }

    /// With its 95th percentile of latency.
    #[must_use]
    pub const fn p95(self, p95: Duration) -> Self {
        Self { p95: Some(p95), ..self }
    }

    /// With what it does per second.
    #[must_use]
    pub const fn throughput(self, per_second: f64) -> Self {
        Self { throughput: Some(per_second), ..self }
    }

    /// The change of the p95 against `legacy`: +0.5 is half as long again and worse, -0.5 is twice as fast. `None` where it is
    /// not measured on both sides.
    ///
    /// ```
    /// use cutover_fleet::Vitals;
    /// use std::time::Duration;
    ///
    /// let at = |seconds| Vitals::healthy().p95(Duration::from_secs(seconds));
    /// assert_eq!(at(3).latency_change(&at(2)), Some(0.5)); // slower
    /// assert_eq!(at(1).latency_change(&at(2)), Some(-0.5)); // faster
    /// ```
    #[must_use]
    pub fn latency_change(&self, legacy: &Self) -> Option<f64> {
        change(self.p95?.as_secs_f64(), legacy.p95?.as_secs_f64())
    }

    /// The change of the throughput against `legacy`: +0.2 is a fifth more and better. `None` where it is not measured on both
    /// sides.
    #[must_use]
    pub fn throughput_change(&self, legacy: &Self) -> Option<f64> {
        change(self.throughput?, legacy.throughput?)
    }
}

fn change(new: f64, legacy: f64) -> Option<f64> {
    let change = new / legacy - 1.0;
    (legacy > 0.0 && change.is_finite()).then_some(change)
}
