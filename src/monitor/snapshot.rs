//! [`MonitorSnapshot`]: everything that a monitor knows of the present phase, as sums.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Histogram, PerformanceComparison, PhaseCounts, QualityValues, Values};
use crate::wire::nanos;

/// What a monitor knows of the present phase. Snapshots of several processes [add up](Self::merged), and the
/// [difference](Self::since) of two of one process is what came in between: the percentiles of an interval, for a chart.
///
/// ```
/// use cutover::monitor::PerformanceMonitor;
/// use cutover::observe::Sample;
/// use cutover::testing::ManualClock;
/// use cutover::{Outcome, Route, Side, SystemMode};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let monitor = PerformanceMonitor::builder().clock(clock.clone()).build()?;
/// let route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
/// let after = |seconds: u64, millis: u64| {
///     clock.advance(Duration::from_secs(seconds));
///     monitor.record(&route, &Sample::new(Side::Legacy, Outcome::Ok, Duration::from_millis(millis)));
///     monitor.snapshot()
/// };
/// after(0, 5); // the phase begins with the next tick
/// let (earlier, later) = (after(1, 5), after(60, 80));
/// let minute = later.since(&earlier).ok_or("another phase")?;
/// assert_eq!((minute.legacy.len(), minute.legacy.quantile(0.95)), (1, later.legacy.quantile(1.0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MonitorSnapshot {
    /// The sums of closed ticks.
    pub counts: PhaseCounts,
    /// How long the closed ticks were together, in nanoseconds when serialised.
    #[serde(with = "nanos")]
    pub time: Duration,
    /// Ticks that were lost whole and are in no sum, because more of them were open than the monitor has room for.
    pub lost_ticks: u64,
    /// Calls that ended, or were heard of first, when their tick was closed. They are in no sum; if they were counted when
    /// they started, they are overdue.
    pub late: u64,
    /// How long the runs of legacy took that ended, whether they succeeded or not; those of ticks that are still open included.
    /// One that never ended counts with the timeout. One that was given up, dropped by its caller or stopped as a shadow, is
    /// not in it: when it would have ended nobody knows.
    pub legacy: Histogram,
    /// The same, of new.
    pub new: Histogram,
    /// The quality metrics that were declared.
    pub quality: Vec<QualityValues>,
}

impl MonitorSnapshot {
    /// What came since `earlier`, which was taken from the same monitor; `None` if that was another phase.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        self.is_of_the_phase_of(earlier).then(|| Self {
            counts: self.counts.since(&earlier.counts),
            time: self.time.saturating_sub(earlier.time),
            lost_ticks: self.lost_ticks.saturating_sub(earlier.lost_ticks),
            late: self.late.saturating_sub(earlier.late),
            legacy: self.legacy.clone() - &earlier.legacy,
            new: self.new.clone() - &earlier.new,
            quality: self.quality_with(earlier, Values::since),
        })
    }

    /// This and the snapshot of another process, which ran at the same time: sums are added, and the longer time holds.
    /// `None` if that was another phase.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Option<Self> {
        let counts = self.counts.merged(&other.counts)?;
        Some(Self {
            counts,
            time: self.time.max(other.time),
            lost_ticks: self.lost_ticks.saturating_add(other.lost_ticks),
            late: self.late.saturating_add(other.late),
            legacy: self.legacy.clone() + other.legacy.clone(),
            new: self.new.clone() + other.new.clone(),
            quality: self.quality_with(other, Values::plus),
        })
    }

    /// How the two sides compare.
    #[must_use]
    pub fn comparison(&self) -> PerformanceComparison {
        PerformanceComparison::of(self)
    }

    const fn is_of_the_phase_of(&self, other: &Self) -> bool {
        self.counts.epoch == other.counts.epoch && self.counts.mode as u8 == other.counts.mode as u8
    }

    fn quality_with(&self, other: &Self, change: impl Fn(Values, Values) -> Values) -> Vec<QualityValues> {
        let changed = |mine: &QualityValues| {
            let theirs = other.quality.iter().find(|theirs| theirs.name == mine.name);
            let (legacy, new) = theirs.map_or_else(Default::default, |theirs| (theirs.legacy, theirs.new));
            QualityValues { name: mine.name.clone(), legacy: change(mine.legacy, legacy), new: change(mine.new, new) }
        };
        self.quality.iter().map(changed).collect()
    }
}
