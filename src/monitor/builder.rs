//! [`PerformanceMonitorBuilder`].

use std::sync::Arc;
use std::time::Duration;

use super::cells::RING;
use super::ledger::Ledger;
use super::quality::Qualities;
use super::settings::Settings;
use super::{Baseline, PerformanceMonitor};
use crate::clock::{Clock, SystemClock, nanos};
use crate::excerpt::excerpt;

/// Builds a [`PerformanceMonitor`]; every part has a default.
///
/// ```
/// use cutover::PerformanceMonitor;
/// use std::time::Duration;
///
/// let monitor = PerformanceMonitor::builder()
///     .timeout(Duration::from_secs(10))
///     .quality_metric("build success rate")
///     .build()?;
/// assert!(PerformanceMonitor::builder().p95_factor(0.5).build().is_err());
/// # Ok::<(), cutover::monitor::MonitorError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct PerformanceMonitorBuilder {
    tick: Duration,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    quality_metrics: Vec<String>,
    first_event_per_key: bool,
    p95_factor: f64,
    promotion_factor: f64,
    baseline: Option<Baseline>,
}

impl Default for PerformanceMonitorBuilder {
    fn default() -> Self {
        let Settings { tick, timeout, p95_factor, promotion_factor } = Settings::default();
        Self {
            tick: Duration::from_nanos(tick),
            timeout: Duration::from_nanos(timeout),
            clock: Arc::new(SystemClock::new()),
            quality_metrics: Vec::new(),
            first_event_per_key: true,
            p95_factor,
            promotion_factor,
            baseline: None,
        }
    }
}

impl PerformanceMonitorBuilder {
    /// The shortest tick.
    pub const MIN_TICK: Duration = Duration::from_millis(10);

    /// The longest tick.
    pub const MAX_TICK: Duration = Duration::from_secs(60);

    /// How many ticks the timeout may have.
    pub const MAX_TIMEOUT_TICKS: u32 = 30;

    /// How many quality metrics there may be.
    pub const MAX_QUALITY_METRICS: usize = 16;

    /// How long the name of a quality metric may be, in bytes.
    pub const MAX_NAME: usize = 64;

    /// How long the ticks are in which calls are counted. The default is 1 s, allowed are 10 ms to 60 s.
    pub fn tick(self, tick: Duration) -> Self {
        Self { tick, ..self }
    }

    /// After how long a call that has not ended is overdue, counted from the end of the tick in which it started. The
    /// default is 30 s, allowed are 1 to 30 ticks.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Where time comes from. The default is [`SystemClock`]. The runners that the monitor hears need the same clock.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Declares a quality metric, of which a larger value is better; may be called up to 16 times.
    pub fn quality_metric(mut self, name: &str) -> Self {
        self.quality_metrics.push(name.to_owned());
        self
    }

    /// Whether only the first failure, the first overdue call and the first slow call of each key in a phase count in
    /// [`ServedCounts`](super::ServedCounts), so that one key that fails over and over is not taken for many. The default
    /// is `true`: where a few keys make many of the calls, a guard that counts every call cries wolf.
    ///
    /// Calls without a key, and calls that never end, whose key nobody tells, count each time. Keys are kept in 16 KiB:
    /// where thousands of keys have had an event, some are taken for others, and their first event does not count. That
    /// is as likely on either side. Each epoch begins anew, with the same settings too. It costs one hash of the key for each
    /// call.
    pub fn first_event_per_key(self, first: bool) -> Self {
        Self { first_event_per_key: first, ..self }
    }

    /// How many times the p95 of the baseline a call may take before it is [slow](super::SideCounts::slow). The default is
    /// 2, the least 1.
    pub fn p95_factor(self, factor: f64) -> Self {
        Self { p95_factor: factor, ..self }
    }

    /// The same for promotion; see [`slow_for_promotion`](super::SideCounts::slow_for_promotion). The default is 1.1, the
    /// least 1.
    pub fn promotion_factor(self, factor: f64) -> Self {
        Self { promotion_factor: factor, ..self }
    }

    /// What legacy did before. The default is none: the monitor freezes its own as soon as it has heard enough of legacy.
    pub fn baseline(self, baseline: Baseline) -> Self {
        Self { baseline: Some(baseline), ..self }
    }

    /// The monitor.
    ///
    /// # Errors
    /// [`MonitorError`] names the first part that is out of range.
    pub fn build(self) -> Result<PerformanceMonitor, MonitorError> {
        let settings = self.settings()?;
        self.check_names()?;
        self.baseline.as_ref().map_or(Ok(()), check_baseline)?;
        Ok(self.assemble(settings))
    }

    /// The monitor, of parts that are in range.
    pub(super) fn assemble(self, settings: Settings) -> PerformanceMonitor {
        let qualities = Qualities::new(self.quality_metrics);
        let ledger = Ledger::new(settings, self.clock, self.first_event_per_key, qualities);
        if let Some(baseline) = self.baseline {
            ledger.with_closing(|closing| closing.freeze(&ledger, baseline, 0));
        }
        PerformanceMonitor::with(ledger)
    }

    fn settings(&self) -> Result<Settings, MonitorError> {
        let Self { tick, timeout, p95_factor, promotion_factor, .. } = *self;
        if !(Self::MIN_TICK..=Self::MAX_TICK).contains(&tick) {
            return Err(MonitorError::Tick { tick });
        }
        let longest = tick * Self::MAX_TIMEOUT_TICKS;
        if !(tick..=longest).contains(&timeout) {
            return Err(MonitorError::Timeout { timeout, shortest: tick, longest });
        }
        let wrong = |factor: f64| !(factor.is_finite() && factor >= 1.0);
        if let Some(factor) = [p95_factor, promotion_factor].into_iter().find(|&factor| wrong(factor)) {
            return Err(MonitorError::Factor { factor });
        }
        Ok(Settings { tick: nanos(tick), timeout: nanos(timeout), p95_factor, promotion_factor })
    }

    fn check_names(&self) -> Result<(), MonitorError> {
        let names = &self.quality_metrics;
        if names.len() > Self::MAX_QUALITY_METRICS {
            return Err(MonitorError::QualityMetrics { metrics: names.len() });
        }
        for (place, name) in names.iter().enumerate() {
            if name.is_empty() || name.len() > Self::MAX_NAME || names.iter().take(place).any(|other| other == name) {
                return Err(MonitorError::QualityName { name: excerpt(name) });
            }
        }
        Ok(())
    }
}

/// The open ticks of the longest timeout fit into the ring, with some to spare.
const _: () = assert!(PerformanceMonitorBuilder::MAX_TIMEOUT_TICKS as usize + 4 <= RING);

fn check_baseline(baseline: &Baseline) -> Result<(), MonitorError> {
    let Baseline { p95, calls_per_second, error_rate, .. } = *baseline;
    if p95.is_zero() {
        return Err(MonitorError::Baseline { p95 });
    }
    let refused = |name, value, allowed| Err(MonitorError::BaselineFigure { name, value, allowed });
    if !(calls_per_second.is_finite() && calls_per_second >= 0.0) {
        return refused("calls per second", calls_per_second, "finite numbers from 0");
    }
    if !(0.0..=1.0).contains(&error_rate) {
        return refused("an error rate", error_rate, "0 to 1");
    }
    Ok(())
}

/// A part of a [`PerformanceMonitor`] is out of range; none was built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// Too short or too long a tick.
    #[error(
        "a tick of {tick:?} is out of range; allowed: {:?} to {:?}",
        PerformanceMonitorBuilder::MIN_TICK,
        PerformanceMonitorBuilder::MAX_TICK
    )]
    Tick {
        /// What was asked for.
        tick: Duration,
    },
    /// Too short or too long a timeout for the tick.
    #[error("a timeout of {timeout:?} is out of range; allowed with this tick: {shortest:?} to {longest:?}")]
    Timeout {
        /// What was asked for.
        timeout: Duration,
        /// One tick.
        shortest: Duration,
        /// The most that is allowed with this tick.
        longest: Duration,
    },
    /// A limit below the baseline, or none at all.
    #[error("a factor of {factor} is out of range; allowed: finite numbers from 1")]
    Factor {
        /// What was asked for.
        factor: f64,
    },
    /// Too many quality metrics.
    #[error("{metrics} quality metrics; allowed: at most {}", PerformanceMonitorBuilder::MAX_QUALITY_METRICS)]
    QualityMetrics {
        /// How many were declared.
        metrics: usize,
    },
    /// A name that is empty, too long, or declared twice.
    #[error(
        "`{name}` cannot be the name of a quality metric; allowed: 1 to {} bytes, each name once",
        PerformanceMonitorBuilder::MAX_NAME
    )]
    QualityName {
        /// The name, at most 40 characters of it.
        name: String,
    },
    /// A baseline that every call exceeds.
    #[error("a baseline with a p95 of {p95:?}; allowed: more than 0")]
    Baseline {
        /// Its p95.
        p95: Duration,
    },
    /// A baseline with a figure that is none.
    #[error("a baseline with {name} of {value}; allowed: {allowed}")]
    BaselineFigure {
        /// Which figure it is.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
}
