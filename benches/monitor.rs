//! What it costs to be heard by a performance monitor, as ratios to floors measured in the same run.
//!
//! A recorded call is two events: its start and its end. The floor is one atomic addition into a log-linear histogram, which
//! tells nothing of ticks, ends or failures.
#![expect(clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use cutover::clock::Instant;
use cutover::monitor::{Evidence, PerformanceMonitor};
use cutover::observe::{Event, Sample};
use cutover::{Clock, Observer, Outcome, Route, Side, SystemClock, SystemMode, Verdict};

const NEW: Route = Route::new(SystemMode::NewOnly, Side::New);
const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const TOOK: Duration = Duration::from_micros(350);

/// Eight buckets in each doubling.
struct Array([AtomicU64; 512]);

impl Array {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 512])
    }

    #[inline]
    fn add(&self, took: Duration) {
        let nanos = took.as_secs().saturating_mul(1_000_000_000) + u64::from(took.subsec_nanos());
        let octave = nanos.max(8).ilog2();
        let bucket = 8 * octave as usize + (nanos >> (octave - 3) & 7) as usize;
        if let Some(count) = self.0.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A moment that moves on like the time of a busy service, so that ticks come and go.
fn moment(number: u64) -> Instant {
    Instant::from_nanos(number * 1_000)
}

fn started(route: Route, started: Instant, both: bool) -> Event {
    Event::Started { route, started, both }
}

fn alone(monitor: &PerformanceMonitor, from: Instant) {
    let sample = Sample::new(Side::New, Outcome::Ok, black_box(TOOK));
    monitor.observe("bench", black_box(&started(NEW, from, false)));
    monitor.observe("bench", black_box(&Event::Served { route: NEW, sample, started: from, key: None }));
}

fn pair(monitor: &PerformanceMonitor, from: Instant) {
    let sample = |side| Sample::new(side, Outcome::Ok, black_box(TOOK));
    let (legacy, new, verdict) = (sample(Side::Legacy), sample(Side::New), Verdict::Matched);
    monitor.observe("bench", black_box(&started(PARALLEL, from, true)));
    let end = Event::Compared {
        route: PARALLEL,
        started: from,
        both: true,
        key: None,
        legacy,
        new,
        verdict,
        fell_back: false,
    };
    monitor.observe("bench", black_box(&end));
}

fn one_thread(c: &mut Criterion) {
    let mut group = c.benchmark_group("monitor");
    let array = Array::new();
    group.bench_function("floor_one_addition", |b| b.iter(|| array.add(black_box(TOOK))));
    for (name, record) in [("recorded_call", alone as fn(&PerformanceMonitor, Instant)), ("recorded_pair", pair)] {
        let (monitor, mut number) = (PerformanceMonitor::new(), 0);
        group.bench_function(name, |b| {
            b.iter(|| {
                number += 1;
                record(&monitor, moment(number));
            });
        });
    }
    group.finish();
}

/// Time per call of each thread while so many threads call at once.
fn on_threads(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, threads: u64, call: &(dyn Fn(u64) + Sync)) {
    group.bench_function(name, |b| {
        b.iter_custom(|calls| {
            let all_here = Barrier::new(usize::try_from(threads).unwrap());
            let run = || {
                all_here.wait();
                time(calls, call)
            };
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap_or_default()
            })
        });
    });
}

#[expect(clippy::disallowed_methods, reason = "a bench measures by the machine's own clock")]
fn time(calls: u64, call: &dyn Fn(u64)) -> Duration {
    let begin = std::time::Instant::now();
    (0..calls).for_each(call);
    begin.elapsed()
}

fn threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("monitor_threads");
    for threads in [1, 2] {
        let (array, monitor) = (Array::new(), PerformanceMonitor::new());
        let add = |_| array.add(black_box(TOOK));
        let next = AtomicU64::new(0);
        let record = |number| {
            // Time goes on from one sample to the next, as the threads see it.
            let base = if number % 1_000 == 0 {
                next.fetch_add(1_000, Ordering::Relaxed)
            } else {
                next.load(Ordering::Relaxed)
            };
            alone(&monitor, moment(base + number % 1_000));
        };
        on_threads(&mut group, &format!("floor_one_addition_{threads}"), threads, &add);
        on_threads(&mut group, &format!("recorded_call_{threads}"), threads, &record);
    }
    group.finish();
}

fn reading(c: &mut Criterion) {
    let mut group = c.benchmark_group("monitor_reading");
    let (monitor, clock) = (PerformanceMonitor::new(), SystemClock::new());
    alone(&monitor, clock.now());
    group.bench_function("counts", |b| b.iter(|| monitor.counts()));
    group.bench_function("snapshot", |b| b.iter(|| monitor.snapshot()));
    group.bench_function("comparison", |b| b.iter(|| monitor.comparison()));
    group.finish();
}

criterion_group!(benches, one_thread, threads, reading);
criterion_main!(benches);
