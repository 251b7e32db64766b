//! Whatever becomes of the connection, a write is known to have failed, or unknown, and repeating it stores it once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Database, change, id, put, request};
use cutover::store::{
    AuditEntry, Change, ClaimError, ClaimStore as _, DiscrepancyStore as _, Expect, MigrationId, Record, StoreError,
    WakeUps, async_trait,
};
use cutover::testing::discrepancy;
use cutover::{MigrationController, StateStore, SystemMode};
use cutover_postgres::PostgresStore;
use cutover_test_servers::{PostgresServer, Proxy};

fn proxy() -> Proxy {
    Proxy::start(PostgresServer::shared().unwrap().addr()).unwrap()
}

const LONG: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_whose_answer_is_lost_is_unknown_and_its_repetition_is_stored_once() {
    let (database, proxy, a) = (Database::new().await, proxy(), id("a"));
    let store = database.through(proxy.addr()).store();
    let first = put(&store, &a, None, 1).await.unwrap();

    proxy.swallow_replies();
    let (before, asked) = (proxy.traffic().discarded, proxy.traffic().requests);
    let writing = {
        let (store, first) = (store.clone(), first.clone());
        tokio::spawn(async move { put(&store, &id("a"), Some(&first), 2).await })
    };
    assert!(proxy.wait_until(LONG, |traffic| traffic.requests > asked && traffic.discarded > before));
    proxy.cut();
    let answer = writing.await.unwrap();
    assert!(matches!(answer, Err(StoreError::OutcomeUnknown(_))), "{answer:?}");

    proxy.pass();
    let repeated = put(&store, &a, Some(&first), 2).await.unwrap();
    assert_eq!(repeated, *change(Some(&first), 5, 2).record());
    let third = put(&store, &a, Some(&repeated), 3).await.unwrap();
    assert_eq!(put(&store, &a, Some(&first), 2).await.unwrap(), repeated, "a repetition after another change");
    assert_eq!(store.load(&a).await.unwrap(), Some(third));
    assert_eq!(store.history(&a, 0, 10).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_claim_whose_answer_is_lost_is_granted_again_with_its_token() {
    let (database, proxy, a) = (Database::new().await, proxy(), id("a"));
    let store = database.through(proxy.addr()).store();
    let claim = request("x", 1, Expect::Absent);
    store.claim(&a, &request("y", 2, Expect::Absent)).await.unwrap();
    proxy.swallow_replies();
    let before = proxy.traffic().discarded;
    let claiming = {
        let (store, claim) = (store.clone(), claim.clone());
        tokio::spawn(async move { store.claim(&id("a"), &claim).await })
    };
    assert!(proxy.wait_until(LONG, |traffic| traffic.discarded > before));
    proxy.cut();
    let answer = claiming.await.unwrap();
    assert!(matches!(answer, Err(ClaimError::Store(StoreError::OutcomeUnknown(_)))), "{answer:?}");
    proxy.pass();
    assert_eq!(store.claim(&a, &claim).await.unwrap().token, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_never_sent_is_unavailable() {
    let (database, proxy, a) = (Database::new().await, proxy(), id("a"));
    let store = database.through(proxy.addr()).store();
    store.load(&a).await.unwrap();
    proxy.cut();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let written = put(&store, &a, None, 1).await;
    assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
    let claimed = store.claim(&a, &request("x", 1, Expect::Absent)).await;
    assert!(matches!(claimed, Err(ClaimError::Store(StoreError::Unavailable(_)))), "{claimed:?}");
    let added = store.add(&a, &[discrepancy("runner", 1)]).await;
    assert!(matches!(added, Err(StoreError::Unavailable(_))), "{added:?}");
    proxy.pass();
    assert_eq!(store.load(&a).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_that_the_server_ends_leaves_the_write_that_it_was_in_unknown() {
    let (database, a) = (Database::new().await, id("a"));
    let store = database.named("victim").store();
    let first = put(&store, &a, None, 1).await.unwrap();
    let mut blocker = database.client().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("SELECT FROM cutover_state FOR UPDATE").await.unwrap();
    let writing = {
        let (store, first) = (store.clone(), first.clone());
        tokio::spawn(async move { put(&store, &id("a"), Some(&first), 2).await })
    };
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event_type = 'Lock'";
    while database.ask(waits).await != ["1"] {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'";
    database.ask(kill).await;
    let answer = writing.await.unwrap();
    assert!(matches!(answer, Err(StoreError::OutcomeUnknown(_))), "{answer:?}");
    lock.rollback().await.unwrap();
    assert_eq!(store.load(&a).await.unwrap(), Some(first.clone()));
    assert_eq!(put(&store, &a, Some(&first), 2).await.unwrap().epoch, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_statement_that_the_server_rolled_back_stored_nothing_and_says_so() {
    let (database, a) = (Database::new().await, id("a"));
    let mut config = database.config.clone();
    config.options("-c lock_timeout=50ms");
    let store = Database { config, ..database.clone() }.store();
    let first = put(&store, &a, None, 1).await.unwrap();
    let mut blocker = database.client().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("SELECT FROM cutover_state FOR UPDATE").await.unwrap();
    let answer = put(&store, &a, Some(&first), 2).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    lock.rollback().await.unwrap();
    assert_eq!(store.load(&a).await.unwrap(), Some(first));
}

/// Lets the answer of the first write be lost, and nothing else.
struct LosesOneAnswer {
    store: PostgresStore,
    proxy: Arc<Proxy>,
    lost: AtomicBool,
    /// Whether that write was then unknown.
    unknown: Arc<AtomicBool>,
}

#[async_trait]
impl StateStore for LosesOneAnswer {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.store.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        if self.lost.swap(true, Ordering::Relaxed) {
            return self.store.compare_and_swap(id, expect, change).await;
        }
        self.proxy.swallow_replies();
        let (proxy, before) = (Arc::clone(&self.proxy), self.proxy.traffic().discarded);
        tokio::task::spawn_blocking(move || {
            assert!(proxy.wait_until(LONG, |traffic| traffic.discarded > before));
            // This closes the connection that has lost bytes.
            proxy.pass();
        });
        let answer = self.store.compare_and_swap(id, expect, change).await;
        self.unknown.store(matches!(answer, Err(StoreError::OutcomeUnknown(_))), Ordering::Relaxed);
        answer
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.history(id, after_epoch, limit).await
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        self.store.watch(id).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_controller_settles_an_unknown_outcome_by_repeating_it() {
    let (database, proxy) = (Database::new().await, Arc::new(proxy()));
    let store = database.through(proxy.addr()).store();
    let plain = database.store();
    put(&plain, &id("a"), None, 1).await.unwrap();
    let unknown = Arc::new(AtomicBool::new(false));
    let store = LosesOneAnswer { store, proxy, lost: AtomicBool::new(false), unknown: Arc::clone(&unknown) };
    let controller = MigrationController::builder("a", store).manual_refresh().open().await.unwrap();
    controller.transition(SystemMode::NewOnly, "ana", "they agree").await.unwrap();
    assert!(unknown.load(Ordering::Relaxed));
    assert_eq!(plain.history(&id("a"), 0, 10).await.unwrap().len(), 2);
    assert_eq!(plain.load(&id("a")).await.unwrap().unwrap().mode, SystemMode::NewOnly);
}

/// A call is dropped at every point where it may wait; the laws hold afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_dropped_call_took_place_completely_or_not_at_all() {
    let (database, a) = (Database::new().await, id("a"));
    let (store, other) = (database.store(), database.store());
    let mut last = None;
    for round in 1..=60_u128 {
        let patience = Duration::from_micros(40 * u64::try_from(round % 20).unwrap());
        drop(tokio::time::timeout(patience, put(&store, &a, last.as_ref(), round)).await);
        // A change that was sent may still be on its way.
        last = Some(put(&other, &a, last.as_ref(), round).await.unwrap());
        assert_eq!(last.as_ref().map(|record| u128::from(record.epoch)), Some(round));
    }
    let epochs: Vec<u64> = store.history(&a, 0, 100).await.unwrap().iter().map(|entry| entry.epoch).collect();
    assert_eq!(epochs, (1..=60).collect::<Vec<_>>());
}
