//! A time limit that costs nothing until somebody has to wait for it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::shared::Shared;
use crate::contain::{contain_quietly, discard};
use crate::observe::Part;

/// Asks the runtime to sleep when it is first polled. A runtime that fails counts as the time being over.
pub(super) struct Timer {
    limit: Duration,
    sleep: Option<BoxFuture<'static, ()>>,
}

impl Timer {
    pub(super) const fn new(limit: Duration) -> Self {
        Self { limit, sleep: None }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>, shared: &Shared) -> Poll<()> {
        if self.limit.is_zero() {
            return Poll::Ready(());
        }
        let polled = contain_quietly(|| {
            let sleep = self.sleep.get_or_insert_with(|| shared.runtime.sleep(self.limit));
            Pin::new(sleep).poll(cx)
        });
        polled.unwrap_or_else(|_| {
            shared.fault(Part::Runtime);
            Poll::Ready(())
        })
    }
}

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        if let Some(sleep) = self.sleep.take() {
            discard(sleep);
        }
    }
}
