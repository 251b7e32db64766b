//! Neither credentials nor stored values show in errors or in `Debug`, however Redis fails.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use cutover::store::{ClaimStore, DiscrepancyStore, StateStore};
use cutover::testing::discrepancy;
use cutover_redis::RedisStore;
use cutover_test_servers::RedisServer;
use redis::Client;
use redis::aio::ConnectionManagerConfig;

use super::common::{change, claim_of, id, server};

const CANARY: &str = "canary4711";

/// What an error says, and all that led to it.
fn told(error: &(dyn Error + 'static)) -> String {
    let (mut text, mut next) = (String::new(), Some(error));
    while let Some(error) = next {
        text = format!("{text}{error} {error:?}\n");
        next = error.source();
    }
    text
}

fn lazy(addr: SocketAddr) -> Client {
    Client::open(format!("redis://app:{CANARY}@{addr}/")).unwrap()
}

fn store_of(client: &Client) -> RedisStore {
    let config = ConnectionManagerConfig::new().set_number_of_retries(0);
    let connection = client.get_connection_manager_lazy(config).unwrap();
    RedisStore::new(connection).watched_by(client.clone())
}

/// Everything that goes wrong when nothing works.
async fn errors(store: &RedisStore) -> Vec<String> {
    let author = cutover::store::Author::new(CANARY, CANARY).unwrap();
    let template = change(None, 1, 1);
    let stamp = cutover::store::Stamp { at: template.record().since, etag: 1, op_id: 1 };
    let settings = template.record().settings();
    let change = cutover::store::Change::new(None, settings, cutover::store::ChangeKind::Rollout, author, stamp);
    let (a, item) = (id("a"), CANARY.parse().unwrap());
    let mut told_by = vec![
        told(&store.load(&a).await.unwrap_err()),
        told(&store.history(&a, 0, 10).await.unwrap_err()),
        told(&store.compare_and_swap(&a, cutover::store::Expect::Absent, &change).await.unwrap_err()),
        told(&store.claim(&a, &claim_of(CANARY, 1)).await.unwrap_err()),
        told(&store.complete(&a, &item, 1).await.unwrap_err()),
        told(&store.claimed(&a, &item).await.unwrap_err()),
        told(&store.expired(&a, 10).await.unwrap_err()),
        told(&store.add(&a, &[discrepancy(CANARY, 1)]).await.unwrap_err()),
        told(&store.page(&a, None, 10).await.unwrap_err()),
        told(&store.clear(&a).await.unwrap_err()),
    ];
    let watched = store.watch(&a).await;
    told_by.extend(watched.err().map(|error| told(&error)));
    told_by
}

async fn assert_silent(store: &RedisStore, least: usize) {
    let errors = errors(store).await;
    assert!(errors.len() >= least, "{errors:?}");
    for error in &errors {
        assert!(!error.contains(CANARY), "{error}");
    }
}

#[tokio::test]
async fn debug_shows_no_credentials() {
    let server = server();
    let shown = format!("{:?}", store_of(&lazy(server.addr())));
    assert!(shown.contains("cutover") && !shown.contains(CANARY), "{shown}");
}

#[tokio::test]
async fn a_refused_password_is_not_repeated() {
    let server = RedisServer::start(&[("requirepass", "other")]).unwrap();
    assert_silent(&store_of(&lazy(server.addr())), 11).await;
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_not_named_with_its_password() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_silent(&store_of(&lazy(free)), 11).await;
}

/// Old servers and proxies quote what they do not understand, the password of `HELLO` and `AUTH` included.
#[tokio::test]
async fn a_server_that_quotes_commands_is_not_quoted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            std::thread::spawn(move || quote(connection.unwrap()));
        }
    });
    assert_silent(&store_of(&lazy(addr)), 11).await;
    // Here the connection itself is made without a password, and only the commands are quoted.
    let open = Client::open(format!("redis://{addr}/")).unwrap();
    assert_silent(&store_of(&open), 10).await;
}

/// Answers everything with an error that repeats what came.
fn quote(mut connection: std::net::TcpStream) {
    let mut piece = vec![0; 65_536];
    while let Ok(length @ 1..) = connection.read(&mut piece) {
        let quoted = String::from_utf8_lossy(&piece[..length]).replace(['\r', '\n'], " ");
        let commands = quoted.matches('*').count();
        for _ in 0..commands {
            let answer = format!("-ERR unknown command, with args beginning with: {quoted} {CANARY}\r\n");
            if connection.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn a_stored_text_that_is_not_a_record_is_not_quoted() {
    let server = server();
    let client = Client::open(server.url()).unwrap();
    let store = store_of(&client);
    server.command(&["HSET", "{cutover:a}:record", "epoch", "1", "etag", CANARY, "json", CANARY]).unwrap();
    let loaded = store.load(&id("a")).await.unwrap_err();
    assert!(!told(&loaded).contains(CANARY), "{}", told(&loaded));
    server.command(&["SET", "{cutover:b}:record", CANARY]).unwrap();
    let loaded = store.load(&id("b")).await.unwrap_err();
    assert!(!told(&loaded).contains(CANARY), "{}", told(&loaded));
}
