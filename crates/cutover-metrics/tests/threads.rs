//! Threads that tell while others scrape lose no count.

use std::sync::atomic::{AtomicBool, Ordering};

use cutover::{DualRunner, Equality, Route, Side, SystemMode};

mod common;

use common::Exported;

const THREADS: u64 = 4;
const CALLS: u64 = 20_000;

#[test]
fn every_call_of_every_thread_is_counted_once() {
    let exported = Exported::new();
    let metrics = exported.observer();
    let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    let runner = |name: &str| {
        DualRunner::<u64, ()>::builder(name, parallel)
            .comparator(Equality)
            .observe(metrics.for_migration("prices"))
            .build()
    };
    let runners = [runner("price"), runner("stock")];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    for key in 0..CALLS {
                        for runner in &runners {
                            runner.run_sync(key, || Ok(1), || Ok(key % 2)).unwrap();
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut last = 0.0;
            while !done.load(Ordering::Relaxed) {
                let now = exported.scrape().sum("cutover_comparisons_total", &[]);
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
        });
        for caller in callers {
            caller.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    let scrape = exported.scrape();
    for (name, runner) in [("price", &runners[0]), ("stock", &runners[1])] {
        let counts = runner.counts();
        assert_eq!((counts.matched, counts.mismatched), (THREADS * CALLS / 2, THREADS * CALLS / 2));
        for (verdict, count) in [("matched", counts.matched), ("mismatched", counts.mismatched)] {
            let labels = [("runner", name), ("verdict", verdict)];
            assert_eq!(common::count(scrape.sum("cutover_comparisons_total", &labels)), count, "{name} {verdict}");
        }
    }
    assert_eq!(common::count(scrape.sum("cutover_calls_total", &[])), 2 * 2 * THREADS * CALLS);
    let of_durations = scrape.samples("cutover_call_duration_seconds").iter();
    let durations: f64 = of_durations.filter(|sample| sample.name.ends_with("_count")).map(|sample| sample.value).sum();
    assert_eq!(common::count(durations), 2 * 2 * THREADS * CALLS);
}
