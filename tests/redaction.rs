//! Nothing raw leaves a call by default: not to the recorder, the observer, tracing, a `Debug` or an error. Each kind of
//! value appears only where it was asked for, and then only in discrepancies.
#![cfg(feature = "testing")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "a test"
)]

mod tracing_common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::bucket::{BucketHasher, Domain};
use cutover::compare::{ComparatorError, Comparison, render};
use cutover::dual::DualRunnerBuilder;
use cutover::observe::Event;
use cutover::record::{Capture, MemoryRecorder, RecordError};
use cutover::testing::VirtualRuntime;
use cutover::{Discrepancy, DualRunner, Recorder, Route, Side, Structural, SystemMode};
use futures::executor::block_on;
use serde::Serialize;
use tracing_common::heard;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const LIVE: Route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();

/// One mark for each place from which something could leak.
const VALUE: &str = "canary-in-a-value";
const MAP: &str = "canary-in-a-map";
const ERROR: &str = "canary-in-an-error";
const PANIC: &str = "canary-in-a-panic";
const KEY: &str = "canary-in-the-key";
const CONTEXT: &str = "canary-in-the-context";
const CANARIES: [&str; 6] = [VALUE, MAP, ERROR, PANIC, KEY, CONTEXT];

#[derive(Debug, Clone, Serialize)]
struct Answer {
    text: String,
    map: BTreeMap<String, String>,
}

type Answered = Result<Answer, String>;
type Builder = DualRunnerBuilder<Answer, String>;

fn answer(side: &str) -> Answered {
    let map = BTreeMap::from([("note".to_owned(), format!("{MAP} {side}"))]);
    Ok(Answer { text: format!("{VALUE} {side}"), map })
}

fn error(side: &str) -> Answered {
    Err(format!("{ERROR} {side}"))
}

fn panicked() -> Answered {
    panic!("{PANIC}")
}

/// A side that serves and its shadow, which differ in every way that is recorded.
const PAIRS: [[fn() -> Answered; 2]; 6] = [
    [|| answer("served"), || answer("shadow")],
    [|| answer("served"), || error("shadow")],
    [|| error("served"), || answer("shadow")],
    [|| error("served"), || error("shadow")],
    [|| answer("served"), panicked],
    [|| error("served"), panicked],
];

/// What everybody got to see.
struct Seen {
    recorded: Vec<Discrepancy>,
    observed: String,
    traced: String,
    shown: String,
}

impl Seen {
    fn recorded_text(&self) -> String {
        format!("{} {:?}", serde_json::to_string(&self.recorded).unwrap(), self.recorded)
    }

    fn all_but_recorded(&self) -> String {
        format!("{} {} {}", self.observed, self.traced, self.shown)
    }
}

/// The canaries in a text.
fn canaries(text: &str) -> Vec<&'static str> {
    CANARIES.into_iter().filter(|canary| text.contains(canary)).collect()
}

fn builder(route: Route) -> Builder {
    let errors = |legacy: &String, new: &String| legacy == new;
    DualRunner::builder("search", route).comparator(Structural::new()).error_comparator(Clone::clone, errors)
}

/// Runs all pairs by all entry points, with the parts of the host that `set_up` gives.
fn run_all(set_up: impl Fn(Builder) -> Builder, context: Option<&'static str>) -> Seen {
    let (recorder, observed) = (Arc::new(MemoryRecorder::new()), Arc::new(Mutex::new(String::new())));
    let mut shown = String::new();
    let ((), traced) = heard(|| {
        for route in [PARALLEL, LIVE] {
            let hears = Arc::clone(&observed);
            let note = move |source: &str, event: &Event| write!(hears.lock().unwrap(), "{source} {event:?}").unwrap();
            let runtime = VirtualRuntime::new();
            let builder = set_up(builder(route).record_to(Arc::clone(&recorder)).observe(note));
            let builder = builder.runtime(runtime.clone());
            write!(shown, "{builder:?}").unwrap();
            let runner = builder.build();
            for [served, shadow] in PAIRS {
                run(&runner, if route.serve == Side::Legacy { [served, shadow] } else { [shadow, served] }, context);
            }
            runtime.run_until_idle();
            runner.flush(Duration::from_secs(60)).unwrap();
            assert_eq!(runner.counts().ended(), 3 * 6);
            write!(shown, "{runner:?} {:?} {:?}", runner.call(KEY).context(|| CONTEXT), runner.counts()).unwrap();
            write!(shown, "{:?} {:?} {recorder:?}", runner.noise(), runner.noise().report()).unwrap();
        }
    });
    assert!(traced.iter().any(|heard| heard.is_span) && traced.iter().any(|heard| heard.name == "discrepancy"));
    let observed = observed.lock().unwrap().clone();
    Seen { recorded: recorder.discrepancies(), observed, traced: format!("{traced:?}"), shown }
}

async fn later(side: fn() -> Answered) -> Answered {
    side()
}

fn run(runner: &DualRunner<Answer, String>, [legacy, new]: [fn() -> Answered; 2], context: Option<&'static str>) {
    let call = || runner.call(KEY);
    if let Some(context) = context {
        let call = || call().context(move || context);
        let _answers = call().run_sync(legacy, new);
        let _answers = block_on(call().run(later(legacy), later(new)));
        let _answers = block_on(call().run_detached(later(legacy), later(new)));
    } else {
        let _answers = call().run_sync(legacy, new);
        let _answers = block_on(call().run(later(legacy), later(new)));
        let _answers = block_on(call().run_detached(later(legacy), later(new)));
    }
}

#[test]
fn nothing_raw_is_seen_by_default() {
    let seen = run_all(|builder| builder, None);
    assert_eq!(canaries(&seen.recorded_text()), [""; 0]);
    assert_eq!(canaries(&seen.all_but_recorded()), [""; 0]);
    assert!(seen.recorded.len() >= 6, "{}", seen.recorded.len());
}

#[test]
fn each_kind_of_value_is_seen_where_it_was_asked_for_and_nowhere_else() {
    let text_of = |answer: &Answer, out: &mut Capture| out.write_str(&answer.text);
    let table: [(&str, fn(Builder) -> Builder, &[&str]); 6] = [
        ("capture", |builder| builder.capture(|answer, out| out.write_str(&answer.text)), &[VALUE]),
        ("capture_json", Builder::capture_json, &[VALUE, MAP]),
        ("capture_errors", |builder| builder.capture_errors(|error, out| out.write_str(error)), &[ERROR]),
        ("capture_panics", Builder::capture_panics, &[PANIC]),
        ("capture_keys", Builder::capture_keys, &[KEY]),
        ("capture_differences", Builder::capture_differences, &[VALUE, MAP]),
    ];
    for (name, ask, expected) in table {
        let seen = run_all(ask, None);
        assert_eq!(canaries(&seen.recorded_text()), *expected, "{name}");
        assert_eq!(canaries(&seen.all_but_recorded()), [""; 0], "{name}");
    }
    let all = run_all(|builder| table.iter().fold(builder, |builder, (_, ask, _)| ask(builder)).capture(text_of), None);
    assert_eq!(canaries(&all.recorded_text()), [VALUE, MAP, ERROR, PANIC, KEY]);
    assert_eq!(canaries(&all.all_but_recorded()), [""; 0]);
}

#[test]
fn the_context_of_a_call_reaches_the_recorder_alone() {
    let seen = run_all(|builder| builder, Some(CONTEXT));
    assert_eq!(canaries(&seen.recorded_text()), [CONTEXT]);
    assert_eq!(canaries(&seen.all_but_recorded()), [""; 0]);
}

#[test]
fn by_default_a_difference_is_its_path_and_kind_and_a_key_its_hash() {
    let seen = run_all(|builder| builder, None);
    let found = seen.recorded.iter().find(|found| !found.differences.is_empty()).unwrap();
    assert_eq!(
        render(&found.differences),
        "/map/note: value (values not captured)\n/text: value (values not captured)"
    );
    let hash = BucketHasher::new("runner/search", Domain::Shadow).bucket(KEY).unwrap();
    assert_eq!(found.key.as_deref(), Some(&*format!("{hash:016x}")));
}

/// Fails with a text that quotes what it was given.
struct Indiscreet;

impl Recorder for Indiscreet {
    fn record(&self, found: Discrepancy) -> Result<(), RecordError> {
        Err(RecordError::new(format!("{found:?} {VALUE}")))
    }
}

#[test]
fn parts_that_fail_with_a_text_spread_it_nowhere() {
    let comparator = |legacy: &Answer, _: &Answer| Err::<Comparison, _>(format!("cannot compare {legacy:?}"));
    let panicking = |legacy: &Answer, _: &Answer| -> bool { panic!("cannot compare {legacy:?}") };
    for fails in [true, false] {
        let ((), traced) = heard(|| {
            let builder = if fails {
                DualRunner::builder("search", PARALLEL).comparator(comparator)
            } else {
                DualRunner::builder("search", PARALLEL).comparator(panicking)
            };
            let capture = |answer: &Answer, _: &mut Capture| -> std::fmt::Result { panic!("cannot show {answer:?}") };
            let runner = builder.record_to(Indiscreet).capture(capture).build();
            for pair in PAIRS {
                run(&runner, pair, None);
            }
            runner.flush(Duration::from_secs(60)).unwrap();
            let faults = runner.counts().faults;
            assert!(faults.comparator > 0 && faults.capture > 0 && faults.recorder > 0, "{faults:?}");
        });
        assert!(traced.iter().any(|heard| heard.fields.contains_key("part")));
        assert_eq!(canaries(&format!("{traced:?}")), [""; 0]);
    }
    assert_eq!(canaries(&RecordError::new(VALUE).to_string()), [""; 0]);
    assert_eq!(canaries(&ComparatorError::new(VALUE).to_string()), [""; 0]);
}
