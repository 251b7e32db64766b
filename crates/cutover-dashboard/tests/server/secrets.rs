//! What was captured, and what a store says about itself, is in no refusal and in no log.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use cutover::record::Fingerprint;
use cutover::store::{Added, AuditEntry, Change, DiscrepancyStore, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::{Discrepancy, MemoryStore, MigrationController, StateStore, StoreError};
use cutover_dashboard::{Dashboard, Migration};
use http::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::common::{READ, TestRuntime, World, api, by_header, commands, somebody};

const CANARY: &str = "canary-5f3a";

fn broken<T>() -> Result<T, StoreError> {
    Err(StoreError::unavailable(format!("postgres://admin:{CANARY}@db/cutover refused")))
}

/// A store that opens, and then tells its password with every answer.
#[derive(Clone, Default)]
struct Telltale {
    store: MemoryStore,
    opened: Arc<Mutex<bool>>,
}

#[async_trait]
impl StateStore for Telltale {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        if std::mem::replace(&mut *self.opened.lock().unwrap(), true) { broken() } else { self.store.load(id).await }
    }

    async fn compare_and_swap(&self, _: &MigrationId, _: Expect, _: &Change) -> Result<Record, StoreError> {
        broken()
    }

    async fn history(&self, _: &MigrationId, _: u64, _: usize) -> Result<Vec<AuditEntry>, StoreError> {
        broken()
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl DiscrepancyStore for Telltale {
    async fn add(&self, _: &MigrationId, _: &[Discrepancy]) -> Result<Added, StoreError> {
        broken()
    }

    async fn page(&self, _: &MigrationId, _: Option<Fingerprint>, _: usize) -> Result<Vec<Discrepancy>, StoreError> {
        broken()
    }

    async fn clear(&self, _: &MigrationId) -> Result<(), StoreError> {
        broken()
    }
}

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_store_says_about_itself_stays_out_of_answers_and_logs() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    let _logging = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    let store = Telltale::default();
    let search = MigrationController::builder("search", store.clone()).runtime(TestRuntime).open().await.unwrap();
    let migration = Migration::new(&search).discrepancy_store(store);
    let world =
        World { router: Dashboard::new(by_header).migration(migration).router().unwrap(), ..World::new().await };
    for path in READ.into_iter().chain(["/api/v1/migrations/search/audit?verify=1"]) {
        let reply = world.get(path).await;
        assert!(!reply.body.contains(CANARY), "{path}: {}", reply.body);
    }
    for (name, body) in commands() {
        let path = format!("/api/v1/migrations/search/{name}");
        let request = api("override", &path).header("x-user", name).body(Body::from(body.to_string()));
        let reply = world.send(request.unwrap()).await;
        assert!(!reply.body.contains(CANARY), "{name}: {}", reply.body);
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told = logged.lines().filter(|line| line.contains(CANARY)).collect::<Vec<_>>();
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_captured_is_shown_where_it_is_asked_for_and_nowhere_else() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    let _logging = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    let world = World::new().await;
    let mut found = cutover::testing::discrepancy("search", 1);
    found.key = Some(CANARY.to_owned());
    cutover::Recorder::record(&*world.recorder, found).unwrap();
    let shown = world.get("/api/v1/migrations/search/discrepancies").await;
    assert!(shown.body.contains(CANARY), "the host captured it to see it: {}", shown.body);
    for path in READ.into_iter().filter(|path| !path.ends_with("/discrepancies")) {
        assert!(!world.get(path).await.body.contains(CANARY), "{path}");
    }
    for name in ["pause", "clear-discrepancies"] {
        assert!(!world.command("override", name, &json!({})).await.body.contains(CANARY), "{name}");
    }
    assert!(!String::from_utf8(log.0.lock().unwrap().clone()).unwrap().contains(CANARY));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_repeats_nothing_of_the_path() {
    let world = World::new().await;
    let paths = [
        "/m/canary-5f3a",
        "/api/v1/canary-5f3a",
        "/api/v1/migrations/canary-5f3a",
        "/api/v1/migrations/canary-5f3a/audit",
    ];
    for path in paths {
        let reply = world.send(somebody("view", Method::GET, path).body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, reply.body.contains(CANARY)), (404, false), "{path}: {}", reply.body);
    }
}
