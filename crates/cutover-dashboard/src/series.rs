//! [`Sampler`]: both sides over time, from what a monitor has counted. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use cutover::Percentage;
use cutover::guard::{GuardReport, Strength};
use cutover::monitor::{Histogram, MonitorSnapshot, SideCounts};

use crate::view::{Evidence, Point, Series, SidePoint};

/// How many points are kept: an hour of them, each five seconds.
pub(crate) const POINTS: usize = 720;

/// The last points, and where the next one begins.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    last: Option<MonitorSnapshot>,
    points: VecDeque<Point>,
    taken: u64,
}

/// What stands beside the counts.
#[derive(Debug, Clone)]
pub(crate) struct Beside {
    pub(crate) at: u64,
    pub(crate) rollout: Percentage,
    pub(crate) evidence: Vec<Evidence>,
}

impl Sampler {
    /// Takes in the next snapshot. The first one says only where to begin: what was counted before has no place in time. In
    /// another phase everything was counted since the point before.
    pub(crate) fn take(&mut self, snapshot: MonitorSnapshot, beside: Beside) {
        let came = self.last.as_ref().map(|last| snapshot.since(last).unwrap_or_else(|| snapshot.clone()));
        if let Some(came) = came {
            self.points.push_back(point(&came, beside));
            self.taken = self.taken.wrapping_add(1);
        }
        if self.points.len() > POINTS {
            self.points.pop_front();
        }
        self.last = Some(snapshot);
    }

    /// How many points there were so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    pub(crate) fn series(&self, every: Duration) -> Series {
        Series { every: nanos(every), points: self.points.iter().cloned().collect() }
    }
}

fn point(came: &MonitorSnapshot, beside: Beside) -> Point {
    let counts = &came.counts;
    let Beside { at, rollout, evidence } = beside;
    Point {
        at,
        epoch: counts.epoch,
        mode: counts.mode,
        rollout: rollout.percent(),
        legacy: side(&counts.legacy, &came.legacy),
        new: side(&counts.new, &came.new),
        compared: counts.pairs.compared,
        mismatch_rate: share(counts.pairs.mismatched, counts.pairs.compared),
        evidence,
    }
}

fn side(counts: &SideCounts, durations: &Histogram) -> SidePoint {
    let quantile = |p| durations.quantile(p).map(nanos);
    SidePoint {
        calls: counts.started,
        trials: counts.trials(),
        success_rate: share(counts.succeeded, counts.trials()),
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares need no 53 bits")]
fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How far the triggers are on the way to their thresholds.
pub(crate) fn evidence(report: &GuardReport) -> Vec<Evidence> {
    let strengths = report.triggers.iter().filter_map(|trigger| Some((trigger.trigger, trigger.strength?)));
    strengths.map(|(trigger, strength)| Evidence { trigger, share: way(&strength) }).collect()
}

/// The farther one of both ways.
fn way(strength: &Strength) -> f64 {
    let part = |ln: f64, threshold: f64| if threshold > 0.0 { ln / threshold } else { 0.0 };
    let by_all = strength.ln_threshold.map_or(0.0, |threshold| part(strength.ln_e, threshold));
    let lately = part(strength.ln_alarm, strength.ln_alarm_threshold);
    by_all.max(lately).clamp(0.0, FARTHEST)
}

/// More than that says no more, and JSON has no infinity.
const FARTHEST: f64 = 1_000.0;

#[cfg(test)]
mod tests;
