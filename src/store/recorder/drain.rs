//! [`Shared`]: what a recorder and its task share, and the task.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt;
use tracing::warn;

use super::queue::{Answer, Parcels, Queue};
use crate::contain::contain_quietly;
use crate::handover::{FlushTimeout, HandoverCounts};
use crate::lock::lock;
use crate::random::RandomSource;
use crate::record::Discrepancy;
use crate::runtime::{Lost, Runtime, backoff, try_sleep, within};
use crate::store::{Added, DiscrepancyStore, MigrationId, StoreError};

/// What the host gave.
pub(super) struct Parts {
    pub(super) id: MigrationId,
    pub(super) store: Arc<dyn DiscrepancyStore>,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) random: Arc<dyn RandomSource>,
    pub(super) deadline: Duration,
}

pub(super) struct Shared {
    parts: Parts,
    /// Held for moments, never across an await and never while foreign code runs.
    queue: Mutex<Queue>,
    left: Condvar,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts, queue: Mutex::new(Queue::new()), left: Condvar::new() }
    }

    pub(super) const fn id(&self) -> &MigrationId {
        &self.parts.id
    }

    pub(super) fn push(&self, discrepancy: Discrepancy) -> bool {
        lock(&self.queue).push(discrepancy)
    }

    pub(super) fn has_room(&self) -> bool {
        lock(&self.queue).has_room()
    }

    pub(super) fn counts(&self) -> HandoverCounts {
        lock(&self.queue).counts()
    }

    pub(super) fn close(&self) {
        lock(&self.queue).close();
    }

    pub(super) fn notify(&self) -> Option<oneshot::Receiver<()>> {
        lock(&self.queue).wait()
    }

    /// Blocks until what is queued by now has ended.
    pub(super) fn wait(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        let queue = lock(&self.queue);
        let end = queue.end();
        let waited = self.left.wait_timeout_while(queue, deadline, |queue| queue.done() < end);
        let done = waited.unwrap_or_else(PoisonError::into_inner).0.done();
        if done < end { Err(FlushTimeout { pending: end - done }) } else { Ok(()) }
    }

    /// Starts the task if something waits and none is there.
    pub(super) fn start(shared: &Arc<Self>) {
        let needed = lock(&shared.queue).activate();
        if needed {
            let task = Task { shared: Arc::clone(shared), ended: false }.run().boxed();
            // A runtime that does not take the task drops it: the next one who records tries again.
            let _ = contain_quietly(|| shared.parts.runtime.spawn(task));
        }
    }

    async fn send(&self, parcels: &Parcels) -> Sent {
        let Parts { id, store, runtime, deadline, .. } = &self.parts;
        within(&**runtime, *deadline, async { store.add(id, parcels.as_slice()).await }).await
    }

    /// Takes in how a call ended. After a failure it says how long to wait.
    fn ended(&self, sent: usize, result: &Sent) -> Option<Duration> {
        let mut queue = lock(&self.queue);
        let over = queue.ended(sent, answer(result));
        let failures = queue.failures();
        drop(queue);
        self.left.notify_all();
        for waiter in over {
            // Whoever waited may be gone.
            let _ = waiter.send(());
        }
        if failures == 1 {
            self.complain(result);
        }
        let attempt = failures.checked_sub(1)?;
        Some(backoff(attempt, BASE, CAP, self.parts.random.next_u64()))
    }

    /// Tells the first failure in a row. Without the causes: they come from the host's store.
    fn complain(&self, result: &Sent) {
        let (migration, problem) = (self.parts.id.as_str(), "discrepancies were not stored");
        match result {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => warn!(migration, %error, "{problem}"),
            Err(Lost::Panicked) => warn!(migration, error = "the store panicked", "{problem}"),
            Err(Lost::TimedOut) => warn!(migration, error = "the store did not answer in time", "{problem}"),
        }
    }
}

/// How a call of the store ended.
type Sent = Result<Result<Added, StoreError>, Lost>;

const BASE: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(30);

fn answer(result: &Sent) -> Answer {
    match result {
        Ok(Ok(added)) => Answer::Stored(*added),
        Ok(Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Denied(_)))
        | Err(Lost::TimedOut) => Answer::Later,
        Ok(Err(
            StoreError::Conflict { .. }
            | StoreError::Corrupt(_)
            | StoreError::UnknownFormat(_)
            | StoreError::TooLarge { .. },
        )) => Answer::Refused,
        Err(Lost::Panicked) => Answer::Panicked,
    }
}

/// Stores what waits. Wherever it ends before all is stored, another one may be started.
struct Task {
    shared: Arc<Shared>,
    ended: bool,
}

impl Task {
    async fn run(mut self) {
        while let Some(parcels) = self.next() {
            let result = self.shared.send(&parcels).await;
            let pause = self.shared.ended(parcels.as_slice().len(), &result);
            if let Some(pause) = pause {
                if !try_sleep(&*self.shared.parts.runtime, pause).await {
                    return;
                }
            }
        }
    }

    /// What to send next. Without anything the task has ended in the same step, so that whatever comes later starts
    /// another one.
    fn next(&mut self) -> Option<Parcels> {
        let mut queue = lock(&self.shared.queue);
        let next = queue.next();
        if next.is_none() {
            queue.deactivate();
            self.ended = true;
        }
        next
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.ended {
            lock(&self.shared.queue).deactivate();
        }
    }
}
