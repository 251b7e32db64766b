//! Once a call site is warm, a call allocates nothing; a detached one allocates for its shadow's task only.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::ready;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::dual::{Fallback, ShadowPolicy};
use cutover::{
    DualRunner, Equality, FeatureFlag, FlagSet, MemoryStore, MigrationController, Percentage, PerformanceMonitor,
    Route, Router, Runtime, Side, SystemMode,
};
use futures::executor::block_on;
use futures::future::BoxFuture;

const LEGACY_ONLY: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
const NEW_ONLY: Route = Route::new(SystemMode::NewOnly, Side::New);
const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const LIVE: Route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();

type Runner = DualRunner<u64, String>;

fn runner(router: impl Router + 'static) -> Runner {
    DualRunner::builder("price", router).comparator(Equality).build()
}

fn half() -> Percentage {
    Percentage::new(50.0).unwrap()
}

/// A controller that was led to `mode`, half rolled out where that is possible.
fn controller(mode: SystemMode, shadows: Percentage) -> MigrationController {
    block_on(async {
        let controller = MigrationController::open("price", MemoryStore::new()).await.unwrap();
        for mode in [SystemMode::Parallel, mode] {
            controller.transition(mode, "ana", "go").await.unwrap();
        }
        if mode == SystemMode::GradualRollout {
            controller.set_rollout(half(), "ana", "go").await.unwrap();
        }
        controller.set_shadow_share(Some(shadows), "ana", "go").await.unwrap();
        controller
    })
}

/// What `calls` allocates when it is made for the second time.
fn allocations(mut calls: impl FnMut()) -> u64 {
    calls();
    allocation_counter::measure(calls).count_total
}

const KEYS: [&str; 6] = ["", "anna", "berta", "user-17", "user-18", "a key that is a little longer than the others"];

/// Calls each key through `run` and `run_sync`.
fn call(runner: &Runner) {
    for key in KEYS {
        assert_eq!(black_box(block_on(runner.run(key, ready(Ok(7)), ready(Ok(7))))), Ok(7));
        assert_eq!(black_box(runner.run_sync(key, || Ok(7), || Ok(7))), Ok(7));
    }
}

#[test]
fn a_call_of_one_side_allocates_nothing() {
    for route in [LEGACY_ONLY, NEW_ONLY] {
        let runner = runner(route);
        assert_eq!(allocations(|| call(&runner)), 0, "{route:?}");
        assert_eq!(runner.counts().selected, 0);
    }
}

#[test]
fn a_call_that_would_fall_back_allocates_nothing() {
    let builder = Runner::builder("price", NEW_ONLY).comparator(Equality);
    let runner = builder.fallback(Fallback::ToLegacy).build();
    assert_eq!(allocations(|| call(&runner)), 0);
}

#[test]
fn a_call_that_is_not_sampled_allocates_nothing() {
    for share in [Percentage::ZERO, half()] {
        let builder = Runner::builder("price", PARALLEL).comparator(Equality);
        let runner = builder.shadow_policy(ShadowPolicy::new().sample(share)).build();
        assert_eq!(allocations(|| call(&runner)), 0, "{share}");
        assert!(runner.counts().skipped.not_sampled > 0);
    }
}

#[test]
fn a_call_of_both_sides_that_match_allocates_nothing() {
    for route in [PARALLEL, LIVE] {
        let runner = runner(route);
        assert_eq!(allocations(|| call(&runner)), 0, "{route:?}");
        assert_eq!(runner.counts().matched, 4 * KEYS.len() as u64);
    }
}

#[test]
fn a_call_that_a_monitor_hears_allocates_nothing() {
    for (route, first_only) in [(LEGACY_ONLY, false), (NEW_ONLY, true), (PARALLEL, false), (LIVE, true)] {
        let monitor = PerformanceMonitor::builder().first_event_per_key(first_only).build().unwrap();
        let runner = Runner::builder("price", route).comparator(Equality).observe(monitor).build();
        assert_eq!(allocations(|| call(&runner)), 0, "{route:?}");
    }
}

#[test]
fn a_limit_of_shadows_in_flight_costs_no_allocation() {
    let builder = Runner::builder("price", PARALLEL).comparator(Equality);
    let runner = builder.shadow_policy(ShadowPolicy::new().max_in_flight(1)).build();
    assert_eq!(allocations(|| call(&runner)), 0);
}

#[test]
fn a_call_through_a_controller_allocates_nothing() {
    for mode in SystemMode::ALL {
        for shadows in [Percentage::ZERO, half(), Percentage::HUNDRED] {
            let controller = controller(mode, shadows);
            let runner = runner(controller.clone());
            assert_eq!(allocations(|| call(&runner)), 0, "{mode} {shadows}");
            let routes = || assert!(KEYS.iter().all(|key| black_box(controller.route(*key)).mode == mode));
            assert_eq!(allocations(routes), 0, "{mode} {shadows}");
        }
    }
}

#[test]
fn a_call_through_a_flag_allocates_nothing() {
    let flag = FeatureFlag::new("price").rollout(half()).shadow_share(half()).allow(["anna"]).deny(["berta"]);
    let runner = runner(flag.clone());
    assert_eq!(allocations(|| call(&runner)), 0);
    assert_eq!(allocations(|| assert!(flag.is_enabled("anna") && !flag.is_enabled("berta"))), 0);
    let flags: FlagSet = serde_json::from_str(r#"{ "price": { "rollout": 50, "deny": ["anna"] } }"#).unwrap();
    let runner = self::runner(flags.router("price").unwrap());
    assert_eq!(allocations(|| call(&runner)), 0);
}

/// Keeps the tasks that are spawned, in memory that is there already.
#[derive(Debug, Clone)]
struct Keeping(Arc<Mutex<Tasks>>);

struct Tasks(Vec<BoxFuture<'static, ()>>);

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tasks").field(&self.0.len()).finish()
    }
}

impl Keeping {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Tasks(Vec::with_capacity(1_000)))))
    }

    fn run_all(&self) {
        let tasks: Vec<_> = self.0.lock().unwrap().0.drain(..).collect();
        tasks.into_iter().for_each(block_on);
    }
}

impl Runtime for Keeping {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().0.push(task);
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_detached_call_allocates_its_task_and_the_task_nothing() {
    for route in [PARALLEL, LIVE] {
        let runtime = Keeping::new();
        let runner = Runner::builder("price", route).comparator(Equality).runtime(runtime.clone()).build();
        let calls = || {
            for key in KEYS {
                assert_eq!(black_box(block_on(runner.run_detached(key, ready(Ok(7)), ready(Ok(7))))), Ok(7));
            }
        };
        let per_call = allocations(calls) / KEYS.len() as u64;
        assert!((1..=4).contains(&per_call), "{per_call} allocations per call of {route:?}");
        let in_tasks = allocation_counter::measure(|| runtime.run_all()).count_total;
        assert!(in_tasks <= 2, "{in_tasks} allocations of the shadows' tasks"); // the vector of `run_all`
        assert_eq!(runner.counts().matched, 2 * KEYS.len() as u64);
    }
}

#[test]
fn a_detached_call_on_tokio_allocates_at_most_four_times() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let runner = runner(PARALLEL);
    let calls = || {
        tokio.block_on(async {
            for key in KEYS {
                runner.run_detached(key, ready(Ok(7)), ready(Ok(7))).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    };
    let allocated = allocations(calls);
    assert!(allocated <= 4 * KEYS.len() as u64, "{allocated} allocations of {} calls", KEYS.len());
    assert_eq!(runner.counts().matched, 2 * KEYS.len() as u64);
}

#[test]
fn a_detached_call_of_one_side_allocates_nothing() {
    let runner = runner(LEGACY_ONLY);
    let calls = || drop(KEYS.map(|key| block_on(runner.run_detached(key, ready(Ok(7)), ready(Ok(7))))));
    assert_eq!(allocations(calls), 0);
}
