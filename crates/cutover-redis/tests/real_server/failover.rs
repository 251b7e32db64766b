//! A failover that loses acknowledged writes is noticed: the safer mode holds, and what was lost decides nothing.

use std::sync::{Arc, Mutex};

use cutover::control::ChangeError;
use cutover::store::{ClaimRequest, ClaimStore, Doubt, Expect, StateStore};
use cutover::{MigrationController, StoreError, SystemMode};
use cutover_redis::RedisStore;
use cutover_test_servers::{Proxy, RedisServer};
use redis::aio::{ConnectionLike, ConnectionManager};
use redis::{Cmd, Pipeline, RedisFuture, Value};

use super::common::{change, claim_of, client, connect, epochs, id, put, server, until};

/// The connection of a host whose address moves with the primary.
#[derive(Clone)]
struct Moving(Arc<Mutex<ConnectionManager>>);

impl Moving {
    fn present(&self) -> ConnectionManager {
        self.0.lock().unwrap().clone()
    }
}

impl ConnectionLike for Moving {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        let mut connection = self.present();
        Box::pin(async move { connection.req_packed_command(command).await })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let mut connection = self.present();
        Box::pin(async move { connection.req_packed_commands(pipeline, offset, count).await })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// A primary, and a replica that follows it through a proxy.
struct Pair {
    primary: RedisServer,
    replication: Proxy,
    replica: RedisServer,
    connection: Moving,
}

impl Pair {
    async fn start() -> (Self, RedisStore) {
        let primary = server();
        let replication = Proxy::start(primary.addr()).unwrap();
        let port = replication.addr().port();
        let replica = RedisServer::start(&[("replicaof", &format!("127.0.0.1 {port}"))]).unwrap();
        let connection = Moving(Arc::new(Mutex::new(connect(&client(&primary)).await)));
        let store = RedisStore::new(connection.clone());
        (Self { primary, replication, replica, connection }, store)
    }

    /// Waits until the replica has what the primary has, and cuts it off.
    async fn stop_replication(&self) {
        let state = |server: &RedisServer| {
            [server.command(&["DBSIZE"]).unwrap(), server.command(&["XLEN", "{cutover:a}:audit"]).unwrap()]
        };
        until(async || state(&self.primary) == state(&self.replica)).await;
        self.replication.cut();
    }

    /// The primary dies, and the replica takes its place without what it never received.
    async fn fail_over(&self) {
        self.primary.kill().unwrap();
        self.replica.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
        let promoted = connect(&client(&self.replica)).await;
        *self.connection.0.lock().unwrap() = promoted;
    }
}

async fn open(store: &RedisStore) -> MigrationController {
    MigrationController::builder("a", store.clone()).manual_refresh().open().await.unwrap()
}

#[tokio::test]
async fn a_controller_that_knew_the_lost_record_keeps_the_safer_mode_and_promotes_no_further() {
    let (pair, store) = Pair::start().await;
    let controller = open(&store).await;
    controller.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    pair.stop_replication().await;
    controller.transition(SystemMode::NewOnly, "ana", "equal").await.unwrap();
    assert_eq!(controller.mode(), SystemMode::NewOnly);
    pair.fail_over().await;

    controller.refresh().await.unwrap();
    let status = controller.status();
    let doubt = Some(Doubt::StateRegressed { known_epoch: 2, found_epoch: 1 });
    assert_eq!((status.mode, status.doubt), (SystemMode::Parallel, doubt));
    let refused = controller.transition(SystemMode::NewOnly, "ana", "again").await;
    assert!(matches!(refused, Err(ChangeError::InDoubt(_))), "{refused:?}");
    assert_eq!(epochs(&store).await, [1]);

    controller.reconcile("ana", "the failover lost a change").await.unwrap();
    controller.transition(SystemMode::NewOnly, "ana", "again").await.unwrap();
    assert_eq!((controller.mode(), controller.status().doubt), (SystemMode::NewOnly, None));
    controller.verify().await.unwrap();
}

#[tokio::test]
async fn the_right_epoch_with_the_etag_of_the_lost_record_is_refused() {
    let (pair, store) = Pair::start().await;
    let first = put(&store, None, 1, 1).await.unwrap();
    pair.stop_replication().await;
    let lost = put(&store, Some(&first), 2, 2).await.unwrap();
    pair.fail_over().await;
    let found = store.load(&id("a")).await.unwrap();
    assert_eq!(found.as_ref(), Some(&first));
    let other = put(&store, Some(&first), 3, 3).await.unwrap();
    assert_eq!((other.epoch, lost.epoch), (2, 2));

    let refused = put(&store, Some(&lost), 4, 4).await;
    let Err(StoreError::Conflict { current }) = refused else { panic!("{refused:?}") };
    assert_eq!(current.as_deref(), Some(&other));
    assert_eq!(epochs(&store).await, [1, 2]);
    let expect = Expect::of(Some(&lost));
    assert!(store.claim(&id("a"), &ClaimRequest { expect, ..claim_of("x", 1) }).await.is_err());
    // The lost operation is not known to the new primary: repeating it is a change of its own, and is refused.
    let repeated = store.compare_and_swap(&id("a"), Expect::of(Some(&first)), &change(Some(&first), 2, 2)).await;
    assert!(matches!(repeated, Err(StoreError::Conflict { .. })), "{repeated:?}");
}

/// What the README warns of.
#[tokio::test]
async fn a_claim_that_a_failover_loses_is_granted_again_with_the_same_token() {
    let (pair, store) = Pair::start().await;
    put(&store, None, 1, 1).await.unwrap();
    let record = store.load(&id("a")).await.unwrap();
    let claim = |op_id| ClaimRequest { expect: Expect::of(record.as_ref()), ..claim_of("x", op_id) };
    pair.stop_replication().await;
    let lost = store.claim(&id("a"), &claim(1)).await.unwrap();
    pair.fail_over().await;
    let again = store.claim(&id("a"), &claim(2)).await.unwrap();
    assert_eq!((lost.token, again.token), (1, 1));
}
