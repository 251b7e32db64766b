//! Histograms and sketches of others.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::sync::SyncHistogram;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sketches_ddsketch::{Config, DDSketch};

use super::ours::latencies;
use crate::traffic::in_turn;
use crate::{Subject, Worker};

fn nanos(took: Duration) -> u64 {
    took.as_secs().saturating_mul(1_000_000_000) + u64::from(took.subsec_nanos())
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).unwrap()
}

pub(super) struct Locked {
    histogram: Mutex<Histogram<u64>>,
    latencies: Vec<Duration>,
}

impl Locked {
    pub(super) fn new() -> Self {
        Self { histogram: Mutex::new(histogram()), latencies: latencies() }
    }
}

impl Subject for Locked {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.latencies, |took| {
            self.histogram.lock().unwrap_or_else(PoisonError::into_inner).record(nanos(*took))
        })
    }
}

pub(super) struct Synchronised {
    histogram: SyncHistogram<u64>,
    latencies: Vec<Duration>,
}

impl Synchronised {
    pub(super) fn new() -> Self {
        Self { histogram: histogram().into_sync(), latencies: latencies() }
    }
}

impl Subject for Synchronised {
    fn worker(&self) -> Worker<'_> {
        let mut recorder = self.histogram.recorder();
        in_turn(&self.latencies, move |took| recorder.record(nanos(*took)))
    }
}

/// The recorder of this process.
fn prometheus() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap())
}

pub(super) struct Macro {
    handle: &'static PrometheusHandle,
    latencies: Vec<Duration>,
}

impl Macro {
    pub(super) fn new() -> Self {
        Self { handle: prometheus(), latencies: latencies() }
    }
}

impl Subject for Macro {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.latencies, |took| {
            metrics::histogram!("migration_duration", "migration" => "price", "side" => "new").record(*took);
        })
    }

    fn rest(&self) {
        self.handle.run_upkeep();
    }
}

pub(super) struct Kept {
    handle: &'static PrometheusHandle,
    histogram: metrics::Histogram,
    latencies: Vec<Duration>,
}

impl Kept {
    pub(super) fn new() -> Self {
        let handle = prometheus();
        let histogram = metrics::histogram!("migration_duration", "migration" => "price", "side" => "new");
        Self { handle, histogram, latencies: latencies() }
    }
}

impl Subject for Kept {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.latencies, |took| self.histogram.record(*took))
    }

    fn rest(&self) {
        self.handle.run_upkeep();
    }
}

pub(super) struct Sketch {
    sketch: Mutex<DDSketch>,
    latencies: Vec<Duration>,
}

impl Sketch {
    pub(super) fn new() -> Self {
        Self { sketch: Mutex::new(DDSketch::new(Config::defaults())), latencies: latencies() }
    }
}

impl Subject for Sketch {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.latencies, |took| {
            self.sketch.lock().unwrap_or_else(PoisonError::into_inner).add(took.as_secs_f64());
        })
    }
}
