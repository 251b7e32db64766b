//! Discrepancies reach their store in bounded batches, and nobody waits for it, whatever the store does.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::type_complexity, reason = "a test fails by panicking")]

mod recorder_common;
mod tracing_common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cutover::store::{DiscrepancyStore, StoreRecorder};
use cutover::testing::{VirtualRuntime, discrepancy};
use cutover::{Clock, DualRunner, Equality, MemoryStore, Recorder, Route, Runtime, Side, SystemMode};
use futures::FutureExt;
use futures::future::BoxFuture;
use recorder_common::{Fault, SECRET, SEED, Store, advance, builder, id, record, secs, set_up};
use tracing_common::heard;

#[test]
fn what_is_recorded_is_stored_and_equal_ones_become_one() {
    let (runtime, store, recorder) = set_up();
    record(&recorder, [1, 2, 1, 1]);
    runtime.run(recorder.stored());
    record(&recorder, [1]);
    runtime.run(recorder.stored());
    assert_eq!(store.kept()[&discrepancy("search", 1).fingerprint], 4);
    assert_eq!((store.kept().len(), store.sizes()), (2, vec![2, 1]));
    let counts = recorder.counts();
    assert_eq!((counts.handed_over, counts.merged, counts.pending), (3, 2, 0));
}

#[test]
fn recording_does_nothing_but_queue_and_one_task_stores_in_batches() {
    let (runtime, store, recorder) = set_up();
    assert_eq!(runtime.pending_tasks(), 0, "nothing runs before something arrives");
    record(&recorder, 0..250);
    assert_eq!((store.sizes().len(), runtime.pending_tasks(), recorder.counts().pending), (0, 1, 250));
    assert!(recorder.never_blocks());
    let meanwhile = async {
        for number in 250..300 {
            record(&recorder, [number]);
            runtime.sleep(Duration::from_millis(1)).await;
        }
        recorder.stored().await;
    };
    runtime.run(meanwhile);
    runtime.run_until_idle();
    assert_eq!((runtime.pending_tasks(), store.state().most_running), (0, 1));
    assert_eq!((store.kept().len(), store.sizes().iter().max()), (300, Some(&100)));
}

#[test]
fn what_does_not_fit_is_dropped_and_counted_and_merging_needs_no_room() {
    let (runtime, store, recorder) = set_up();
    store.fail(Some(Fault::Unavailable));
    record(&recorder, 0..1_024);
    assert!(!recorder.has_room());
    let refused = recorder.record(discrepancy("search", 5_000)).unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(cause, "the queue is full: at most 1024 discrepancies and 8388608 bytes wait");
    record(&recorder, [7, 7]);
    let counts = recorder.counts();
    assert_eq!((counts.pending, counts.dropped, counts.merged), (1_024, 1, 2));
    store.fail(None);
    runtime.run(recorder.stored());
    assert!(recorder.has_room());
    let counts = recorder.counts();
    assert_eq!((counts.handed_over, counts.pending, store.kept().len()), (1_024, 0, 1_024));
}

#[test]
fn bytes_are_bounded_too_in_the_queue_and_in_a_batch() {
    let (runtime, store, recorder) = set_up();
    let taken = (0..200).filter(|number| {
        let mut large = discrepancy("search", *number);
        large.key = Some("x".repeat(100 * 1024));
        recorder.record(large).is_ok()
    });
    assert_eq!(taken.count(), 81);
    runtime.run(recorder.stored());
    assert!((1_000_000..1_200_000).contains(&store.state().bytes), "{}", store.state().bytes);
    assert_eq!((store.kept().len(), recorder.counts().dropped), (81, 119));
}

#[test]
fn an_outage_loses_nothing_that_fits_and_is_not_answered_with_a_storm() {
    for fault in [Fault::Unavailable, Fault::Denied, Fault::Unknown, Fault::Hang] {
        let (runtime, store, recorder) = set_up();
        store.fail(Some(fault));
        record(&recorder, 0..150);
        advance(&runtime, secs(3_600));
        let calls = store.state().calls.len();
        assert!((110..=500).contains(&calls), "{fault:?}: {calls}, seed {SEED}");
        let gaps: Vec<_> = store.state().calls.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0)).collect();
        assert!(gaps.iter().max().unwrap() <= &secs(33), "{fault:?}: {gaps:?}, seed {SEED}");
        assert_eq!(recorder.counts().pending, 150, "{fault:?}");
        store.fail(None);
        let started = runtime.clock().now();
        runtime.run(recorder.stored());
        assert!(runtime.clock().now().since(started) <= secs(33), "{fault:?}, seed {SEED}");
        assert_eq!(store.kept().values().sum::<u64>(), 150, "{fault:?}");
        assert_eq!((recorder.counts().handed_over, recorder.counts().failed), (150, 0), "{fault:?}");
    }
}

#[test]
fn a_call_is_given_the_deadline_and_no_more() {
    let runtime = VirtualRuntime::new();
    let store = Store::new(&runtime);
    let recorder = builder(&store).store_deadline(Duration::from_millis(300)).build().unwrap();
    store.fail(Some(Fault::Hang));
    record(&recorder, [1]);
    advance(&runtime, Duration::from_millis(299));
    assert_eq!(store.state().running, 1);
    advance(&runtime, Duration::from_millis(2));
    assert_eq!(store.state().running, 0, "the future was dropped");
}

#[test]
fn one_that_the_store_cannot_take_costs_no_other() {
    for (fault, failed, panicked) in [(Fault::TooLarge, 1, 0), (Fault::Panic, 0, 1)] {
        for poison in [0, 63, 149] {
            let (runtime, store, recorder) = set_up();
            store.state().poison = Some((discrepancy("search", poison).fingerprint, fault));
            record(&recorder, 0..150);
            runtime.run(recorder.stored());
            let counts = recorder.counts();
            assert_eq!((counts.failed, counts.panicked, counts.handed_over), (failed, panicked, 149), "{fault:?}");
            assert_eq!(store.kept().len(), 149, "{fault:?} {poison}");
            assert!(store.sizes().len() < 30, "{fault:?} {poison}: {:?}", store.sizes());
            record(&recorder, 1_000..1_100);
            runtime.run(recorder.stored());
            assert_eq!(runtime.panicked_tasks(), 0);
        }
    }
}

#[test]
fn what_the_store_has_no_room_for_counts_as_dropped() {
    let (runtime, store, recorder) = set_up();
    store.fail(Some(Fault::Full));
    record(&recorder, 0..5);
    runtime.run(recorder.stored());
    assert_eq!((recorder.counts().dropped, recorder.counts().handed_over, store.sizes().len()), (5, 0, 1));
}

#[test]
fn a_task_that_is_dropped_leaves_its_batch_to_the_next_one() {
    let (runtime, store, recorder) = set_up();
    store.fail(Some(Fault::Hang));
    record(&recorder, 0..10);
    advance(&runtime, secs(1));
    assert_eq!(store.state().running, 1);
    assert_eq!(runtime.drop_tasks(), 1);
    assert_eq!((recorder.counts().pending, runtime.pending_tasks()), (10, 0));
    store.fail(None);
    record(&recorder, [10]);
    runtime.run(recorder.stored());
    assert_eq!((store.kept().len(), recorder.counts().handed_over), (11, 11));
}

/// Neither spawns nor sleeps.
#[derive(Debug)]
struct Broken(Arc<AtomicU64>);

impl Runtime for Broken {
    fn spawn(&self, _task: BoxFuture<'static, ()>) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("cannot spawn")
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        panic!("cannot sleep")
    }
}

#[test]
fn a_runtime_that_takes_no_task_is_asked_again_and_harms_nobody() {
    let store = Store::new(&VirtualRuntime::new());
    let spawns = Arc::new(AtomicU64::new(0));
    let recorder = builder(&store).runtime(Broken(Arc::clone(&spawns))).build().unwrap();
    record(&recorder, 0..3);
    assert_eq!((recorder.counts().pending, spawns.load(Ordering::Relaxed)), (3, 3));
    let late = Recorder::flush(&recorder, Duration::from_millis(1)).unwrap_err();
    assert_eq!(late.pending, 3);
}

/// Spawns, and cannot sleep.
#[derive(Debug)]
struct Sleepless(VirtualRuntime);

impl Runtime for Sleepless {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.spawn(task);
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        panic!("cannot sleep")
    }
}

#[test]
fn without_sleep_a_failure_waits_for_the_next_one_who_records() {
    let runtime = VirtualRuntime::new();
    let store = Store::new(&runtime);
    let recorder = builder(&store).runtime(Sleepless(runtime.clone())).build().unwrap();
    store.fail(Some(Fault::Unavailable));
    for calls in 1..=3 {
        record(&recorder, [calls]);
        advance(&runtime, secs(60));
        assert_eq!((store.sizes().len() as u64, runtime.pending_tasks()), (calls, 0), "no storm");
    }
    store.fail(None);
    runtime.run(recorder.stored());
    assert_eq!(store.kept().len(), 3);
}

#[test]
fn a_dropped_recorder_stores_what_waits_and_gives_up_on_a_dead_store() {
    let (runtime, store, recorder) = set_up();
    record(&recorder, 0..250);
    drop(recorder);
    assert!(runtime.settle(secs(60)));
    assert_eq!(store.kept().len(), 250);

    let (runtime, store, recorder) = set_up();
    store.fail(Some(Fault::Unavailable));
    record(&recorder, 0..250);
    drop(recorder);
    assert!(runtime.settle(secs(600)), "its task ends");
    assert_eq!(store.sizes().len(), 10);
    assert_eq!(Arc::strong_count(&store.0), 1, "nobody holds the store");
}

#[test]
fn who_waits_for_what_is_stored_waits_for_no_more_than_that() {
    let (runtime, store, recorder) = set_up();
    assert!(recorder.stored().now_or_never().is_some(), "nothing waits");
    record(&recorder, 0..100);
    let first = recorder.stored();
    record(&recorder, 100..110);
    runtime.run(first);
    assert_eq!(store.kept().len(), 100);
    let (gone, second) = (recorder.stored(), recorder.stored());
    drop(gone);
    runtime.run(second);
    assert_eq!(store.kept().len(), 110);
}

/// Real time and a real thread: the store is a [`MemoryStore`], and the test waits for it.
#[test]
fn a_flush_blocks_until_all_is_stored() {
    let store = MemoryStore::new();
    let runtime = cutover::runtime::ThreadRuntime::new("flush");
    let recorder = StoreRecorder::builder("search", store.clone()).runtime(runtime).build().unwrap();
    record(&recorder, 0..500);
    recorder.flush(secs(30)).unwrap();
    assert_eq!(store.page(&id(), None, 1_000).now_or_never().unwrap().unwrap().len(), 500);
}

#[test]
fn an_id_that_is_none_is_refused() {
    assert!(StoreRecorder::new("../search", MemoryStore::new()).is_err());
}

#[test]
fn nothing_raw_reaches_the_store_and_no_secret_of_the_store_leaves_it() {
    let (runtime, store, recorder) = set_up();
    let recorder = Arc::new(recorder);
    let both = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    let runner: DualRunner<String, String> =
        DualRunner::builder("search", both).comparator(Equality).record_to(Arc::clone(&recorder)).build();
    let value = |side: &str| Ok(format!("{SECRET} {side}"));
    let error = |side: &str| Err(format!("{SECRET} {side}"));
    let ((), traced) = heard(|| {
        drop(runner.run_sync(SECRET, || value("legacy"), || value("new")));
        drop(runner.run_sync(SECRET, || value("legacy"), || error("new")));
        drop(runner.run_sync(SECRET, || value("legacy"), || panic!("{SECRET}")));
        for fault in [Fault::Unavailable, Fault::Denied, Fault::Unknown] {
            store.fail(Some(fault));
            advance(&runtime, secs(5));
        }
        store.fail(None);
        runtime.run(recorder.stored());
        store.fail(Some(Fault::Panic));
        record(&recorder, [1]);
        runtime.run(recorder.stored());
    });
    assert!(traced.iter().any(|heard| heard.name == "discrepancies were not stored"), "{traced:?}");
    let page = store.1.page(&id(), None, 10).now_or_never().unwrap().unwrap();
    assert_eq!((page.len(), recorder.counts().panicked), (3, 1));
    let seen = format!("{} {page:?} {recorder:?} {traced:?}", serde_json::to_string(&page).unwrap());
    assert!(!seen.contains("canary"), "{seen}");
}
