//! What one event costs, with the SDK and the Prometheus exporter behind it, and what a scrape costs.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use cutover::clock::{Clock, Instant, SystemClock};
use cutover::observe::{Event, Observer, Sample, SkipReason};
use cutover::{DualRunner, Equality, MemoryStore, MigrationController, Outcome, Route, Side, SystemMode, Verdict};
use cutover_metrics::MetricsObserver;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

const ALONE: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

fn exported() -> (SdkMeterProvider, Registry, Meter) {
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().unwrap();
    let provider = SdkMeterProvider::builder().with_reader(exporter).build();
    let meter = provider.meter("shop");
    (provider, registry, meter)
}

const fn sample(side: Side) -> Sample {
    Sample::new(side, Outcome::Ok, Duration::from_millis(3))
}

fn served() -> Event {
    Event::Served { route: ALONE, sample: sample(Side::Legacy), started: Instant::from_nanos(0), key: None }
}

fn compared() -> Event {
    let (legacy, new, verdict) = (sample(Side::Legacy), sample(Side::New), Verdict::Matched);
    let started = Instant::from_nanos(0);
    Event::Compared { route: PARALLEL, started, both: true, key: None, legacy, new, verdict, fell_back: false }
}

fn events(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("event");
    let (_provider, _registry, meter) = exported();
    let silent = opentelemetry::global::meter("nobody");
    let skipped = Event::Skipped { route: PARALLEL, reason: SkipReason::NotSampled };
    for (name, meter) in [("exported", &meter), ("nobody listens", &silent)] {
        let metrics = MetricsObserver::new(meter).for_migration("prices");
        (0..63).for_each(|runner| metrics.observe(&format!("runner {runner}"), &Event::BreakerClosed));
        for (event, kind) in [(served(), "served"), (compared(), "compared"), (skipped, "skipped")] {
            group.bench_function(format!("{kind}, {name}"), |bencher| {
                bencher.iter(|| metrics.observe(black_box("price"), black_box(&event)));
            });
        }
    }
    let metrics = MetricsObserver::new(&meter).for_migration("prices");
    group.bench_function("compared, exported, as two threads tell it", |bencher| {
        let event = compared();
        bencher.iter_custom(|times| {
            let tell = || (0..times).for_each(|_| metrics.observe(black_box("price"), black_box(&event)));
            let clock = SystemClock::new();
            let began = clock.now();
            std::thread::scope(|scope| {
                scope.spawn(tell);
                tell();
            });
            clock.now().since(began)
        });
    });
    group.finish();
}

fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call of both sides");
    let (_provider, _registry, meter) = exported();
    let builder = || DualRunner::<u64, ()>::builder("price", PARALLEL).comparator(Equality);
    let runners = [("bare", builder().build()), ("measured", builder().observe(MetricsObserver::new(&meter)).build())];
    for (name, runner) in runners {
        group.bench_function(name, |bencher| {
            bencher.iter(|| runner.run_sync(black_box("order-17"), || Ok(1), || Ok(1)));
        });
    }
    group.finish();
}

fn scrapes(criterion: &mut Criterion) {
    let (_provider, registry, meter) = exported();
    let metrics = MetricsObserver::new(&meter);
    let opened = |migration| {
        let id = format!("migration-{migration}");
        let opened = MigrationController::builder(&id, MemoryStore::new()).manual_refresh().open();
        let controller = futures::executor::block_on(opened).unwrap();
        metrics.observe_controller(&controller).keep();
        metrics.observe(&id, &served());
        metrics.observe(&id, &compared());
        controller
    };
    let _controllers: Vec<_> = (0..10).map(opened).collect();
    criterion.bench_function("scrape of ten migrations", |bencher| {
        bencher.iter(|| TextEncoder::new().encode_to_string(&registry.gather()).unwrap());
    });
}

criterion_group!(benches, events, calls, scrapes);
criterion_main!(benches);
