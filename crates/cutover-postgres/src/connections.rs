//! [`Connections`]: how the host lends its connections, and [`Reconnecting`] for hosts without a pool.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio_postgres::Client;

use crate::PostgresError;

/// Lends a connection for each call of the store.
///
/// It is implemented for `Arc<Client>`, for [`Reconnecting`] and, with the feature `deadpool`, for `deadpool_postgres::Pool`.
///
/// A lent connection is outside of a transaction, and leads to the primary server: a standby may answer with an older record.
/// The store sends single statements without names, so poolers in transaction mode are fine.
#[async_trait]
pub trait Connections: Send + Sync {
    /// A connection for one call.
    ///
    /// # Errors
    /// [`PostgresError`] when there is none. A [`tokio_postgres::Error`] becomes one through `?`, without its text.
    async fn lend(&self) -> Result<Box<dyn Lent>, PostgresError>;
}

/// A connection that was lent for one call.
pub trait Lent: Send + Sync {
    /// The connection.
    fn client(&self) -> &Client;

    /// The call did not get its answer: the connection was lost, or the call was dropped at a deadline. Then a statement may
    /// still be on the connection, and everything that is sent later would wait behind it: better not lend it again. A
    /// connection whose call was answered is just dropped.
    fn abandon(self: Box<Self>) {}
}

/// Lends one connection for ever: when it is lost, every call is unavailable.
#[async_trait]
impl Connections for Arc<Client> {
    async fn lend(&self) -> Result<Box<dyn Lent>, PostgresError> {
        Ok(Box::new(Self::clone(self)))
    }
}

impl Lent for Arc<Client> {
    fn client(&self) -> &Client {
        self
    }
}

/// Lends one connection that all calls share, and asks the host for another one when it is lost or does not answer.
///
/// Calls share the connection, so one that waits in the server, for a row that somebody has locked, holds up those behind it.
/// A pool has no such effect.
///
/// ```no_run
/// use cutover_postgres::{PostgresStore, Reconnecting};
/// use tokio_postgres::{Config, NoTls};
///
/// let config: Config = "host=db user=app dbname=app".parse()?; // and your TLS instead of `NoTls`
/// let store = PostgresStore::new(Reconnecting::new(move || {
///     let config = config.clone();
///     async move {
///         let (client, connection) = config.connect(NoTls).await?;
///         tokio::spawn(connection);
///         Ok(client)
///     }
/// }));
/// # Ok::<(), tokio_postgres::Error>(())
/// ```
pub struct Reconnecting {
    connect: Box<dyn Fn() -> BoxFuture<'static, Result<Client, tokio_postgres::Error>> + Send + Sync>,
    present: Arc<Present>,
    /// Whoever holds this connects; the others wait for the result.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Present(Mutex<Option<Arc<Client>>>);

impl Reconnecting {
    /// Lends what `connect` gives, which drives the connection as well, such as in a task.
    pub fn new<F, C>(connect: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<Client, tokio_postgres::Error>> + Send + 'static,
    {
        let connect = Box::new(move || connect().boxed());
        Self { connect, present: Arc::default(), connecting: tokio::sync::Mutex::default() }
    }

    async fn present(&self) -> Result<Arc<Client>, PostgresError> {
        if let Some(client) = self.present.open() {
            return Ok(client);
        }
        let _turn = self.connecting.lock().await;
        if let Some(client) = self.present.open() {
            return Ok(client);
        }
        let client = Arc::new((self.connect)().await?);
        self.present.set(Some(Arc::clone(&client)));
        Ok(client)
    }
}

impl Present {
    fn open(&self) -> Option<Arc<Client>> {
        let present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        present.as_ref().filter(|client| !client.is_closed()).cloned()
    }

    fn set(&self, client: Option<Arc<Client>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = client;
    }

    /// Forgets `client`, unless another one has taken its place.
    fn forget(&self, client: &Arc<Client>) {
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if present.as_ref().is_some_and(|present| Arc::ptr_eq(present, client)) {
            *present = None;
        }
    }
}

#[async_trait]
impl Connections for Reconnecting {
    async fn lend(&self) -> Result<Box<dyn Lent>, PostgresError> {
        let client = self.present().await?;
        Ok(Box::new(Shared { client, present: Arc::clone(&self.present) }))
    }
}

impl fmt::Debug for Reconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting").field("connected", &self.present.open().is_some()).finish_non_exhaustive()
    }
}

struct Shared {
    client: Arc<Client>,
    present: Arc<Present>,
}

impl Lent for Shared {
    fn client(&self) -> &Client {
        &self.client
    }

    fn abandon(self: Box<Self>) {
        self.present.forget(&self.client);
    }
}
