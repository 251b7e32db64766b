//! Recorders are bounded, lose nothing uncounted, and let nobody wait.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::record::{Capture, DiscrepancyKind, JsonLinesRecorder, MemoryRecorder, RecordError, RecorderQueue};
use cutover::testing::{PanickingRecorder, StuckRecorder, discrepancy};
use cutover::{Discrepancy, Recorder};

/// Only a broken queue takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

fn numbered(number: u64) -> Discrepancy {
    discrepancy("search", number)
}

fn with_text(number: u64, text: &str) -> Discrepancy {
    let mut capture = Capture::with_limit(Capture::DEFAULT_LIMIT);
    std::fmt::Write::write_str(&mut capture, text).unwrap();
    let mut discrepancy = numbered(number);
    discrepancy.new.value = Some(capture.finish());
    discrepancy
}

fn fields(discrepancies: &[Discrepancy]) -> Vec<&str> {
    discrepancies.iter().map(|discrepancy| discrepancy.differences[0].path.as_str()).collect()
}

/// A queue whose thread is stuck with a discrepancy of its own, so that all that follows waits.
fn stuck_queue() -> (RecorderQueue, StuckRecorder) {
    let stuck = StuckRecorder::new();
    let queue = RecorderQueue::new(stuck.clone());
    queue.record(discrepancy("first", 0)).unwrap();
    stuck.wait_until_stuck();
    (queue, stuck)
}

#[test]
fn memory_keeps_one_of_each_and_counts_the_others() {
    let recorder = MemoryRecorder::new();
    for second in [5, 3, 9] {
        let mut seen = numbered(1);
        seen.first_seen += Duration::from_secs(second);
        seen.last_seen += Duration::from_secs(second);
        recorder.record(seen).unwrap();
    }
    recorder.record(numbered(2)).unwrap();
    let found = recorder.find(numbered(1).fingerprint).unwrap();
    let start = numbered(1).first_seen;
    assert_eq!(found.occurrences, 3);
    assert_eq!((found.first_seen, found.last_seen), (start + Duration::from_secs(3), start + Duration::from_secs(9)));
    assert_eq!((recorder.len(), recorder.dropped(), recorder.never_blocks()), (2, 0, true));
}

#[test]
fn memory_keeps_what_was_seen_last() {
    let recorder = MemoryRecorder::new().with_max_entries(3);
    for number in [1, 2, 3, 1, 4] {
        recorder.record(numbered(number)).unwrap();
    }
    assert_eq!(fields(&recorder.discrepancies()), ["/field-3", "/field-1", "/field-4"]);
    assert_eq!((recorder.dropped(), recorder.find(numbered(2).fingerprint)), (1, None));
}

#[test]
fn memory_is_bounded_in_bytes() {
    let each = with_text(1, &"x".repeat(1000)).size();
    let recorder = MemoryRecorder::new().with_max_bytes(3 * each);
    for number in 1..=9 {
        recorder.record(with_text(number, &"x".repeat(1000))).unwrap();
    }
    assert_eq!((recorder.len(), recorder.bytes(), recorder.dropped()), (3, 3 * each, 6));
    recorder.record(with_text(5, &"x".repeat(8000))).unwrap();
    assert_eq!((recorder.len(), recorder.dropped()), (0, 10));
    assert_eq!(recorder.bytes(), 0);
}

#[test]
fn memory_answers_by_kind_and_forgets_on_request() {
    let recorder = MemoryRecorder::new();
    assert!(recorder.is_empty());
    let mut failed = numbered(2);
    failed.kind = DiscrepancyKind::NewFailed;
    recorder.record(numbered(1)).unwrap();
    recorder.record(failed).unwrap();
    assert_eq!(fields(&recorder.by_kind(DiscrepancyKind::NewFailed)), ["/field-2"]);
    assert_eq!(fields(&recorder.by_kind(DiscrepancyKind::ValuesDiffer)), ["/field-1"]);
    recorder.clear();
    assert_eq!((recorder.len(), recorder.bytes(), recorder.dropped()), (0, 0, 0));
    assert_eq!(recorder.discrepancies(), []);
}

#[test]
fn memory_keeps_a_thousand_by_default() {
    let recorder = MemoryRecorder::default();
    (0..1_500).for_each(|number| recorder.record(numbered(number)).unwrap());
    assert_eq!((recorder.len(), recorder.dropped()), (1_000, 500));
    recorder.clear();
    assert_eq!((recorder.len(), recorder.dropped()), (0, 500));
}

#[test]
fn a_queue_hands_everything_over_in_order() {
    let memory = Arc::new(MemoryRecorder::new());
    let queue = RecorderQueue::new(Arc::clone(&memory));
    for number in [3, 1, 2] {
        queue.record(numbered(number)).unwrap();
        queue.flush(PATIENCE).unwrap();
    }
    assert_eq!(fields(&memory.discrepancies()), ["/field-3", "/field-1", "/field-2"]);
    let counts = queue.counts();
    assert_eq!((counts.handed_over, counts.pending, queue.never_blocks()), (3, 0, true));
}

#[test]
fn equals_that_wait_become_one() {
    let (queue, stuck) = stuck_queue();
    for number in [1, 2, 1, 1] {
        queue.record(numbered(number)).unwrap();
    }
    let counts = queue.counts();
    assert_eq!((counts.pending, counts.merged, counts.dropped), (3, 2, 0));
    stuck.release();
    queue.flush(PATIENCE).unwrap();
    assert_eq!((stuck.received(), queue.counts().handed_over), (3, 3));
}

#[test]
fn merged_discrepancies_arrive_with_their_counts() {
    let memory = Arc::new(MemoryRecorder::new());
    let (inner, (go, wait)) = (Arc::clone(&memory), mpsc::channel::<()>());
    let wait = Mutex::new(wait);
    let queue = RecorderQueue::new(Gated(move |discrepancy| {
        _ = wait.lock().unwrap().recv();
        inner.record(discrepancy)
    }));
    (0..5).for_each(|_| queue.record(numbered(1)).unwrap());
    drop(go);
    queue.flush(PATIENCE).unwrap();
    assert_eq!(memory.discrepancies().iter().map(|found| found.occurrences).sum::<u64>(), 5);
    assert!(queue.counts().merged >= 3);
}

/// A recorder from a closure.
struct Gated<F>(F);

impl<F: Fn(Discrepancy) -> Result<(), RecordError> + Send + Sync> Recorder for Gated<F> {
    fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError> {
        (self.0)(discrepancy)
    }
}

#[test]
fn a_full_queue_drops_and_counts_exactly() {
    let (queue, stuck) = stuck_queue();
    let taken = (0..5_000).filter(|&number| queue.push(numbered(number))).count();
    assert_eq!((taken, queue.has_room()), (RecorderQueue::MAX_ENTRIES, false));
    assert!(queue.record(numbered(9_999)).is_err());
    assert!(queue.record(numbered(1)).is_ok(), "an equal one waits");
    let counts = queue.counts();
    assert_eq!((counts.dropped, counts.merged, counts.pending), (5_001 - 1_024, 1, 1_025));
    stuck.release();
    queue.flush(PATIENCE).unwrap();
    assert_eq!((queue.counts().handed_over, queue.has_room()), (1_025, true));
}

#[test]
fn panics_and_errors_of_a_recorder_are_counted() {
    let panicking = PanickingRecorder::new();
    let queue = RecorderQueue::new(panicking.clone());
    let failing = RecorderQueue::new(Gated(|_| Err(RecordError::new("the disk is full"))));
    for number in 0..3 {
        queue.record(numbered(number)).unwrap();
        failing.record(numbered(number)).unwrap();
    }
    queue.flush(PATIENCE).unwrap();
    failing.flush(PATIENCE).unwrap();
    assert_eq!((queue.counts().panicked, panicking.received()), (3, 3));
    assert_eq!((failing.counts().failed, failing.counts().handed_over), (3, 0));
}

#[test]
fn a_flush_waits_no_longer_than_told() {
    let (queue, stuck) = stuck_queue();
    queue.record(numbered(1)).unwrap();
    assert_eq!(queue.flush(Duration::from_millis(10)).unwrap_err().pending, 2);
    assert_eq!(queue.flush(Duration::ZERO).unwrap_err().to_string(), "2 entries were not handed over in time");
    stuck.release();
    queue.flush(PATIENCE).unwrap();
}

#[test]
fn a_flush_of_an_unused_queue_is_done_at_once() {
    assert_eq!(RecorderQueue::new(MemoryRecorder::new()).flush(Duration::ZERO), Ok(()));
}

#[test]
fn dropping_a_queue_waits_for_nobody() {
    let (queue, stuck) = stuck_queue();
    queue.record(numbered(1)).unwrap();
    drop(queue);
    assert_eq!(stuck.received(), 1);
    stuck.release();
}

#[test]
fn a_dropped_queue_hands_over_what_waits_and_ends_its_thread() {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let queue = RecorderQueue::new(Gated(move |discrepancy: Discrepancy| {
        sender.lock().unwrap().send(discrepancy.fingerprint).unwrap();
        Ok(())
    }));
    (0..3).for_each(|number| queue.record(numbered(number)).unwrap());
    drop(queue);
    for number in 0..3 {
        assert_eq!(receiver.recv_timeout(PATIENCE), Ok(numbered(number).fingerprint));
    }
    assert_eq!(receiver.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_queue_that_was_never_used_drops_its_recorder() {
    let memory = Arc::new(MemoryRecorder::new());
    drop(RecorderQueue::new(Arc::clone(&memory)));
    assert_eq!(Arc::strong_count(&memory), 1);
}

/// A writer that takes `step` bytes at a time, and fails or panics after as many bytes as are planned.
#[derive(Clone)]
struct Pipe {
    written: Arc<Mutex<Vec<u8>>>,
    faults: Arc<Mutex<Vec<Fault>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Interrupt,
    Fail { after: usize },
    Panic { after: usize },
    Refuse,
}

impl Pipe {
    fn new(faults: &[Fault]) -> Self {
        Self { written: Arc::default(), faults: Arc::new(Mutex::new(faults.to_vec())) }
    }

    fn text(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.written.lock().unwrap();
        let mut faults = self.faults.lock().unwrap();
        let written_before = written.len();
        let end = match faults.first().copied() {
            Some(Fault::Interrupt) => {
                faults.remove(0);
                return Err(io::ErrorKind::Interrupted.into());
            }
            Some(Fault::Refuse) => {
                faults.remove(0);
                return Ok(0);
            }
            Some(Fault::Fail { after }) if written_before >= after => {
                faults.remove(0);
                return Err(io::Error::other("broken pipe"));
            }
            Some(Fault::Panic { after }) if written_before >= after => {
                faults.remove(0);
                drop((written, faults));
                panic!("the writer panics");
            }
            Some(Fault::Fail { after } | Fault::Panic { after }) => bytes.len().min(after - written_before).min(7),
            None => bytes.len().min(7),
        };
        written.extend_from_slice(&bytes[..end]);
        Ok(end)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the discrepancies 0, 1, 2 through a pipe with `faults`.
fn write_three(faults: &[Fault]) -> (String, JsonLinesRecorder) {
    let pipe = Pipe::new(faults);
    let recorder = JsonLinesRecorder::new(pipe.clone());
    (0..3).for_each(|number| recorder.record(numbered(number)).unwrap());
    recorder.flush(PATIENCE).unwrap();
    (pipe.text(), recorder)
}

fn read(line: &str) -> Discrepancy {
    serde_json::from_str(line).unwrap()
}

#[test]
fn each_line_is_one_discrepancy() {
    let (text, recorder) = write_three(&[Fault::Interrupt]);
    assert!(text.ends_with('\n'));
    assert_eq!(text.lines().map(read).collect::<Vec<_>>(), [0, 1, 2].map(numbered));
    assert_eq!((recorder.counts().handed_over, recorder.never_blocks(), recorder.has_room()), (3, true, true));
}

#[test]
fn a_line_that_was_torn_spoils_no_other() {
    for fault in [Fault::Fail { after: 10 }, Fault::Panic { after: 10 }] {
        let (text, recorder) = write_three(&[fault]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].len(), 10);
        assert_eq!([read(lines[1]), read(lines[2])], [1, 2].map(numbered));
        let counts = recorder.counts();
        assert_eq!((counts.failed + counts.panicked, counts.handed_over), (1, 2));
    }
}

#[test]
fn a_line_that_was_not_begun_leaves_no_trace() {
    let (text, recorder) = write_three(&[Fault::Fail { after: 0 }]);
    assert_eq!(text.lines().map(read).collect::<Vec<_>>(), [1, 2].map(numbered));
    assert_eq!(recorder.counts().failed, 1);
    let (_, recorder) = write_three(&[Fault::Refuse]);
    assert_eq!((recorder.counts().failed, recorder.counts().handed_over), (1, 2));
}

#[test]
fn lines_of_many_threads_never_interleave() {
    let pipe = Pipe::new(&[]);
    let recorder = JsonLinesRecorder::new(pipe.clone());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = &recorder;
            scope.spawn(move || (0..100).for_each(|number| recorder.record(numbered(thread * 100 + number)).unwrap()));
        }
    });
    recorder.flush(PATIENCE).unwrap();
    let mut written: Vec<_> = pipe.text().lines().map(|line| read(line).fingerprint).collect();
    let mut expected: Vec<_> = (0..400).map(|number| numbered(number).fingerprint).collect();
    written.sort_unstable();
    expected.sort_unstable();
    assert_eq!(written, expected);
}

#[test]
fn recorders_are_shared_between_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<MemoryRecorder>();
    is_shared::<RecorderQueue>();
    is_shared::<JsonLinesRecorder>();
}
