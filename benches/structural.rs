//! What `Structural` costs on two equal documents of about 10 kB, beside serialising both to `Value`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use cutover::compare::{By, Comparator, Structural};
use serde::Serialize;

#[derive(Clone, Serialize)]
struct Order {
    id: u64,
    customer: String,
    lines: Vec<Line>,
    took_ms: f64,
}

#[derive(Clone, Serialize)]
struct Line {
    sku: String,
    price: f64,
    quantity: u32,
    tags: Vec<&'static str>,
}

fn order() -> Order {
    let line = |at: u32| Line {
        sku: format!("sku-{at:06}"),
        price: f64::from(at) * 1.25,
        quantity: at % 7,
        tags: vec!["fragile", "gift", "express"],
    };
    Order { id: 17, customer: "Ada Lovelace".to_owned(), lines: (0..120).map(line).collect(), took_ms: 12.5 }
}

fn equal_documents(criterion: &mut Criterion) {
    let (legacy, new) = (order(), order());
    let size = serde_json::to_vec(&legacy).map_or(0, |bytes| bytes.len());
    let mut group = criterion.benchmark_group(format!("equal documents of {size} bytes"));
    group.bench_function("serialise both", |bencher| {
        bencher.iter(|| (serde_json::to_value(black_box(&legacy)), serde_json::to_value(black_box(&new))));
    });
    let comparators = [
        ("no rules", Structural::new()),
        (
            "three rules",
            Structural::new().ignore("/took_ms").tolerance("/lines/*/price", 0.01).ignore("/lines/*/tags/0"),
        ),
        ("unordered by key", Structural::new().unordered("/lines", By::Key("/sku"))),
        ("unordered by value", Structural::new().unordered("/lines", By::Value)),
    ];
    for (name, comparator) in comparators {
        group.bench_function(name, |bencher| {
            bencher.iter(|| comparator.compare(black_box(&legacy), black_box(&new)));
        });
    }
    group.finish();
}

criterion_group!(benches, equal_documents);
criterion_main!(benches);
