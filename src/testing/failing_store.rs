//! [`FailingStore`]: a store that fails when it is told to.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::lock::lock;
use crate::runtime::Runtime;
use crate::store::{
    AuditEntry, Change, ClaimError, ClaimRecord, ClaimRequest, ClaimStore, Expect, Grant, ItemId, MigrationId, Record,
    StateStore, StoreError, WakeUps, async_trait,
};

/// How one call of a [`FailingStore`] goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The store is not available; nothing happens.
    Unavailable,
    /// A write happens, and its answer is lost. A read is not available.
    UnknownAfterApplying,
    /// A write does not happen, and its answer is lost. A read is not available.
    UnknownWithoutApplying,
    /// Nothing happens, for ever.
    Hang,
    /// The call happens after a while.
    Delay(Duration),
    /// A write is refused with the present record, whatever was expected: a claim too. What needs a token is refused as
    /// lost. A read is not disturbed.
    Conflict,
    /// What is stored cannot be read.
    Corrupt,
    /// The store panics; nothing happens.
    Panic,
}

/// A store around another one, whose calls go wrong as scripted. Clones share script and counts.
///
/// Reads ([`load`](StateStore::load), [`history`](StateStore::history), [`claimed`](ClaimStore::claimed) and
/// [`expired`](ClaimStore::expired)) and writes have a script each, of which every call takes one line; calls after its end
/// go well. A [standing](Self::set_standing) fault comes before both.
///
/// ```
/// use cutover::testing::{FailingStore, Fault, VirtualRuntime};
/// use cutover::{MemoryStore, MigrationController, SystemMode};
///
/// let runtime = VirtualRuntime::new();
/// let store = FailingStore::new(MemoryStore::new(), runtime.clone());
/// let opened = MigrationController::builder("search", store.clone()).runtime(runtime.clone()).open();
/// let migration = runtime.run(opened)?;
///
/// store.script_writes([Some(Fault::Unavailable), None]);
/// assert!(runtime.run(migration.transition(SystemMode::Parallel, "ana", "compare")).is_err());
/// assert_eq!(migration.mode(), SystemMode::LegacyOnly);
/// assert!(runtime.run(migration.transition(SystemMode::Parallel, "ana", "compare")).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FailingStore<S> {
    store: S,
    runtime: Arc<dyn Runtime>,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    standing: Option<Fault>,
    reads: VecDeque<Option<Fault>>,
    writes: VecDeque<Option<Fault>>,
    calls: u64,
}

impl<S> FailingStore<S> {
    /// A store that works like `store` until it is told otherwise. `runtime` measures out delays.
    pub fn new(store: S, runtime: impl Runtime + 'static) -> Self {
        Self { store, runtime: Arc::new(runtime), script: Arc::default() }
    }

    /// Adds lines for the next reads; `None` lets one go well.
    pub fn script_reads(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.script().reads.extend(faults);
    }

    /// Adds lines for the next writes; `None` lets one go well.
    pub fn script_writes(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.script().writes.extend(faults);
    }

    /// Lets every call go wrong in the same way, until it is set to `None`.
    pub fn set_standing(&self, fault: Option<Fault>) {
        self.script().standing = fault;
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        let mut script = self.script();
        *script = Script { calls: script.calls, ..Script::default() };
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.script().calls
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }

    fn next(&self, write: bool) -> Option<Fault> {
        let mut script = self.script();
        script.calls += 1;
        let line = if write { script.writes.pop_front() } else { script.reads.pop_front() };
        script.standing.or_else(|| line.flatten())
    }

    /// Plays the next line of the script for a read.
    async fn before_reading(&self) -> Result<(), StoreError> {
        match self.next(false) {
            None | Some(Fault::Conflict) => Ok(()),
            Some(fault) => self.play(fault).await,
        }
    }

    /// Plays a fault that does not need the call itself.
    async fn play(&self, fault: Fault) -> Result<(), StoreError> {
        match fault {
            Fault::Hang => pending().await,
            Fault::Delay(duration) => {
                self.runtime.sleep(duration).await;
                Ok(())
            }
            Fault::Corrupt => Err(StoreError::corrupt("scripted")),
            #[expect(clippy::panic, reason = "this is the fault that was asked for")]
            Fault::Panic => std::panic::panic_any("scripted"),
            Fault::Unavailable | Fault::Conflict | Fault::UnknownAfterApplying | Fault::UnknownWithoutApplying => {
                Err(StoreError::unavailable("scripted"))
            }
        }
    }
}

#[async_trait]
impl<S: StateStore> StateStore for FailingStore<S> {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.before_reading().await?;
        self.store.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        match self.next(true) {
            None => {}
            Some(Fault::Conflict) => return Err(StoreError::conflict(self.store.load(id).await?)),
            Some(Fault::UnknownWithoutApplying) => return Err(StoreError::outcome_unknown("scripted")),
            Some(Fault::UnknownAfterApplying) => {
                self.store.compare_and_swap(id, expect, change).await?;
                return Err(StoreError::outcome_unknown("scripted"));
            }
            Some(fault) => self.play(fault).await?,
        }
        self.store.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.before_reading().await?;
        self.store.history(id, after_epoch, limit).await
    }

    /// Not scripted: the wake-ups of the store below.
    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        self.store.watch(id).await
    }
}

impl<S: ClaimStore> FailingStore<S> {
    /// Plays the next line of the script for a write that needs `token`.
    async fn with_token(
        &self,
        token: u64,
        call: impl Future<Output = Result<(), ClaimError>> + Send,
    ) -> Result<(), ClaimError> {
        match self.next(true) {
            None => {}
            Some(Fault::Conflict) => return Err(ClaimError::Lost { token }),
            Some(Fault::UnknownWithoutApplying) => return Err(StoreError::outcome_unknown("scripted").into()),
            Some(Fault::UnknownAfterApplying) => {
                call.await?;
                return Err(StoreError::outcome_unknown("scripted").into());
            }
            Some(fault) => self.play(fault).await?,
        }
        call.await
    }
}

#[async_trait]
impl<S: ClaimStore> ClaimStore for FailingStore<S> {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        match self.next(true) {
            None => {}
            Some(Fault::Conflict) => return Err(ClaimError::other_record(self.store.load(id).await?)),
            Some(Fault::UnknownWithoutApplying) => return Err(StoreError::outcome_unknown("scripted").into()),
            Some(Fault::UnknownAfterApplying) => {
                self.store.claim(id, request).await?;
                return Err(StoreError::outcome_unknown("scripted").into());
            }
            Some(fault) => self.play(fault).await?,
        }
        self.store.claim(id, request).await
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        self.with_token(token, self.store.renew(id, item, token, ttl)).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.with_token(token, self.store.complete(id, item, token)).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.with_token(token, self.store.release(id, item, token)).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        self.before_reading().await?;
        self.store.claimed(id, item).await
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        self.before_reading().await?;
        self.store.expired(id, limit).await
    }
}
