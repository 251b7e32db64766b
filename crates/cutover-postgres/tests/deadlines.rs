//! While the server does not answer, every call of a controller ends by its deadline, and routing goes on.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and prints its figures")]

mod common;

use std::time::Duration;

use common::{Database, id, percentiles, timed};
use cutover::{MigrationController, StateStore as _, SystemMode};
use cutover_test_servers::{PostgresServer, Proxy};

const DEADLINE: Duration = Duration::from_millis(300);

async fn controller(database: &Database) -> MigrationController {
    let builder = MigrationController::builder("a", database.store()).store_deadline(DEADLINE);
    builder.manual_refresh().open().await.unwrap()
}

/// Every call fails, half of them within 50 ms of the deadline and all of them soon after it: a loaded machine wakes tasks
/// late.
async fn fails_in_time(controller: &MigrationController) {
    let mut times = Vec::new();
    for _ in 0..5 {
        let (refreshed, time) = timed(controller.refresh()).await;
        assert!(refreshed.is_err());
        times.push(time);
        let (history, time) = timed(controller.history(0, 10)).await;
        assert!(history.is_err());
        times.push(time);
    }
    let (median, worst) = percentiles(times);
    println!("with a deadline of {DEADLINE:?} calls end after {median:?}, at the latest {worst:?}");
    assert!(median < DEADLINE + Duration::from_millis(50), "{median:?}");
    assert!(worst < 2 * DEADLINE, "{worst:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_end_by_their_deadline_while_nothing_answers() {
    let (database, proxy) = (Database::new().await, Proxy::start(PostgresServer::shared().unwrap().addr()).unwrap());
    let controller = controller(&database.through(proxy.addr())).await;
    controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();

    proxy.blackhole();
    fails_in_time(&controller).await;
    let routing = async { (0..10_000).all(|_| controller.route("key").mode == SystemMode::Parallel) };
    let (right, time) = timed(routing).await;
    assert!(right && time < Duration::from_secs(1), "10,000 routes: {time:?}");

    proxy.pass();
    controller.refresh().await.unwrap();
    controller.transition(SystemMode::GradualRollout, "ana", "they agree").await.unwrap();
    assert_eq!(database.store().load(&id("a")).await.unwrap().unwrap().epoch, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_stands_still_costs_no_more() {
    let server = PostgresServer::start(&[]).unwrap();
    let controller = controller(&Database::on(&server).await).await;
    server.pause().unwrap();
    fails_in_time(&controller).await;
    server.resume().unwrap();
    controller.refresh().await.unwrap();
}
