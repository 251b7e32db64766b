//! What the tests of the store recorder share: a store of discrepancies that fails as told, and a recorder around it.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cutover::record::Fingerprint;
use cutover::store::{Added, DiscrepancyStore, MigrationId, StoreRecorder, StoreRecorderBuilder, async_trait};
use cutover::testing::{SeededRandom, VirtualRuntime, discrepancy};
use cutover::{Clock, Discrepancy, MemoryStore, Recorder, Runtime, StoreError};
use futures::FutureExt;

pub(crate) const SECRET: &str = "canary-password";
pub(crate) const SEED: u64 = 11;

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A store around a [`MemoryStore`] that fails as told.
#[derive(Clone)]
pub(crate) struct Store(pub(crate) Arc<Mutex<State>>, pub(crate) MemoryStore, pub(crate) VirtualRuntime);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) fault: Option<Fault>,
    pub(crate) poison: Option<(Fingerprint, Fault)>,
    /// When each call came, and how many discrepancies it brought.
    pub(crate) calls: Vec<(Duration, usize)>,
    pub(crate) bytes: usize,
    pub(crate) running: u64,
    pub(crate) most_running: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    Unavailable,
    Denied,
    Unknown,
    Hang,
    TooLarge,
    Panic,
    Full,
}

impl Store {
    pub(crate) fn new(runtime: &VirtualRuntime) -> Self {
        Self(Arc::default(), MemoryStore::new(), runtime.clone())
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn fail(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.state().calls.iter().map(|(_, size)| *size).collect()
    }

    /// What is kept: how often each was seen.
    pub(crate) fn kept(&self) -> BTreeMap<Fingerprint, u64> {
        let page = self.1.page(&id(), None, 20_000).now_or_never().unwrap().unwrap();
        page.iter().map(|discrepancy| (discrepancy.fingerprint, discrepancy.occurrences)).collect()
    }

    fn begin(&self, batch: &[Discrepancy]) -> Option<Fault> {
        let mut state = self.state();
        let now = Duration::from_nanos(self.2.clock().now().as_nanos());
        state.calls.push((now, batch.len()));
        state.bytes = state.bytes.max(batch.iter().map(Discrepancy::size).sum());
        state.running += 1;
        state.most_running = state.most_running.max(state.running);
        let poisoned = state.poison.filter(|(poison, _)| batch.iter().any(|one| one.fingerprint == *poison));
        state.fault.or_else(|| poisoned.map(|(_, fault)| fault))
    }
}

/// Counts out when a call ends or is dropped.
struct Running(Store);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state().running -= 1;
    }
}

#[async_trait]
impl DiscrepancyStore for Store {
    async fn add(&self, id: &MigrationId, batch: &[Discrepancy]) -> Result<Added, StoreError> {
        let fault = self.begin(batch);
        let _running = Running(self.clone());
        self.2.sleep(Duration::from_millis(10)).await;
        match fault {
            None => self.1.add(id, batch).await,
            Some(Fault::Unavailable) => Err(StoreError::unavailable(SECRET)),
            Some(Fault::Denied) => Err(StoreError::Denied(SECRET.into())),
            Some(Fault::Unknown) => Err(StoreError::outcome_unknown(SECRET)),
            Some(Fault::TooLarge) => Err(StoreError::TooLarge { size: 2, max: 1 }),
            Some(Fault::Hang) => pending().await,
            Some(Fault::Panic) => panic!("{SECRET}"),
            Some(Fault::Full) => Ok(Added { dropped: batch.len(), ..Added::default() }),
        }
    }

    async fn page(&self, _: &MigrationId, _: Option<Fingerprint>, _: usize) -> Result<Vec<Discrepancy>, StoreError> {
        panic!("nobody reads here")
    }

    async fn clear(&self, _: &MigrationId) -> Result<(), StoreError> {
        panic!("nobody forgets here")
    }
}

pub(crate) fn id() -> MigrationId {
    "search".parse().unwrap()
}

pub(crate) fn builder(store: &Store) -> StoreRecorderBuilder {
    StoreRecorder::builder("search", store.clone()).runtime(store.2.clone()).random(SeededRandom::new(SEED))
}

pub(crate) fn set_up() -> (VirtualRuntime, Store, StoreRecorder) {
    let runtime = VirtualRuntime::new();
    let store = Store::new(&runtime);
    let recorder = builder(&store).build().unwrap();
    (runtime, store, recorder)
}

pub(crate) fn record(recorder: &StoreRecorder, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        recorder.record(discrepancy("search", number)).unwrap();
    }
}

pub(crate) fn advance(runtime: &VirtualRuntime, duration: Duration) {
    runtime.run(runtime.sleep(duration));
}
