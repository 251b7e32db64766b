//! A database of its own for each test, in one server for all tests of a process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test uses its own part")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use cutover::clock::{Clock as _, SystemClock};
use cutover::store::{Author, Change, ChangeKind, ClaimRequest, Expect, MigrationId, Record, Settings, Stamp};
use cutover::{Percentage, Side, StateStore, StoreError, SystemMode};
use cutover_postgres::{Notifications, PostgresStore, Reconnecting};
use cutover_test_servers::PostgresServer;
use tokio_postgres::{Client, Config, NoTls};

/// An empty database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) config: Config,
    pub(crate) name: String,
}

impl Database {
    /// With the tables, in the server that all tests of this process share.
    pub(crate) async fn new() -> Self {
        Self::on(PostgresServer::shared().unwrap()).await
    }

    /// With the tables, in this server.
    pub(crate) async fn on(server: &PostgresServer) -> Self {
        let database = Self::empty(server);
        database.client().await.batch_execute(PostgresStore::SCHEMA).await.unwrap();
        database
    }

    pub(crate) fn empty(server: &PostgresServer) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let config = server.create_database(&name).unwrap().parse().unwrap();
        Self { config, name }
    }

    /// The same database behind another address.
    pub(crate) fn through(&self, addr: SocketAddr) -> Self {
        let mut config = Config::new();
        config.host(addr.ip().to_string()).port(addr.port()).user(PostgresServer::USER).dbname(&self.name);
        Self { config, name: self.name.clone() }
    }

    /// The same database for connections of this name.
    pub(crate) fn named(&self, application: &str) -> Self {
        let mut config = self.config.clone();
        config.application_name(application);
        Self { config, name: self.name.clone() }
    }

    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = self.config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub(crate) fn connections(&self) -> Reconnecting {
        let config = self.config.clone();
        Reconnecting::new(move || {
            let config = config.clone();
            async move {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        })
    }

    /// A store with connections of its own, and one for wake-ups.
    pub(crate) fn store(&self) -> PostgresStore {
        self.listening(PostgresStore::new(self.connections()))
    }

    pub(crate) fn listening(&self, store: PostgresStore) -> PostgresStore {
        let config = self.config.clone();
        store.listening(move || {
            let config = config.clone();
            async move {
                let (client, connection) = config.connect(NoTls).await?;
                Ok(Notifications::new(client, connection))
            }
        })
    }

    /// Runs SQL and gives the first column of its rows.
    pub(crate) async fn ask(&self, sql: &str) -> Vec<String> {
        let rows = self.client().await.simple_query(sql).await.unwrap();
        let text = |message| {
            let tokio_postgres::SimpleQueryMessage::Row(row) = message else { return None };
            Some(row.get(0).unwrap_or("NULL").to_owned())
        };
        rows.into_iter().filter_map(text).collect()
    }
}

/// The one number that `sql` gives.
pub(crate) async fn number(database: &Database, sql: &str) -> u64 {
    database.ask(sql).await.remove(0).parse().unwrap()
}

pub(crate) fn id(name: &str) -> MigrationId {
    name.parse().unwrap()
}

/// A change to a rollout of `ppm` by the operation `op_id`, with an etag of its own.
pub(crate) fn change(before: Option<&Record>, ppm: u32, op_id: u128) -> Change {
    let rollout = Percentage::from_ppm(ppm).unwrap();
    let after = Settings { mode: SystemMode::GradualRollout, rollout, shadow_share: None };
    let stamp = Stamp { at: UNIX_EPOCH + Duration::from_millis(1234), etag: op_id << 7 | 5, op_id };
    Change::new(before, after, ChangeKind::Rollout, Author::new("ana", "test").unwrap(), stamp)
}

pub(crate) async fn put(
    store: &dyn StateStore,
    id: &MigrationId,
    before: Option<&Record>,
    op_id: u128,
) -> Result<Record, StoreError> {
    store.compare_and_swap(id, Expect::of(before), &change(before, 5, op_id)).await
}

pub(crate) fn request(item: &str, op_id: u128, expect: Expect) -> ClaimRequest {
    let (item, holder, ttl) = (item.parse().unwrap(), "worker".parse().unwrap(), Duration::from_secs(60));
    ClaimRequest { item, side: Side::Legacy, expect, holder, op_id, ttl }
}

/// How long something took.
pub(crate) async fn timed<T>(what: impl Future<Output = T>) -> (T, Duration) {
    let clock = SystemClock::new();
    let start = clock.now();
    let done = what.await;
    (done, clock.now().since(start))
}

/// The median and the 99th percentile.
pub(crate) fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

/// All messages of an error and of its sources, and what `Debug` says.
pub(crate) fn everything(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text} {cause} {cause:?}");
        source = cause.source();
    }
    text
}
