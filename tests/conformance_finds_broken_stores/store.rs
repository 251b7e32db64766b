//! A store whose calls travel for a while, and its handles.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutover::clock::Instant;
use cutover::record::{Discrepancy, Fingerprint};
use cutover::store::{MigrationId, Record, StoreError};
use cutover::testing::VirtualRuntime;
use cutover::testing::conformance::{Pause, Planted};
use cutover::{Clock, Runtime};
use futures::channel::mpsc::UnboundedSender;

use crate::claims::Claimed;
use crate::flaw::Flaw;

#[derive(Clone)]
pub(crate) struct Flawed {
    pub(crate) flaw: Flaw,
    runtime: VirtualRuntime,
    content: Arc<Mutex<HashMap<String, Migration>>>,
    pub(crate) handle: Arc<Handle>,
    pub(crate) pause: Option<Pause>,
    reachable: bool,
}

#[derive(Default)]
pub(crate) struct Handle {
    pub(crate) last_read: Mutex<HashMap<MigrationId, Option<Record>>>,
    busy: AtomicBool,
    cut: AtomicBool,
}

#[derive(Default)]
pub(crate) struct Migration {
    pub(crate) record: Option<Row>,
    pub(crate) audit: Vec<String>,
    pub(crate) claims: BTreeMap<String, Claimed>,
    pub(crate) discrepancies: BTreeMap<Fingerprint, Discrepancy>,
    pub(crate) watchers: Vec<UnboundedSender<()>>,
}

#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) json: String,
    pub(crate) epoch: u64,
    pub(crate) etag: u128,
}

impl Flawed {
    pub(crate) fn new(flaw: Flaw, runtime: VirtualRuntime) -> Self {
        Self { flaw, runtime, content: Arc::default(), handle: Arc::default(), pause: None, reachable: true }
    }

    pub(crate) fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    pub(crate) fn second_handle(&self) -> Self {
        Self { handle: Arc::default(), ..self.clone() }
    }

    pub(crate) fn restarted(&self) -> Self {
        for migration in lock(&self.content).values_mut() {
            match self.flaw {
                Flaw::LosesTheLastWriteAtRestart => {
                    migration.audit.pop();
                    migration.record = migration.audit.last().map(|json| crate::state::row_of(json));
                }
                Flaw::LosesClaimsAtRestart => migration.claims.clear(),
                Flaw::LosesDiscrepanciesAtRestart => migration.discrepancies.clear(),
                _ => {}
            }
        }
        self.second_handle()
    }

    pub(crate) fn unreachable(self) -> Self {
        Self { reachable: false, ..self }
    }

    pub(crate) fn pausing(&self, pause: Pause) -> Self {
        Self { pause: Some(pause), ..self.second_handle() }
    }

    pub(crate) fn plant(&self, id: &MigrationId, planted: &Planted) {
        self.with(id, |migration| {
            let old = migration.record.clone().map_or((0, 0), |row| (row.epoch, row.etag));
            let (epoch, etag) = planted.version.unwrap_or(old);
            migration.record = Some(Row { json: planted.json.clone(), epoch, etag });
        });
    }

    pub(crate) fn cut(&self) {
        self.handle.cut.store(true, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Instant {
        self.runtime.clock().now()
    }

    pub(crate) fn with<R>(&self, id: &MigrationId, step: impl FnOnce(&mut Migration) -> R) -> R {
        let name = if self.is(Flaw::DotsAreUnderscores) { id.as_str().replace('.', "_") } else { id.to_string() };
        step(lock(&self.content).entry(name).or_default())
    }

    pub(crate) fn everywhere(&self, step: impl FnMut(&mut Migration)) {
        lock(&self.content).values_mut().for_each(step);
    }

    /// Stands for the way to the store or back.
    pub(crate) async fn travel(&self) {
        self.runtime.sleep(Duration::from_millis(1)).await;
    }

    /// One call: there, and back.
    pub(crate) async fn call<T, E: From<StoreError>>(&self, call: impl AsyncFnOnce() -> Result<T, E>) -> Result<T, E> {
        if !self.reachable {
            return Err(self.unreachable_answer().await.into());
        }
        let reconnects = !self.is(Flaw::NeverReconnects);
        if self.handle.cut.load(Ordering::Relaxed) {
            self.handle.cut.store(!reconnects, Ordering::Relaxed);
            return Err(StoreError::unavailable("cut").into());
        }
        if self.is(Flaw::IsBusyForEverAfterADrop) && self.handle.busy.swap(true, Ordering::Relaxed) {
            return Err(StoreError::unavailable("busy").into());
        }
        self.travel().await;
        let answer = call().await;
        self.travel().await;
        self.handle.busy.store(false, Ordering::Relaxed);
        answer
    }

    async fn unreachable_answer(&self) -> StoreError {
        match self.flaw {
            Flaw::HangsWhenUnreachable => std::future::pending().await,
            Flaw::SaysCorruptWhenUnreachable => StoreError::corrupt("connection refused"),
            _ => StoreError::unavailable("connection refused"),
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
