//! [`SqliteStore`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cutover::store::{
    Added, AuditEntry, Change, ClaimError, ClaimRecord, ClaimRequest, ClaimStore, DiscrepancyStore, Expect, Grant,
    ItemId, MigrationId, Record, StateStore, WakeUps, async_trait,
};
use cutover::{Discrepancy, StoreError, record::Fingerprint};
use rusqlite::{Connection, Transaction};

use crate::builder::{SqliteBuilder, Tuning};
use crate::error::SqliteError;
use crate::failure::Failure;
use crate::lane::Lane;
use crate::link::{Link, Step};
use crate::place::Place;
use crate::watch::Watch;
use crate::{claims, discrepancies, state};

/// Keeps migrations, their audit, claims and discrepancies in one SQLite file.
///
/// Clones share their connections. Any number of stores, in any number of processes of one machine, may share the file.
/// Calls run on threads of the store: one writes, one reads, and a third looks for changes while somebody watches. They
/// never block the caller's thread, and work on every executor.
///
/// What is acknowledged is on the device: it survives the end of the process, `kill -9` included, and a loss of power as far as the
/// device keeps what it says it has flushed.
///
/// ```
/// use cutover::{MigrationController, SystemMode};
/// use cutover_sqlite::SqliteStore;
///
/// # futures::executor::block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("cutover.sqlite");
/// let search = MigrationController::open("search", SqliteStore::open(&path)?).await?;
/// search.transition(SystemMode::Parallel, "ana", "first look").await?;
///
/// // Later, in this process or another one:
/// let search = MigrationController::open("search", SqliteStore::open(&path)?).await?;
/// assert_eq!(search.mode(), SystemMode::Parallel);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    place: Place,
    tuning: Tuning,
    writes: Lane,
    reads: Lane,
    watch: Arc<Watch>,
}

impl SqliteStore {
    /// Opens the store in the file `path`, and makes the file if there is none.
    ///
    /// The file gets mode 0600, and the files that SQLite puts beside it while it is in use (`-wal`, `-shm`) get the same. The
    /// folder must exist, and only its owner may write to it. Opening blocks the calling thread for a few file
    /// operations.
    ///
    /// # Errors
    /// [`SqliteError`] when the path, its folder or the file in it is not fit; what is there is left as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        Self::builder().open(path)
    }

    /// Opens a store with other settings.
    pub fn builder() -> SqliteBuilder {
        SqliteBuilder::default()
    }

    pub(crate) fn open_with(path: &Path, tuning: Tuning) -> Result<Self, SqliteError> {
        let place = Place::new(path)?;
        if place.check()?.is_none() {
            place.create()?;
        }
        let link = || Link::open(place.clone(), tuning.clone());
        let lane = |name, link, before| Lane::start(name, link, tuning.queue, before).map_err(SqliteError::NoThread);
        let (reads, reader) = lane("cutover-read", link()?, None)?;
        let (writes, _) = lane("cutover-write", link()?, Some(reader))?;
        let watch = Watch::new(tuning.watch_interval);
        Ok(Self { shared: Arc::new(Shared { place, tuning, writes, reads, watch }) })
    }

    /// The absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.shared.place.file()
    }

    /// Deletes the claims of `id` that were completed at least `older_than` ago, and says how many. Nothing else is ever
    /// deleted from the claims.
    ///
    /// An item whose claim is deleted can be claimed and completed once more, so let `older_than` be longer than any item
    /// can come back. Its tokens go on growing.
    ///
    /// It deletes two hundred at a time, so that others are let through. Dropping the future stops it between two of these
    /// steps.
    ///
    /// # Errors
    /// [`StoreError`]; the steps before it have taken place.
    pub async fn purge_completed(&self, id: &MigrationId, older_than: Duration) -> Result<u64, StoreError> {
        let mut purged = 0;
        loop {
            let step_id = id.clone();
            let step =
                move |transaction: &Transaction<'_>| claims::purge(transaction, &step_id, older_than, PURGE_STEP);
            let deleted = self.write(step).await?;
            purged += deleted as u64;
            if deleted < PURGE_STEP {
                return Ok(purged);
            }
        }
    }

    async fn read<R: Send + 'static>(
        &self,
        step: impl FnOnce(&Connection) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.shared.reads.run(|link| link.read(step), StoreError::unavailable).await
    }

    async fn write<R, E>(&self, step: impl FnOnce(&Transaction<'_>) -> Step<R, E> + Send + 'static) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.shared.writes.run(|link| link.write(step), StoreError::outcome_unknown).await
    }
}

/// How many claims one transaction deletes.
const PURGE_STEP: usize = 200;

#[async_trait]
impl StateStore for SqliteStore {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        let id = id.clone();
        self.read(move |connection| state::load(connection, &id)).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let (id, change, watch) = (id.clone(), change.clone(), Arc::clone(&self.shared.watch));
        let swap = move |link: &mut Link| {
            let stored = link.write(|transaction| state::compare_and_swap(transaction, &id, expect, &change))?;
            watch.wake(&id, stored.to_json().ok());
            Ok(stored)
        };
        self.shared.writes.run(swap, StoreError::outcome_unknown).await
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let id = id.clone();
        self.read(move |connection| state::history(connection, &id, after_epoch, limit)).await
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        let read_id = id.clone();
        let seen = self.read(move |connection| Ok(state::text_of_record(connection, &read_id)?)).await?;
        let link = || Link::later(self.shared.place.clone(), self.shared.tuning.clone());
        self.shared.watch.add(id.clone(), seen, link).map(Some)
    }
}

#[async_trait]
impl ClaimStore for SqliteStore {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        let (id, request) = (id.clone(), request.clone());
        self.write(move |transaction| claims::claim(transaction, &id, &request)).await
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        let (id, item) = (id.clone(), item.clone());
        self.write(move |transaction| claims::renew(transaction, &id, &item, token, ttl)).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        let (id, item) = (id.clone(), item.clone());
        self.write(move |transaction| claims::end(transaction, &id, &item, token, claims::COMPLETED)).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        let (id, item) = (id.clone(), item.clone());
        self.write(move |transaction| claims::end(transaction, &id, &item, token, claims::RELEASED)).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        let (id, item) = (id.clone(), item.clone());
        self.read(move |connection| claims::get(connection, &id, &item)).await
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        let id = id.clone();
        self.read(move |connection| claims::expired(connection, &id, limit)).await
    }
}

#[async_trait]
impl DiscrepancyStore for SqliteStore {
    async fn add(&self, id: &MigrationId, batch: &[Discrepancy]) -> Result<Added, StoreError> {
        let (id, batch) = (id.clone(), batch.to_vec());
        self.write(move |transaction| discrepancies::add(transaction, &id, &batch)).await
    }

    async fn page(
        &self,
        id: &MigrationId,
        after: Option<Fingerprint>,
        limit: usize,
    ) -> Result<Vec<Discrepancy>, StoreError> {
        let id = id.clone();
        self.read(move |connection| discrepancies::page(connection, &id, after, limit)).await
    }

    async fn clear(&self, id: &MigrationId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |transaction| discrepancies::clear(transaction, &id)).await
    }
}
