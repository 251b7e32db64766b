//! A captured text ends at its limit, and so does the work and the memory that it takes to write it.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::type_complexity, reason = "a test")]

use std::fmt::{self, Debug, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cutover::dual::DualRunnerBuilder;
use cutover::record::{Capture, Captured, MemoryRecorder};
use cutover::{DualRunner, Route, Side, SystemMode};
use serde::ser::{Serialize, SerializeSeq, Serializer};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const DEFAULT: usize = 8 * 1024;
/// The parts in which a huge value is written: 1 GiB in pieces of 1 KiB.
const PART: usize = 1024;
const PARTS: usize = 1024 * 1024;

/// An answer of 1 GiB, whose text exists only while it is written. It counts the bytes that were written.
#[derive(Clone)]
struct Huge {
    part: Arc<str>,
    written: Arc<AtomicUsize>,
}

impl Huge {
    /// Made of a letter of two bytes, so that a cut may fall into the middle of one.
    fn new() -> Self {
        Self { part: "é".repeat(PART / 2).into(), written: Arc::default() }
    }

    fn next_part(&self) -> &str {
        self.written.fetch_add(PART, Ordering::Relaxed);
        &self.part
    }

    fn written(&self) -> usize {
        self.written.swap(0, Ordering::Relaxed)
    }
}

impl Debug for Huge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..PARTS).try_for_each(|_| f.write_str(self.next_part()))
    }
}

impl Serialize for Huge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_seq(Some(PARTS))?;
        (0..PARTS).try_for_each(|_| parts.serialize_element(self.next_part()))?;
        parts.end()
    }
}

type Builder = DualRunnerBuilder<Huge, Huge>;

/// What is captured of the two sides and of the context when one side fails.
fn captured(set_up: impl Fn(Builder) -> Builder, huge: &Huge) -> [Option<Captured>; 3] {
    let recorder = Arc::new(MemoryRecorder::new());
    let builder = DualRunner::builder("search", PARALLEL).comparator(|_: &Huge, _: &Huge| false);
    let runner = set_up(builder).record_to(Arc::clone(&recorder)).build();
    let call = runner.call("anna").context(|| huge.clone());
    call.run_sync(|| Ok(huge.clone()), || Err(huge.clone())).unwrap();
    let found = recorder.discrepancies().remove(0);
    [found.legacy.value, found.new.value, found.context]
}

fn debug(value: &Huge, out: &mut Capture) -> fmt::Result {
    write!(out, "{value:?}")
}

fn all(builder: Builder) -> Builder {
    builder.capture(debug).capture_errors(|error, out| out.json(error))
}

#[test]
fn huge_values_are_written_up_to_8_kib_by_default() {
    let huge = Huge::new();
    let texts = captured(all, &huge).map(Option::unwrap);
    for captured in &texts {
        assert!(captured.truncated && captured.text.len() > DEFAULT - 4 && captured.text.len() <= DEFAULT);
    }
    assert!(texts[0].text.starts_with("éé") && texts[1].text.starts_with("[\"éé"));
    let written = huge.written();
    assert!(written <= 3 * (DEFAULT + 2 * PART), "{written} bytes were written");
}

#[test]
fn the_limit_can_be_chosen() {
    for limit in [0, 1, 2, 3, 1023, 1024, 1025, 100_000] {
        let huge = Huge::new();
        for captured in captured(|builder| all(builder).capture_limit(limit), &huge).into_iter().flatten() {
            assert!(captured.truncated, "{limit}");
            assert!(captured.text.len() <= limit && captured.text.len() + 2 > limit, "{limit} {}", captured.text.len());
        }
        let written = huge.written();
        assert!(written <= 3 * (limit + 2 * PART), "{limit}: {written} bytes were written");
    }
}

#[test]
fn what_fits_is_not_cut() {
    let mut capture = Capture::with_limit(5);
    capture.json("éa").unwrap();
    let captured = capture.finish();
    assert_eq!(
        (captured.text.as_str(), captured.truncated, captured.to_string().as_str()),
        ("\"éa\"", false, "\"éa\"")
    );
    let mut capture = Capture::with_limit(4);
    assert!(capture.json("éa").is_err());
    let captured = capture.finish();
    assert_eq!((captured.text.as_str(), captured.truncated), ("\"éa", true));
    assert_eq!(captured.to_string(), "\"éa… (truncated)");
}

/// Every cut of every text is a prefix of it, in whole characters, and as long as the limit allows.
#[test]
fn json_is_cut_between_characters_wherever_the_limit_falls() {
    let text = "a\u{0}é\"€\\𝄞\n".repeat(3);
    let whole = serde_json::to_string(&text).unwrap();
    for limit in 0..whole.len() + 2 {
        let mut capture = Capture::with_limit(limit);
        let done = capture.json(&text);
        let captured = capture.finish();
        let end = (0..=limit.min(whole.len())).rev().find(|end| whole.is_char_boundary(*end)).unwrap();
        assert_eq!((captured.text.as_str(), captured.truncated), (&whole[..end], limit < whole.len()), "{limit}");
        assert_eq!(done.is_ok(), limit >= whole.len());
    }
}

#[test]
fn cutting_a_long_text_takes_the_memory_of_the_limit() {
    let long = "x".repeat(8 * 1024 * 1024);
    let write: [(&str, fn(&str, &mut Capture) -> fmt::Result); 3] = [
        ("text", |long, out| out.write_str(long)),
        ("debug", |long, out| write!(out, "{long:?}")),
        ("json", |long, out| out.json(long)),
    ];
    for (name, write) in write {
        let allocated = allocation_counter::measure(|| {
            let mut capture = Capture::with_limit(DEFAULT);
            write(&long, &mut capture).unwrap_err();
            assert_eq!(capture.finish().text.len(), DEFAULT);
        });
        assert!(allocated.bytes_max <= 4 * DEFAULT as u64, "{name}: {} bytes", allocated.bytes_max);
    }
}
