//! Two processes share one migration through a SQLite file: one of them rolls back, and the other one follows.
//!
//! `cargo run -p cutover-sqlite --example two_processes`
//!
//! The first process starts this program once more as the second one.
#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use std::error::Error;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cutover::{MigrationController, Percentage, StateStore, SystemMode};
use cutover_sqlite::SqliteStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args_os().nth(1) {
        Some(file) => second(Path::new(&file)).await,
        None => first().await,
    }
}

async fn first() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?; // a host names a folder of its own
    let file = folder.path().join("cutover.sqlite");
    let store = SqliteStore::open(&file)?;
    let search = MigrationController::open("search", store.clone()).await?;
    search.transition(SystemMode::GradualRollout, "ana", "the shadow run was clean").await?;
    search.set_rollout(Percentage::new(50.0)?, "ana", "every second user").await?;
    tell("first", &format!("{} at {} in {}", search.mode(), search.rollout(), file.display()));

    let mut second = start_second(&file)?;
    follow(&search, SystemMode::EmergencyRollback, "first").await?;
    search.transition(SystemMode::LegacyOnly, "ana", "the cause is found").await?;
    if !second.wait()?.success() {
        return Err("the second process failed".into());
    }

    for entry in store.history(&"search".parse()?, 0, 10).await? {
        println!(
            "epoch {}: {:18} {:>5}  {}: {}",
            entry.epoch, entry.after.mode, entry.after.rollout, entry.actor, entry.reason
        );
    }
    Ok(())
}

fn start_second(file: &Path) -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?).arg(file).stdin(Stdio::null()).spawn()
}

async fn second(file: &Path) -> Result<(), Box<dyn Error>> {
    let search = MigrationController::open("search", SqliteStore::open(file)?).await?;
    tell("second", &format!("found {} at {}", search.mode(), search.rollout()));
    search.emergency_rollback("ben", "an order was priced wrong").await;
    tell("second", &format!("{}, at once; user 7 is served by {}", search.mode(), search.route("user-7").serve));
    follow(&search, SystemMode::LegacyOnly, "second").await
}

/// Waits until this process has followed the other one to `mode`.
async fn follow(search: &MigrationController, mode: SystemMode, who: &str) -> Result<(), Box<dyn Error>> {
    let followed = async {
        while search.mode() != mode {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), followed).await?;
    tell(who, &format!("followed to {mode}"));
    Ok(())
}

fn tell(who: &str, what: &str) {
    println!("{who:>6} process {}: {what}", std::process::id());
}
