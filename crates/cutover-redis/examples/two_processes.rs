//! Two processes share a migration through Redis: one cuts over and rolls back, the other follows.
//!
//! `cargo run -p cutover-redis --example two_processes` starts a Redis server of its own and the second process.
#![expect(clippy::print_stdout, reason = "an example talks")]

use std::error::Error;
use std::process::{Child, Command};
use std::time::Duration;

use cutover::{MigrationController, Percentage, SystemMode};
use cutover_redis::RedisStore;
use cutover_test_servers::RedisServer;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    match std::env::args().nth(1) {
        None => operate().await,
        Some(url) => follow(&url).await,
    }
}

async fn open(url: &str) -> Result<MigrationController> {
    let client = redis::Client::open(url)?;
    let store = RedisStore::new(client.get_connection_manager().await?).watched_by(client);
    Ok(MigrationController::open("search", store).await?)
}

/// The first process: decides.
async fn operate() -> Result<()> {
    let server = RedisServer::start(&[("appendonly", "yes")])?;
    let search = open(&server.url()).await?;
    let mut other = Other::start(&server.url())?;

    search.transition(SystemMode::GradualRollout, "ana", "the shadow run was clean").await?;
    search.set_rollout(Percentage::new(50.0)?, "ana", "half of all users").await?;
    say("first", &search);
    pause().await;
    search.transition(SystemMode::NewOnly, "ana", "all is well").await?;
    say("first", &search);
    pause().await;
    search.emergency_rollback("ben", "wrong totals").await;
    say("first", &search);
    other.end()?;

    println!("\nwhat Redis keeps of it:");
    for entry in search.history(0, 10).await? {
        println!("{:>3} {:<18} {} ({})", entry.epoch, entry.after.mode, entry.reason, entry.actor);
    }
    let head = search.verify().await?;
    println!("the chain of the {} entries is whole", head.epoch);
    Ok(())
}

/// The second process: is woken by each change, and ends after the rollback.
async fn follow(url: &str) -> Result<()> {
    let search = open(url).await?;
    let mut known = None;
    while known != Some(SystemMode::EmergencyRollback) {
        if known != Some(search.mode()) {
            say("second", &search);
            known = Some(search.mode());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

fn say(process: &str, search: &MigrationController) {
    let side = search.route("user-17").serve;
    println!("{process:>6} process: {:<18} user-17 is served by {side}", search.mode());
}

/// Long enough for the other process to follow.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// The other process, which does not outlive this one.
struct Other(Child);

impl Other {
    fn start(url: &str) -> Result<Self> {
        Ok(Self(Command::new(std::env::current_exe()?).arg(url).spawn()?))
    }

    fn end(&mut self) -> Result<()> {
        let status = self.0.wait()?;
        if status.success() { Ok(()) } else { Err("the second process failed".into()) }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
