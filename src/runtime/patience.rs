//! Waiting for foreign futures: their panics are contained, and their time is limited by a [`Runtime`].

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};

use super::Runtime;
use crate::bucket::ppm_of;
use crate::contain::{contain_quietly, discard};

/// Why a foreign call has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Panicked,
    TimedOut,
}

/// The answer of a foreign call. On a runtime that cannot sleep there is no deadline.
pub(crate) async fn within<T>(
    runtime: &dyn Runtime,
    deadline: Duration,
    call: impl Future<Output = T> + Send,
) -> Result<T, Lost> {
    match select(Sheltered::new(call), pin!(sleep(runtime, deadline))).await {
        Either::Left((answer, _)) => answer.ok_or(Lost::Panicked),
        Either::Right(_) => Err(Lost::TimedOut),
    }
}

/// Waits for `duration`; for ever on a runtime that cannot sleep.
pub(crate) async fn sleep(runtime: &dyn Runtime, duration: Duration) {
    if !try_sleep(runtime, duration).await {
        pending::<()>().await;
    }
}

/// Waits for `duration` and says so; not at all on a runtime that cannot sleep.
pub(crate) async fn try_sleep(runtime: &dyn Runtime, duration: Duration) -> bool {
    match contain_quietly(|| runtime.sleep(duration)) {
        Ok(sleep) => Sheltered::new(sleep).await.is_some(),
        Err(_) => false,
    }
}

/// A foreign future. A panic while it runs ends as `None`, one while it is dropped ends here.
pub(crate) struct Sheltered<F: Future>(Option<Pin<Box<F>>>);

impl<F: Future> Sheltered<F> {
    pub(crate) fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future> Future for Sheltered<F> {
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

impl<F: Future> Drop for Sheltered<F> {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

/// How long to wait after the failure number `attempt`, from 0: up to `base`, doubled each time, at most `cap`, with full
/// jitter (Brooker, *Exponential Backoff and Jitter*, 2015).
pub(crate) fn backoff(attempt: u32, base: Duration, cap: Duration, random: u64) -> Duration {
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
