//! [`RedisStore`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cutover::store::MigrationId;
use redis::Client;
use redis::aio::ConnectionLike;

use crate::connection::{Connection, Replicas};
use crate::keys::{Keys, Prefix, PrefixError};

/// Keeps migrations in Redis: records and audits, claims and discrepancies, each migration for itself.
///
/// Clones share their connection. Nothing is cached, so that what a failover brings back is seen as it is. It runs where the
/// `redis` crate does: inside Tokio. A host whose emergencies may come from another thread names its runtime with
/// [`ControllerBuilder::runtime`](cutover::control::ControllerBuilder::runtime).
///
/// Each operation is one script, which Redis runs as one step:
///
/// - The key types, the permissions and the expectation are checked before anything is written. What Redis refuses, such as
///   a write when its memory is used up, has stored nothing.
/// - The audit entry is written before the record.
/// - Leases run out by the clock of the Redis server, never by that of a client.
///
/// All keys of a migration begin with `{prefix:migration}`, so that a Redis cluster keeps them in one slot.
///
/// What is lost is not replaced: a record that was evicted or flushed is `None`, and a controller that knew it says so. When a
/// first record is stored although an audit is there, that audit is renamed to `{prefix:migration}:aside:OPERATION:audit`, with
/// the operation of the new first entry, and kept.
///
/// ```no_run
/// use cutover::MigrationController;
/// use cutover_redis::RedisStore;
/// use std::time::Duration;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// let store = RedisStore::new(client.get_connection_manager().await?)
///     .with_prefix("shop:prod")?
///     .require_replicas(1, Duration::from_millis(200))
///     .watched_by(client);
/// let search = MigrationController::open("search", store).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    pub(crate) connection: Arc<dyn Connection>,
    pub(crate) watcher: Option<Client>,
    pub(crate) replicas: Option<Replicas>,
    pub(crate) completed_for: Option<Duration>,
    prefix: Prefix,
}

impl RedisStore {
    /// A store on the host's connection: a `ConnectionManager`, which reconnects, a `MultiplexedConnection`, or another one
    /// that is cloned per call.
    ///
    /// It uses the database that the connection has selected. The host sets the timeouts of its connection; a write without
    /// an answer is [`StoreError::OutcomeUnknown`](cutover::StoreError::OutcomeUnknown).
    pub fn new(connection: impl ConnectionLike + Clone + Send + Sync + 'static) -> Self {
        Self {
            connection: Arc::new(connection),
            watcher: None,
            replicas: None,
            completed_for: Some(Duration::from_secs(30 * 24 * 60 * 60)),
            prefix: Prefix::default(),
        }
    }

    /// What all keys begin with. The default is `cutover`. Stores with different prefixes do not see each other.
    ///
    /// # Errors
    /// [`PrefixError`] says what is allowed.
    pub fn with_prefix(self, prefix: &str) -> Result<Self, PrefixError> {
        Ok(Self { prefix: Prefix::new(prefix)?, ..self })
    }

    /// Opens one connection per watched migration with this client, to be woken by changes. Without a client
    /// [`watch`](cutover::StateStore::watch) has nothing to give, and changes are found by polling.
    #[must_use]
    pub fn watched_by(self, client: Client) -> Self {
        Self { watcher: Some(client), ..self }
    }

    /// Confirms a change or a claim only after `replicas` replicas have it. The default is 0.
    ///
    /// When fewer have it after `timeout`, the answer is
    /// [`StoreError::OutcomeUnknown`](cutover::StoreError::OutcomeUnknown): the primary has stored it, and a failover may lose it.
    /// A controller then repeats the same operation, which stores nothing twice and asks the replicas again.
    ///
    /// The connection does nothing else while it waits, so the store should have one of its own, whose response timeout is
    /// longer than `timeout`. `timeout` is at least 1 ms and at most an hour. This makes losses rarer and does not exclude
    /// them: a failover may still promote a replica that does not have the write.
    #[must_use]
    pub fn require_replicas(self, replicas: usize, timeout: Duration) -> Self {
        let replicas = (replicas > 0).then_some(Replicas { least: replicas, timeout });
        Self { replicas, ..self }
    }

    /// How long a completed item is remembered; `None` for ever. The default is 30 days.
    ///
    /// After that time Redis forgets the item, and it can be claimed again, with a token that begins anew at 1. Choose a time
    /// that is longer than any item can come back. Items that are not completed are never forgotten.
    #[must_use]
    pub fn keep_completed_for(self, time: Option<Duration>) -> Self {
        Self { completed_for: time, ..self }
    }

    pub(crate) fn keys(&self, id: &MigrationId) -> Keys {
        Keys::new(&self.prefix, id)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix.as_str())
            .field("watched", &self.watcher.is_some())
            .field("replicas", &self.replicas)
            .field("completed_for", &self.completed_for)
            .finish_non_exhaustive()
    }
}
