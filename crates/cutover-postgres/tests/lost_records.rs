//! A record that is lost while its audit is left is brought back by an operator with the SQL of the README.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Database, id, put};
use cutover::{MigrationController, StateStore as _, SystemMode};

/// The SQL of the section, for the migration `search`.
fn set_aside() -> &'static str {
    let (_, section) = include_str!("../README.md").split_once("## After losing a record").unwrap();
    let (_, sql) = section.split_once("```sql\n").unwrap();
    sql.split_once("```").unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_setting_the_old_audit_aside_reconcile_begins_a_new_one() {
    let (database, search, aside) = (Database::new().await, id("search"), id("search.lost-1"));
    let store = database.store();
    let controller = MigrationController::builder("search", store.clone()).manual_refresh().open().await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    controller.transition(SystemMode::GradualRollout, "ana", "they agree").await.unwrap();
    let old = store.history(&search, 0, 10).await.unwrap();
    database.ask("DELETE FROM cutover_state").await;
    drop(controller.refresh().await);
    assert!(controller.status().doubt.is_some());
    controller.reconcile("ben", "the row is gone").await.unwrap_err();

    database.client().await.batch_execute(set_aside()).await.unwrap();
    controller.reconcile("ben", "the row is gone").await.unwrap();
    assert_eq!(controller.status().doubt, None);
    controller.verify().await.unwrap();
    assert_eq!(store.history(&aside, 0, 10).await.unwrap(), old);
    database.client().await.batch_execute("UPDATE cutover_audit SET entry = ''").await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_whose_record_is_there_is_not_set_aside() {
    let (database, search) = (Database::new().await, id("search"));
    let store = database.store();
    put(&store, &search, None, 1).await.unwrap();
    database.client().await.batch_execute(set_aside()).await.unwrap();
    assert_eq!(store.history(&search, 0, 10).await.unwrap().len(), 1);
}
