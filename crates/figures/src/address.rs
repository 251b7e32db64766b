//! [`Address`]: where a store is, as a text that another process understands.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use cutover::MemoryStore;
use cutover::store::ClaimStore;
use cutover_postgres::{PostgresStore, Reconnecting};
use cutover_redis::RedisStore;
use cutover_sqlite::SqliteStore;
use tokio_postgres::{Config, NoTls};

use crate::Failure;
use crate::unwatched::Unwatched;

/// Where a store is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Address {
    /// In this process.
    Memory(MemoryStore),
    /// A file.
    Sqlite(PathBuf),
    /// A server's URL.
    Postgres(String),
    /// A server's URL.
    Redis(String),
    /// The same store without wake-ups.
    Unwatched(Box<Self>),
}

impl Address {
    /// A new handle on the store, with connections of its own.
    ///
    /// # Errors
    /// Whatever the store says when it cannot be reached.
    pub async fn connect(&self) -> Result<Arc<dyn ClaimStore>, Failure> {
        Ok(match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path)?),
            Self::Postgres(url) => Arc::new(postgres(url.parse()?)),
            Self::Redis(url) => Arc::new(redis(url).await?),
            Self::Unwatched(address) => Arc::new(Unwatched(Box::pin(address.connect()).await?)),
        })
    }

    /// The same store without wake-ups.
    #[must_use]
    pub fn unwatched(self) -> Self {
        Self::Unwatched(Box::new(self))
    }

    /// Makes the store ready for its first use.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn prepare(&self) -> Result<(), Failure> {
        if let Self::Postgres(url) = self {
            let (client, connection) = url.parse::<Config>()?.connect(NoTls).await?;
            let driving = tokio::spawn(connection);
            client.batch_execute(PostgresStore::SCHEMA).await?;
            drop(client);
            driving.await??;
        }
        Ok(())
    }
}

fn postgres(config: Config) -> PostgresStore {
    let listening = config.clone();
    let connections = Reconnecting::new(move || {
        let config = config.clone();
        async move {
            let (client, connection) = config.connect(NoTls).await?;
            drop(tokio::spawn(connection));
            Ok(client)
        }
    });
    PostgresStore::new(connections).listening(move || {
        let config = listening.clone();
        async move {
            let (client, connection) = config.connect(NoTls).await?;
            Ok(cutover_postgres::Notifications::new(client, connection))
        }
    })
}

async fn redis(url: &str) -> Result<RedisStore, Failure> {
    let client = redis::Client::open(url)?;
    let connection = client.get_connection_manager().await?;
    Ok(RedisStore::new(connection).watched_by(client))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) | Self::Redis(url) => f.write_str(url),
            Self::Unwatched(address) => address.fmt(f),
        }
    }
}

impl FromStr for Address {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text.split_once(':') {
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.into())),
            Some(("redis", _)) => Ok(Self::Redis(text.to_owned())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            _ => Err(format!("`{text}` is no store; allowed: sqlite:PATH, redis://.., postgres://..").into()),
        }
    }
}
