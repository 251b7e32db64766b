//! No error and no `Debug` shows credentials, stored values or a text of the server.

mod common;

use std::net::TcpListener;

use common::{Database, change, everything, id, put, request};
use cutover::store::{ClaimError, ClaimStore as _, DiscrepancyStore as _, Expect, StoreError};
use cutover::{MigrationController, StateStore as _};
use cutover_postgres::{Names, PostgresStore};
use cutover_test_servers::PostgresServer;

const CANARY: &str = "canary7f3a";

fn is_clean(what: &str, text: &str) {
    assert!(!text.contains(CANARY), "{what}: {text}");
}

fn with_secrets(database: &Database) -> Database {
    let mut config = database.config.clone();
    config.password(format!("{CANARY}-password")).application_name(format!("{CANARY}-application"));
    Database { config, name: database.name.clone() }
}

async fn errors_of(store: &PostgresStore) -> Vec<String> {
    let a = id("a");
    let mut errors = vec![format!("{store:?}")];
    let mut state = |error: Option<StoreError>| errors.extend(error.map(|error| everything(&error)));
    state(store.load(&a).await.err());
    state(put(store, &a, None, 1).await.err());
    state(store.history(&a, 0, 1).await.err());
    state(store.watch(&a).await.err());
    state(store.page(&a, None, 1).await.err());
    state(store.clear(&a).await.err());
    let claim = request(CANARY, 1, Expect::Absent);
    let claims = [store.claim(&a, &claim).await.map(drop).err(), store.complete(&a, &claim.item, 1).await.err()];
    errors.extend(claims.into_iter().flatten().map(|error: ClaimError| everything(&error)));
    errors.extend(MigrationController::open("a", store.clone()).await.err().map(|error| everything(&error)));
    errors
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_reached_or_does_not_let_in_gives_away_nothing() {
    let database = Database::new().await;
    let role = format!("{CANARY}_nobody");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = with_secrets(&database.through(nobody));
    let mut no_role = with_secrets(&database);
    no_role.config.user(&role);
    let mut no_database = with_secrets(&database);
    no_database.config.dbname(CANARY);
    let mut no_host = with_secrets(&database);
    no_host.config = format!("host={CANARY}.invalid user={CANARY} password={CANARY}").parse().unwrap();
    for (what, database) in
        [("unreachable", unreachable), ("no role", no_role), ("no database", no_database), ("no host", no_host)]
    {
        let store = database.store();
        let errors = errors_of(&store).await;
        assert!(errors.len() > 8, "{what}: {errors:?}");
        for text in &errors {
            is_clean(what, text);
        }
        is_clean(what, &format!("{:?}", database.connections()));
    }
}

/// The server's messages quote rows and values; they stop at the error of the store.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_quotes_is_not_passed_on() {
    let database = Database::new().await;
    let (store, client, a) = (database.store(), database.client().await, id("a"));
    put(&store, &a, None, 1).await.unwrap();
    let trap = format!(
        "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION '{CANARY} message' USING DETAIL = '{CANARY} detail', HINT = '{CANARY} hint',
                 ERRCODE = TG_ARGV[0], CONSTRAINT = '{CANARY}', TABLE = '{CANARY}', COLUMN = '{CANARY}';
         END $$"
    );
    client.batch_execute(&trap).await.unwrap();
    for code in ["23505", "23514", "22021", "42501", "40001", "53100", "XX000", "57014", "P0001", "08006"] {
        for table in ["state", "claims"] {
            let sql = format!(
                "CREATE OR REPLACE TRIGGER trap BEFORE INSERT OR UPDATE ON cutover_{table}
                 FOR EACH ROW EXECUTE FUNCTION trap('{code}')"
            );
            client.batch_execute(&sql).await.unwrap();
        }
        let first = store.load(&a).await.unwrap();
        let answer = store.compare_and_swap(&a, Expect::of(first.as_ref()), &change(first.as_ref(), 7, 2)).await;
        let error = everything(&answer.unwrap_err());
        is_clean(code, &error);
        assert!(error.contains(&format!("SQLSTATE {code}: ")), "{error}");
        let error = store.claim(&a, &request(CANARY, 1, Expect::of(first.as_ref()))).await.unwrap_err();
        is_clean(code, &everything(&error));
        assert_eq!(store.load(&a).await.unwrap(), first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_and_cannot_be_read_is_not_quoted() {
    let database = Database::new().await;
    let (store, a) = (database.store(), id("a"));
    put(&store, &a, None, 1).await.unwrap();
    store.claim(&a, &request("x", 1, Expect::of(store.load(&a).await.unwrap().as_ref()))).await.unwrap();
    database.ask(&format!("UPDATE cutover_claims SET side = '{CANARY}'")).await;
    let error = store.claimed(&a, &"x".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)));
    is_clean("a claim", &everything(&error));
    database.ask(&format!("UPDATE cutover_state SET etag = '{CANARY}'")).await;
    let error = store.load(&a).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)));
    is_clean("a record", &everything(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_tables_a_store_says_what_is_missing() {
    let database = Database::empty(PostgresServer::shared().unwrap());
    let error = database.store().load(&id("a")).await.unwrap_err();
    assert!(everything(&error).contains("a table or column is missing; apply the schema"), "{error:?}");
    let elsewhere = PostgresStore::with_names(database.connections(), Names::new("elsewhere", "cutover_").unwrap());
    assert!(matches!(elsewhere.load(&id("a")).await, Err(StoreError::Denied(_))));
}
