//! cutover's monitor.

use std::time::Duration;

use cutover::observe::{Event, Sample};
use cutover::{Clock, Observer, Outcome, PerformanceMonitor, Route, Side, SystemClock, SystemMode};

use crate::traffic::{in_turn, runtime};
use crate::{Subject, Worker};

const NEW: Route = Route::new(SystemMode::NewOnly, Side::New);

/// 64 latencies around 350 us.
pub(super) fn latencies() -> Vec<Duration> {
    (0..64).map(|number| Duration::from_nanos(350_000 + 1_373 * (number * 37 % 64))).collect()
}

fn sample(took: Duration) -> Sample {
    Sample::new(Side::New, Outcome::Ok, took)
}

/// A monitor that counts: it begins with the tick after its first call, and what comes before costs less.
fn counting_monitor() -> PerformanceMonitor {
    let monitor = PerformanceMonitor::new();
    runtime().block_on(async {
        while monitor.snapshot().new.is_empty() {
            monitor.record(&NEW, &sample(Duration::from_micros(350)));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    monitor
}

pub(super) struct Told {
    monitor: PerformanceMonitor,
    clock: SystemClock,
    latencies: Vec<Duration>,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { monitor: counting_monitor(), clock: SystemClock::new(), latencies: latencies() }
    }
}

impl Subject for Told {
    fn worker(&self) -> Worker<'_> {
        Box::new(move |calls| {
            // The runner has read the clock anyway; here all calls of a batch begin together.
            let started = self.clock.now();
            let mut calls_of_one_moment = in_turn(&self.latencies, move |took| {
                self.monitor.observe("price", &Event::Started { route: NEW, started, both: false });
                let end = Event::Served { route: NEW, sample: sample(*took), started, key: None };
                self.monitor.observe("price", &end);
            });
            calls_of_one_moment(calls);
        })
    }
}

pub(super) struct Recorded {
    monitor: PerformanceMonitor,
    latencies: Vec<Duration>,
}

impl Recorded {
    pub(super) fn new() -> Self {
        Self { monitor: counting_monitor(), latencies: latencies() }
    }
}

impl Subject for Recorded {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.latencies, |took| self.monitor.record(&NEW, &sample(*took)))
    }
}
