//! [`Port`]: the host's store and runtime, with a deadline on every call and every panic contained.

use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::known::settles;
use crate::contain::contain_quietly;
pub(super) use crate::runtime::backoff;
use crate::runtime::{Lost, Runtime, Sheltered, sleep, try_sleep, within};
use crate::store::{AuditEntry, Change, Expect, MigrationId, Record, StateStore, StoreError, WakeUps};

pub(super) struct Port {
    pub(super) id: MigrationId,
    pub(super) store: Arc<dyn StateStore>,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) deadline: Duration,
}

impl Port {
    pub(super) async fn load(&self) -> Result<Option<Record>, StoreError> {
        let record = self.within(self.store.load(&self.id), StoreError::unavailable).await?;
        record.as_ref().map_or(Ok(()), Record::check_format)?;
        Ok(record)
    }

    pub(super) async fn compare_and_swap(&self, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let call = async { self.store.compare_and_swap(&self.id, expect, change).await };
        self.within(call, StoreError::outcome_unknown).await
    }

    pub(super) async fn history(&self, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let call = async { self.store.history(&self.id, after_epoch, limit).await };
        self.within(call, StoreError::unavailable).await
    }

    /// The stored record, and whether the audit leads there from the known one.
    pub(super) async fn look(&self, known: Option<&Record>) -> Result<(Option<Record>, bool), StoreError> {
        let found = self.load().await?;
        let continues = match (known, &found) {
            (Some(known), Some(found)) if found.epoch > known.epoch && !settles(found, known) => {
                let entry = self.entry(known.epoch).await?;
                entry.is_some_and(|entry| entry.etag == known.etag)
            }
            _ => true,
        };
        Ok((found, continues))
    }

    /// The audit entry of `epoch`.
    pub(super) async fn entry(&self, epoch: u64) -> Result<Option<AuditEntry>, StoreError> {
        let entries = self.history(epoch.saturating_sub(1), 1).await?;
        Ok(entries.into_iter().find(|entry| entry.epoch == epoch))
    }

    pub(super) async fn watch(&self) -> Result<Option<WakeUps>, StoreError> {
        self.within(self.store.watch(&self.id), StoreError::unavailable).await
    }

    pub(super) fn spawn(&self, task: BoxFuture<'static, ()>) {
        // A runtime that cannot spawn is no fault of the caller, who may drive the future itself.
        let _ = contain_quietly(|| self.runtime.spawn(task));
    }

    /// Waits for `duration`; for ever on a runtime that cannot sleep.
    pub(super) async fn sleep(&self, duration: Duration) {
        sleep(&*self.runtime, duration).await;
    }

    /// As [`sleep`](Self::sleep), for those who do not keep the port alive.
    pub(super) fn sleep_apart(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match contain_quietly(|| self.runtime.sleep(duration)) {
            Ok(sleep) => Sheltered::new(sleep)
                .then(|slept| slept.map_or_else(|| pending().boxed(), |()| ready(()).boxed()))
                .boxed(),
            Err(_) => pending().boxed(),
        }
    }

    /// Waits for `duration` and says so; not at all on a runtime that cannot sleep.
    pub(super) async fn try_sleep(&self, duration: Duration) -> bool {
        try_sleep(&*self.runtime, duration).await
    }

    /// The answer of a store call, or `lost` with the reason why there is none.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
        lost: fn(&'static str) -> StoreError,
    ) -> Result<T, StoreError> {
        match within(&*self.runtime, self.deadline, call).await {
            Ok(answer) => answer,
            Err(Lost::Panicked) => Err(lost("the store panicked")),
            Err(Lost::TimedOut) => Err(lost("the store did not answer before the deadline")),
        }
    }
}
