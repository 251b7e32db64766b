//! An exporter that wants what was added since the last time gets exactly that.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::{DualRunner, Equality, Route, Side, SystemMode};
use cutover_metrics::MetricsObserver;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, HistogramDataPoint, MetricData, ResourceMetrics, ScopeMetrics, SumDataPoint,
};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{SdkMeterProvider, Temporality};

/// Adds up the matched and mismatched comparisons of each export, and the durations.
#[derive(Debug, Clone, Default)]
struct Deltas(Arc<Mutex<Vec<[u64; 2]>>>);

impl PushMetricExporter for Deltas {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut added = [0; 2];
        for metric in metrics.scope_metrics().flat_map(ScopeMetrics::metrics) {
            if let ("cutover.comparisons", AggregatedMetrics::U64(MetricData::Sum(sum))) =
                (metric.name(), metric.data())
            {
                added[0] = sum.data_points().map(SumDataPoint::value).sum();
            }
            if let AggregatedMetrics::F64(MetricData::Histogram(durations)) = metric.data() {
                added[1] = durations.data_points().map(HistogramDataPoint::count).sum();
            }
        }
        self.0.lock().unwrap().push(added);
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

#[test]
fn each_export_has_what_was_added_since_the_last_one() {
    let exporter = Deltas::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    let metrics = MetricsObserver::new(&provider.meter("shop"));
    let price = DualRunner::<u64, ()>::builder("price", parallel).comparator(Equality).observe(metrics).build();
    for calls in [3, 0, 5, 1] {
        for key in 0..calls {
            assert_eq!(price.run_sync(key, || Ok(1), || Ok(key)), Ok(1));
        }
        provider.force_flush().unwrap();
    }
    assert_eq!(*exporter.0.lock().unwrap(), [[3, 6], [0, 0], [5, 10], [1, 2]]);
}
