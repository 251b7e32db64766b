//! Two processes share a migration in PostgreSQL: one rolls back, the other follows. Then one item is processed exactly once.
//!
//! Starts a server of its own in a temporary folder. The second process is this program again, with an argument.
#![expect(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::process::Stdio;
use std::time::Duration;

use cutover::clock::{Clock as _, SystemClock};
use cutover::store::{ClaimError, ClaimRequest, ClaimStore as _, Expect, ItemId, MigrationId};
use cutover::{MigrationController, Percentage, Side, StateStore as _, SystemMode};
use cutover_postgres::{Notifications, PostgresStore, Reconnecting};
use cutover_test_servers::PostgresServer;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{ChildStdout, Command};
use tokio::time::sleep;
use tokio_postgres::{Client, Config, NoTls};

type Done = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Done {
    match std::env::args().nth(1) {
        Some(url) => follow(&url).await,
        None => operate().await,
    }
}

/// How an application opens the store.
fn open(url: &str) -> Result<PostgresStore, Box<dyn Error>> {
    let mut config: Config = url.parse()?;
    // Shorter than the deadline of the controller, so that no statement waits for a lock after its call was given up.
    config.options("-c lock_timeout=1s -c client_connection_check_interval=2s");
    let (calls, listening) = (config.clone(), config);
    let connections = Reconnecting::new(move || connect(calls.clone()));
    Ok(PostgresStore::new(connections).listening(move || {
        let config = listening.clone();
        async move {
            let (client, connection) = config.connect(NoTls).await?;
            Ok(Notifications::new(client, connection))
        }
    }))
}

async fn connect(config: Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The process with the operator.
async fn operate() -> Done {
    let server = PostgresServer::start(&[])?;
    let url = server.create_database("app")?;
    let mut client = connect(url.parse()?).await?;
    client.batch_execute(PostgresStore::SCHEMA).await?;

    let store = open(&url)?;
    let migration = MigrationController::open("search", store.clone()).await?;
    let mut other = Command::new(std::env::current_exe()?).arg(&url).stdout(Stdio::piped()).spawn()?;
    let output = other.stdout.take().ok_or("the other process has no output")?;
    let mut lines = BufReader::new(output).lines();
    wait_for(&mut lines, "legacy_only").await?;

    migration.transition(SystemMode::Parallel, "ana", "compare on live calls").await?;
    wait_for(&mut lines, "parallel").await?;
    migration.transition(SystemMode::GradualRollout, "ana", "they agree").await?;
    migration.set_rollout(Percentage::new(25.0)?, "ana", "one in four").await?;
    wait_for(&mut lines, "25").await?;

    let clock = SystemClock::new();
    let start = clock.now();
    migration.emergency_rollback("ben", "customers see wrong prices").await;
    wait_for(&mut lines, "emergency_rollback").await?;
    println!("the other process followed {:?} after the call to roll back", clock.now().since(start));
    other.wait().await?;

    println!("\nthe audit, which every process sees and `verify` checks:");
    for entry in migration.history(0, 10).await? {
        println!("  {} {} by {}: {}", entry.epoch, entry.after.mode, entry.actor, entry.reason);
    }
    migration.verify().await?;
    exactly_once(&store, &mut client).await
}

async fn wait_for(lines: &mut tokio::io::Lines<BufReader<ChildStdout>>, wanted: &str) -> Done {
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
        if line.contains(wanted) {
            return Ok(());
        }
    }
    Err(format!("the other process ended before it saw {wanted}").into())
}

/// The other process. It polls once in a minute; the store wakes it.
async fn follow(url: &str) -> Done {
    let migration = MigrationController::builder("search", open(url)?);
    let migration = migration.poll_interval(Duration::from_secs(60)).open().await?;
    let mut told = None;
    // Only to have something to print: routing needs no loop.
    while migration.mode() != SystemMode::EmergencyRollback || told.is_none() {
        let now = (migration.mode(), migration.rollout());
        if told.replace(now) != Some(now) {
            println!("  other process: {} at {}", now.0, now.1);
        }
        sleep(Duration::from_millis(1)).await;
    }
    println!("  other process: {}", migration.mode());
    Ok(())
}

/// The effect of an item and its completion in one transaction.
async fn exactly_once(store: &PostgresStore, client: &mut Client) -> Done {
    client.batch_execute("CREATE TABLE bookings (ticket text)").await?;
    let id: MigrationId = "search".parse()?;
    let request = ClaimRequest {
        item: "ticket 17".parse()?,
        side: Side::Legacy,
        expect: Expect::of(store.load(&id).await?.as_ref()),
        holder: "worker 3".parse()?,
        op_id: 1, // 128 random bits in an application
        ttl: Duration::from_secs(30),
    };
    let grant = store.claim(&id, &request).await?;
    println!("\n{} is claimed with token {}", request.item, grant.token);
    book(store, client, &id, &request.item, grant.token).await?;
    // The answer of a commit may be lost. Whoever repeats it books nothing twice.
    match book(store, client, &id, &request.item, grant.token).await {
        Err(error) if matches!(error.downcast_ref(), Some(ClaimError::Completed)) => println!("repeated: {error}"),
        other => return Err(format!("repeating it gave {other:?}").into()),
    }
    let bookings: i64 = client.query_one("SELECT count(*) FROM bookings", &[]).await?.get(0);
    println!("bookings: {bookings}");
    Ok(())
}

async fn book(store: &PostgresStore, client: &mut Client, id: &MigrationId, item: &ItemId, token: u64) -> Done {
    let transaction = client.transaction().await?;
    transaction.execute("INSERT INTO bookings VALUES ($1)", &[&item.as_str()]).await?;
    store.complete_in(&transaction, id, item, token).await?;
    transaction.commit().await?;
    Ok(())
}
