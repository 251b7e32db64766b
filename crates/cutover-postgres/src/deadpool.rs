//! Lends the connections of a `deadpool_postgres::Pool`.

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool, PoolError};
use tokio_postgres::Client;

use crate::{Connections, Lent, PostgresError};

/// A connection that did not answer does not go back into the pool.
#[async_trait]
impl Connections for Pool {
    async fn lend(&self) -> Result<Box<dyn Lent>, PostgresError> {
        match self.get().await {
            Ok(object) => Ok(Box::new(Pooled(object))),
            Err(PoolError::Backend(error)) => Err(error.into()),
            Err(PoolError::Timeout(_)) => Err(PostgresError::NoConnection("the pool had none in time")),
            Err(PoolError::Closed) => Err(PostgresError::NoConnection("the pool is closed")),
            Err(_) => Err(PostgresError::NoConnection("the pool could not make one")),
        }
    }
}

struct Pooled(Object);

impl Lent for Pooled {
    fn client(&self) -> &Client {
        &self.0
    }

    fn abandon(self: Box<Self>) {
        drop(Object::take(self.0));
    }
}
