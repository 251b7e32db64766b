//! [`PostgresStore`], and how its statements are sent.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::error::Asked;
use crate::listen::{Listener, Notifications};
use crate::names::SCHEMA;
use crate::sql::Statements;
use crate::{Connections, Lent, Names, PostgresError};
use cutover::StoreError;

/// Keeps state, audit, claims and discrepancies in PostgreSQL 14 or later. Clones share their connections.
///
/// It keeps every law of [`StateStore`](cutover::StateStore), [`ClaimStore`](cutover::store::ClaimStore) and
/// [`DiscrepancyStore`](cutover::store::DiscrepancyStore). The tables have to be there: run
/// [`SCHEMA`](Self::SCHEMA) with your own tool for schema changes.
///
/// Each call is one statement, or one and a look at why it changed nothing. A dropped call takes place completely or not at
/// all. Errors hold a [`PostgresError`] as their source and no text of the server.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) connections: Arc<dyn Connections>,
    pub(crate) sql: Arc<Statements>,
    pub(crate) listener: Option<Arc<Listener>>,
    names: Names,
}

impl PostgresStore {
    /// The SQL text that makes the tables of the [default names](Names::default), as one transaction. It only adds what is
    /// missing. Its end says which privileges an application's role needs.
    pub const SCHEMA: &str = SCHEMA;

    /// A store on the tables of the default names.
    pub fn new(connections: impl Connections + 'static) -> Self {
        Self::with_names(connections, Names::default())
    }

    /// A store on the tables of these names.
    pub fn with_names(connections: impl Connections + 'static, names: Names) -> Self {
        let sql = Arc::new(Statements::of(&names));
        Self { connections: Arc::new(connections), sql, listener: None, names }
    }

    /// Lets [`watch`](cutover::StateStore::watch) wake up at changes. Without this it gives `None`, and whoever watches polls.
    ///
    /// `connect` opens a connection of its own, which is used for `LISTEN` alone, by all watchers of this store together. It is
    /// opened for the first watcher and closed with the last, and anew for the next one after it was lost. A pooler in
    /// transaction mode has no `LISTEN`: let this one go past it. A connection that ends without a word from the network is
    /// only noticed by its keepalives, which are settings of your `Config`.
    ///
    /// ```no_run
    /// # use cutover_postgres::{Notifications, PostgresStore, Reconnecting};
    /// # fn with(store: PostgresStore, config: tokio_postgres::Config) -> PostgresStore {
    /// store.listening(move || {
    ///     let config = config.clone();
    ///     async move {
    ///         let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
    ///         Ok(Notifications::new(client, connection))
    ///     }
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn listening<F, C>(self, connect: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<Notifications, tokio_postgres::Error>> + Send + 'static,
    {
        let listener = Listener::new(self.names.channel(), Box::new(move || connect().boxed()));
        Self { listener: Some(Arc::new(listener)), ..self }
    }

    /// Where changes are notified.
    pub(crate) fn channel(&self) -> String {
        self.names.channel()
    }

    /// Sends a statement that changes nothing.
    pub(crate) async fn read(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        self.send(sql, values).await.map_err(|failed| failed.into_store_error(Asked::Read))
    }

    /// Sends a statement that may change something.
    pub(crate) async fn write(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        self.send(sql, values).await.map_err(|failed| failed.into_store_error(Asked::Write))
    }

    pub(crate) async fn send(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, Failed> {
        let not_sent = |error| Failed { error, sent: false };
        let call = Call(Some(self.connections.lend().await.map_err(not_sent)?));
        let client = call.client().filter(|client| !client.is_closed());
        let Some(client) = client else {
            return Err(not_sent(PostgresError::NoConnection("the one that was lent is closed")));
        };
        let answer = client.query_typed(sql, values).await.map_err(PostgresError::from);
        if answer.as_ref().err().is_none_or(PostgresError::keeps_connection) {
            call.answered();
        }
        answer.map_err(|error| Failed { error, sent: true })
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listening = self.listener.is_some();
        f.debug_struct("PostgresStore")
            .field("names", &self.names)
            .field("listening", &listening)
            .finish_non_exhaustive()
    }
}

/// The values of a statement, each with the type that the statement takes it for.
pub(crate) type Values<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// A text for a statement.
pub(crate) fn text(text: &(dyn ToSql + Sync)) -> (&(dyn ToSql + Sync), Type) {
    (text, Type::TEXT)
}

/// A number for a statement.
pub(crate) fn int8(number: &i64) -> (&(dyn ToSql + Sync), Type) {
    (number, Type::INT8)
}

/// What went wrong, and whether anything was sent.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: PostgresError,
    pub(crate) sent: bool,
}

impl Failed {
    pub(crate) fn into_store_error(self, asked: Asked) -> StoreError {
        let asked = if self.sent { asked } else { Asked::Nothing };
        self.error.into_store_error(asked)
    }
}

/// One call on a lent connection, which is abandoned unless the call gets an answer.
struct Call(Option<Box<dyn Lent>>);

impl Call {
    fn client(&self) -> Option<&Client> {
        self.0.as_deref().map(Lent::client)
    }

    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(lent) = self.0.take() {
            lent.abandon();
        }
    }
}

/// A column of a row. The schema says its type, so another one means another schema.
pub(crate) fn column<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, StoreError> {
    let unfit = |_| PostgresError::Unexpected("a column has another type than in the schema");
    row.try_get(index).map_err(|error| StoreError::corrupt(unfit(error)))
}

/// A `numeric(20)` that was read as text.
pub(crate) fn number(text: &str) -> Result<u64, StoreError> {
    text.parse().map_err(StoreError::corrupt)
}
