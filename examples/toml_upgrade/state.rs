//! Where the migration is kept, and how a run begins that finds one there.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use cutover::control::MigrationStatus;
use cutover::{MemoryStore, MigrationController, StateStore, SystemMode};
use cutover_sqlite::{SqliteError, SqliteStore};

/// The mode and the audit trail are kept here: in a file that other runs continue, or in memory for this run only.
pub(crate) fn store(file: Option<&Path>) -> Result<Arc<dyn StateStore>, SqliteError> {
    Ok(match file {
        Some(file) => Arc::new(SqliteStore::open(file)?),
        None => Arc::new(MemoryStore::new()),
    })
}

/// What an earlier run left; `None` if there was none.
pub(crate) fn left(migration: &MigrationController) -> Option<MigrationStatus> {
    Some(migration.status()).filter(|status| status.epoch > 0)
}

/// Takes the migration from wherever it stands to the dual run, by valid transitions.
pub(crate) async fn begin(migration: &MigrationController) -> Result<(), Box<dyn Error>> {
    if migration.mode() == SystemMode::EmergencyRollback {
        migration.transition(SystemMode::LegacyOnly, "ana", "the emergency is understood").await?;
    }
    migration.transition(SystemMode::Parallel, "ana", "see what toml 1 reads differently").await?;
    migration.set_shadow_share(None, "ana", "compare every document").await?;
    Ok(())
}
