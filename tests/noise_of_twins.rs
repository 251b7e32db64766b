//! With a second run of legacy, what differs between legacy and legacy is not reported, and what new adds is.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::type_complexity, reason = "a test")]

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use cutover::compare::{Comparison, Difference};
use cutover::random::RandomSource;
use cutover::record::MemoryRecorder;
use cutover::testing::{SeededRandom, VirtualRuntime};
use cutover::{Clock, DualRunner, Route, Side, Structural, SystemMode};
use futures::executor::block_on;
use serde_json::{Value, json};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const LIVE: Route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();

type Runner = DualRunner<Value, String>;

fn recorded(route: Route) -> (Runner, Arc<MemoryRecorder>) {
    let recorder = Arc::new(MemoryRecorder::new());
    let builder = Runner::builder("search", route).comparator(Structural::new());
    (builder.record_to(Arc::clone(&recorder)).build(), recorder)
}

/// The served answer of a call with a twin.
fn call(runner: &Runner, [legacy, twin, new]: [Value; 3]) -> Value {
    let call = runner.call("anna").twin(ready(Ok(twin)));
    block_on(call.run(ready(Ok(legacy)), ready(Ok(new)))).unwrap()
}

/// Answers whose time differs each time it is asked for.
fn noisy(tick: u64, legacy_total: u64, new_total: u64) -> [Value; 3] {
    [(0, legacy_total), (1, legacy_total), (2, new_total)]
        .map(|(n, total)| json!({ "now": 3 * tick + n, "total": total }))
}

#[test]
fn what_legacy_does_to_itself_is_not_reported() {
    for route in [PARALLEL, LIVE] {
        let (runner, recorder) = recorded(route);
        (0..50).for_each(|tick| drop(call(&runner, noisy(tick, 7, 7))));
        assert_eq!((runner.counts().ignored, recorder.len()), (50, 0));
        let report = runner.noise().report();
        assert_eq!((report.calls, report.paths[0].path.as_str(), report.paths[0].both), (50, "/now", 50));
    }
}

#[test]
fn what_new_adds_is_reported_and_only_that() {
    for (route, served) in [(PARALLEL, 7), (LIVE, 8)] {
        let (runner, recorder) = recorded(route);
        (0..50).for_each(|tick| drop(call(&runner, noisy(tick, 7, 7))));
        assert_eq!(call(&runner, noisy(50, 7, 8))["total"], served);
        let found = recorder.discrepancies().remove(0);
        let paths: Vec<_> = found.differences.iter().map(|difference| difference.path.as_str()).collect();
        assert_eq!((runner.counts().mismatched, paths), (1, vec!["/total"]));
    }
}

#[test]
fn what_new_adds_is_reported_in_the_first_call_already() {
    let (runner, recorder) = recorded(PARALLEL);
    call(&runner, noisy(0, 7, 8));
    assert_eq!(
        recorder.discrepancies()[0].differences,
        [Difference::new("/total", Some(json!(0)), Some(json!(0)))].map(bare)
    );
}

fn bare(mut difference: Difference) -> Difference {
    (difference.legacy, difference.new) = (None, None);
    difference
}

/// A field that differs between legacy and legacy in three of four calls, and between legacy and new always.
#[test]
fn new_is_caught_also_at_a_very_noisy_field() {
    let (runner, _) = recorded(PARALLEL);
    for tick in 0..200_u64 {
        let noise = u64::from(tick % 4 != 0);
        call(&runner, [0, noise, 2].map(|note| json!({ "note": note })));
    }
    let counts = runner.counts();
    assert!(counts.mismatched > 50 && counts.ignored > 0, "{counts:?}");
    assert!(!runner.noise().report().paths[0].held_back);
}

#[test]
fn equal_noise_of_any_rate_is_hardly_ever_reported() {
    for (seed, rate) in [(1, 30), (2, 50), (3, 67), (4, 95)] {
        let (runner, _) = recorded(PARALLEL);
        let random = SeededRandom::new(seed);
        let note = || json!({ "note": if random.next_u64() % 100 < rate { random.next_u64() } else { 0 } });
        (0..1_000).for_each(|_| drop(call(&runner, [note(), note(), note()])));
        assert!(runner.counts().mismatched <= 5, "{rate} %: {:?}", runner.counts());
    }
}

#[test]
fn without_a_twin_learnt_noise_is_held_back() {
    let (runner, recorder) = recorded(PARALLEL);
    call(&runner, noisy(0, 7, 7));
    let [legacy, _, new] = noisy(1, 7, 7);
    runner.run_sync("anna", || Ok(legacy.clone()), || Ok(new.clone())).unwrap();
    block_on(runner.run("anna", ready(Ok(legacy.clone())), ready(Ok(new)))).unwrap();
    assert_eq!((runner.counts().ignored, recorder.len()), (3, 0));
    assert_eq!(runner.noise().report().calls, 1);
    let [.., wrong] = noisy(2, 7, 8);
    runner.run_sync("anna", || Ok(legacy), || Ok(wrong)).unwrap();
    assert_eq!(recorder.discrepancies()[0].differences.len(), 1);
}

#[test]
fn a_twin_that_fails_or_hangs_changes_neither_answer_nor_verdict() {
    let twins: [fn() -> Result<Value, String>; 3] =
        [|| Err("twin".into()), || panic!("twin"), || Ok(json!({ "total": 7 }))];
    let sides: [(fn() -> Result<Value, String>, fn() -> Result<Value, String>); 4] = [
        (|| Ok(json!({ "total": 7 })), || Ok(json!({ "total": 8 }))),
        (|| Ok(json!({ "total": 7 })), || Ok(json!({ "total": 7 }))),
        (|| Ok(json!({ "total": 7 })), || panic!("new")),
        (|| Err("legacy".into()), || Ok(json!(1))),
    ];
    for (legacy, new) in sides {
        let (alone, _) = recorded(PARALLEL);
        let answer = alone.run_sync("anna", legacy, new);
        for twin in twins {
            let (runner, _) = recorded(PARALLEL);
            let call = runner.call("anna").twin(async { twin() });
            assert_eq!(block_on(call.run(async { legacy() }, async { new() })), answer);
            assert_eq!(verdicts(&runner), verdicts(&alone));
        }
        let runtime = VirtualRuntime::new();
        let builder = Runner::builder("search", PARALLEL).comparator(Structural::new());
        let runner = builder.runtime(runtime.clone()).clock(runtime.clock()).build();
        let call = runner.call("anna").twin(pending());
        assert_eq!(runtime.run(call.run(async { legacy() }, async { new() })), answer);
        assert_eq!(verdicts(&runner), verdicts(&alone));
        assert!(runtime.clock().now().as_nanos() <= 100_000_000);
    }
}

fn verdicts(runner: &Runner) -> [u64; 8] {
    cutover::Verdict::ALL.map(|verdict| runner.counts().of(verdict))
}

#[test]
fn a_comparison_with_the_twin_that_fails_is_a_fault_and_not_a_verdict() {
    let comparator = |legacy: &u32, other: &u32| -> Result<Comparison, String> {
        if *other == 99 { Err("cannot compare".into()) } else { Ok((legacy == other).into()) }
    };
    let runner = DualRunner::<u32, String>::builder("search", PARALLEL).comparator(comparator).build();
    block_on(runner.call("anna").twin(ready(Ok(99))).run(ready(Ok(1)), ready(Ok(2)))).unwrap();
    assert_eq!((runner.counts().mismatched, runner.counts().faults.comparator), (1, 1));
}

#[test]
fn a_comparator_without_paths_learns_that_legacy_is_noisy_as_a_whole() {
    let runner = DualRunner::<u32, String>::builder("search", PARALLEL).comparator(cutover::Equality).build();
    let call = |twin| block_on(runner.call("anna").twin(ready(Ok(twin))).run(ready(Ok(1)), ready(Ok(2)))).unwrap();
    call(1);
    call(3);
    assert_eq!((runner.counts().mismatched, runner.counts().ignored), (1, 1));
}

#[test]
fn a_twin_runs_only_beside_a_shadow_and_only_in_run() {
    let twin = || async { panic!("the twin was polled") };
    let runtime = VirtualRuntime::new();
    for route in [Route::new(SystemMode::LegacyOnly, Side::Legacy), Route::new(SystemMode::NewOnly, Side::New)] {
        let (runner, _) = recorded(route);
        block_on(runner.call("anna").twin(twin()).run(ready(Ok(json!(1))), ready(Ok(json!(1))))).unwrap();
    }
    let builder = Runner::builder("search", PARALLEL).comparator(Structural::new()).runtime(runtime.clone());
    let runner = builder.build();
    runner.call("anna").twin(twin()).run_sync(|| Ok(json!(1)), || Ok(json!(1))).unwrap();
    block_on(runner.call("anna").twin(twin()).run_detached(ready(Ok(json!(1))), ready(Ok(json!(1))))).unwrap();
    assert!(runtime.settle(Duration::from_secs(1)));
    assert_eq!((runner.counts().matched, runtime.panicked_tasks()), (2, 0));
}
