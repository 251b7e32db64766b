//! What the tests of claims share: processes in virtual time, and a store that fails when it is told to.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use cutover::store::{
    AuditEntry, Change, ClaimError, ClaimRecord, ClaimRequest, ClaimStore, Expect, Grant, ItemId, MigrationId, Record,
    WakeUps, async_trait,
};
use cutover::testing::{SeededRandom, VirtualRuntime};
use cutover::{Claims, MemoryStore, MigrationController, Runtime, StateStore, StoreError};

/// How a call about a claim goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Unavailable,
    UnknownAfterApplying,
    UnknownWithoutApplying,
    Hang,
    Panic,
    Lost,
    /// It happens later.
    Delay(Duration),
    /// It happens, and the answer comes later.
    SlowAnswer(Duration),
}

/// Calls about claims take the next line of the script, or the standing fault; every call waits once before it happens and
/// once after, so that it can be dropped on either side.
#[derive(Debug, Clone)]
pub(crate) struct Bumpy {
    runtime: VirtualRuntime,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) store: MemoryStore,
    lines: VecDeque<Option<Fault>>,
    standing: Option<Fault>,
    state_is_down: bool,
    /// How many calls about claims there were.
    pub(crate) calls: u64,
}

impl Bumpy {
    pub(crate) fn new(runtime: &VirtualRuntime) -> Self {
        let store = MemoryStore::with_clock(runtime.clock());
        let script = Script { store, lines: VecDeque::new(), standing: None, state_is_down: false, calls: 0 };
        Self { runtime: runtime.clone(), script: Arc::new(Mutex::new(script)) }
    }

    pub(crate) fn with<R>(&self, step: impl FnOnce(&mut Script) -> R) -> R {
        step(&mut self.script.lock().unwrap())
    }

    pub(crate) fn script(&self, lines: impl IntoIterator<Item = Option<Fault>>) {
        self.with(|script| script.lines.extend(lines));
    }

    pub(crate) fn set_standing(&self, fault: Option<Fault>) {
        self.with(|script| script.standing = fault);
    }

    /// Whether records can be read and written.
    pub(crate) fn set_state_down(&self, down: bool) {
        self.with(|script| script.state_is_down = down);
    }

    /// What is behind all faults.
    pub(crate) fn store(&self) -> MemoryStore {
        self.with(|script| script.store.clone())
    }

    fn state(&self) -> Result<MemoryStore, StoreError> {
        self.with(|script| if script.state_is_down { Err(down()) } else { Ok(script.store.clone()) })
    }

    async fn play<T>(&self, call: impl Future<Output = Result<T, ClaimError>>) -> Result<T, ClaimError> {
        let fault = self.with(|script| {
            script.calls += 1;
            script.lines.pop_front().flatten().or(script.standing)
        });
        yield_once().await;
        match fault {
            None => {}
            Some(Fault::Unavailable) => return Err(down().into()),
            Some(Fault::UnknownWithoutApplying) => return Err(StoreError::outcome_unknown("scripted").into()),
            Some(Fault::UnknownAfterApplying) => {
                drop(call.await);
                return Err(StoreError::outcome_unknown("scripted").into());
            }
            Some(Fault::Lost) => return Err(ClaimError::Lost { token: 0 }),
            Some(Fault::Hang) => pending().await,
            #[expect(clippy::panic, reason = "this is the fault that was asked for")]
            Some(Fault::Panic) => std::panic::panic_any("scripted"),
            Some(Fault::Delay(duration)) => self.runtime.sleep(duration).await,
            Some(Fault::SlowAnswer(duration)) => {
                let answer = call.await;
                self.runtime.sleep(duration).await;
                return answer;
            }
        }
        let answer = call.await;
        yield_once().await;
        answer
    }
}

fn down() -> StoreError {
    StoreError::unavailable("scripted")
}

pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl StateStore for Bumpy {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.state()?.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.state()?.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.state()?.history(id, after_epoch, limit).await
    }

    async fn watch(&self, _id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl ClaimStore for Bumpy {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        self.play(async { self.store().claim(id, request).await }).await
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        self.play(async { self.store().renew(id, item, token, ttl).await }).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.play(async { self.store().complete(id, item, token).await }).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.play(async { self.store().release(id, item, token).await }).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        self.store().claimed(id, item).await
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        self.store().expired(id, limit).await
    }
}

/// One process: a controller and its claims.
pub(crate) struct Process {
    pub(crate) controller: MigrationController,
    pub(crate) claims: Claims,
}

impl Process {
    pub(crate) fn start(runtime: &VirtualRuntime, store: &Bumpy, name: &str) -> Self {
        let builder = MigrationController::builder("triage", store.clone()).manual_refresh();
        let random = SeededRandom::new(name.bytes().map(u64::from).sum());
        let opened = builder.clock(runtime.clock()).random(random).runtime(runtime.clone()).open();
        let controller = runtime.run(opened).unwrap();
        let claims = Claims::new(&controller, store.clone(), name).unwrap();
        Self { controller, claims }
    }
}
