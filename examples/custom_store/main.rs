//! A host's own state store, in `file_store.rs`, and the tests that show that it keeps every law of `StateStore`.
//!
//! `cargo test --all-features --example custom_store` runs the tests.
#![expect(clippy::print_stdout, reason = "an example tells what it does")]

mod file_store;

use cutover::control::ChangeError;
use cutover::{MigrationController, Percentage, SystemMode};
use file_store::FileStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let search = MigrationController::open("search", FileStore::new(folder.path())).await?;
    println!("nothing stored: {}", search.mode());
    search.transition(SystemMode::GradualRollout, "ana", "shadow run was clean").await?;
    search.set_rollout(Percentage::new(12.5)?, "ana", "first step").await?;
    drop(search);

    let reopened = MigrationController::open("search", FileStore::new(folder.path())).await?;
    println!("after a restart: {} at {}, epoch {}", reopened.mode(), reopened.rollout(), reopened.status().epoch);
    reopened.emergency_rollback("ben", "wrong totals").await;
    if let Err(ChangeError::Transition(refused)) = reopened.transition(SystemMode::NewOnly, "ana", "go on").await {
        println!("refused: {refused}");
    }
    for entry in reopened.history(0, 10).await? {
        println!("{}  {}  {} at {}: {}", entry.epoch, entry.actor, entry.after.mode, entry.after.rollout, entry.reason);
    }
    Ok(())
}

#[cfg(all(test, feature = "testing"))]
mod tests;
