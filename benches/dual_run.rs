//! What a dual run costs, as ratios to floors measured in the same run.
//!
//! Every case is one call, awaited by the same executor (`futures::executor::block_on`), floors included.
#![expect(clippy::unwrap_used, clippy::unused_async, reason = "a bench; its sides stand for async functions")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use cutover::bucket::{BucketHasher, Domain};
use cutover::dual::ShadowPolicy;
use cutover::{DualRunner, Equality, MemoryStore, MigrationController, Percentage, Route, Router, Side, SystemMode};
use futures::executor::block_on;

type Answer = Result<u64, String>;

const KEY: &[u8; 16] = b"0123456789abcdef";
const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

async fn side(value: u64) -> Answer {
    Ok(black_box(value))
}

fn runner(router: impl Router + 'static, policy: ShadowPolicy) -> DualRunner<u64, String> {
    DualRunner::builder("bench", router).comparator(Equality).shadow_policy(policy).build()
}

fn run(runner: &DualRunner<u64, String>) -> Answer {
    block_on(runner.run(black_box(KEY), side(black_box(7)), side(black_box(7))))
}

fn join_and_compare() -> Answer {
    block_on(async {
        let (legacy, new) = futures::join!(side(black_box(7)), side(black_box(7)));
        black_box(legacy == new);
        legacy
    })
}

fn controller(mode: SystemMode) -> MigrationController {
    block_on(async {
        let controller = MigrationController::open("bench", MemoryStore::new()).await.unwrap();
        if mode != SystemMode::LegacyOnly {
            controller.transition(mode, "bench", "measure").await.unwrap();
        }
        if mode == SystemMode::GradualRollout {
            controller.set_rollout(Percentage::new(50.0).unwrap(), "bench", "measure").await.unwrap();
        }
        controller
    })
}

/// The share of keys that one run in a million calls would sample.
fn rare() -> ShadowPolicy {
    ShadowPolicy::new().sample(Percentage::from_ppm(1).unwrap())
}

fn quiet_calls(c: &mut Criterion) {
    let mut group = c.benchmark_group("quiet");
    let hasher = BucketHasher::new("bench", Domain::Rollout);
    group.bench_function("floor_bare_hash", |b| b.iter(|| hasher.bucket(black_box(KEY))));
    group.bench_function("floor_await", |b| b.iter(|| block_on(side(black_box(7)))));
    let legacy_only = runner(controller(SystemMode::LegacyOnly), ShadowPolicy::new());
    group.bench_function("legacy_only", |b| b.iter(|| run(&legacy_only)));
    let not_sampled = runner(PARALLEL, rare());
    group.bench_function("not_sampled", |b| b.iter(|| run(&not_sampled)));
    let gradual = controller(SystemMode::GradualRollout);
    group.bench_function("controller_route", |b| b.iter(|| gradual.route(black_box(KEY))));
    group.finish();
}

fn both_sides(c: &mut Criterion) {
    let mut group = c.benchmark_group("both");
    group.bench_function("floor_join_and_compare", |b| b.iter(join_and_compare));
    let parallel = runner(PARALLEL, ShadowPolicy::new());
    group.bench_function("run_matched", |b| b.iter(|| run(&parallel)));
    group.bench_function("run_sync_matched", |b| {
        b.iter(|| parallel.run_sync(black_box(KEY), || Ok(black_box(7)), || Ok(black_box(7))));
    });
    group.finish();
}

/// Time per call of each thread while two threads call at once.
fn on_two_threads(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    call: Arc<dyn Fn() + Send + Sync>,
) {
    group.bench_function(name, |b| {
        b.iter_custom(|calls| {
            let started = std::time::Duration::ZERO;
            let times: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| time(calls, &*call))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            times.into_iter().fold(started, std::cmp::Ord::max)
        });
    });
}

#[expect(clippy::disallowed_methods, reason = "a bench measures by the machine's own clock")]
fn time(calls: u64, call: &dyn Fn()) -> std::time::Duration {
    let started = std::time::Instant::now();
    (0..calls).for_each(|_| call());
    started.elapsed()
}

fn two_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("two_threads");
    let gradual = controller(SystemMode::GradualRollout);
    let parallel = runner(PARALLEL, ShadowPolicy::new());
    let route: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        black_box(gradual.route(black_box(KEY)));
    });
    let matched: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        black_box(run(&parallel)).ok();
    });
    for (name, call) in [("controller_route", route), ("run_matched", matched)] {
        group.bench_function(format!("{name}_one"), |b| b.iter_custom(|calls| time(calls, &*call)));
        on_two_threads(&mut group, &format!("{name}_two"), call);
    }
    group.finish();
}

fn detached(c: &mut Criterion) {
    let mut group = c.benchmark_group("detached");
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let handle = tokio.handle().clone();
    group.bench_function("floor_await_and_spawn", |b| {
        b.iter(|| {
            let answer = block_on(side(black_box(7)));
            handle.spawn(async { black_box(side(black_box(7)).await).is_ok() });
            answer
        });
    });
    let policy = ShadowPolicy::new().max_in_flight(usize::MAX);
    let detached = DualRunner::<u64, String>::builder("bench", PARALLEL)
        .comparator(Equality)
        .shadow_policy(policy)
        .runtime(cutover::runtime::TokioRuntime::new(tokio.handle().clone()))
        .build();
    group.bench_function("run_detached", |b| {
        b.iter(|| block_on(detached.run_detached(black_box(KEY), side(black_box(7)), side(black_box(7)))));
    });
    group.finish();
}

criterion_group!(benches, quiet_calls, both_sides, two_threads, detached);
criterion_main!(benches);
