//! An item that somebody's own transaction holds costs no connections, with the options that the README recommends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Database, id, request};
use cutover::StoreError;
use cutover::store::{ClaimError, ClaimStore as _, Expect};
use tokio::time::timeout;

/// The default of a controller.
const DEADLINE: Duration = Duration::from_secs(2);

fn recommended_options() -> &'static str {
    let (_, rest) = include_str!("../README.md").split_once("config.options(\"").unwrap();
    rest.split_once("\");").unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_item_ends_renewals_before_their_deadline_and_opens_no_other_connection() {
    let (database, a) = (Database::new().await, id("a"));
    let mut worker = database.named("worker");
    worker.config.options(recommended_options());
    let store = worker.store();
    let claim = request("x", 1, Expect::Absent);
    let token = store.claim(&a, &claim).await.unwrap().token;

    let mut host = database.client().await;
    let held = host.transaction().await.unwrap();
    held.execute("SELECT FROM cutover_claims WHERE item = 'x' FOR UPDATE", &[]).await.unwrap();
    for _ in 0..3 {
        let renewed = timeout(DEADLINE, store.renew(&a, &claim.item, token, DEADLINE)).await.unwrap();
        assert!(matches!(renewed, Err(ClaimError::Store(StoreError::Unavailable(_)))), "{renewed:?}");
    }
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker'";
    assert_eq!(database.ask(connections).await, ["1"]);
    assert_eq!(worker.ask("SHOW client_connection_check_interval").await, ["2s"]);

    held.rollback().await.unwrap();
    store.renew(&a, &claim.item, token, Duration::from_secs(60)).await.unwrap();
}
