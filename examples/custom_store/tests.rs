//! Every law that the conformance kit knows, as one test each.

use std::fs;
use std::sync::Arc;

use cutover::store::{MigrationId, async_trait};
use cutover::testing::conformance::{Capabilities, Capability, FactoryError, Limits, Planted, StoreFactory, Stores};
use tempfile::TempDir;

use crate::FileStore;

struct Files;

/// The folder is removed with the last handle.
fn stores(folder: &Arc<TempDir>) -> Stores {
    Stores::new(FileStore::new(folder.path()), Arc::clone(folder))
}

#[async_trait]
impl StoreFactory for Files {
    fn capabilities(&self) -> Capabilities {
        Capabilities::of(&[Capability::Broken, Capability::Plant])
    }

    async fn fresh(&self) -> Result<Stores, FactoryError> {
        Ok(stores(&Arc::new(tempfile::tempdir()?)))
    }

    async fn reopen(&self, opened: &Stores) -> Result<Stores, FactoryError> {
        Ok(stores(opened.context()?))
    }

    async fn broken(&self) -> Result<Option<Stores>, FactoryError> {
        let folder = tempfile::tempdir()?;
        Ok(Some(Stores::new(FileStore::new(&folder.path().join("not mounted")), folder)))
    }

    async fn plant(&self, opened: &Stores, id: &MigrationId, planted: &Planted) -> Result<bool, FactoryError> {
        let path = FileStore::new(opened.context::<Arc<TempDir>>()?.path()).path(id);
        let content = match serde_json::from_str::<serde_json::Value>(&planted.json) {
            Ok(record) => serde_json::json!({ "record": record, "audit": [] }).to_string(),
            Err(_) => planted.json.clone(),
        };
        fs::write(path, content)?;
        Ok(true)
    }

    fn limits(&self) -> Limits {
        Limits { changes: 5, ..Limits::default() } // each one is written to the disk
    }
}

cutover::conformance_tests!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    Files
);
