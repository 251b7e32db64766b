//! Mismatches cost a bounded amount of memory, also where the recorder is stuck. Alone in its process, whose memory it
//! measures.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cutover::record::{Capture, RecorderQueue};
use cutover::testing::StuckRecorder;
use cutover::{DualRunner, Route, Side, Structural, SystemMode};
use serde_json::{Value, json};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const CALLS: u64 = 1_000_000;
const MIB: usize = 1024 * 1024;

static SHOWN: AtomicU64 = AtomicU64::new(0);

/// A large answer: its number and 1 MiB of text that all answers share.
#[derive(Debug, Clone)]
struct Answer(u64, Arc<str>);

impl Answer {
    fn show(&self, out: &mut Capture) -> std::fmt::Result {
        SHOWN.fetch_add(1, Ordering::Relaxed);
        write!(out, "{} ", self.0)?;
        out.write_str(&self.1)
    }
}

#[test]
fn mismatches_need_little_memory_where_the_recorder_is_stuck() {
    a_million_large_values();
    many_differences_with_their_values();
}

fn a_million_large_values() {
    let stuck = StuckRecorder::new();
    let queue = Arc::new(RecorderQueue::new(stuck.clone()));
    let runner = DualRunner::<Answer, ()>::builder("search", PARALLEL)
        .comparator(|legacy: &Answer, new: &Answer| legacy.0 == new.0)
        .record_to(Arc::clone(&queue))
        .capture(Answer::show)
        .build();
    let text: Arc<str> = "x".repeat(MIB).into();
    let answer = |number| Ok(Answer(number, Arc::clone(&text)));
    let call = |number: u64| runner.run_sync(number, || answer(number), || answer(number + 1)).unwrap();
    call(0);
    stuck.wait_until_stuck();

    let before = memory_stats::memory_stats().unwrap().physical_mem;
    for number in 1..CALLS {
        call(number);
    }
    let grown = memory_stats::memory_stats().unwrap().physical_mem.saturating_sub(before);
    assert!(grown <= 16 * MIB, "grown by {grown} bytes");

    let (runs, kept) = (runner.counts(), queue.counts());
    assert_eq!((runs.mismatched, runs.faults.recorder), (CALLS, kept.dropped));
    assert_eq!(kept.pending + kept.merged + kept.dropped, CALLS);
    assert!(kept.dropped > 0 && kept.pending > 100, "{kept:?}");
    assert_eq!(stuck.received(), 1);
    let shown = SHOWN.load(Ordering::Relaxed);
    assert!(shown < 3 * kept.pending, "{shown} values were captured for {} that are kept", kept.pending);
}

/// Values that hold much more memory than their text is long, at paths of which no two are equal.
fn many_differences_with_their_values() {
    let stuck = StuckRecorder::new();
    let queue = Arc::new(RecorderQueue::new(stuck.clone()));
    let runner = DualRunner::<Value, ()>::builder("search", PARALLEL)
        .comparator(Structural::new())
        .record_to(Arc::clone(&queue))
        .capture_differences()
        .build();
    let call = |number: u64| {
        let answer = |digit: u8| Ok(json!({ format!("field-{number}"): vec![digit; 3_000] }));
        runner.run_sync(number, || answer(1), || Ok(json!(null))).unwrap();
        runner.run_sync(number, || answer(1), || answer(2)).unwrap();
    };
    call(0);
    stuck.wait_until_stuck();

    let before = memory_stats::memory_stats().unwrap().physical_mem;
    (1..2_000).for_each(call);
    let grown = memory_stats::memory_stats().unwrap().physical_mem.saturating_sub(before);
    assert!(grown <= 16 * MIB, "grown by {grown} bytes");
    assert!(queue.counts().dropped > 0 && queue.counts().pending > 10, "{:?}", queue.counts());
}
