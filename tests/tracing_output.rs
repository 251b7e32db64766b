//! With a subscriber, a call is a span, and each discrepancy, skipped shadow and fault an event, with the documented
//! fields and no values.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::type_complexity, reason = "a test")]

mod tracing_common;

use std::future::ready;

use cutover::dual::ShadowPolicy;
use cutover::record::{Fingerprint, MemoryRecorder};
use cutover::testing::VirtualRuntime;
use cutover::{DualRunner, Equality, Route, Side, SystemMode};
use futures::executor::block_on;
use std::sync::Arc;
use tracing::Level;
use tracing_common::{Heard, heard};

type Runner = DualRunner<u32, String>;

fn parallel() -> Route {
    let mut route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    route.epoch = 42;
    route
}

fn runner(route: Route) -> Runner {
    Runner::builder("search", route).comparator(Equality).build()
}

/// What is heard, with its fields in the order of their names.
fn shown(heard: &Heard) -> (&str, Level, bool, String) {
    let fields: Vec<_> = heard.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (&heard.name, heard.level, heard.is_span, fields.join(" "))
}

fn span(fields: &str) -> (&'static str, Level, bool, String) {
    ("cutover.call", Level::DEBUG, true, fields.to_owned())
}

/// Runs one call in each of the three ways, all of its shadow included.
fn call_each_way(runner: &Runner, runtime: &VirtualRuntime, new: fn() -> Result<u32, String>) {
    runner.run_sync("anna", || Ok(1), new).unwrap();
    runtime.run(runner.run("anna", ready(Ok(1)), async move { new() })).unwrap();
    runtime.run(runner.run_detached("anna", ready(Ok(1)), async move { new() })).unwrap();
    runtime.run_until_idle();
}

#[test]
fn a_call_of_both_sides_is_one_span_with_its_verdict() {
    let runtime = VirtualRuntime::new();
    let builder = Runner::builder("search", parallel()).comparator(Equality).runtime(runtime.clone());
    let runner = builder.build();
    let ((), heard) = heard(|| call_each_way(&runner, &runtime, || Ok(1)));
    let expected = span("epoch=42 mode=parallel runner=search serves=legacy shadow=new verdict=matched");
    assert_eq!(heard.iter().map(shown).collect::<Vec<_>>(), [expected.clone(), expected.clone(), expected]);
}

#[test]
fn a_call_of_one_side_is_a_span_without_shadow_and_verdict() {
    let ((), heard) = heard(|| {
        runner(Route::new(SystemMode::LegacyOnly, Side::Legacy)).run_sync("anna", || Ok(1), || Ok(1)).unwrap();
        let new_only = runner(Route::new(SystemMode::NewOnly, Side::New));
        block_on(new_only.run("anna", ready(Ok(1)), ready(Ok(1)))).unwrap();
    });
    let expected = ["mode=legacy_only runner=search serves=legacy", "mode=new_only runner=search serves=new"];
    let expected = expected.map(|fields| span(&format!("epoch=0 {fields}")));
    assert_eq!(heard.iter().map(shown).collect::<Vec<_>>(), expected);
}

#[test]
fn a_discrepancy_is_an_event_in_the_span_of_its_call() {
    let (runtime, recorder) = (VirtualRuntime::new(), Arc::new(MemoryRecorder::new()));
    let builder = Runner::builder("search", parallel()).comparator(Equality).runtime(runtime.clone());
    let runner = builder.record_to(Arc::clone(&recorder)).build();
    let ((), heard) = heard(|| call_each_way(&runner, &runtime, || Err("new".into())));
    let fingerprint = recorder.discrepancies()[0].fingerprint;
    let fields = "differences=0 epoch=42 fingerprint={} kind=new_failed legacy=ok mode=parallel new=err runner=search \
                  serves=legacy";
    let event = ("discrepancy", Level::WARN, false, fields.replace("{}", &fingerprint.to_string()));
    let call = span("epoch=42 mode=parallel runner=search serves=legacy shadow=new verdict=one_failed");
    let once = [call, event];
    assert_eq!(heard.iter().map(shown).collect::<Vec<_>>(), [once.clone(), once.clone(), once].concat());
    let events = heard.iter().filter(|heard| !heard.is_span);
    assert!(
        events.clone().count() == 3 && events.into_iter().all(|event| event.inside.as_deref() == Some("cutover.call"))
    );
}

#[test]
fn a_discrepancy_is_told_also_where_nobody_records() {
    let ((), heard) = heard(|| drop(runner(parallel()).run_sync("anna", || Ok(1), || Ok(2))));
    assert_eq!(heard.iter().filter(|heard| heard.name == "discrepancy").count(), 1);
    let told = heard.iter().find_map(|heard| heard.fields.get("fingerprint")).unwrap();
    assert!(Fingerprint::try_from(told.clone()).is_ok());
}

#[test]
fn the_sides_run_inside_the_span_of_their_call() {
    let runtime = VirtualRuntime::new();
    let builder = Runner::builder("search", parallel()).comparator(Equality).runtime(runtime.clone());
    let runner = builder.build();
    let side = || {
        tracing::info!("inside a side");
        Ok(1)
    };
    let ((), heard) = heard(|| {
        runner.run_sync("anna", side, side).unwrap();
        runtime.run(runner.run("anna", async { side() }, async { side() })).unwrap();
        runtime.run(runner.run_detached("anna", async move { side() }, async move { side() })).unwrap();
        runtime.run_until_idle();
    });
    let inside: Vec<_> = heard.iter().filter(|heard| !heard.is_span).map(|event| event.inside.as_deref()).collect();
    assert_eq!(inside, [Some("cutover.call"); 6]);
}

#[test]
fn a_skipped_shadow_is_an_event_with_its_reason() {
    let builder = Runner::builder("search", parallel()).comparator(Equality);
    let full = builder.shadow_policy(ShadowPolicy::new().max_in_flight(0)).build();
    let mut unsampled = parallel();
    unsampled.shadow = cutover::Shadow::NotSampled;
    let unsampled = runner(unsampled);
    let ((), heard) = heard(|| {
        full.run_sync("anna", || Ok(1), || Ok(1)).unwrap();
        unsampled.run_sync("anna", || Ok(1), || Ok(1)).unwrap();
    });
    let events: Vec<_> = heard.iter().filter(|heard| !heard.is_span).map(shown).collect();
    let skipped = |reason| {
        let fields = format!("epoch=42 mode=parallel reason={reason} runner=search");
        ("shadow skipped", Level::DEBUG, false, fields)
    };
    assert_eq!(events, [skipped("in_flight"), skipped("not_sampled")]);
}

#[test]
fn a_contained_fault_is_an_event_that_names_the_part() {
    let panics = |_: &u32, _: &u32| -> bool { panic!("the comparator") };
    let runner = Runner::builder("search", parallel()).comparator(panics).build();
    let ((), heard) = heard(|| drop(runner.run_sync("anna", || Ok(1), || Ok(1))));
    let faults: Vec<_> = heard.iter().filter(|heard| !heard.is_span).map(shown).collect();
    let text = "a part failed; the served answer is not affected";
    assert_eq!(faults, [(text, Level::WARN, false, "part=comparator runner=search".to_owned())]);
}

#[test]
fn without_a_subscriber_nothing_is_made() {
    let runner = runner(parallel());
    runner.run_sync("anna", || Ok(1), || Ok(1)).unwrap();
    let mut inside = None;
    let new = || {
        inside = Some(tracing::Span::current().is_none());
        Ok(1)
    };
    let allocated = allocation_counter::measure(|| drop(runner.run_sync("anna", || Ok(1), new)));
    assert_eq!((inside, allocated.count_total), (Some(true), 0));
}
