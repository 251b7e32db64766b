//! A recorder that is stuck costs a bounded amount of memory. Alone in its process, whose memory it measures.
#![cfg(feature = "testing")]

use std::fmt::Write;

use cutover::Recorder;
use cutover::record::{Capture, RecorderQueue};
use cutover::testing::{StuckRecorder, discrepancy};

const MIB: usize = 1024 * 1024;

#[test]
fn a_million_discrepancies_need_little_memory_where_the_recorder_is_stuck() {
    let stuck = StuckRecorder::new();
    let queue = RecorderQueue::new(stuck.clone());
    let mut template = discrepancy("search", 0);
    let mut capture = Capture::with_limit(Capture::DEFAULT_LIMIT);
    capture.write_str(&"x".repeat(Capture::DEFAULT_LIMIT)).unwrap();
    template.new.value = Some(capture.finish());
    queue.record(template.clone()).unwrap();
    stuck.wait_until_stuck();
    let before = memory_stats::memory_stats().unwrap().physical_mem;
    let mut taken = 0;
    for number in 0..1_000_000_u64 {
        let mut next = template.clone();
        next.fingerprint = format!("{number:032x}").try_into().unwrap();
        taken += u64::from(queue.push(next));
    }
    assert!(!queue.has_room());
    let grown = memory_stats::memory_stats().unwrap().physical_mem.saturating_sub(before);
    assert!(grown <= 16 * MIB, "grown by {grown} bytes");
    let counts = queue.counts();
    assert_eq!((counts.dropped, counts.pending), (1_000_000 - taken, 1 + taken));
    let bytes = usize::try_from(taken).unwrap() * template.size();
    assert!(bytes <= RecorderQueue::MAX_BYTES && bytes + template.size() > RecorderQueue::MAX_BYTES);
}
