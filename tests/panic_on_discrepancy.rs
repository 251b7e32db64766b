//! In a host's tests a discrepancy can panic, with a text that says what differs where.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::unnecessary_wraps, reason = "a test")]

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cutover::record::MemoryRecorder;
use cutover::testing::VirtualRuntime;
use cutover::{DualRunner, Equality, Route, Side, Structural, SystemMode};
use futures::executor::block_on;
use serde_json::{Value, json};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const LIVE: Route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();

type Runner = DualRunner<Value, String>;

fn strict(route: Route) -> Runner {
    let builder = DualRunner::builder("search", route).comparator(Structural::new().ignore("/took_ms"));
    builder.panic_on_discrepancy().build()
}

fn legacy() -> Result<Value, String> {
    Ok(json!({ "total": 7, "hits": ["a", "b"], "took_ms": 3 }))
}

fn new() -> Result<Value, String> {
    Ok(json!({ "total": 8, "hits": ["a"], "took_ms": 4 }))
}

/// The text of the panic.
fn panic_of<R>(run: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(run)).err().unwrap();
    payload.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn a_mismatch_panics_and_names_paths_and_values() {
    for route in [PARALLEL, LIVE] {
        let runner = strict(route);
        let texts = [
            panic_of(|| runner.run_sync("anna", legacy, new)),
            panic_of(|| block_on(runner.run("anna", async { legacy() }, async { new() }))),
            panic_of(|| {
                block_on(runner.call("anna").twin(async { legacy() }).run(async { legacy() }, async { new() }))
            }),
        ];
        for text in &texts {
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            assert_eq!(
                lines,
                [
                    "the two sides disagree: search: values_differ (ok vs ok)",
                    "/hits/1: only_legacy, \"b\" -> (nothing)",
                    "/total: value, 7 -> 8",
                ]
            );
        }
        assert_eq!(runner.counts().mismatched, 3);
    }
}

#[test]
fn the_text_shows_what_was_asked_for() {
    let builder = DualRunner::<u32, String>::builder("price", PARALLEL).comparator(Equality);
    let builder = builder.capture_json().capture_errors(|error, out| std::fmt::Write::write_str(out, error));
    let runner = builder.panic_on_discrepancy().build();
    let text = panic_of(|| {
        runner.call("anna").context(|| json!({ "items": 3 })).run_sync(|| Ok(1), || Err("no price".into()))
    });
    assert!(text.contains("price: new_failed (ok vs err)"), "{text}");
    assert!(["legacy: 1", "new: no price", r#"context: {"items":3}"#].iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn what_agrees_or_is_ignored_does_not_panic() {
    let runner = strict(PARALLEL);
    assert_eq!(runner.run_sync("anna", legacy, legacy), legacy());
    assert_eq!(block_on(runner.run("anna", async { legacy() }, async { legacy() })), legacy());
    let slower = || Ok(json!({ "total": 7, "hits": ["a", "b"], "took_ms": 99 }));
    runner.run_sync("anna", legacy, slower).unwrap();
    runner.run_sync("anna", || Err("a".into()), || Err("b".into())).unwrap_err();
    let legacy_only = strict(Route::new(SystemMode::LegacyOnly, Side::Legacy));
    legacy_only.run_sync("anna", legacy, new).unwrap();
    assert_eq!((runner.counts().ended(), runner.counts().mismatched), (4, 0));
}

#[test]
fn a_failure_or_a_panic_of_one_side_panics_too() {
    let runner = strict(PARALLEL);
    let text = panic_of(|| runner.run_sync("anna", legacy, || Err("new".into())));
    assert!(text.contains("new_failed (ok vs err)"), "{text}");
    let text = panic_of(|| runner.run_sync("anna", || Err("legacy".into()), new));
    assert!(text.contains("legacy_failed (err vs ok)"), "{text}");
    let text = panic_of(|| block_on(runner.run("anna", async { legacy() }, async { panic!("new") })));
    assert!(text.contains("panicked (ok vs panicked)"), "{text}");
}

#[test]
fn the_discrepancy_is_counted_and_recorded_before() {
    let recorder = Arc::new(MemoryRecorder::new());
    let builder = DualRunner::<Value, String>::builder("search", PARALLEL).comparator(Structural::new());
    let runner = builder.record_to(Arc::clone(&recorder)).panic_on_discrepancy().build();
    panic_of(|| runner.run_sync("anna", legacy, new));
    assert_eq!((recorder.len(), runner.counts().in_flight()), (1, 0));
    assert_eq!(recorder.discrepancies()[0].differences[0].legacy, None);
}

#[test]
fn a_detached_call_answers_and_its_task_panics() {
    let runtime = VirtualRuntime::new();
    let builder = DualRunner::<Value, String>::builder("search", PARALLEL).comparator(Structural::new());
    let runner = builder.runtime(runtime.clone()).panic_on_discrepancy().build();
    assert_eq!(block_on(runner.run_detached("anna", ready(legacy()), ready(new()))), legacy());
    runtime.run_until_idle();
    assert_eq!((runtime.panicked_tasks(), runner.counts().mismatched), (1, 1));
}

#[test]
fn a_comparison_that_failed_panics_too_and_says_why() {
    let builder =
        DualRunner::<Value, String>::builder("search", PARALLEL).comparator(Structural::new().ignore("took_ms"));
    let runner = builder.panic_on_discrepancy().build();
    let text = panic_of(|| runner.run_sync("anna", legacy, legacy));
    assert!(text.starts_with("search: the comparator failed, and nothing was compared: "), "{text}");
    assert!(text.contains("took_ms"), "{text}");
}
