//! [`Rates`]: how likely what is, for the calls of one side at one time.

use std::time::Duration;

use super::latency::Latency;
use super::{Fault, Model, SideModel};
use crate::monitor::{Baseline, LatencyFactors};
use crate::stats::quantile;

/// Beyond which durations a call is slow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) baseline: Baseline,
    pub(super) factors: LatencyFactors,
    /// Of the p95 trigger.
    pub(super) rollback: Duration,
    pub(super) promotion: Duration,
    pub(super) timeout: Duration,
}

/// How many calls of legacy were seen before the plan began.
const CALLS_OF_BASELINE: u64 = 100_000;

impl Limits {
    pub(super) fn of(model: &Model, factors: LatencyFactors) -> Self {
        let upper = quantile::interval(0.95, CALLS_OF_BASELINE, 0.01).map_or(0.95, |(_, upper)| upper);
        let p95 = Latency::of(&model.legacy).quantile(upper);
        Self {
            baseline: Baseline {
                p95,
                calls: CALLS_OF_BASELINE,
                calls_per_second: model.calls_per_second,
                error_rate: model.legacy.failure_rate,
            },
            rollback: p95.mul_f64(factors.p95),
            promotion: p95.mul_f64(factors.promotion),
            factors,
            timeout: model.timeout,
        }
    }
}

/// Shares of the calls of one side. Those of `slow` are in `promotion`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    pub(super) failure: f64,
    pub(super) overdue: f64,
    pub(super) slow: f64,
    /// Over the limit of promotion.
    pub(super) promotion: f64,
    /// Over the p95 of legacy.
    pub(super) baseline: f64,
}

impl Rates {
    /// With `swings` of failures and of durations, which are 1 on average.
    pub(super) fn of(side: &SideModel, (failures, durations): (f64, f64), limits: &Limits) -> Self {
        let latency = Latency::of(side);
        let longer = |limit| latency.longer_than(limit, durations);
        Self {
            failure: (side.failure_rate * failures).min(1.0),
            overdue: longer(limits.timeout),
            slow: longer(limits.rollback),
            promotion: longer(limits.promotion),
            baseline: longer(limits.baseline.p95),
        }
    }
}

/// What strikes the calls of new, beside what happens to them anyway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strike {
    /// Where the fault stands in the model.
    pub(super) place: usize,
    pub(super) failure: f64,
    pub(super) hang: f64,
    pub(super) wrong: f64,
    /// The rates of new with the latency of the fault.
    pub(super) rates: Rates,
}

impl Strike {
    pub(super) fn of(place: usize, fault: &Fault, new: &SideModel, swings: (f64, f64), limits: &Limits) -> Self {
        Self {
            place,
            failure: fault.failure_rate,
            hang: fault.hang_rate,
            wrong: fault.mismatch_rate,
            rates: Rates::of(new, (swings.0, swings.1 * fault.latency_factor), limits),
        }
    }
}

/// All that holds at one time.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    pub(super) calls_per_second: f64,
    pub(super) legacy: Rates,
    pub(super) new: Rates,
    pub(super) mismatch: f64,
    pub(super) strikes: Vec<Strike>,
}

const DAY: f64 = 86_400.0;

impl Weather {
    /// At `seconds` after the beginning, while the faults at `struck` are there.
    pub(super) fn at(model: &Model, limits: &Limits, seconds: f64, struck: &[usize]) -> Self {
        let drift = &model.drift;
        let swings = (
            swing(drift.failures, seconds, drift.period.as_secs_f64()),
            swing(drift.durations, seconds, drift.period.as_secs_f64()),
        );
        let strike = |place: &usize| {
            let fault = model.faults.get(*place)?;
            Some(Strike::of(*place, fault, &model.new, swings, limits))
        };
        Self {
            calls_per_second: model.calls_per_second * swing(model.daily_swing, seconds, DAY),
            legacy: Rates::of(&model.legacy, swings, limits),
            new: Rates::of(&model.new, swings, limits),
            mismatch: model.mismatch_rate,
            strikes: struck.iter().filter_map(strike).collect(),
        }
    }
}

/// 1 on average, from `1 - by` to `1 + by`.
fn swing(by: f64, seconds: f64, period: f64) -> f64 {
    if by == 0.0 { 1.0 } else { 1.0 + by * libm::sin(std::f64::consts::TAU * seconds / period) }
}
