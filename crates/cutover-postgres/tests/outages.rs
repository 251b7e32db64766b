//! After a restart, a lost connection or a call that was given up, the next call goes on as if nothing had been.

mod common;

use std::time::Duration;

use common::{Database, id, put, timed};
use cutover::{MigrationController, StateStore as _, SystemMode};
use cutover_test_servers::{PostgresRestart, PostgresServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_controller_finds_a_server_that_was_restarted() {
    let server = PostgresServer::start(&[]).unwrap();
    let database = Database::on(&server).await;
    let store = database.store();
    let follower = MigrationController::builder("a", database.store());
    let follower = follower.poll_interval(Duration::from_millis(100)).open().await.unwrap();
    let controller = MigrationController::builder("a", store.clone()).manual_refresh().open().await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    for (restart, to) in [
        (PostgresRestart::Fast, SystemMode::GradualRollout),
        (PostgresRestart::Immediate, SystemMode::NewOnly),
        (PostgresRestart::AsCrashed, SystemMode::GradualRollout),
    ] {
        tokio::task::block_in_place(|| server.restart(restart)).unwrap();
        controller.transition(to, "ana", "after a restart").await.unwrap();
        let ((), time) = timed(async {
            while follower.mode() != to {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        assert!(time < Duration::from_secs(3), "{restart:?}: followed after {time:?}");
        assert_eq!(follower.status().doubt, None);
    }
    assert_eq!(store.history(&id("a"), 0, 10).await.unwrap().len(), 4);
    controller.verify().await.unwrap();
}

/// A call that was given up waits in the server; those after it do not wait behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_that_was_given_up_holds_up_no_other() {
    let (database, a) = (Database::new().await, id("a"));
    let store = database.store();
    let first = put(&store, &a, None, 1).await.unwrap();
    let mut blocker = database.client().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("SELECT FROM cutover_state FOR UPDATE").await.unwrap();
    let writing = put(&store, &a, Some(&first), 2);
    assert!(tokio::time::timeout(Duration::from_millis(100), writing).await.is_err());
    let (loaded, time) = timed(tokio::time::timeout(Duration::from_secs(2), store.load(&a))).await;
    assert_eq!(loaded.unwrap().unwrap(), Some(first.clone()), "after {time:?}");
    lock.rollback().await.unwrap();
    // What was given up is stored now, or not: repeating it is safe.
    assert_eq!(put(&store, &a, Some(&first), 2).await.unwrap().epoch, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_that_ended_or_may_have_is_not_used_again() {
    let (database, a) = (Database::new().await.named("victim"), id("a"));
    let store = database.store();
    let first = put(&store, &a, None, 1).await.unwrap();
    let trap = "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = TG_ARGV[0]; END $$;
        CREATE TRIGGER trap BEFORE UPDATE ON cutover_state FOR EACH ROW EXECUTE FUNCTION trap";
    let pid = "SELECT pid FROM pg_stat_activity WHERE application_name = 'victim' AND query LIKE '%cutover_state%'
        AND datname = current_database()";
    let asking = database.named("asking");
    for (code, kept) in [("23514", true), ("57P01", false), ("08006", false)] {
        asking.ask("DROP TRIGGER IF EXISTS trap ON cutover_state; DROP FUNCTION IF EXISTS trap").await;
        asking.client().await.batch_execute(&format!("{trap}('{code}')")).await.unwrap();
        store.load(&a).await.unwrap();
        let before = asking.ask(pid).await;
        assert_eq!(before.len(), 1);
        put(&store, &a, Some(&first), 2).await.unwrap_err();
        store.load(&a).await.unwrap();
        while asking.ask(pid).await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(asking.ask(pid).await == before, kept, "{code}");
    }
}
