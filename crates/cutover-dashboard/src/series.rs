//! [`Sampler`]: both sides over time, from what a monitor has counted. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use cutover::guard::{GuardReport, Strength};
use cutover::monitor::{Histogram, MonitorSnapshot, PhaseCounts, SideCounts};
use cutover::{Percentage, SystemMode};

use crate::view::{Evidence, Point, Series, SidePoint};

/// How many points are kept: an hour of them, each five seconds.
pub(crate) const POINTS: usize = 720;

/// The last points, and where the next one begins.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    last: Option<Looked>,
    points: VecDeque<Point>,
    taken: u64,
}

/// What was seen last.
#[derive(Debug)]
struct Looked {
    snapshot: MonitorSnapshot,
    /// The phase that had ended last then.
    ended: Option<(u64, SystemMode)>,
    at: u64,
    rollout: Percentage,
}

/// What stands beside the counts.
#[derive(Debug, Clone)]
pub(crate) struct Beside {
    pub(crate) at: u64,
    /// When the record came that holds.
    pub(crate) since: u64,
    pub(crate) rollout: Percentage,
    pub(crate) evidence: Vec<Evidence>,
}

impl Sampler {
    /// Takes in the next snapshot. The first one says only where to begin: what was counted before has no place in time. In
    /// another phase everything was counted since the point before, and what the phase before had counted until it `ended` and
    /// nobody had seen has a point of its own, from when the record came.
    pub(crate) fn take(&mut self, snapshot: MonitorSnapshot, ended: Option<&MonitorSnapshot>, beside: Beside) {
        let Beside { at, rollout, .. } = beside;
        if let Some(last) = self.last.take() {
            let came = snapshot.since(&last.snapshot);
            let unseen = ended.filter(|_| came.is_none()).and_then(|ended| last.unseen_of(ended, &beside));
            if let Some(unseen) = unseen {
                self.push(unseen);
            }
            self.push(point(came.as_ref().unwrap_or(&snapshot), beside));
        }
        self.last = Some(Looked { snapshot, ended: ended.map(phase), at, rollout });
    }

    fn push(&mut self, point: Point) {
        self.points.push_back(point);
        self.taken = self.taken.wrapping_add(1);
        if self.points.len() > POINTS {
            self.points.pop_front();
        }
    }

    /// Whether these counts are of another phase than what was seen last.
    pub(crate) fn is_behind(&self, counts: &PhaseCounts) -> bool {
        self.last.as_ref().is_some_and(|last| phase(&last.snapshot) != (counts.epoch, counts.mode))
    }

    /// How many points there were so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// So many of the newest points at most.
    pub(crate) fn series(&self, every: Duration, points: usize) -> Series {
        let skipped = self.points.len().saturating_sub(points);
        Series { every: nanos(every), points: self.points.iter().skip(skipped).cloned().collect() }
    }
}

impl Looked {
    /// What a phase had counted when it ended and nobody has seen: more of the one that was seen last, or all of one that came
    /// and went since.
    fn unseen_of(&self, ended: &MonitorSnapshot, beside: &Beside) -> Option<Point> {
        let more = ended.since(&self.snapshot);
        let unseen = more.or_else(|| (self.ended != Some(phase(ended))).then(|| ended.clone()))?;
        let counted = unseen.counts.legacy.started + unseen.counts.new.started > 0;
        let at = beside.since.min(beside.at).max(self.at);
        let beside = Beside { at, since: at, rollout: self.rollout, evidence: Vec::new() };
        counted.then(|| point(&unseen, beside))
    }
}

const fn phase(snapshot: &MonitorSnapshot) -> (u64, SystemMode) {
    (snapshot.counts.epoch, snapshot.counts.mode)
}

fn point(came: &MonitorSnapshot, beside: Beside) -> Point {
    let counts = &came.counts;
    let Beside { at, rollout, evidence, .. } = beside;
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
