//! What the tests of the monitor share: a monitor on a manual clock, and calls told of by hand.

use std::time::Duration;

use cutover::clock::Instant;
use cutover::monitor::{Baseline, Evidence, PerformanceMonitor, PerformanceMonitorBuilder, PhaseCounts};
use cutover::observe::{Event, Sample};
use cutover::testing::ManualClock;
use cutover::{Clock, Observer, Outcome, Route, Side, SystemMode, Verdict};

pub(crate) const TICK: Duration = Duration::from_secs(1);
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A route of an epoch.
pub(crate) fn route(mode: SystemMode, serve: Side, epoch: u64) -> Route {
    let mut route = Route::new(mode, serve);
    route.epoch = epoch;
    route
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) monitor: PerformanceMonitor,
}

/// A call that has started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub(crate) route: Route,
    pub(crate) started: Instant,
    pub(crate) both: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// With a baseline, by which a call is slow above twice `p95`.
    pub(crate) fn with_p95(p95: Duration) -> Self {
        Self::with(|builder| builder.baseline(baseline(p95)))
    }

    pub(crate) fn with(change: impl FnOnce(PerformanceMonitorBuilder) -> PerformanceMonitorBuilder) -> Self {
        let clock = ManualClock::new();
        clock.advance(secs(1_000));
        let monitor = change(PerformanceMonitor::builder().clock(clock.clone())).build().unwrap();
        Self { clock, monitor }
    }

    /// Begins the phase of a route: its counts begin with the next tick, which is now.
    pub(crate) fn begin(&self, route: Route) {
        self.end_ok(self.start(route));
        self.clock.advance(TICK);
    }

    pub(crate) fn start(&self, route: Route) -> Open {
        self.start_as(route, false)
    }

    pub(crate) fn start_both(&self, route: Route) -> Open {
        self.start_as(route, true)
    }

    fn start_as(&self, route: Route, both: bool) -> Open {
        let started = self.clock.now();
        self.monitor.observe("test", &Event::Started { route, started, both });
        Open { route, started, both }
    }

    pub(crate) fn end_ok(&self, call: Open) {
        self.end(call, Outcome::Ok);
    }

    pub(crate) fn end(&self, call: Open, outcome: Outcome) {
        self.end_with_key(call, outcome, None);
    }

    /// Ends a call of one side, which took as long as the clock says.
    pub(crate) fn end_with_key(&self, call: Open, outcome: Outcome, key: Option<u64>) {
        let Open { route, started, both } = call;
        assert!(!both, "a call of both sides ends as a pair");
        let sample = Sample::new(route.serve, outcome, self.clock.now().since(started));
        self.monitor.observe("test", &Event::Served { route, sample, started, key });
    }

    pub(crate) fn end_both(&self, call: Open, legacy: Sample, new: Sample, verdict: Verdict) {
        let (Open { route, started, both }, key, fell_back) = (call, None, !call.both);
        let event = Event::Compared { route, started, both, key, legacy, new, verdict, fell_back };
        self.monitor.observe("test", &event);
    }

    pub(crate) fn counts(&self) -> PhaseCounts {
        self.monitor.counts()
    }
}

pub(crate) fn baseline(p95: Duration) -> Baseline {
    Baseline { p95, calls: 10_000, calls_per_second: 100.0, error_rate: 0.0 }
}
