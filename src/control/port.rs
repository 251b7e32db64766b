//! [`Port`]: the host's store and runtime, with a deadline on every call and every panic contained.

use std::future::{Future, pending, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};

use crate::bucket::ppm_of;
use crate::contain::{contain_quietly, discard};
use crate::runtime::Runtime;
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

    pub(super) async fn watch(&self) -> Result<Option<WakeUps>, StoreError> {
        self.within(self.store.watch(&self.id), StoreError::unavailable).await
    }

    pub(super) fn spawn(&self, task: BoxFuture<'static, ()>) {
        // A runtime that cannot spawn is no fault of the caller, who may drive the future itself.
        let _ = contain_quietly(|| self.runtime.spawn(task));
    }

    /// Waits for `duration`; for ever on a runtime that cannot sleep.
    pub(super) async fn sleep(&self, duration: Duration) {
        if !self.try_sleep(duration).await {
            pending::<()>().await;
        }
    }

    /// As [`sleep`](Self::sleep), for those who do not keep the port alive.
    pub(super) fn sleep_apart(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match contain_quietly(|| self.runtime.sleep(duration)) {
            Ok(sleep) => Contained::new(sleep)
                .then(|slept| slept.map_or_else(|| pending().boxed(), |()| ready(()).boxed()))
                .boxed(),
            Err(_) => pending().boxed(),
        }
    }

    /// Waits for `duration` and says so; not at all on a runtime that cannot sleep.
    pub(super) async fn try_sleep(&self, duration: Duration) -> bool {
        match contain_quietly(|| self.runtime.sleep(duration)) {
            Ok(sleep) => Contained::new(sleep).await.is_some(),
            Err(_) => false,
        }
    }

    /// The answer of a store call, or `lost` with the reason why there is none.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
        lost: fn(&'static str) -> StoreError,
    ) -> Result<T, StoreError> {
        match select(Contained::new(call), pin!(self.sleep(self.deadline))).await {
            Either::Left((Some(answer), _)) => answer,
            Either::Left((None, _)) => Err(lost("the store panicked")),
            Either::Right(_) => Err(lost("the store did not answer before the deadline")),
        }
    }
}

/// A foreign future. A panic while it runs ends as `None`, one while it is dropped ends here.
struct Contained<F: Future>(Option<Pin<Box<F>>>);

impl<F: Future> Contained<F> {
    fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future> Future for Contained<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.0.as_mut() else { return Poll::Pending };
        let polled = contain_quietly(|| future.as_mut().poll(context));
        if !matches!(polled, Ok(Poll::Pending)) {
            discard(self.0.take());
        }
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    }
}

impl<F: Future> Drop for Contained<F> {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

/// How long to wait after the failure number `attempt`, from 0: up to `base`, doubled each time, at most `cap`, with full
/// jitter (Brooker, *Exponential Backoff and Jitter*, 2015).
pub(super) fn backoff(attempt: u32, base: Duration, cap: Duration, random: u64) -> Duration {
    let ceiling = base.saturating_mul(1 << attempt.min(20)).min(cap);
    ceiling * ppm_of(random) / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_its_cap_and_is_spread() {
        let (base, cap) = (Duration::from_millis(100), Duration::from_secs(5));
        let longest = |attempt| backoff(attempt, base, cap, u64::MAX).as_millis();
        assert_eq!([longest(0), longest(1), longest(2), longest(9), longest(u32::MAX)], [99, 199, 399, 4999, 4999]);
        assert_eq!(backoff(3, base, cap, 0), Duration::ZERO);
    }
}
