//! [`SqliteBuilder`].

use std::path::Path;
use std::time::Duration;

use crate::SqliteStore;
use crate::error::SqliteError;

/// Opens a [`SqliteStore`] with other settings than the defaults. [`SqliteStore::builder`] makes one.
///
/// ```
/// use cutover_sqlite::SqliteStore;
/// use std::time::Duration;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("cutover.sqlite");
/// let store = SqliteStore::builder().busy_timeout(Duration::from_secs(1)).max_bytes(64 * 1024 * 1024).open(path)?;
/// # drop(store);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until it opens a store"]
pub struct SqliteBuilder {
    tuning: Tuning,
}

#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) busy_timeout: Duration,
    pub(crate) queue: usize,
    pub(crate) watch_interval: Duration,
    pub(crate) max_bytes: Option<u64>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            queue: 1_024,
            watch_interval: Duration::from_millis(50),
            max_bytes: None,
        }
    }
}

impl SqliteBuilder {
    /// How long a call waits for the writes of other processes before it is
    /// [`Unavailable`](cutover::StoreError::Unavailable); 5 s by default, at most 24 hours.
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.tuning.busy_timeout = if timeout.as_secs() < DAY.as_secs() { timeout } else { DAY };
        self
    }

    /// How many calls may wait for the store's thread, reads and writes counted apart; 1,024 by default, at least 1. When
    /// as many wait, further ones are [`Unavailable`](cutover::StoreError::Unavailable) at once.
    pub fn queue(mut self, calls: usize) -> Self {
        self.tuning.queue = calls.max(1);
        self
    }

    /// How often the file is looked at for changes of other processes while somebody watches; 50 ms by default, at least
    /// 1 ms. Changes of this store wake its watchers at once.
    pub fn watch_interval(mut self, interval: Duration) -> Self {
        self.tuning.watch_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// How large this store lets the file become, in bytes, the log beside it not counted; no limit by default. A write
    /// that needs more is [`Unavailable`](cutover::StoreError::Unavailable) and changes nothing.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.tuning.max_bytes = Some(bytes);
        self
    }

    /// Opens the store in the file `path`, as [`SqliteStore::open`] does.
    ///
    /// # Errors
    /// [`SqliteError`]; the file is left as it is.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, SqliteError> {
        SqliteStore::open_with(path.as_ref(), self.tuning)
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
