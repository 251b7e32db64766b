//! One JSON file per migration, replaced by an atomic rename.
//!
//! It keeps every law of `StateStore` for one process. Several processes need a store that compares and swaps for them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs, io};

use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::{StateStore, StoreError};
use serde::{Deserialize, Serialize};

/// Record and audit stand in one file, so that one rename replaces both.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    record: Option<serde_json::Value>,
    audit: Vec<AuditEntry>,
}

pub(crate) struct FileStore {
    folder: PathBuf,
}

/// One write at a time, over all handles: comparing and swapping are one step.
static WRITING: Mutex<()> = Mutex::new(());

impl FileStore {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// An id has no slashes, so it is safe as a file name.
    pub(crate) fn path(&self, id: &MigrationId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn read(&self, id: &MigrationId) -> Result<Content, StoreError> {
        match fs::read(self.path(id)) {
            Ok(json) => serde_json::from_slice(&json).map_err(StoreError::corrupt),
            // Without its folder, nothing is known: a disk that is not mounted is not an empty store.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.folder.is_dir() => Ok(Content::default()),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    fn write(&self, id: &MigrationId, content: &Content) -> Result<(), StoreError> {
        let json = serde_json::to_vec_pretty(content).map_err(StoreError::corrupt)?;
        let draft = self.folder.join(format!("{id}.draft"));
        let file = fs::write(&draft, json).and_then(|()| fs::File::open(&draft)?.sync_all());
        file.map_err(StoreError::unavailable)?;
        // From here on the new content may be what is read after a crash.
        let renamed = fs::rename(&draft, self.path(id)).and_then(|()| fs::File::open(&self.folder)?.sync_all());
        renamed.map_err(StoreError::outcome_unknown)
    }
}

/// `Record::from_json` tells what is corrupt from what a newer version wrote.
fn record(content: &Content) -> Result<Option<Record>, StoreError> {
    content.record.as_ref().map(|json| Record::from_json(json.to_string().as_bytes())).transpose()
}

#[async_trait]
impl StateStore for FileStore {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        record(&self.read(id)?)
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let _alone = WRITING.lock().map_err(|_| StoreError::unavailable("a writer panicked"))?;
        let mut content = self.read(id)?;
        if let Some(first) = content.audit.iter().find(|entry| entry.op_id == change.op_id()) {
            return Ok(first.record());
        }
        let current = record(&content)?;
        if !expect.matches(current.as_ref()) {
            return Err(StoreError::conflict(current));
        }
        change.entry().to_json()?; // refuses what is too large
        content.record = Some(serde_json::to_value(change.record()).map_err(StoreError::corrupt)?);
        content.audit.push(change.entry().clone());
        self.write(id, &content)?;
        Ok(change.record().clone())
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let audit = self.read(id)?.audit;
        Ok(audit.into_iter().filter(|entry| entry.epoch > after).take(limit).collect())
    }

    /// Nobody is woken: controllers find changes when they poll.
    async fn watch(&self, _id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}
