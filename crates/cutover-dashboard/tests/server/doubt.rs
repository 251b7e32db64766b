//! Where the store lost records, nothing exposes more to new before somebody has settled what holds.

use std::sync::{Arc, Mutex};

use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::{MemoryStore, MigrationController, StateStore, StoreError, SystemMode};
use cutover_dashboard::{Dashboard, Migration};
use serde_json::json;

use crate::common::{TestRuntime, World, by_header};

/// A store that can be flushed, and that is exchanged by the next ones, the last of them first, one after each reading.
#[derive(Clone, Default)]
struct Flushed(Arc<Mutex<MemoryStore>>, Arc<Mutex<Vec<MemoryStore>>>);

impl Flushed {
    fn store(&self) -> MemoryStore {
        self.0.lock().unwrap().clone()
    }

    fn flush(&self) {
        *self.0.lock().unwrap() = MemoryStore::new();
    }
}

#[async_trait]
impl StateStore for Flushed {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        let read = self.store().load(id).await;
        if let Some(next) = self.1.lock().unwrap().pop() {
            *self.0.lock().unwrap() = next;
        }
        read
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.store().compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.store().history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

/// `search` in parallel, whose store has been flushed since.
async fn in_doubt() -> World {
    let store = Flushed::default();
    let builder = MigrationController::builder("search", store.clone()).runtime(TestRuntime).manual_refresh();
    let search = builder.open().await.unwrap();
    search.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    store.flush();
    search.refresh().await.unwrap();
    assert!(search.status().doubt.is_some());
    let router = Dashboard::new(by_header).migration(Migration::new(&search)).router().unwrap();
    World { search, router, ..World::new().await }
}

#[tokio::test(start_paused = true)]
async fn it_is_shown_as_an_alarm_and_what_exposes_more_is_no_choice() {
    let world = in_doubt().await;
    let view = world.get_as("override", "/api/v1/migrations/search").await.json();
    assert_eq!(
        (&view["status"]["doubt"]["kind"], &view["attention"][0]["severity"]),
        (&json!("state_lost"), &json!("alarm"))
    );
    let refused = |mode: &str| {
        let choice = view["choices"].as_array().unwrap().iter().find(|choice| choice["mode"] == mode).unwrap();
        choice["refused"].as_str().map(ToOwned::to_owned)
    };
    for mode in ["gradual_rollout", "new_only"] {
        assert!(refused(mode).unwrap().contains("Reconcile before"), "{mode}: {:?}", refused(mode));
    }
    assert_eq!((refused("legacy_only"), refused("emergency_rollback")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_exposes_more_is_refused_with_the_doubt() {
    let world = in_doubt().await;
    let reply = world.command("operate", "mode", &json!({ "mode": "gradual_rollout" })).await;
    assert_eq!((reply.status, reply.problem().as_str()), (409, "doubt"), "{}", reply.body);
    assert_eq!(reply.json()["doubt"], json!(world.search.status().doubt));
    assert_eq!(world.search.mode(), SystemMode::Parallel);
}

#[tokio::test(start_paused = true)]
async fn it_is_settled_by_somebody_who_may_and_types_the_name() {
    let world = in_doubt().await;
    assert_eq!(world.command("operate", "reconcile", &json!({})).await.problem(), "role");
    assert_eq!(world.command("override", "reconcile", &json!({ "confirm": "cart" })).await.problem(), "confirmation");
    assert!(world.search.status().doubt.is_some());
    let settled = world.command("override", "reconcile", &json!({})).await;
    assert_eq!((settled.status, settled.json()["stored"].as_bool()), (200, Some(true)), "{}", settled.body);
    assert_eq!((world.search.status().doubt, world.search.mode()), (None, SystemMode::Parallel));
    let again = world.command("override", "reconcile", &json!({})).await;
    assert_eq!((again.status, again.json()["stored"].as_bool()), (200, Some(false)), "{}", again.body);
}

#[tokio::test(start_paused = true)]
async fn what_others_settle_while_one_is_about_to_is_not_settled_again() {
    let (store, elsewhere) = (Flushed::default(), Flushed::default());
    let open =
        |store: Flushed| MigrationController::builder("search", store).runtime(TestRuntime).manual_refresh().open();
    let search = open(store.clone()).await.unwrap();
    search.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    *elsewhere.0.lock().unwrap() = store.store();
    let other = open(elsewhere.clone()).await.unwrap();
    for store in [&store, &elsewhere] {
        store.flush();
    }
    search.refresh().await.unwrap();
    other.refresh().await.unwrap();
    other.reconcile("ben", "the cache was flushed").await.unwrap();
    let router = Dashboard::new(by_header).migration(Migration::new(&search)).router().unwrap();
    let world = World { search, router, ..World::new().await };
    // That shows only after the next reading.
    store.1.lock().unwrap().push(elsewhere.store());
    let reply = world.command("override", "reconcile", &json!({})).await;
    assert_eq!((reply.status, reply.problem().as_str()), (409, "outdated"), "{}", reply.body);
    let audit = world.search.history(0, 9).await.unwrap();
    assert_eq!(audit.iter().map(|entry| entry.actor.as_str()).collect::<Vec<_>>(), ["ben"]);
}

#[tokio::test(start_paused = true)]
async fn an_emergency_does_not_wait_for_that() {
    let world = in_doubt().await;
    let reply = world.post("operate", "/api/v1/migrations/search/emergency", &json!({})).await;
    assert_eq!((reply.status, world.search.mode()), (200, SystemMode::EmergencyRollback), "{}", reply.body);
}

#[tokio::test(start_paused = true)]
async fn an_audit_that_was_lost_is_empty_and_not_called_intact() {
    let world = in_doubt().await;
    let page = world.get("/api/v1/migrations/search/audit?limit=1&verify=1").await.json();
    assert_eq!(
        (page["entries"].as_array().map(Vec::len), &page["verification"]["intact"]),
        (Some(0), &json!(false)),
        "{page}"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_store_that_went_back_the_newest_entries_that_it_has_are_shown() {
    let changes = |store: Flushed, number: u32| async move {
        let builder = MigrationController::builder("search", store).runtime(TestRuntime).manual_refresh();
        let search = builder.open().await.unwrap();
        for change in 0..number {
            let to = if change % 2 == 0 { SystemMode::Parallel } else { SystemMode::LegacyOnly };
            search.transition(to, "ana", "on and off").await.unwrap();
        }
        search
    };
    let (store, older) = (Flushed::default(), Flushed::default());
    let search = changes(store.clone(), 18).await;
    changes(older.clone(), 5).await;
    *store.0.lock().unwrap() = older.store();
    let router = Dashboard::new(by_header).migration(Migration::new(&search)).router().unwrap();
    let world = World { search, router, ..World::new().await };
    let (mut epochs, mut before) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/api/v1/migrations/search/audit?limit=2&before={before}")).await.json();
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() <= 2, "{page}");
        epochs.extend(entries.iter().map(|entry| entry["epoch"].as_u64().unwrap()));
        match page["next"].as_u64() {
            Some(next) => before = next.to_string(),
            None => break,
        }
    }
    assert_eq!(epochs, [5, 4, 3, 2, 1]);
    assert_eq!(world.search.status().doubt.map(|doubt| json!(doubt)["kind"].clone()), Some(json!("state_regressed")));
}
