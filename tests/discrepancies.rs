//! What disagrees is recorded once per fingerprint, with a context that is built only then, and a recorder that fails
//! touches no answer.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::type_complexity, reason = "a test")]

use std::future::{pending, ready};
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cutover::compare::Difference;
use cutover::dual::DualRunnerBuilder;
use cutover::record::{DiscrepancyKind, JsonLinesRecorder, MemoryRecorder, RecordError};
use cutover::testing::{PanickingRecorder, StuckRecorder, VirtualRuntime};
use cutover::{Discrepancy, DualRunner, Equality, Outcome, Recorder, Route, Side, SystemMode};
use futures::executor::block_on;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

type Builder = DualRunnerBuilder<u32, u32>;
type Runner = DualRunner<u32, u32>;

fn builder() -> Builder {
    DualRunner::builder("search", PARALLEL).comparator(Equality)
}

fn differ(runner: &Runner) {
    assert_eq!(runner.run_sync("anna", || Ok(1), || Ok(2)), Ok(1));
}

#[test]
fn each_kind_of_disagreement_is_recorded() {
    use Outcome::{Err as E, Ok as O, Panicked, TimedOut};
    let sides: [(fn() -> Result<u32, u32>, fn() -> Result<u32, u32>, DiscrepancyKind, Outcome, Outcome); 5] = [
        (|| Ok(1), || Ok(2), DiscrepancyKind::ValuesDiffer, O, O),
        (|| Err(1), || Err(2), DiscrepancyKind::ErrorsDiffer, E, E),
        (|| Ok(1), || Err(1), DiscrepancyKind::NewFailed, O, E),
        (|| Err(1), || Ok(1), DiscrepancyKind::LegacyFailed, E, O),
        (|| Ok(1), || panic!("new"), DiscrepancyKind::Panicked, O, Panicked),
    ];
    let recorder = Arc::new(MemoryRecorder::new());
    let runner = builder().error_comparator(|error| *error, Equality).record_to(Arc::clone(&recorder)).build();
    for (legacy, new, kind, of_legacy, of_new) in sides {
        assert_eq!(runner.run_sync("anna", legacy, new), legacy());
        let found = recorder.by_kind(kind).remove(0);
        assert_eq!((found.legacy.outcome, found.new.outcome, found.served), (of_legacy, of_new, Side::Legacy));
    }
    let runtime = VirtualRuntime::new();
    let runner = builder().runtime(runtime.clone()).record_to(Arc::clone(&recorder)).build();
    runtime.run(runner.run("anna", ready(Ok(1)), pending())).unwrap();
    assert_eq!(recorder.by_kind(DiscrepancyKind::TimedOut)[0].new.outcome, TimedOut);
    assert_eq!(recorder.len(), 6);
}

#[test]
fn what_agrees_or_says_nothing_is_not_recorded() {
    let recorder = Arc::new(MemoryRecorder::new());
    let runner = builder().record_to(Arc::clone(&recorder)).build();
    runner.run_sync("anna", || Ok(1), || Ok(1)).unwrap();
    runner.run_sync("anna", || Err(1), || Err(2)).unwrap_err();
    assert!(VirtualRuntime::new().try_run(runner.run("anna", pending(), ready(Ok(1)))).is_none());
    let ignoring = DualRunner::<u32, u32>::builder("search", PARALLEL)
        .comparator(|_: &u32, _: &u32| cutover::Comparison::Ignored)
        .record_to(Arc::clone(&recorder))
        .build();
    differ(&ignoring);
    let counts = runner.counts();
    assert_eq!((counts.matched, counts.both_failed, counts.abandoned, ignoring.counts().ignored), (1, 1, 1, 1));
    assert!(recorder.is_empty());
}

#[test]
fn a_discrepancy_says_where_and_when_it_was_found() {
    let (recorder, runtime) = (Arc::new(MemoryRecorder::new()), VirtualRuntime::new());
    let mut route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();
    route.epoch = 42;
    let runner = DualRunner::<u32, u32>::builder("price", route)
        .comparator(Equality)
        .record_to(Arc::clone(&recorder))
        .clock(runtime.clock())
        .build();
    runtime.clock().set_wall(UNIX_EPOCH + Duration::from_secs(1_000_000));
    let slow = || {
        runtime.clock().advance(Duration::from_millis(20));
        Ok(1)
    };
    assert_eq!(runner.run_sync("anna", slow, || Ok(2)), Ok(2));
    let found = recorder.discrepancies().remove(0);
    assert_eq!((&*found.runner, found.served, found.mode, found.epoch), ("price", Side::New, SystemMode::NewOnly, 42));
    assert_eq!((found.legacy.elapsed, found.new.elapsed), (Duration::from_millis(20), Duration::ZERO));
    assert_eq!(found.first_seen, UNIX_EPOCH + Duration::from_millis(1_000_000_020));
}

#[test]
fn equal_discrepancies_become_one_that_knows_how_often_and_when() {
    let (recorder, runtime) = (Arc::new(MemoryRecorder::new()), VirtualRuntime::new());
    let runner = builder().record_to(Arc::clone(&recorder)).clock(runtime.clock()).build();
    let at = |hours: u64| -> SystemTime {
        runtime.clock().set_wall(UNIX_EPOCH + Duration::from_secs(3_600 * hours));
        differ(&runner);
        UNIX_EPOCH + Duration::from_secs(3_600 * hours)
    };
    let (first, _, last) = (at(1), at(2), at(5));
    runner.run_sync("anna", || Ok(1), || Err(2)).unwrap();
    let found = recorder.by_kind(DiscrepancyKind::ValuesDiffer);
    assert_eq!((found.len(), recorder.len()), (1, 2));
    assert_eq!((found[0].occurrences, found[0].first_seen, found[0].last_seen), (3, first, last));
    assert_eq!(recorder.find(found[0].fingerprint).as_ref(), found.first());
}

/// Has no room, and refuses.
struct Full;

impl Recorder for Full {
    fn record(&self, found: Discrepancy) -> Result<(), RecordError> {
        assert_eq!((found.context, found.key, found.new.value), (None, None, None));
        Err(RecordError::new("full"))
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn has_room(&self) -> bool {
        false
    }
}

#[test]
fn values_and_context_are_written_only_when_there_is_something_to_record() {
    let written = Arc::new(AtomicUsize::new(0));
    let of = |set_up: fn(Builder) -> Builder, new: u32| {
        let count = Arc::clone(&written);
        let capture = move |_: &u32, _: &mut cutover::record::Capture| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let runner = set_up(builder().capture(capture)).build();
        let context = || written.fetch_add(100, Ordering::Relaxed);
        runner.call("anna").context(context).run_sync(|| Ok(1), || Ok(new)).unwrap();
        block_on(runner.call("anna").context(context).run(ready(Ok(1)), ready(Ok(new)))).unwrap();
        written.swap(0, Ordering::Relaxed)
    };
    let recorded = |builder: Builder| builder.record_to(MemoryRecorder::new());
    assert_eq!(of(recorded, 1), 0, "they match");
    assert_eq!(of(|builder| builder, 2), 0, "nobody records");
    assert_eq!(of(|builder| builder.record_to(Full), 2), 0, "there is no room");
    assert_eq!(of(recorded, 2), 2 * 102, "they differ");
}

/// A writer that others can read.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_of_json_are_read_back_as_what_was_recorded() {
    let (paper, memory) = (Paper::default(), Arc::new(MemoryRecorder::new()));
    let runtime = VirtualRuntime::new();
    let set_up = |builder: Builder| builder.capture_json().capture_keys().clock(runtime.clock());
    let lines = set_up(builder()).record_to(JsonLinesRecorder::new(paper.clone())).build();
    let kept = set_up(builder()).record_to(Arc::clone(&memory)).build();
    for number in 0..20_u32 {
        for runner in [&lines, &kept] {
            let call = runner.call(u64::from(number)).context(|| ("line\nbreak", "é\u{2028}", number));
            call.run_sync(|| Ok(number), || if number % 3 == 0 { Err(7) } else { Ok(number + 1) }).unwrap();
        }
        lines.flush(Duration::from_secs(60)).unwrap();
    }
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let mut read: Vec<Discrepancy> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((read.len(), text.ends_with('\n')), (20, true));
    assert_eq!(read[1].new.value.as_ref().unwrap().text, "2");
    read.dedup_by_key(|found| found.fingerprint);
    assert!(memory.discrepancies().iter().all(|found| read.iter().any(|line| line.fingerprint == found.fingerprint)));
}

#[test]
fn a_recorder_that_panics_or_refuses_touches_no_answer() {
    let panicking = PanickingRecorder::new();
    let runner = builder().record_to(panicking.clone()).build();
    (0..5).for_each(|_| {
        differ(&runner);
        runner.flush(Duration::from_secs(60)).unwrap();
    });
    assert_eq!((panicking.received(), runner.counts().faults.recorder, runner.counts().mismatched), (5, 5, 5));
    let runner = builder().record_to(Full).build();
    differ(&runner);
    assert_eq!((runner.counts().faults.recorder, runner.counts().mismatched), (1, 1));
}

#[test]
fn a_recorder_that_is_stuck_touches_no_answer() {
    let stuck = StuckRecorder::new();
    let runner = builder().record_to(stuck.clone()).build();
    differ(&runner);
    stuck.wait_until_stuck();
    (0..100).for_each(|_| differ(&runner));
    assert_eq!(runner.flush(Duration::from_millis(5)).unwrap_err().pending, 2);
    assert_eq!((runner.counts().mismatched, runner.counts().faults.recorder), (101, 0));
    stuck.release();
    runner.flush(Duration::from_secs(60)).unwrap();
    assert_eq!(stuck.received(), 2);
}

#[test]
fn a_discrepancy_reads_as_a_line_and_one_for_each_difference() {
    let mut found = cutover::testing::discrepancy("search", 7);
    found.differences.push(Difference::new("/total", Some(1.into()), Some(2.into())));
    found.differences.push(Difference::new("", Some("a".into()), None));
    let head = "search: values_differ (legacy ok vs new ok)";
    let lines = ["/field-7: value (values not captured)", "/total: value, 1 -> 2"];
    let expected = format!("{head}\n  {}\n  {}\n  (whole answer): only_legacy, \"a\" -> (nothing)", lines[0], lines[1]);
    assert_eq!(found.to_string(), expected);

    (found.key, found.occurrences) = (Some("anna\n".into()), 3);
    let first = found.to_string().lines().next().unwrap().to_owned();
    assert_eq!(first, format!("{head}, key anna\\n, 3 times"));
}

#[test]
fn a_discrepancy_without_differences_reads_as_both_sides() {
    let recorder = Arc::new(MemoryRecorder::new());
    let quiet = builder().record_to(Arc::clone(&recorder)).build();
    quiet.run_sync("anna", || Ok(1), || Err(2)).unwrap();
    let told = recorder.discrepancies().remove(0).to_string();
    assert!(told.starts_with("search: new_failed (legacy ok vs new err), key "), "{told}");
    assert!(told.ends_with("\n  legacy: not captured\n  new: not captured"), "{told}");

    let recorder = Arc::new(MemoryRecorder::new());
    let open = builder().record_to(Arc::clone(&recorder)).capture(|_, out| out.json(&"x".repeat(200)));
    differ(&open.build());
    let told = recorder.discrepancies().remove(0).to_string();
    assert!(told.ends_with(&format!("\n  new: \"{}…", "x".repeat(79))), "{told}");
}
