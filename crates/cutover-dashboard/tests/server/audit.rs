//! The audit is shown page by page, newest first, and an entry that was tampered with is named.

use std::time::Duration;

use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::testing::Fault;
use cutover::{MemoryStore, MigrationController, Percentage, StateStore, StoreError, SystemMode};
use cutover_dashboard::{Dashboard, Migration};
use serde_json::{Value, json};

use crate::common::{TestRuntime, World, by_header};

async fn with_entries(controller: &MigrationController, number: u32) {
    controller.transition(SystemMode::GradualRollout, "ana", "begin").await.unwrap();
    for share in 1..number {
        let share = Percentage::new(f64::from(share) / 4.0).unwrap();
        controller.set_rollout(share, "ana", "more").await.unwrap();
    }
}

fn epochs(page: &Value) -> Vec<u64> {
    page["entries"].as_array().unwrap().iter().map(|entry| entry["epoch"].as_u64().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_go_from_the_newest_to_the_oldest_and_have_each_entry_once() {
    let world = World::new().await;
    with_entries(&world.search, 250).await;
    for limit in [1, 7, 50, 200] {
        let (mut all, mut before) = (Vec::new(), String::new());
        loop {
            let page =
                world.get(&format!("/api/v1/migrations/search/audit?limit={limit}&before={before}")).await.json();
            assert!(epochs(&page).len() <= limit, "{limit}");
            all.extend(epochs(&page));
            match page["next"].as_u64() {
                Some(next) => before = next.to_string(),
                None => break,
            }
        }
        assert_eq!(all, (1..=250).rev().collect::<Vec<_>>(), "{limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_the_api_is_the_entry_of_the_store() {
    let world = World::new().await;
    with_entries(&world.search, 3).await;
    let page = world.get("/api/v1/migrations/search/audit").await.json();
    let mut entries = world.search.history(0, 200).await.unwrap();
    entries.reverse();
    assert_eq!(page["entries"], json!(entries));
    assert_eq!((&page["id"], &page["verification"]), (&json!("search"), &json!(null)));
}

#[tokio::test(start_paused = true)]
async fn what_others_wrote_that_this_process_has_not_heard_of_is_there_too() {
    let store = MemoryStore::new();
    let open = || MigrationController::builder("search", store.clone()).runtime(TestRuntime).manual_refresh().open();
    let (here, there) = (open().await.unwrap(), open().await.unwrap());
    with_entries(&there, 220).await;
    assert_eq!(here.status().epoch, 0);
    let router = Dashboard::new(by_header).migration(Migration::new(&here)).router().unwrap();
    let world = World { router, ..World::new().await };
    let page = world.get("/api/v1/migrations/search/audit?limit=3").await.json();
    assert_eq!((epochs(&page), &page["next"]), (vec![220, 219, 218], &json!(218)));
}

#[tokio::test(start_paused = true)]
async fn an_audit_without_entries_is_empty_and_intact() {
    let world = World::new().await;
    let page = world.get("/api/v1/migrations/search/audit?verify=1").await.json();
    assert_eq!((epochs(&page).len(), &page["next"], &page["verification"]["intact"]), (0, &json!(null), &json!(true)));
}

#[tokio::test(start_paused = true)]
async fn an_audit_as_it_was_written_is_intact_and_names_its_head() {
    let world = World::new().await;
    with_entries(&world.search, 5).await;
    let page = world.get("/api/v1/migrations/search/audit?verify=1&limit=2").await.json();
    let head = world.search.verify().await.unwrap();
    assert_eq!(page["verification"]["intact"], json!(true), "{page}");
    assert_eq!(page["verification"]["head"], json!(head.hash.to_string()));
    assert!(page["verification"]["finding"].as_str().unwrap().contains("from 1 to 5"), "{page}");
}

/// A store in which somebody has rewritten the reason of entry 3.
struct Tampered(MemoryStore);

#[async_trait]
impl StateStore for Tampered {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.0.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.0.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let mut entries = self.0.history(id, after, limit).await?;
        for entry in entries.iter_mut().filter(|entry| entry.epoch == 3) {
            entry.reason = "it was ben".parse().unwrap();
        }
        Ok(entries)
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        self.0.watch(id).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_was_tampered_with_is_named() {
    let store = Tampered(MemoryStore::new());
    let search = MigrationController::builder("search", store).runtime(TestRuntime).open().await.unwrap();
    with_entries(&search, 5).await;
    let router = Dashboard::new(by_header).migration(Migration::new(&search)).router().unwrap();
    let world = World { router, ..World::new().await };
    let page = world.get("/api/v1/migrations/search/audit?verify=1").await.json();
    assert_eq!(
        (&page["verification"]["intact"], &page["verification"]["head"]),
        (&json!(false), &json!(null)),
        "{page}"
    );
    assert!(page["verification"]["finding"].as_str().unwrap().contains("entry 3"), "{page}");
    assert_eq!(epochs(&page).len(), 5, "it is shown all the same");
}

#[tokio::test(start_paused = true)]
async fn at_most_four_audits_are_read_as_a_whole_at_once() {
    let world = World::new().await;
    with_entries(&world.search, 3).await;
    world.store.set_standing(Some(Fault::Delay(Duration::from_millis(100))));
    let path = "/api/v1/migrations/search/audit?verify=1";
    let replies = futures::future::join_all((0..6).map(|_| world.get(path))).await;
    let verified = replies.iter().filter(|reply| reply.json()["verification"]["intact"] == true).count();
    let busy = replies.iter().filter(|reply| reply.body.contains("being verified for others")).count();
    assert_eq!((verified, busy), (4, 2));
    assert_eq!(world.get(path).await.json()["verification"]["intact"], json!(true), "there is room again");
}
