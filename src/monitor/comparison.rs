//! [`PerformanceComparison`]: how the two sides compare, for people.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Histogram, MonitorSnapshot, QualityValues, SideCounts};
use crate::mode::SystemMode;
use crate::wire::{nanos, optional_nanos};

/// How new compares with legacy in the present phase.
///
/// The sign of every change is the same: **positive means that new is better**. A change is `None` as long as one of the
/// two sides has no data, and where legacy's figure is 0, so that nothing is divided by it.
///
/// These are figures to look at. They say nothing about chance: what is decided on is a guard's verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PerformanceComparison {
    /// The epoch of the phase.
    pub epoch: u64,
    /// The mode of the phase.
    pub mode: SystemMode,
    /// The time of the phase so far, in nanoseconds when serialised.
    #[serde(with = "nanos")]
    pub time: Duration,
    /// What legacy did.
    pub legacy: SidePerformance,
    /// What new did.
    pub new: SidePerformance,
    /// New's success rate less legacy's, as a share: 0.02 says that two more calls in a hundred succeed with new, -0.02 that
    /// two fewer do.
    pub success_rate_change: Option<f64>,
    /// By which share of legacy's average duration new is faster: 0.1 says that new takes 10 % less time, -0.5 that it takes
    /// half as long again.
    pub duration_improvement: Option<f64>,
    /// The same for the p95: 0.1 says that new's is 10 % shorter, -0.5 that it is 50 % longer.
    pub p95_improvement: Option<f64>,
    /// By which share new completes more of the calls that it starts than legacy does of its own: -0.05 says that it
    /// completes 5 % fewer, 0.05 that it completes 5 % more. How many calls each side gets plays no part.
    pub throughput_improvement: Option<f64>,
    /// Each quality metric that was declared.
    pub quality: Vec<QualityComparison>,
}

/// What one side did in the present phase.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SidePerformance {
    /// Runs of closed ticks that were not given up: neither dropped by their caller nor, as a shadow, stopped by the runner.
    pub calls: u64,
    /// Those that failed: an error, a panic, a time-out, or no end at all.
    pub failed: u64,
    /// Those of them that timed out or never ended.
    pub overdue: u64,
    /// Runs that were given up before they had ended and after a long time: see
    /// [`unfinished`](super::SideCounts::unfinished). They are not among `calls`.
    pub unfinished: u64,
    /// The share of runs that succeeded, from 0 to 1; `None` without one.
    pub success_rate: Option<f64>,
    /// Runs a second; `None` as long as no tick is closed.
    pub calls_per_second: Option<f64>,
    /// The average duration of the runs that ended, in nanoseconds when serialised; `None` without one. What is `unfinished`
    /// is not in it.
    #[serde(with = "optional_nanos")]
    pub mean: Option<Duration>,
    /// Half of the runs took no longer, to within 6.25 %. For this and the other quantiles, what is `unfinished` is longer than
    /// all others; `None` if the quantile lies among those.
    #[serde(with = "optional_nanos")]
    pub p50: Option<Duration>,
    /// 95 % of the runs took no longer, to within 6.25 %.
    #[serde(with = "optional_nanos")]
    pub p95: Option<Duration>,
    /// 99 % of the runs took no longer, to within 6.25 %.
    #[serde(with = "optional_nanos")]
    pub p99: Option<Duration>,
}

/// How the sides compare in one quality metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QualityComparison {
    /// The name of the metric.
    pub name: String,
    /// The average of legacy; `None` without a value.
    pub legacy: Option<f64>,
    /// The average of new; `None` without a value.
    pub new: Option<f64>,
    /// By which share of legacy's average new's is larger: 0.1 says 10 % larger, which is better, -0.1 says 10 % smaller.
    pub improvement: Option<f64>,
}

impl PerformanceComparison {
    pub(super) fn of(snapshot: &MonitorSnapshot) -> Self {
        let MonitorSnapshot { counts, time, legacy, new, quality, .. } = snapshot;
        let completed = (completion(&counts.legacy), completion(&counts.new));
        let (legacy, new) =
            (SidePerformance::of(&counts.legacy, legacy, *time), SidePerformance::of(&counts.new, new, *time));
        let both = |pick: fn(&SidePerformance) -> Option<Duration>| (seconds(pick(&legacy)), seconds(pick(&new)));
        Self {
            epoch: counts.epoch,
            mode: counts.mode,
            time: *time,
            success_rate_change: legacy.success_rate.zip(new.success_rate).map(|(legacy, new)| new - legacy),
            duration_improvement: decrease(both(|side| side.mean)),
            p95_improvement: decrease(both(|side| side.p95)),
            throughput_improvement: increase(completed),
            quality: quality.iter().map(QualityComparison::of).collect(),
            legacy,
            new,
        }
    }
}

impl SidePerformance {
    fn of(counts: &SideCounts, durations: &Histogram, time: Duration) -> Self {
        let calls = counts.trials();
        let quantile = |p| quantile_beside(durations, counts.unfinished, p);
        Self {
            calls,
            failed: counts.failed,
            overdue: counts.overdue,
            unfinished: counts.unfinished,
            success_rate: share(counts.succeeded, calls),
            calls_per_second: Some(time.as_secs_f64()).filter(|&seconds| seconds > 0.0).map(|s| float(calls) / s),
            mean: durations.mean(),
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
        }
    }
}

impl QualityComparison {
    fn of(values: &QualityValues) -> Self {
        let (legacy, new) = (values.legacy.mean(), values.new.mean());
        Self { name: values.name.clone(), legacy, new, improvement: increase((legacy, new)) }
    }
}

/// The quantile of these durations and of `longer` ones that nobody has seen the end of, if it is not one of those.
fn quantile_beside(durations: &Histogram, longer: u64, p: f64) -> Option<Duration> {
    let seen = float(durations.len());
    let p = p * (seen + float(longer)) / seen;
    durations.quantile(p).filter(|_| p <= 1.0)
}

/// The share of the runs of a side that came to an end.
fn completion(counts: &SideCounts) -> Option<f64> {
    share(counts.trials().saturating_sub(counts.overdue), counts.trials())
}

fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| float(part) / float(all))
}

/// By which share of the first number the second is larger; `None` if there is nothing to divide by.
fn increase(numbers: (Option<f64>, Option<f64>)) -> Option<f64> {
    let (from, to) = numbers.0.zip(numbers.1)?;
    (from != 0.0).then(|| (to - from) / from.abs())
}

/// By which share of the first number the second is smaller.
fn decrease(numbers: (Option<f64>, Option<f64>)) -> Option<f64> {
    increase(numbers).map(|larger| -larger)
}

fn seconds(duration: Option<Duration>) -> Option<f64> {
    duration.map(|duration| duration.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "figures to look at")]
const fn float(count: u64) -> f64 {
    count as f64
}
