//! What a dual run costs, as ratios to floors measured in the same run.
//!
//! Every case is one call, awaited by the same executor (`futures::executor::block_on`), floors included.
#![expect(
    clippy::unwrap_used,
    clippy::unused_async,
    clippy::cast_precision_loss,
    reason = "a bench; its sides stand for async functions"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use cutover::bucket::{BucketHasher, Domain};
use cutover::dual::ShadowPolicy;
use cutover::runtime::TokioRuntime;
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
    group.bench_function("run_sync_legacy_only", |b| {
        b.iter(|| legacy_only.run_sync(black_box(KEY), || Ok(black_box(7)), || Ok(black_box(7))));
    });
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
fn on_two_threads(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, call: &(dyn Fn() + Sync)) {
    group.bench_function(name, |b| {
        b.iter_custom(|calls| {
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| time(calls, call))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap_or_default()
            })
        });
    });
}

#[expect(clippy::disallowed_methods, reason = "a bench measures by the machine's own clock")]
fn time(calls: u64, call: &dyn Fn()) -> Duration {
    let started = std::time::Instant::now();
    (0..calls).for_each(|_| call());
    started.elapsed()
}

fn two_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("two_threads");
    let gradual = controller(SystemMode::GradualRollout);
    let parallel = runner(PARALLEL, ShadowPolicy::new());
    let route = || {
        black_box(gradual.route(black_box(KEY)));
    };
    let matched = || {
        black_box(run(&parallel)).ok();
    };
    let cases: [(&str, &(dyn Fn() + Sync)); 2] = [("controller_route", &route), ("run_matched", &matched)];
    for (name, call) in cases {
        group.bench_function(format!("{name}_one"), |b| b.iter_custom(|calls| time(calls, call)));
        on_two_threads(&mut group, &format!("{name}_two"), call);
    }
    group.finish();
}

/// Time that the caller spends, in batches on a runtime of one thread, so that no other thread is woken on the way. What
/// was spawned runs between the batches, and is not timed.
async fn time_batches<F: Future>(calls: u64, call: impl Fn() -> F) -> Duration {
    let batches = calls.div_ceil(BATCH);
    let mut timed = Duration::ZERO;
    for _ in 0..batches {
        timed += time_batch(&call).await;
        for _ in 0..BATCH {
            tokio::task::yield_now().await;
        }
    }
    timed.mul_f64(calls as f64 / (batches * BATCH) as f64)
}

#[expect(clippy::disallowed_methods, reason = "a bench measures by the machine's own clock")]
async fn time_batch<F: Future>(call: &impl Fn() -> F) -> Duration {
    let started = std::time::Instant::now();
    for _ in 0..BATCH {
        black_box(call().await);
    }
    started.elapsed()
}

const BATCH: u64 = 64;

fn detached(c: &mut Criterion) {
    let mut group = c.benchmark_group("detached");
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let spawn = || async {
        let answer = side(black_box(7)).await;
        tokio::spawn(async { black_box(side(black_box(7)).await) });
        answer
    };
    group.bench_function("floor_await_and_spawn", |b| {
        b.iter_custom(|calls| tokio.block_on(time_batches(calls, spawn)));
    });
    let detached = DualRunner::<u64, String>::builder("bench", PARALLEL)
        .comparator(Equality)
        .runtime(TokioRuntime::new(tokio.handle().clone()))
        .build();
    let call = || detached.run_detached(black_box(KEY), side(black_box(7)), side(black_box(7)));
    group.bench_function("run_detached", |b| {
        b.iter_custom(|calls| tokio.block_on(time_batches(calls, call)));
    });
    assert_eq!(detached.counts().in_flight(), 0, "every shadow has ended between the batches");
    group.finish();
}

criterion_group!(benches, quiet_calls, both_sides, two_threads, detached);
criterion_main!(benches);
