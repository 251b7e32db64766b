//! Scans a generated tree of 2,500 source files, and one that takes all languages apart.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cutover_assess::{Language, RuleSet, Scan};

const FILES: usize = 2_500;
const RULES: &str = include_str!("../examples/rules/python_llm.toml");

/// About 8 KB a file; one in ten has places.
fn text(file: usize) -> String {
    let body = "def total(items, *, tax=0.2):\n    \"\"\"Adds up.\"\"\"\n    return sum(i.price for i in items) * (1 + tax)  # 'net'\n";
    let place = if file.is_multiple_of(10) { "chain = LLMChain(llm=llm, prompt=prompt)\n" } else { "" };
    format!("# {file}\n{}{place}{}", body.repeat(35), body.repeat(35))
}

fn write_tree(root: &Path) -> u64 {
    let mut bytes = 0;
    for file in 0..FILES {
        let folder = root.join(format!("package{}/module{}", file % 25, file % 7));
        fs::create_dir_all(&folder).unwrap();
        let text = text(file);
        bytes += text.len() as u64;
        fs::write(folder.join(format!("f{file}.py")), text).unwrap();
    }
    bytes
}

fn scans(criterion: &mut Criterion) {
    let tree = tempfile::tempdir().unwrap();
    let bytes = write_tree(tree.path());
    let rules: RuleSet = toml::from_str(RULES).unwrap();
    let mut group = criterion.benchmark_group("scan of 2,500 files");
    group.sample_size(20).throughput(Throughput::ElementsAndBytes { elements: FILES as u64, bytes });
    for threads in [1, 2] {
        let scan = Scan::new(rules.clone()).threads(threads);
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter(|| assert_eq!(scan.run(tree.path()).unwrap().findings().len(), FILES / 10));
        });
    }
    group.finish();
}

fn lexers(criterion: &mut Criterion) {
    let source = text(0).into_bytes();
    let mut group = criterion.benchmark_group("segments");
    group.throughput(Throughput::Bytes(source.len() as u64));
    for language in [Language::Python, Language::Rust, Language::JavaScript, Language::C] {
        group.bench_function(format!("{language:?}"), |bencher| bencher.iter(|| language.segments(black_box(&source))));
    }
    group.finish();
}

criterion_group!(benches, scans, lexers);
criterion_main!(benches);
