//! What the matrix has no cell for: a shadow that never rests, a slow twin, and recorders that panic when asked something.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::Duration;

use cutover::clock::Instant;
use cutover::record::RecordError;
use cutover::testing::VirtualRuntime;
use cutover::{Clock, Discrepancy, DualRunner, Equality, Recorder, Route, Runtime, Side, SystemMode};
use futures::executor::block_on;
use futures::future::{poll_fn, ready};

use crate::dual_common::{Planned, silence_planned_panics};
use crate::parts::REAL_PATIENCE;

fn parallel() -> Route {
    Route::new(SystemMode::Parallel, Side::Legacy).with_shadow()
}

/// In real time, because virtual time stands still while anything is ready.
#[test]
fn a_shadow_that_never_rests_is_stopped_all_the_same() {
    let runner = DualRunner::<u32, ()>::builder("rest", parallel())
        .comparator(Equality)
        .patience(Duration::from_millis(5))
        .build();
    let restless = poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    assert_eq!(block_on(runner.run("key", ready(Ok(1)), restless)), Ok(1));
    assert_eq!((runner.counts().timed_out, runner.counts().in_flight()), (1, 0));
}

#[test]
fn a_twin_is_waited_for_as_long_as_patience_lasts() {
    for (twin_takes, ignored) in [(50, 1), (150, 0)] {
        let runtime = VirtualRuntime::new();
        let after = |millis, answer| {
            let sleep = runtime.sleep(Duration::from_millis(millis));
            async move {
                sleep.await;
                Ok::<u32, ()>(answer)
            }
        };
        let runner = DualRunner::builder("twins", parallel())
            .comparator(Equality)
            .clock(runtime.clock())
            .runtime(runtime.clone())
            .build();
        let answer = runtime.run(runner.call("key").twin(after(twin_takes, 2)).run(after(0, 1), after(10, 3)));
        assert_eq!(answer, Ok(1));
        assert_eq!(runtime.clock().now(), Instant::from_nanos(1_000_000 * twin_takes.min(100)));
        assert_eq!((runner.counts().ignored, runner.counts().mismatched), (ignored, 1 - ignored));
    }
}

/// Panics when it is asked something, and records nothing but how often it was called.
#[derive(Default)]
struct Shy {
    answers_about_blocking: bool,
    recorded: AtomicU64,
    asked_elsewhere: AtomicU64,
    home: Option<ThreadId>,
}

impl Recorder for Shy {
    fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError> {
        self.recorded.fetch_add(1 + u64::from(discrepancy.legacy.value.is_some()), Ordering::Relaxed);
        let elsewhere = self.home != Some(thread::current().id());
        self.asked_elsewhere.fetch_add(u64::from(elsewhere), Ordering::Relaxed);
        Ok(())
    }

    fn never_blocks(&self) -> bool {
        if self.answers_about_blocking { true } else { Planned::throw(1, true) }
    }

    fn has_room(&self) -> bool {
        Planned::throw(2, true)
    }
}

fn disagree(recorder: Shy) -> (Arc<Shy>, cutover::dual::Counts) {
    silence_planned_panics();
    let recorder = Arc::new(Shy { home: Some(thread::current().id()), ..recorder });
    let runner = DualRunner::<u32, ()>::builder("shy", parallel())
        .comparator(Equality)
        .capture_json()
        .record_to(Arc::clone(&recorder))
        .build();
    assert_eq!(runner.run_sync("key", || Ok(1), || Ok(2)), Ok(1));
    runner.flush(REAL_PATIENCE).unwrap();
    (recorder, runner.counts())
}

#[test]
fn a_recorder_that_panics_when_asked_for_room_gets_no_values() {
    let (recorder, counts) = disagree(Shy { answers_about_blocking: true, ..Shy::default() });
    assert_eq!((counts.mismatched, counts.faults.recorder), (1, 1));
    assert_eq!(recorder.recorded.load(Ordering::Relaxed), 1);
    assert_eq!(recorder.asked_elsewhere.load(Ordering::Relaxed), 0);
}

#[test]
fn a_recorder_that_panics_when_asked_whether_it_blocks_is_taken_to_block() {
    let (recorder, counts) = disagree(Shy::default());
    assert_eq!((counts.mismatched, counts.faults.recorder), (1, 0));
    assert_eq!(recorder.recorded.load(Ordering::Relaxed), 2);
    assert_eq!(recorder.asked_elsewhere.load(Ordering::Relaxed), 1);
}
