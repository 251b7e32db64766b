//! Promise: asking the kept provider allocates nothing, and what an evaluation through `OpenFeature` allocates stands in README.md.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::hint::black_box;

use common::{client_of, context, flags, gradual};
use cutover::MigrationRegistry;
use cutover_openfeature::CutoverProvider;
use futures::FutureExt;
use futures::executor::block_on;
use open_feature::Client;
use open_feature::provider::FeatureProvider;

const KEY: &str = "user-00000012345";
const TIMES: u64 = 100;

/// Allocations of one run, after a first one that may fill caches.
fn count(run: impl Fn()) -> u64 {
    run();
    let counted = allocation_counter::measure(|| (0..TIMES).for_each(|_| run()));
    assert_eq!(counted.count_total % TIMES, 0, "every run costs the same");
    counted.count_total / TIMES
}

fn provider(with_metadata: bool) -> CutoverProvider {
    let search = block_on(gradual("search", 25.0));
    let builder = CutoverProvider::builder().flags(flags(r#"{ "half": 50 }"#)).migration(search);
    if with_metadata { builder.build().unwrap() } else { builder.without_metadata().build().unwrap() }
}

#[test]
fn asking_the_kept_provider_allocates_nothing() {
    let provider = provider(true);
    for name in ["half", "search"] {
        assert_eq!(count(|| _ = black_box(provider.boolean(name, Some(KEY), false))), 0, "{name}");
        assert_eq!(count(|| _ = black_box(provider.resolve(name, Some(KEY)).unwrap())), 0, "{name}");
    }
}

#[test]
fn a_migration_in_a_registry_costs_the_reading_of_its_id() {
    let registry = MigrationRegistry::new();
    registry.register(block_on(gradual("search", 25.0)), &[]).unwrap();
    let provider = CutoverProvider::builder().registry(registry).build().unwrap();
    assert_eq!(count(|| _ = black_box(provider.resolve("search", Some(KEY)).unwrap())), 1);
}

#[test]
fn an_evaluation_allocates_what_the_readme_says() {
    let constant = count_client(&block_on(client_of(common::Constant::default())), "half");
    assert_eq!(constant, 7);
    for (name, with_metadata, expected) in
        [("half", false, 2), ("half", true, 20), ("search", false, 2), ("search", true, 26)]
    {
        let client = block_on(client_of(provider(with_metadata)));
        let more = count_client(&client, name) - constant;
        assert_eq!(more, expected, "{name}, metadata {with_metadata}");
    }
}

fn count_client(client: &Client, name: &str) -> u64 {
    let context = context(KEY);
    count(|| drop(black_box(client.get_bool_details(name, Some(&context), None).now_or_never().unwrap())))
}

#[test]
fn a_provider_by_itself_allocates_its_future_and_the_variant() {
    let (provider, context) = (provider(false), context(KEY));
    let ask = || drop(black_box(provider.resolve_bool_value("half", &context).now_or_never().unwrap()));
    assert_eq!(count(ask), 2);
}
