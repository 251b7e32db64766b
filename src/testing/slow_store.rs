//! [`SlowStore`]: a store whose every call takes a while.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::runtime::Runtime;
use crate::store::{
    AuditEntry, Change, ClaimError, ClaimRecord, ClaimRequest, ClaimStore, Expect, Grant, ItemId, MigrationId, Record,
    StateStore, StoreError, WakeUps, async_trait,
};

/// A store around another one. Each call waits before and after it takes place, so that others come in between.
///
/// ```
/// use cutover::testing::{SlowStore, VirtualRuntime};
/// use cutover::{Clock, MemoryStore, StateStore};
/// use std::time::Duration;
///
/// let runtime = VirtualRuntime::new();
/// let store = SlowStore::new(MemoryStore::new(), runtime.clone(), Duration::from_millis(30));
/// let started = runtime.clock().now();
/// assert_eq!(runtime.run(store.load(&"search".parse()?))?, None);
/// assert_eq!(runtime.clock().now().since(started), Duration::from_millis(60)); // of virtual time
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SlowStore<S> {
    store: S,
    runtime: Arc<dyn Runtime>,
    each_way: Duration,
}

impl<S> SlowStore<S> {
    /// A store like `store` whose requests and whose answers travel for `each_way`, measured out by `runtime`.
    pub fn new(store: S, runtime: impl Runtime + 'static, each_way: Duration) -> Self {
        Self { store, runtime: Arc::new(runtime), each_way }
    }

    async fn travel<T>(&self, call: impl Future<Output = T> + Send) -> T {
        self.runtime.sleep(self.each_way).await;
        let answer = call.await;
        self.runtime.sleep(self.each_way).await;
        answer
    }
}

#[async_trait]
impl<S: StateStore> StateStore for SlowStore<S> {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.travel(self.store.load(id)).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.travel(self.store.compare_and_swap(id, expect, change)).await
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.travel(self.store.history(id, after_epoch, limit)).await
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        self.travel(self.store.watch(id)).await
    }
}

#[async_trait]
impl<S: ClaimStore> ClaimStore for SlowStore<S> {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        self.travel(self.store.claim(id, request)).await
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        self.travel(self.store.renew(id, item, token, ttl)).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.travel(self.store.complete(id, item, token)).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.travel(self.store.release(id, item, token)).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        self.travel(self.store.claimed(id, item)).await
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        self.travel(self.store.expired(id, limit)).await
    }
}
