//! Fewer columns than points: what one place of a chart or one row of a table stands for.

use cutover::SystemMode;
use cutover::guard::Trigger;

use super::float;
use crate::view::{Point, Series, SidePoint};

/// Some points that follow each other. Rates are over all of their calls; of durations and evidence it is the largest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// When the last of them was.
    pub(super) at: u64,
    /// How many points these are.
    pub(super) points: usize,
    pub(super) mode: SystemMode,
    pub(super) rollout: f64,
    pub(super) legacy: SideColumn,
    pub(super) new: SideColumn,
    pub(super) mismatch: Option<f64>,
    pub(super) evidence: Vec<(Trigger, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct SideColumn {
    pub(super) success: Option<f64>,
    pub(super) p50: Option<f64>,
    pub(super) p95: Option<f64>,
    pub(super) p99: Option<f64>,
}

/// The points of `series` in at most `most` columns, oldest first.
pub(super) fn fold(series: &Series, most: usize) -> Vec<Column> {
    let size = series.points.len().div_ceil(most.max(1)).max(1);
    // From the end, so that the newest column is whole.
    series.points.rchunks(size).rev().filter_map(Column::of).collect()
}

impl Column {
    fn of(points: &[Point]) -> Option<Self> {
        let last = points.last()?;
        let evidence = Trigger::ALL.into_iter().filter_map(|trigger| Some((trigger, strongest(points, trigger)?)));
        let compared = points.iter().map(|point| (point.mismatch_rate, point.compared));
        Some(Self {
            at: last.at,
            points: points.len(),
            mode: last.mode,
            rollout: last.rollout,
            legacy: SideColumn::of(points, |point| &point.legacy),
            new: SideColumn::of(points, |point| &point.new),
            mismatch: weighted(compared),
            evidence: evidence.collect(),
        })
    }
}

impl SideColumn {
    fn of(points: &[Point], side: fn(&Point) -> &SidePoint) -> Self {
        let sides = || points.iter().map(side);
        let slowest = |pick: fn(&SidePoint) -> Option<u64>| sides().filter_map(pick).max().map(float);
        Self {
            success: weighted(sides().map(|side| (side.success_rate, side.trials))),
            p50: slowest(|side| side.p50),
            p95: slowest(|side| side.p95),
            p99: slowest(|side| side.p99),
        }
    }
}

/// The average of rates, each of so many calls.
fn weighted(rates: impl Iterator<Item = (Option<f64>, u64)>) -> Option<f64> {
    let known = rates.filter_map(|(rate, calls)| Some((rate.filter(|rate| rate.is_finite())?, float(calls))));
    let (sum, calls) = known.fold((0.0, 0.0), |(sum, all), (rate, calls)| (sum + rate * calls, all + calls));
    (calls > 0.0).then(|| (sum / calls).clamp(0.0, 1.0))
}

fn strongest(points: &[Point], trigger: Trigger) -> Option<f64> {
    let all = points.iter().flat_map(|point| &point.evidence);
    all.filter(|evidence| evidence.trigger == trigger && evidence.share.is_finite())
        .map(|evidence| evidence.share.max(0.0))
        .reduce(f64::max)
}
