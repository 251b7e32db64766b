//! The store keeps every law of the conformance kit, on a real server.

mod common;

use common::Database;
use cutover::store::{MigrationId, async_trait};
use cutover::testing::conformance::{Capabilities, Capability, FactoryError, Planted, StoreFactory, Stores};
use cutover_postgres::PostgresStore;
use cutover_test_servers::PostgresServer;

struct Postgres;

fn stores(store: &PostgresStore, database: &Database) -> Stores {
    Stores::new(store.clone(), database.clone()).with_claims(store.clone()).with_discrepancies(store.clone())
}

fn open(database: &Database) -> Stores {
    stores(&database.store(), database)
}

#[async_trait]
impl StoreFactory for Postgres {
    fn capabilities(&self) -> Capabilities {
        use Capability::{Broken, Claims, Disconnect, Discrepancies, Plant, Watch};
        Capabilities::of(&[Claims, Discrepancies, Watch, Broken, Plant, Disconnect])
    }

    async fn fresh(&self) -> Result<Stores, FactoryError> {
        Ok(open(&Database::new().await.named("first")))
    }

    async fn reopen(&self, opened: &Stores) -> Result<Stores, FactoryError> {
        Ok(open(&opened.context::<Database>()?.named("other")))
    }

    async fn broken(&self) -> Result<Option<Stores>, FactoryError> {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let database = Database { config: "host=127.0.0.1".parse()?, name: PostgresServer::USER.to_owned() };
        Ok(Some(open(&database.through(nobody))))
    }

    async fn plant(&self, opened: &Stores, id: &MigrationId, planted: &Planted) -> Result<bool, FactoryError> {
        let client = opened.context::<Database>()?.client().await;
        let sql = "UPDATE cutover_state SET record = $2 WHERE migration = $1";
        client.execute(sql, &[&id.as_str(), &planted.json]).await?;
        if let Some((epoch, etag)) = planted.version {
            let sql = "UPDATE cutover_state SET epoch = $2::text::numeric, etag = $3 WHERE migration = $1";
            client.execute(sql, &[&id.as_str(), &epoch.to_string(), &format!("{etag:032x}")]).await?;
        }
        Ok(true)
    }

    async fn disconnect(&self, opened: &Stores) -> Result<bool, FactoryError> {
        let database = opened.context::<Database>()?;
        let name = database.config.get_application_name().unwrap_or_default();
        let cut = database.named("cutter").client().await;
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = $1";
        Ok(!cut.query(sql, &[&name]).await?.is_empty())
    }
}

cutover::conformance_tests!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    Postgres
);
