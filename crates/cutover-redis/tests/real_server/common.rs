//! What the tests of this crate share.

use std::time::{Duration, UNIX_EPOCH};

use cutover::store::{
    AuditEntry, Author, Change, ChangeKind, ClaimRequest, ClaimStore, Expect, Grant, MigrationId, Record, Settings,
    Stamp,
};
use cutover::{Clock, Percentage, Side, StateStore, StoreError, SystemClock, SystemMode};
use cutover_redis::RedisStore;
use cutover_test_servers::{Proxy, RedisServer};
use redis::Client;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

pub(crate) fn server() -> RedisServer {
    RedisServer::start(&[]).unwrap()
}

pub(crate) fn client(server: &RedisServer) -> Client {
    Client::open(server.url()).unwrap()
}

/// A client that reaches its server through `proxy`.
pub(crate) fn client_through(proxy: &Proxy) -> Client {
    Client::open(format!("redis://{}/", proxy.addr())).unwrap()
}

/// Answers may take as long as a busy machine needs.
pub(crate) async fn connect(client: &Client) -> ConnectionManager {
    connect_for(client, Duration::from_secs(10)).await
}

pub(crate) async fn connect_for(client: &Client, answer: Duration) -> ConnectionManager {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(answer))
        .set_connection_timeout(Some(answer))
        .set_number_of_retries(2)
        .set_min_delay(Duration::from_millis(20));
    client.get_connection_manager_with_config(config).await.unwrap()
}

pub(crate) async fn store(server: &RedisServer) -> RedisStore {
    RedisStore::new(connect(&client(server)).await)
}

pub(crate) fn id(name: &str) -> MigrationId {
    name.parse().unwrap()
}

/// A change to a rollout of `ppm` by the operation `op_id`; the etag is ten times that.
pub(crate) fn change(before: Option<&Record>, ppm: u32, op_id: u128) -> Change {
    let rollout = Percentage::from_ppm(ppm).unwrap();
    let after = Settings { mode: SystemMode::GradualRollout, rollout, shadow_share: None };
    let stamp = Stamp { at: UNIX_EPOCH + Duration::from_millis(1234), etag: op_id * 10, op_id };
    Change::new(before, after, ChangeKind::Rollout, Author::new("ana", "test").unwrap(), stamp)
}

pub(crate) async fn put(
    store: &impl StateStore,
    before: Option<&Record>,
    ppm: u32,
    op_id: u128,
) -> Result<Record, StoreError> {
    store.compare_and_swap(&id("a"), Expect::of(before), &change(before, ppm, op_id)).await
}

/// `length` changes in a row; the last one's record.
pub(crate) async fn put_many(store: &impl StateStore, length: u64) -> Record {
    let mut record = None;
    for step in 1..=length {
        record = Some(put(store, record.as_ref(), u32::try_from(step).unwrap(), step.into()).await.unwrap());
    }
    record.unwrap()
}

pub(crate) async fn history(store: &impl StateStore) -> Vec<AuditEntry> {
    store.history(&id("a"), 0, usize::MAX).await.unwrap()
}

pub(crate) async fn epochs(store: &impl StateStore) -> Vec<u64> {
    history(store).await.iter().map(|entry| entry.epoch).collect()
}

pub(crate) fn claim_of(item: &str, op_id: u128) -> ClaimRequest {
    ClaimRequest {
        item: item.parse().unwrap(),
        side: Side::Legacy,
        expect: Expect::Absent,
        holder: "worker".parse().unwrap(),
        op_id,
        ttl: Duration::from_secs(60),
    }
}

pub(crate) async fn claim(store: &impl ClaimStore, item: &str, op_id: u128) -> Grant {
    store.claim(&id("a"), &claim_of(item, op_id)).await.unwrap()
}

/// Everything that the server holds, as text; without what runs out by itself.
pub(crate) fn contents(server: &RedisServer) -> String {
    let keys = server.command(&["KEYS", "*"]).unwrap();
    let mut keys: Vec<_> = keys.lines().filter(|key| !key.is_empty()).collect();
    keys.sort_unstable();
    let describe = |key: &&str| {
        let kind = server.command(&["TYPE", key]).unwrap();
        let content = match kind.as_str() {
            "hash" => server.command(&["HGETALL", key]),
            "stream" => server.command(&["XRANGE", key, "-", "+"]),
            "zset" => server.command(&["ZRANGE", key, "0", "-1", "WITHSCORES"]),
            _ => server.command(&["GET", key]),
        };
        format!("{key} {kind} {}", content.unwrap())
    };
    keys.iter().map(describe).collect::<Vec<_>>().join("\n")
}

/// Waits until `done`, for at most ten seconds.
pub(crate) async fn until(mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within ten seconds");
}

/// How long `call` takes, with its answer.
pub(crate) async fn timed<T>(call: impl Future<Output = T>) -> (Duration, T) {
    let clock = SystemClock::new();
    let start = clock.now();
    let answer = call.await;
    (clock.now().since(start), answer)
}

/// The value below which `percent` of the times are.
pub(crate) fn quantile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len() - 1);
    times[at]
}
