//! Connections come from a pool of the host, and one that does not answer does not go back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Database, id, put};
use cutover::{StateStore as _, StoreError};
use cutover_postgres::PostgresStore;
use cutover_test_servers::{PostgresServer, Proxy};
use deadpool_postgres::{Manager, Pool, Runtime};
use tokio_postgres::NoTls;

fn pool(database: &Database) -> Pool {
    let manager = Manager::new(database.config.clone(), NoTls);
    let wait = Some(Duration::from_millis(300));
    Pool::builder(manager).max_size(2).runtime(Runtime::Tokio1).wait_timeout(wait).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_use_the_pool_and_give_back_what_they_borrowed() {
    let database = Database::new().await;
    let pool = pool(&database);
    let store = PostgresStore::new(pool.clone());
    let (a, mut last) = (id("a"), None);
    for op_id in 1..=20 {
        last = Some(put(&store, &a, last.as_ref(), op_id).await.unwrap());
    }
    assert_eq!(store.load(&a).await.unwrap(), last);
    assert_eq!((pool.status().size, pool.status().available), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_has_no_connection_in_time_is_unavailable() {
    let database = Database::new().await;
    let pool = pool(&database);
    let store = PostgresStore::new(pool.clone());
    let _borrowed = (pool.get().await.unwrap(), pool.get().await.unwrap());
    let error = store.load(&id("a")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(_)));
    assert!(common::everything(&error).contains("the pool had none in time"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_an_answer_does_not_go_back_into_the_pool() {
    let database = Database::new().await;
    let proxy = Proxy::start(PostgresServer::shared().unwrap().addr()).unwrap();
    let pool = pool(&database.through(proxy.addr()));
    let store = PostgresStore::new(pool.clone());
    store.load(&id("a")).await.unwrap();
    assert_eq!(pool.status().size, 1);
    proxy.half_open();
    let call = tokio::time::timeout(Duration::from_millis(200), async { store.load(&id("a")).await });
    assert!(call.await.is_err(), "half open, and answered");
    assert_eq!(pool.status().size, 0);
    proxy.pass();
    assert_eq!(store.load(&id("a")).await.unwrap(), None);
}
