//! [`Host`]: one store to prove things about, with whatever server or folder it needs.

use clap::ValueEnum;
use cutover::MemoryStore;
use cutover_test_servers::{PostgresServer, Proxy, RedisServer};
use tempfile::TempDir;

use crate::Failure;
use crate::address::Address;

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Kind {
    /// `MemoryStore`.
    Memory,
    /// `cutover-sqlite`.
    Sqlite,
    /// `cutover-postgres`.
    Postgres,
    /// `cutover-redis`.
    Redis,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Memory, Self::Sqlite, Self::Postgres, Self::Redis];

    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "MemoryStore",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        }
    }
}

/// A store that is there as long as this lives.
#[derive(Debug)]
pub struct Host {
    kind: Kind,
    address: Address,
    served: Served,
}

#[derive(Debug)]
enum Served {
    Nothing,
    Folder(#[expect(dead_code, reason = "it is removed when it is dropped")] TempDir),
    Redis(RedisServer),
    Postgres(PostgresServer),
}

impl Host {
    /// Starts what the store needs. PostgreSQL synchronises to the disk, as SQLite does; Redis appends to its file once a
    /// second.
    ///
    /// # Errors
    /// When a server is missing or does not start.
    pub async fn start(kind: Kind) -> Result<Self, Failure> {
        let (address, served) = match kind {
            Kind::Memory => (Address::Memory(MemoryStore::new()), Served::Nothing),
            Kind::Sqlite => {
                let folder = tempfile::tempdir()?;
                (Address::Sqlite(folder.path().join("migrations.db")), Served::Folder(folder))
            }
            Kind::Redis => {
                let server = RedisServer::start(&[("appendonly", "yes")])?;
                (Address::Redis(server.url()), Served::Redis(server))
            }
            Kind::Postgres => {
                let server = PostgresServer::start(&[("fsync", "on"), ("max_connections", "200")])?;
                (Address::Postgres(server.url()), Served::Postgres(server))
            }
        };
        address.prepare().await?;
        Ok(Self { kind, address, served })
    }

    /// Which store it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The way to the store through a proxy; `None` where there is no network between.
    ///
    /// # Errors
    /// When the proxy does not start.
    pub fn proxied(&self) -> Result<Option<(Proxy, Address)>, Failure> {
        let (upstream, url) = match (&self.served, &self.address) {
            (Served::Redis(server), Address::Redis(url)) => (server.addr(), url),
            (Served::Postgres(server), Address::Postgres(url)) => (server.addr(), url),
            _ => return Ok(None),
        };
        let proxy = Proxy::start(upstream)?;
        let url = url.replace(&upstream.to_string(), &proxy.addr().to_string());
        Ok(Some((proxy, if self.kind == Kind::Redis { Address::Redis(url) } else { Address::Postgres(url) })))
    }
}
