//! Recording a call allocates nothing, and a monitor stays small whatever it hears. Alone in its process, whose threads own
//! the stripes.
#![cfg(feature = "testing")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use allocation_counter::measure;
use cutover::clock::Instant;
use cutover::monitor::{Evidence, PerformanceMonitor};
use cutover::observe::{Event, Sample};
use cutover::testing::ManualClock;
use cutover::{Observer, Outcome, Route, Side, SystemMode, Verdict};

const SECOND: Duration = Duration::from_secs(1);
const ROUTE: Route = Route::new(SystemMode::GradualRollout, Side::New);
const LIMIT: u64 = 256 * 1024;
/// More than there are stripes.
const THREADS: usize = 20;

/// One call that ends in one of all ways.
fn call(monitor: &PerformanceMonitor, started: Instant, number: u64) {
    let both = number % 3 == 0;
    let outcome = Outcome::ALL[usize::try_from(number % 5).unwrap()];
    let key = Some(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let sample = |side| Sample::new(side, outcome, Duration::from_nanos(number * 7_919 % 4_000_000_000));
    monitor.observe("test", &Event::Started { route: ROUTE, started, both });
    let end = if both {
        let (legacy, new, verdict) = (sample(Side::Legacy), sample(Side::New), Verdict::Mismatched);
        Event::Compared { route: ROUTE, started, both, key, legacy, new, verdict, fell_back: false }
    } else {
        Event::Served { route: ROUTE, sample: sample(Side::New), started, key }
    };
    monitor.observe("test", &end);
}

#[test]
fn a_monitor_allocates_nothing_for_a_call_and_stays_below_its_limit() {
    // In a thread of its own, which gives its stripe back.
    std::thread::spawn(recording_allocates_nothing).join().unwrap();
    a_monitor_of_all_stripes_and_a_million_keys_is_small();
}

fn recording_allocates_nothing() {
    let clock = ManualClock::new();
    let builder = PerformanceMonitor::builder().clock(clock.clone()).quality_metric("accepted");
    let monitor = builder.first_event_per_key(true).build().unwrap();
    call(&monitor, Instant::default(), 1);
    let calls = || {
        for number in 0..50_000 {
            call(&monitor, Instant::from_nanos(number * 10_000_000), number);
        }
    };
    // New ticks, and a baseline that is frozen on the way.
    assert_eq!(measure(calls).count_total, 0);
    let record = || {
        let sample = Sample::new(Side::New, Outcome::Ok, SECOND);
        monitor.record(&ROUTE, &sample);
        monitor.record_pair(&ROUTE, &Sample::new(Side::Legacy, Outcome::Err, SECOND), &sample, Verdict::OneFailed);
        monitor.record_quality("accepted", Side::New, 1.0).unwrap();
    };
    clock.advance(501 * SECOND);
    assert_eq!(measure(record).count_total, 0);
    assert_eq!(measure(|| assert_eq!(monitor.counts().epoch, 0)).count_total, 0);
    let mut later = ROUTE;
    later.epoch = 1;
    let started = Instant::from_nanos(600_000_000_000);
    let begin = || monitor.observe("test", &Event::Started { route: later, started, both: false });
    assert_eq!(measure(begin).count_total, 0, "a phase begins on the path of a call");
    assert_eq!(monitor.counts().epoch, 1);
    assert!(monitor.baseline().is_some());
}

fn a_monitor_of_all_stripes_and_a_million_keys_is_small() {
    let names: Vec<_> = (0..16).map(|metric| format!("metric {metric:057}")).collect();
    let (clock, mut made) = (ManualClock::new(), None);
    let built = measure(|| {
        let builder = PerformanceMonitor::builder().clock(clock.clone()).first_event_per_key(true);
        let builder = names.iter().fold(builder, |builder, name| builder.quality_metric(name));
        made = Some(Box::new(builder.build().unwrap()));
    });
    let monitor = made.unwrap();
    let (kept, start) = (Mutex::new(built.bytes_current), Barrier::new(THREADS));
    // All threads see the same 50 s go by.
    let time = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS as u64 {
            let (monitor, kept, start, time) = (&monitor, &kept, &start, &time);
            scope.spawn(move || {
                start.wait();
                let first = measure(|| call(monitor, Instant::default(), thread));
                let calls = measure(|| {
                    for number in 0..50_000 {
                        let started = Instant::from_nanos(time.fetch_add(50_000, Ordering::Relaxed));
                        call(monitor, started, thread * 50_000 + number);
                    }
                });
                assert_eq!(calls.count_total, 0);
                *kept.lock().unwrap() += first.bytes_current;
                start.wait();
            });
        }
    });
    let kept = kept.into_inner().unwrap();
    assert!(kept <= i64::try_from(LIMIT).unwrap(), "{kept} bytes");
    assert!(kept > 240_000, "all stripes are in use: {kept} bytes");
    clock.advance(1_000 * SECOND);
    let snapshot = monitor.snapshot();
    // A thread that holds the lock may be stopped for a while, in which much of this time goes by.
    let heard = snapshot.counts.new.started + 20_000 * snapshot.lost_ticks;
    assert!(heard > 900_000, "{heard} calls of a million");
}
