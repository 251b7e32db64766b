//! What an evaluation costs: by the core, by the kept provider, and through a client of `OpenFeature`, next to a constant provider.
#![expect(clippy::unwrap_used, reason = "a bench")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use common::{Constant, client_of, context, flags, gradual};
use criterion::{Criterion, criterion_group, criterion_main};
use cutover::MigrationRegistry;
use cutover_openfeature::CutoverProvider;
use futures::FutureExt;
use futures::executor::block_on;
use open_feature::Client;

criterion_group!(benches, evaluation);
criterion_main!(benches);

const KEY: &str = "user-00000012345";

fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evaluation");
    let flags = flags(r#"{ "half": 50 }"#);
    let search = block_on(gradual("search", 50.0));
    let registry = MigrationRegistry::new();
    registry.register(block_on(gradual("registered", 50.0)), &[]).unwrap();
    let builder =
        || CutoverProvider::builder().flags(flags.clone()).migration(search.clone()).registry(registry.clone());
    let provider = builder().build().unwrap();

    group.bench_function("core/flag", |b| b.iter(|| flags.is_enabled(black_box("half"), black_box(KEY))));
    group.bench_function("core/migration", |b| b.iter(|| search.route(black_box(KEY))));
    group.bench_function("core/migration_decide", |b| b.iter(|| search.decide(black_box(KEY))));
    let small = CutoverProvider::builder().flags(flags.clone()).build().unwrap();
    group.bench_function("kept/flag", |b| b.iter(|| small.boolean(black_box("half"), Some(black_box(KEY)), false)));
    for name in ["search", "registered"] {
        group
            .bench_function(format!("kept/{name}"), |b| b.iter(|| provider.boolean(black_box(name), Some(KEY), false)));
    }
    let constant = block_on(client_of(Constant::default()));
    group.bench_function("client/constant", |b| b.iter(|| ask(&constant, "half")));
    for (label, provider) in [("bare", builder().without_metadata().build().unwrap()), ("full", provider)] {
        let client = block_on(client_of(provider.clone()));
        for name in ["half", "search"] {
            group.bench_function(format!("client/{name}_{label}"), |b| b.iter(|| ask(&client, name)));
        }
    }
    group.finish();
}

fn ask(client: &Client, name: &str) -> bool {
    let context = context(KEY);
    client.get_bool_details(name, Some(&context), None).now_or_never().unwrap().unwrap().value
}
