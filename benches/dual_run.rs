//! What a dual run costs, as ratios to floors measured in the same run.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use cutover::bucket::{BucketHasher, Domain};
use cutover::dual::ShadowPolicy;
use cutover::{DualRunner, Equality, Percentage, Route, Side, SystemMode};
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join;

type Answer = Result<u64, String>;

fn runner(route: Route) -> DualRunner<u64, String> {
    DualRunner::builder("bench", route).comparator(Equality).build()
}

#[inline(always)]
fn poll_now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => block_on(async { panic!("pending") }),
    }
}

async fn side(value: u64) -> Answer {
    Ok(black_box(value))
}

fn off_path(c: &mut Criterion) {
    let mut group = c.benchmark_group("off_path");
    let hasher = BucketHasher::new("bench", Domain::Rollout);
    let key = *b"0123456789abcdef";
    group.bench_function("bare_hash", |b| b.iter(|| hasher.bucket(black_box(&key))));
    group.bench_function("await_legacy", |b| b.iter(|| poll_now(side(black_box(7)))));
    let legacy_only = runner(Route::new(SystemMode::LegacyOnly, Side::Legacy));
    group.bench_function("legacy_only", |b| {
        b.iter(|| poll_now(legacy_only.run(black_box(&key), side(black_box(7)), side(black_box(7)))));
    });
    let rare = ShadowPolicy::new().sample(Percentage::from_ppm(1).unwrap());
    let not_sampled =
        DualRunner::<u64, String>::builder("bench", Route::new(SystemMode::Parallel, Side::Legacy).with_shadow())
            .comparator(Equality)
            .shadow_policy(rare)
            .build();
    group.bench_function("not_sampled", |b| {
        b.iter(|| poll_now(not_sampled.run(black_box(&key), side(black_box(7)), side(black_box(7)))));
    });
    group.finish();
}

fn parallel(c: &mut Criterion) {
    let mut group = c.benchmark_group("parallel");
    group.bench_function("join_and_compare", |b| {
        b.iter(|| {
            let (a, b) = join(side(black_box(7)), side(black_box(7))).now_or_never().unwrap();
            black_box(a == b);
            a
        });
    });
    let both = runner(Route::new(SystemMode::Parallel, Side::Legacy).with_shadow());
    let key = *b"0123456789abcdef";
    group.bench_function("run", |b| {
        b.iter(|| poll_now(both.run(black_box(&key), side(black_box(7)), side(black_box(7)))));
    });
    group.finish();
}

criterion_group!(benches, off_path, parallel);
criterion_main!(benches);
