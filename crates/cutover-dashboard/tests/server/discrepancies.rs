//! Discrepancies are paged and searched, in memory and in a store.

use std::collections::BTreeSet;
use std::time::Duration;

use cutover::compare::Difference;
use cutover::store::DiscrepancyStore;
use cutover::testing::discrepancy;
use cutover::{Discrepancy, MemoryStore, Recorder};
use cutover_dashboard::{Dashboard, Migration};
use serde_json::{Value, json};

use crate::common::{World, by_header};

/// `number` of them, of which each has been seen another number of times; the one with 3 has values.
fn found(number: u64) -> Vec<Discrepancy> {
    let one = |number| {
        let mut found = discrepancy("search", number);
        found.occurrences = 1 + number * 37 % 11;
        if number == 3 {
            found.differences.push(Difference::new("/total", Some(json!("Straße")), Some(json!(41_999))));
        }
        found
    };
    (1..=number).map(one).collect()
}

/// A dashboard that reads them from memory, and one that reads them from a store.
async fn worlds(number: u64) -> [World; 2] {
    let (memory, other) = (World::new().await, World::new().await);
    for found in found(number) {
        memory.recorder.record(found).unwrap();
    }
    let store = MemoryStore::new();
    store.add(other.search.id(), &found(number)).await.unwrap();
    let migration = Migration::new(&other.search).discrepancy_store(store);
    let router = Dashboard::new(by_header).migration(migration).router().unwrap();
    [memory, World { router, ..other }]
}

async fn page(world: &World, query: &str) -> Value {
    let reply = world.get(&format!("/api/v1/migrations/search/discrepancies?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.body);
    reply.json()
}

fn fingerprints(page: &Value) -> Vec<String> {
    let found = page["discrepancies"].as_array().unwrap().iter();
    found.map(|found| found["fingerprint"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_have_each_discrepancy_once() {
    for world in worlds(450).await {
        for limit in [1, 33, 200] {
            let (mut all, mut after) = (Vec::new(), String::new());
            loop {
                let page = page(&world, &format!("limit={limit}&after={after}")).await;
                let found = fingerprints(&page);
                assert!(found.len() <= limit);
                all.extend(found);
                match page["next"].as_str() {
                    Some(next) => after = next.to_owned(),
                    None => break,
                }
            }
            assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (450, 450), "{limit}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_most_frequent_come_first_on_a_page() {
    for world in worlds(60).await {
        let page = page(&world, "limit=60").await;
        let seen: Vec<_> =
            page["discrepancies"].as_array().unwrap().iter().map(|one| one["occurrences"].as_u64()).collect();
        assert!(seen.is_sorted_by(|one, other| one >= other), "{seen:?}");
        assert_eq!((&page["next"], &page["trouble"], seen.len()), (&json!(null), &json!(null), 60));
    }
}

#[tokio::test(start_paused = true)]
async fn they_are_searched_by_place_value_kind_runner_and_fingerprint() {
    let wanted = found(3).remove(2);
    for world in worlds(30).await {
        let prefix = &wanted.fingerprint.to_string()[..12];
        for query in [
            "q=/total",
            "q=/TOTAL",
            "q=stra%C3%9Fe",
            "q=41999",
            &format!("q={prefix}"),
            "q=%2Ffield-3&kind=values_differ&limit=5",
        ] {
            let found = fingerprints(&page(&world, query).await);
            assert!(found.contains(&wanted.fingerprint.to_string()), "{query}: {found:?}");
        }
        assert_eq!(fingerprints(&page(&world, "q=/total").await).len(), 1);
        assert_eq!(fingerprints(&page(&world, "q=SEARCH&limit=200").await).len(), 30);
        assert_eq!(fingerprints(&page(&world, "kind=values_differ&q=&limit=200").await).len(), 30);
        for query in ["q=nothing-like-that", "kind=panicked"] {
            let page = page(&world, query).await;
            assert_eq!(
                (fingerprints(&page).len(), &page["next"], &page["searched"]),
                (0, &json!(null), &json!(30)),
                "{query}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_is_found_by_its_fingerprint_as_it_was_recorded() {
    let all = found(30);
    for world in worlds(30).await {
        for wanted in &all {
            let reply = world.get(&format!("/api/v1/migrations/search/discrepancies/{}", wanted.fingerprint)).await;
            assert_eq!((reply.status, reply.json()), (200, json!(wanted)));
        }
        let none = world.get("/api/v1/migrations/search/discrepancies/00000000000000000000000000000000").await;
        assert_eq!((none.status, none.problem().as_str()), (404, "not_found"));
    }
}

#[tokio::test(start_paused = true)]
async fn they_are_counted_and_none_are_shown_where_nobody_keeps_them() {
    for world in worlds(30).await {
        tokio::time::sleep(Duration::from_secs(31)).await;
        assert_eq!(world.get("/api/v1/migrations/search").await.json()["discrepancies"], json!(30));
    }
    let world = World::new().await;
    assert_eq!(world.get("/api/v1/migrations/cart").await.json()["discrepancies"], json!(null));
    let reply = world.get("/api/v1/migrations/cart/discrepancies").await;
    assert_eq!((reply.status, reply.problem().as_str()), (404, "not_shown"));
}

#[tokio::test(start_paused = true)]
async fn a_page_after_one_that_is_not_kept_any_more_says_so() {
    let [world, _] = worlds(5).await;
    let after = world.recorder.discrepancies()[0].fingerprint;
    world.recorder.clear();
    world.record_discrepancies(7..9);
    let page = page(&world, &format!("after={after}")).await;
    assert_eq!((fingerprints(&page).len(), &page["next"]), (0, &json!(null)));
    assert!(page["trouble"].as_str().unwrap().contains("Begin with the first page"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_search_looks_at_so_many_of_a_store_at_once_and_goes_on_where_it_stopped() {
    let [_, world] = worlds(2_500).await;
    let (mut found, mut searched, mut after) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = page(&world, &format!("q=/total&after={after}")).await;
        found.extend(fingerprints(&page));
        searched.push(page["searched"].as_u64().unwrap());
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
        assert!(searched.len() < 10, "it goes on: {searched:?}");
    }
    assert_eq!((found.len(), searched), (1, vec![1_000, 1_000, 500]));
}
