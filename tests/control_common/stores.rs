//! Stores around another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::{StateStore, StoreError};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};

/// Counts its loads, can be blackholed, and wakes its watchers only when told to.
#[derive(Clone, Default)]
pub(crate) struct Instrumented<S> {
    pub(crate) store: S,
    pub(crate) loads: Arc<AtomicU64>,
    pub(crate) blackholed: Arc<AtomicBool>,
    /// Whether there are wake-ups at all.
    pub(crate) watched: Arc<AtomicBool>,
    hanging: Arc<AtomicBool>,
    watchers: Arc<std::sync::Mutex<Vec<UnboundedSender<()>>>>,
}

impl<S> Instrumented<S> {
    pub(crate) fn new(store: S) -> Self {
        let (loads, blackholed) = (Arc::default(), Arc::default());
        Self { store, loads, blackholed, watched: Arc::default(), hanging: Arc::default(), watchers: Arc::default() }
    }

    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    pub(crate) fn blackhole(&self, blackholed: bool) {
        self.blackholed.store(blackholed, Ordering::Relaxed);
    }

    pub(crate) fn watchable(self) -> Self {
        self.watched.store(true, Ordering::Relaxed);
        self
    }

    /// From now on nobody is told whether there are wake-ups.
    pub(crate) fn hang_watches(&self) {
        self.hanging.store(true, Ordering::Relaxed);
    }

    pub(crate) fn wake(&self) {
        self.watchers.lock().unwrap().retain(|watcher| watcher.unbounded_send(()).is_ok());
    }

    /// Ends all streams of wake-ups.
    pub(crate) fn disconnect(&self) {
        self.watchers.lock().unwrap().clear();
    }

    pub(crate) fn watchers(&self) -> usize {
        self.watchers.lock().unwrap().iter().filter(|watcher| !watcher.is_closed()).count()
    }

    async fn travel(&self) {
        if self.blackholed.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl<S: StateStore> StateStore for Instrumented<S> {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.travel().await;
        self.store.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.travel().await;
        self.store.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.travel().await;
        self.store.history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        self.travel().await;
        if self.hanging.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if !self.watched.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let (sender, receiver) = unbounded();
        self.watchers.lock().unwrap().push(sender);
        Ok(Some(receiver.boxed()))
    }
}
