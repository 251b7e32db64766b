//! [`PerformanceMonitor`].

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use super::cells::Kind;
use super::ledger::Ledger;
use super::record::PairEnd;
use super::settings::Settings;
use super::{
    Baseline, Evidence, LatencyFactors, MeanDurations, MonitorSnapshot, PerformanceComparison,
    PerformanceMonitorBuilder, PhaseCounts, QualityError, SideFailures,
};
use crate::clock::Instant;
use crate::observe::{Event, Observer, Sample};
use crate::outcome::{Side, Verdict};
use crate::route::Route;

/// Hears the runners and the controller of one migration, and counts what both sides do.
///
/// # What is counted, and when
/// A call is counted in the tick (1 s) in which it *started*. A tick is closed, in order, when all of its calls have ended,
/// or when its timeout (30 s) has passed; calls that have not ended by then are overdue, which is an event like a failure.
/// Only closed ticks are in [`counts`](Evidence::counts). So failures that come back fast are never counted before the
/// successes that take longer, and a call that hangs is counted too.
///
/// - A *phase* is the time of one epoch. Its counts begin with the tick after the one in which its first call started, and
///   its last are those closed before the next epoch is seen: whole ticks, whatever happened in them. Calls of an earlier
///   epoch are not counted; nor are nested calls, whose epoch is 0, unless that is the present one.
/// - An earlier epoch is believed, and begins a phase, when the controller tells of it
///   of which it is [the monitor](crate::control::ControllerBuilder::performance), or when no call of the present one has started for twice
///   the timeout: the store lost records.
/// - An emergency that is not stored yet begins a phase of its own with the epoch that is stored.
/// - What ends when its tick is closed is [late](MonitorSnapshot::late), and changes no count. In the
///   [average duration](Evidence::mean_durations) it is, with the time that it took.
/// - A call that new began alone and legacy answered, after a [`Fallback`](crate::dual::Fallback), is one that new served and
///   failed. Legacy ran too, but that is no pair: it runs only where new has failed.
/// - Of a pair that never ends both sides are overdue, since nobody knows which one it waits for.
/// - A shadow that was *stopped*, because patience or its own timeout was over, is no failure and not overdue: the side that
///   serves is never stopped, and equal sides would not look equal. It is slow if it had taken longer than that limit, and
///   [`unfinished`](super::SideCounts::unfinished), which speaks against a promotion, whatever time it had taken. A shadow
///   that hangs is found by being slow, if the runner's patience and the shadow's timeout leave it time to pass the limit of
///   twice the p95; otherwise it only holds a promotion up.
/// - A call that its caller *dropped* is no failure either. It is slow if it had taken longer than that limit, and unfinished if
///   it had taken longer than the limit of promotion: callers who drop what takes too long do not hide it.
/// - Neither of the two is in a histogram: when they would have ended nobody knows.
/// - A call is slow by the [`Baseline`], which is frozen before the ticks that are measured by it. It is given by the host,
///   or frozen from all that was heard of legacy, whatever the phase, as soon as the upper end of the 95 % interval of its
///   p95 is no more than the 97.5 % quantile: after some 2,000 calls. It is never changed after that. Calls of legacy that
///   were given up are in it with the time that they had taken, by the estimate of Kaplan and Meier, and those that go on as
///   longer than all others.
///
/// # What it costs
/// It never blocks: no lock and no allocation on the path of a call, but for the first call of a thread, which allocates
/// that thread's counters (14 KiB, for 15 threads at most; all others share one set). A monitor never takes more than
/// 256 KiB. Ticks are closed by whoever starts the first call of a new tick or reads, if nobody else is closing.
///
/// Give the same monitor, in an [`Arc`](std::sync::Arc), to the runners that are to be heard and to the
/// [controller](crate::control::ControllerBuilder::performance), whose health checks count too. Runners and monitor need one clock; with the default, [`SystemClock`](crate::SystemClock), they
/// have it.
///
/// ```
/// use cutover::monitor::Evidence;
/// use cutover::testing::ManualClock;
/// use cutover::{DualRunner, Equality, PerformanceMonitor, Route, Side, SystemMode};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let monitor = Arc::new(PerformanceMonitor::builder().clock(clock.clone()).build()?);
/// let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
/// let price = DualRunner::<u32, ()>::builder("price", parallel)
///     .comparator(Equality)
///     .clock(clock.clone())
///     .observe(Arc::clone(&monitor))
///     .build();
///
/// for order in 0..100_u64 {
///     price.run_sync(order, || Ok(7), || if order % 10 == 0 { Err(()) } else { Ok(7) });
///     clock.advance(Duration::from_millis(100));
/// }
/// let counts = monitor.counts(); // the first tick is not part of the phase, the last nine are
/// assert_eq!((counts.new.started, counts.new.failed, counts.pairs.mismatched), (90, 9, 9));
/// assert!(monitor.comparison().success_rate_change < Some(0.0)); // negative: new is worse
/// # Ok::<(), cutover::monitor::MonitorError>(())
/// ```
pub struct PerformanceMonitor {
    ledger: Ledger,
    /// Health checks in a row that have not succeeded, by side.
    health: [AtomicU32; 2],
}

impl PerformanceMonitor {
    /// A monitor with ticks of 1 s, a timeout of 30 s and a baseline that it freezes itself, which tells keys apart.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().assemble(Settings::default())
    }

    /// For other settings.
    pub fn builder() -> PerformanceMonitorBuilder {
        PerformanceMonitorBuilder::default()
    }

    pub(super) fn with(ledger: Ledger) -> Self {
        Self { ledger, health: [AtomicU32::new(0), AtomicU32::new(0)] }
    }

    /// Counts a call of one side that has just ended, for hosts that have no runner. The call started
    /// [`elapsed`](Sample::elapsed) ago.
    ///
    /// Who is told only of ends cannot know what is still going on. From the first such call on, every tick is closed only
    /// when its timeout has passed, and calls that never end are never counted.
    pub fn record(&self, route: &Route, sample: &Sample) {
        let started = self.ledger.start_of_late(sample.elapsed);
        if self.ledger.record_usual(route, sample, started).is_none() {
            self.record_closely(route, sample, started);
        }
    }

    /// As [`record`](Self::record), for a call that both sides ran, of which the longer one has just ended.
    pub fn record_pair(&self, route: &Route, legacy: &Sample, new: &Sample, verdict: Verdict) {
        let started = self.ledger.start_of_late(legacy.elapsed.max(new.elapsed));
        self.ledger.start(route, started, Kind::new(route.serve, true));
        self.ledger.end_both(route, &PairEnd { started, both: true, key: None, legacy, new, verdict });
    }

    /// Records one value of a quality metric that was [declared](PerformanceMonitorBuilder::quality_metric). It counts for
    /// the present phase, at once.
    ///
    /// # Errors
    /// [`QualityError`] when no such metric was declared, or when the value is not finite. Then nothing is recorded.
    pub fn record_quality(&self, name: &str, side: Side, value: f64) -> Result<(), QualityError> {
        self.ledger.qualities.record(name, side, value)
    }

    /// Everything that is known of the present phase, as sums: for charts, and for adding up processes.
    #[must_use]
    pub fn snapshot(&self) -> MonitorSnapshot {
        self.ledger.read(|closing| closing.snapshot(&self.ledger))
    }

    /// What the last phase before the present one that counted anything had counted when it ended, for charts that are to lose
    /// nothing; `None` if there was none. The [difference](MonitorSnapshot::since) to the last snapshot of that phase is what
    /// nobody has seen yet.
    ///
    /// It is no evidence: of the ticks that were still open then, what had ended is in it, and what went on is not. Quality
    /// metrics are not in it either.
    ///
    /// ```
    /// use cutover::monitor::PerformanceMonitor;
    /// use cutover::observe::Sample;
    /// use cutover::testing::ManualClock;
    /// use cutover::{Outcome, Route, Side, SystemMode};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// clock.advance(Duration::from_millis(500));
    /// let monitor = PerformanceMonitor::builder().clock(clock.clone()).build()?;
    /// let call = |mode, epoch| {
    ///     let mut route = Route::new(mode, Side::Legacy);
    ///     route.epoch = epoch;
    ///     monitor.record(&route, &Sample::new(Side::Legacy, Outcome::Ok, Duration::from_millis(5)));
    ///     clock.advance(Duration::from_secs(1));
    /// };
    /// (0..4).for_each(|_| call(SystemMode::LegacyOnly, 1)); // the phase begins with the second one
    /// assert_eq!(monitor.ended_phase(), None);
    /// call(SystemMode::Parallel, 2);
    /// let before = monitor.ended_phase().ok_or("a phase has ended")?;
    /// assert_eq!((before.counts.epoch, before.counts.legacy.started), (1, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ended_phase(&self) -> Option<MonitorSnapshot> {
        self.ledger.read(|closing| closing.ended(&self.ledger))
    }

    /// How the two sides compare in the present phase.
    #[must_use]
    pub fn comparison(&self) -> PerformanceComparison {
        self.snapshot().comparison()
    }

    #[inline(never)]
    fn record_closely(&self, route: &Route, sample: &Sample, started: Instant) {
        self.ledger.start(route, started, Kind::new(sample.side, false));
        self.ledger.end_alone(route, sample, started, None);
    }

    #[inline(never)]
    fn observe_closely(&self, event: &Event) {
        match *event {
            Event::Started { ref route, started, both } => {
                self.ledger.start(route, started, Kind::new(route.serve, both));
            }
            Event::Served { ref route, ref sample, started, key } => {
                self.ledger.end_alone(route, sample, started, key);
            }
            Event::Compared { ref route, started, both, key, ref legacy, ref new, verdict, .. } => {
                self.ledger.end_both(route, &PairEnd { started, both, key, legacy, new, verdict });
            }
            Event::HealthChecked { side, consecutive_failures, .. } => self.check_health(side, consecutive_failures),
            Event::ModeChanged { to, epoch, .. } => self.ledger.go_back(epoch, to),
            Event::Skipped { .. }
            | Event::Fault { .. }
            | Event::BreakerOpened { .. }
            | Event::BreakerClosed
            | Event::StoreLost
            | Event::StoreBack
            | Event::DoubtRaised { .. }
            | Event::DoubtSettled
            | Event::ChangeRefused { .. }
            | Event::PlanMoved { .. }
            | Event::Claimed { .. }
            | Event::NotClaimed { .. }
            | Event::ClaimEnded { .. } => {}
        }
    }

    fn check_health(&self, side: Side, failures: u32) {
        if let Some(place) = self.health.get(side as usize) {
            place.store(failures, Ordering::Relaxed);
        }
    }
}

impl Observer for PerformanceMonitor {
    #[inline]
    fn observe(&self, _source: &str, event: &Event) {
        if !self.ledger.count_usual(event) {
            self.observe_closely(event);
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn hears_starts(&self) -> bool {
        true
    }

    fn hears_keys(&self) -> bool {
        self.ledger.firsts.is_some()
    }
}

impl Evidence for PerformanceMonitor {
    fn counts(&self) -> PhaseCounts {
        self.ledger.read(|closing| closing.counts())
    }

    fn health_failures(&self) -> SideFailures {
        let [legacy, new] = self.health.each_ref().map(|failures| failures.load(Ordering::Relaxed));
        SideFailures { legacy, new }
    }

    fn mean_durations(&self) -> MeanDurations {
        self.ledger.read(|closing| closing.means(&self.ledger))
    }

    fn baseline(&self) -> Option<Baseline> {
        self.ledger.read(|closing| closing.baseline())
    }

    fn latency_factors(&self) -> LatencyFactors {
        let Settings { p95_factor, promotion_factor, .. } = self.ledger.settings;
        LatencyFactors { p95: p95_factor, promotion: promotion_factor }
    }
}

impl Default for PerformanceMonitor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PerformanceMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerformanceMonitor").field("settings", &self.ledger.settings).finish_non_exhaustive()
    }
}
