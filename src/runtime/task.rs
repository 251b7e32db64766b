//! [`Contained`]: a task whose panics end with it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

use crate::contain::{contain_quietly, discard};

/// Runs a foreign task. A panic, also one of its destructor, ends the task and nothing else.
pub(crate) struct Contained(Option<BoxFuture<'static, ()>>);

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ran to its end.
    Done,
    /// It panicked.
    Panicked,
}

impl Contained {
    pub(crate) fn new(task: BoxFuture<'static, ()>) -> Self {
        Self(Some(task))
    }
}

impl Future for Contained {
    type Output = Ending;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ending> {
        let Some(task) = self.0.as_mut() else { return Poll::Ready(Ending::Done) };
        let ending = match contain_quietly(|| task.as_mut().poll(context)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => Ending::Done,
            Err(_) => Ending::Panicked,
        };
        discard(self.0.take());
        Poll::Ready(ending)
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}
