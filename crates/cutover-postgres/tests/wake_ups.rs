//! Watchers are woken by commits while their connection lives, and by nothing afterwards: what was missed is found by reading.
#![expect(clippy::print_stdout, reason = "a test prints its figures")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Database, id, percentiles, put};
use cutover::clock::{Clock as _, Instant, SystemClock};
use cutover::{MigrationController, StateStore as _, SystemMode};
use cutover_postgres::{Notifications, PostgresStore};
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(5);
const LISTENERS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_connection_to_listen_on_there_are_no_wake_ups() {
    let database = Database::new().await;
    let store = PostgresStore::new(Arc::new(database.client().await));
    assert!(store.watch(&id("a")).await.unwrap().is_none());
    let follower = MigrationController::builder("a", store.clone());
    let follower = follower.poll_interval(Duration::from_millis(100)).open().await.unwrap();
    put(&store, &id("a"), None, 1).await.unwrap();
    timeout(LONG, until(|| follower.status().epoch == 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_listener_ends_the_stream_and_what_was_missed_is_found_by_reading() {
    let (database, a) = (Database::new().await, id("a"));
    let (store, writer) = (database.named("listener").store(), database.store());
    let mut wakes = store.watch(&a).await.unwrap().unwrap();
    let first = put(&writer, &a, None, 1).await.unwrap();
    assert_eq!(timeout(LONG, wakes.next()).await.unwrap(), Some(()));

    database
        .ask("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'listener'")
        .await;
    let second = put(&writer, &a, Some(&first), 2).await.unwrap();
    assert_eq!(timeout(LONG, wakes.next()).await.unwrap(), None, "the change made meanwhile is not delivered");
    assert_eq!(store.load(&a).await.unwrap(), Some(second.clone()));

    let mut wakes = store.watch(&a).await.unwrap().unwrap();
    put(&writer, &a, Some(&second), 3).await.unwrap();
    assert_eq!(timeout(LONG, wakes.next()).await.unwrap(), Some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_controller_whose_listener_is_killed_again_and_again_follows() {
    let database = Database::new().await;
    let (follower, writer) = (database.named("listener").store(), database.store());
    let follower = MigrationController::builder("a", follower);
    let follower = follower.poll_interval(Duration::from_millis(200)).open().await.unwrap();
    let mut last = None;
    for op_id in 1..=5 {
        let kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'listener'";
        database.ask(kill).await;
        last = Some(put(&writer, &id("a"), last.as_ref(), op_id).await.unwrap());
        timeout(LONG, until(|| u128::from(follower.status().epoch) == op_id)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_watchers_of_a_store_share_one_connection_that_ends_with_them() {
    let database = Database::new().await;
    let store = database.store();
    let mut watching = Vec::new();
    for name in ["a", "b", "c"] {
        watching.push((id(name), store.watch(&id(name)).await.unwrap().unwrap()));
        watching.push((id(name), store.watch(&id(name)).await.unwrap().unwrap()));
    }
    assert_eq!(database.ask(LISTENERS).await, ["1"]);
    put(&store, &id("b"), None, 1).await.unwrap();
    for (name, wakes) in &mut watching {
        if *name == id("b") {
            assert_eq!(timeout(LONG, wakes.next()).await.unwrap(), Some(()));
        } else {
            assert_eq!(wakes.next().now_or_never(), None, "{name}");
        }
    }
    drop(watching);
    while database.ask(LISTENERS).await != ["0"] {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Each with a store of its own, as 50 processes have.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_watchers_are_woken_within_a_quarter_of_a_second() {
    const CHANGES: u128 = 40;
    let database = Database::new().await;
    let clock = Arc::new(SystemClock::new());
    let committed: Arc<Mutex<Option<Instant>>> = Arc::default();
    let (woken, mut times) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..50 {
        let config = database.config.clone();
        let store = PostgresStore::new(database.connections()).listening(move || {
            let config = config.clone();
            async move {
                let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
                Ok(Notifications::new(client, connection))
            }
        });
        let mut wakes = store.watch(&id("a")).await.unwrap().unwrap();
        let (clock, committed, woken) = (Arc::clone(&clock), Arc::clone(&committed), woken.clone());
        tokio::spawn(async move {
            while wakes.next().await.is_some() {
                let since = committed.lock().unwrap().map_or(Duration::ZERO, |at| clock.now().since(at));
                woken.send(since).ok();
            }
        });
    }
    let (writer, mut last, mut all) = (database.store(), None, Vec::new());
    for op_id in 1..=CHANGES {
        // From before the commit is sent, which can only make the figure worse.
        *committed.lock().unwrap() = Some(clock.now());
        last = Some(put(&writer, &id("a"), last.as_ref(), op_id).await.unwrap());
        for _ in 0..50 {
            all.push(timeout(LONG, times.recv()).await.unwrap().unwrap());
        }
    }
    let (median, p99) = percentiles(all);
    println!("from sending a commit to the wake-up of 50 watchers: p50 {median:?}, p99 {p99:?}");
    assert!(p99 < Duration::from_millis(250), "{p99:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn controllers_follow_each_other_through_wake_ups_long_before_they_poll() {
    let database = Database::new().await;
    let rarely = Duration::from_secs(3600);
    let open = async |database: &Database| {
        MigrationController::builder("a", database.store()).poll_interval(rarely).open().await.unwrap()
    };
    let (one, other) = (open(&database).await, open(&database).await);
    tokio::time::sleep(Duration::from_millis(300)).await;
    one.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    timeout(LONG, until(|| other.mode() == SystemMode::Parallel)).await.unwrap();
    one.emergency_rollback("ben", "wrong prices").await;
    timeout(LONG, until(|| other.mode() == SystemMode::EmergencyRollback)).await.unwrap();
}

async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
