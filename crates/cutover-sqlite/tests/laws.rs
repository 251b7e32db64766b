//! The store keeps every law of its contracts, on Tokio and on an executor that knows nothing of it.

use std::path::PathBuf;
use std::sync::Arc;

use cutover::store::{MigrationId, async_trait};
use cutover::testing::conformance::{Capabilities, Capability, FactoryError, Limits, Planted, StoreFactory, Stores};
use cutover_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;

#[path = "common/closed.rs"]
mod closed;

/// Each handle is a store of its own, which shares the file only.
struct Files {
    limits: Limits,
}

impl Files {
    fn all() -> Self {
        Self { limits: Limits::default() }
    }

    /// Races that are shorter.
    fn few() -> Self {
        Self { limits: Limits { changes: 10, items: 100, ..Limits::default() } }
    }
}

/// The folder lives as long as a handle on the file in it.
#[derive(Clone)]
struct Place {
    _folder: Arc<TempDir>,
    file: PathBuf,
}

impl Place {
    fn new() -> Result<Self, FactoryError> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("store.sqlite");
        Ok(Self { _folder: Arc::new(folder), file })
    }

    fn open(self) -> Result<Stores, FactoryError> {
        let store = SqliteStore::open(&self.file)?;
        Ok(Stores::new(store.clone(), self).with_claims(store.clone()).with_discrepancies(store))
    }
}

#[async_trait]
impl StoreFactory for Files {
    fn capabilities(&self) -> Capabilities {
        Capabilities::of(&[
            Capability::Claims,
            Capability::Discrepancies,
            Capability::Watch,
            Capability::Broken,
            Capability::Plant,
        ])
    }

    async fn fresh(&self) -> Result<Stores, FactoryError> {
        Place::new()?.open()
    }

    async fn reopen(&self, stores: &Stores) -> Result<Stores, FactoryError> {
        stores.context::<Place>()?.clone().open()
    }

    async fn restart(&self, stores: Stores) -> Result<Stores, FactoryError> {
        let place = stores.context::<Place>()?.clone();
        drop(stores);
        closed::wait_until_closed(&place.file);
        place.open()
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    /// A store whose file was taken away.
    async fn broken(&self) -> Result<Option<Stores>, FactoryError> {
        let place = Place::new()?;
        let stores = place.clone().open()?;
        std::fs::remove_file(&place.file)?;
        Ok(Some(stores))
    }

    /// Writes by hand, past the checks that the schema itself makes.
    async fn plant(&self, stores: &Stores, id: &MigrationId, planted: &Planted) -> Result<bool, FactoryError> {
        let by_hand = Connection::open(&stores.context::<Place>()?.file)?;
        by_hand.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")?;
        let planted_rows =
            by_hand.execute("UPDATE record SET record = ?2 WHERE migration = ?1", [id.as_str(), &planted.json])?;
        Ok(planted_rows == 1)
    }
}

mod on_tokio {
    cutover::conformance_tests!(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        super::Files::all()
    );
}

mod without_tokio {
    cutover::conformance_tests!(block_on = futures::executor::block_on, super::Files::few());
}
