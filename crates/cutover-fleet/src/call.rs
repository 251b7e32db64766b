//! Calls of the host: each has a deadline, and its panics end here.

use std::any::Any;
use std::future::Future;
use std::mem::needs_drop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cutover::Runtime;
use futures_util::future::{Either, select};

use crate::host::HostError;
use crate::text::message;

/// Why a call of the host has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// It failed.
    #[error("{0}")]
    Failed(String),
    /// It panicked.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// It took too long, and was dropped.
    #[error("it took longer than {0:?}")]
    TimedOut(Duration),
    /// There is no deadline on a runtime that cannot sleep, so that nothing is called there that does not answer at once.
    #[error("the runtime cannot sleep, so that it has no deadline")]
    NoTimer,
}

/// The answer of a call, within its deadline.
pub(crate) async fn within<T>(
    runtime: &dyn Runtime,
    deadline: Duration,
    call: impl Future<Output = Result<T, HostError>> + Send,
) -> Result<T, CallError> {
    let timer = Sheltered::new(async move { runtime.sleep(deadline).await });
    match select(Sheltered::new(call), timer).await {
        Either::Left((Ok(Ok(answer)), _)) => Ok(answer),
        Either::Left((Ok(Err(error)), _)) => Err(CallError::Failed(message(&error.to_string()))),
        Either::Left((Err(text), _)) => Err(CallError::Panicked(text)),
        Either::Right((Ok(()), _)) => Err(CallError::TimedOut(deadline)),
        Either::Right((Err(_), _)) => Err(CallError::NoTimer),
    }
}

/// Runs foreign code that only listens; a panic ends here.
pub(crate) fn contain(foreign: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(foreign)) {
        discard(payload);
    }
}

/// A foreign future. A panic while it runs ends as its text, one while it is dropped ends here.
struct Sheltered<F: Future>(Option<Pin<Box<F>>>);

impl<F: Future> Sheltered<F> {
    fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future> Future for Sheltered<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.0.as_mut() else { return Poll::Pending };
        let polled = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(answer)) => Ok(answer),
            Err(payload) => Err(text_of(payload)),
        };
        discard(self.0.take());
        Poll::Ready(polled)
    }
}

impl<F: Future> Drop for Sheltered<F> {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

fn text_of(payload: Box<dyn Any + Send>) -> String {
    let plain = payload.downcast_ref::<&'static str>().copied();
    let text = plain.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)");
    let text = message(text);
    discard(payload);
    text
}

/// Drops a foreign value. Its destructor may panic, and so may that of the payload: then the last one is leaked.
fn discard<T>(value: T) {
    if !needs_drop::<T>() {
        return;
    }
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) else { return };
    if let Err(hostile) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(hostile);
    }
}
