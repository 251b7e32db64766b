//! What asking a flag costs, next to a bare SipHash-1-3 of the same key.
#![expect(clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use cutover::{FeatureFlag, FlagConfig, FlagSet, Percentage, Router};
use siphasher::sip::SipHasher13;

criterion_group!(benches, flags);
criterion_main!(benches);

fn flags(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flags");

    let hasher = SipHasher13::new_with_keys(17, 42);
    group.bench_function("bare_hash", |b| b.iter(|| hasher.hash(black_box(KEY).as_bytes())));

    let flag = FeatureFlag::new("new-search").rollout("25%".parse().unwrap());
    group.bench_function("is_enabled", |b| b.iter(|| flag.is_enabled(black_box(KEY))));
    group.bench_function("decide", |b| b.iter(|| flag.decide(black_box(KEY))));
    group.bench_function("route", |b| b.iter(|| flag.route(black_box(KEY).into())));
    let listed = flag.allow(["tester-1", "tester-2"]);
    group.bench_function("is_enabled_with_list", |b| b.iter(|| listed.is_enabled(black_box(KEY))));

    for count in [10, 10_000] {
        let set = set_of(count);
        let name = format!("new-search-{}", count / 2);
        group
            .bench_function(format!("set_of_{count}"), |b| b.iter(|| set.is_enabled(black_box(&name), black_box(KEY))));
    }
    group.finish();
}

fn set_of(count: usize) -> FlagSet {
    let share = Percentage::new(25.0).unwrap();
    let config =
        (0..count).try_fold(FlagConfig::new(), |config, n| config.with_rollout(&format!("new-search-{n}"), share));
    FlagSet::new(config.unwrap()).unwrap()
}

const KEY: &str = "user-00000012345";
