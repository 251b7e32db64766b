//! The laws of all three traits, by the kit that every store is checked with.

use std::net::TcpListener;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cutover::store::{MigrationId, async_trait};
use cutover::testing::conformance::{Capabilities, Capability, FactoryError, Planted, StoreFactory, Stores};
use cutover_redis::RedisStore;
use cutover_test_servers::RedisServer;
use redis::Client;
use redis::aio::ConnectionManagerConfig;

use super::common::{client, connect, server};

/// One server for all checks, each of them with prefixes of its own.
static SERVER: LazyLock<RedisServer> = LazyLock::new(server);
static NAMESPACES: AtomicU64 = AtomicU64::new(0);

struct Factory;

/// What it takes to open a store again.
struct Namespace {
    prefix: String,
    name: String,
}

impl Namespace {
    /// The store connects under a name, by which its connections are found again.
    async fn open(prefix: String) -> Result<Stores, FactoryError> {
        let name = format!("handle-{}", NAMESPACES.fetch_add(1, Ordering::Relaxed));
        let mut connection = connect(&client(&SERVER)).await;
        redis::cmd("CLIENT").arg("SETNAME").arg(&name).exec_async(&mut connection).await?;
        let store = RedisStore::new(connection).with_prefix(&prefix)?.watched_by(client(&SERVER));
        Ok(stores(store, Self { prefix, name }))
    }
}

fn stores(store: RedisStore, namespace: Namespace) -> Stores {
    Stores::new(store.clone(), namespace).with_claims(store.clone()).with_discrepancies(store)
}

#[async_trait]
impl StoreFactory for Factory {
    fn capabilities(&self) -> Capabilities {
        Capabilities::of(&[
            Capability::Claims,
            Capability::Discrepancies,
            Capability::Watch,
            Capability::Broken,
            Capability::Plant,
            Capability::Disconnect,
        ])
    }

    async fn fresh(&self) -> Result<Stores, FactoryError> {
        Namespace::open(format!("n{}", NAMESPACES.fetch_add(1, Ordering::Relaxed))).await
    }

    async fn reopen(&self, stores: &Stores) -> Result<Stores, FactoryError> {
        Namespace::open(stores.context::<Namespace>()?.prefix.clone()).await
    }

    async fn broken(&self) -> Result<Option<Stores>, FactoryError> {
        let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let client = Client::open(format!("redis://{nobody}/"))?;
        let config = ConnectionManagerConfig::new().set_number_of_retries(1).set_min_delay(Duration::from_millis(10));
        let store = RedisStore::new(client.get_connection_manager_lazy(config)?).watched_by(client);
        Ok(Some(stores(store, Namespace { prefix: String::new(), name: String::new() })))
    }

    async fn plant(&self, stores: &Stores, id: &MigrationId, planted: &Planted) -> Result<bool, FactoryError> {
        let key = format!("{{{}:{id}}}:record", stores.context::<Namespace>()?.prefix);
        let version = planted.version.map(|(epoch, etag)| [epoch.to_string(), format!("{etag:032x}")]);
        SERVER.command(&["HSET", &key, "json", &planted.json])?;
        if let Some([epoch, etag]) = version {
            SERVER.command(&["HSET", &key, "epoch", &epoch, "etag", &etag])?;
        }
        Ok(true)
    }

    async fn disconnect(&self, stores: &Stores) -> Result<bool, FactoryError> {
        let name = format!("name={} ", stores.context::<Namespace>()?.name);
        let clients = SERVER.command(&["CLIENT", "LIST"])?;
        let named = clients.lines().filter(|client| client.contains(&name));
        let addresses = named.filter_map(|client| client.split(' ').find_map(|field| field.strip_prefix("addr=")));
        for address in addresses {
            SERVER.command(&["CLIENT", "KILL", "ADDR", address])?;
        }
        Ok(true)
    }
}

cutover::conformance_tests!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    Factory
);
