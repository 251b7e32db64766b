//! What recorded latencies can be asked for.

use std::time::Duration;

use cutover::observe::Sample;
use cutover::testing::ManualClock;
use cutover::{Outcome, PerformanceMonitor, Route, Side, SystemMode};
use hdrhistogram::Histogram;
use metrics_exporter_prometheus::PrometheusBuilder;
use sketches_ddsketch::{Config, DDSketch};

/// 1 to 1,000 us; half of them took no longer than 500.
fn latencies() -> impl Iterator<Item = Duration> {
    (1..=1_000).map(Duration::from_micros)
}

#[track_caller]
fn assert_is_the_median(micros: f64) {
    assert!((micros - 500.0).abs() < 50.0, "{micros} us");
}

#[test]
fn cutover_tells_percentiles_and_failures_of_each_side() {
    let clock = ManualClock::new();
    let monitor = PerformanceMonitor::builder().clock(clock.clone()).build().unwrap();
    let route = Route::new(SystemMode::NewOnly, Side::New);
    let record = |outcome, latency| monitor.record(&route, &Sample::new(Side::New, outcome, latency));
    record(Outcome::Ok, Duration::ZERO); // the phase begins with the next tick
    clock.advance(Duration::from_secs(5));
    latencies().for_each(|latency| record(Outcome::Ok, latency));
    record(Outcome::Err, Duration::from_millis(1));
    clock.advance(Duration::from_mins(1));

    let found = monitor.snapshot();
    assert_is_the_median(found.new.quantile(0.5).unwrap().as_secs_f64() * 1e6);
    assert_eq!((found.new.len(), found.legacy.len()), (1_001, 0));
    let counts = (found.counts.new.started, found.counts.new.failed, found.counts.legacy.started);
    assert_eq!(counts, (1_001, 1, 0));
}

#[test]
fn histograms_and_sketches_tell_percentiles() {
    let mut histogram = Histogram::<u64>::new_with_bounds(1_000, 60_000_000_000, 3).unwrap();
    let mut sketch = DDSketch::new(Config::defaults());
    for latency in latencies() {
        histogram.record(u64::try_from(latency.as_nanos()).unwrap()).unwrap();
        sketch.add(latency.as_secs_f64());
    }
    assert_is_the_median(Duration::from_nanos(histogram.value_at_quantile(0.5)).as_secs_f64() * 1e6);
    assert_is_the_median(sketch.quantile(0.5).unwrap().unwrap() * 1e6);
}

#[test]
fn metrics_tell_percentiles_through_their_exporter() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let record = |took| metrics::with_local_recorder(&recorder, || metrics::histogram!("took").record(took));
    // What comes before the first upkeep is not all in the percentiles.
    record(Duration::from_micros(500));
    recorder.handle().run_upkeep();
    latencies().for_each(record);
    let text = recorder.handle().render();
    let median = text.lines().find_map(|line| line.strip_prefix("took{quantile=\"0.5\"} ")).unwrap();
    assert_is_the_median(median.parse::<f64>().unwrap() * 1e6);
}
