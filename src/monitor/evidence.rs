//! [`Evidence`]: what a guard reads.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::PhaseCounts;
use crate::wire::nanos;

/// What a guard decides on. A [`PerformanceMonitor`](super::PerformanceMonitor) is evidence of one process. A host whose
/// processes send each other their counts implements its own, which adds them.
pub trait Evidence: Send + Sync {
    /// The sums of the closed ticks of the present phase. Within one epoch they only grow.
    ///
    /// The present phase is that of the last epoch of which a call was seen, which is an earlier one than the controller's for
    /// as long as no call has started since a change. Who decides about an epoch looks at
    /// [`PhaseCounts::epoch`] first: what was counted in another one says nothing about it.
    fn counts(&self) -> PhaseCounts;

    /// How many health checks of each side have not succeeded in a row.
    fn health_failures(&self) -> SideFailures;

    /// How long the calls of each side took on average in the present phase: those that ended, however late, with the time that
    /// they took, and those that are overdue with the timeout, for as long as they have not.
    fn mean_durations(&self) -> MeanDurations;

    /// What legacy did before it was judged against; `None` as long as too little is known.
    fn baseline(&self) -> Option<Baseline>;

    /// Beyond how many times the p95 of the baseline [`counts`](Self::counts) counts a call as slow.
    ///
    /// A guard with another limit holds its p95 trigger, or its latency criterion, and says so. Counts with different factors
    /// cannot be added.
    fn latency_factors(&self) -> LatencyFactors;
}

/// Beyond how many times the p95 of the [`Baseline`] a call is slow. The default is that of a
/// [`PerformanceMonitor`](super::PerformanceMonitor): 2 and 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct LatencyFactors {
    /// Of [`slow`](super::SideCounts::slow): see [`p95_factor`](super::PerformanceMonitorBuilder::p95_factor).
    pub p95: f64,
    /// Of [`slow_for_promotion`](super::SideCounts::slow_for_promotion): see
    /// [`promotion_factor`](super::PerformanceMonitorBuilder::promotion_factor).
    pub promotion: f64,
}

impl Default for LatencyFactors {
    fn default() -> Self {
        Self { p95: 2.0, promotion: 1.1 }
    }
}

/// Health checks that have not succeeded in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct SideFailures {
    /// Of the legacy side.
    pub legacy: u32,
    /// Of the new side.
    pub new: u32,
}

/// Average durations; `None` without a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct MeanDurations {
    /// Of the legacy side.
    pub legacy: Option<Duration>,
    /// Of the new side.
    pub new: Option<Duration>,
}

/// What legacy did before new was judged against it. It is fixed before the calls that it judges.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host that knows its legacy side makes its own")]
pub struct Baseline {
    /// 95 % of the calls of legacy take no longer, in nanoseconds when serialised: the upper end of the confidence interval.
    #[serde(with = "nanos")]
    pub p95: Duration,
    /// How many calls it rests on.
    pub calls: u64,
    /// Calls a second of the legacy side.
    pub calls_per_second: f64,
    /// The share of the calls of legacy that failed, from 0 to 1.
    pub error_rate: f64,
}
