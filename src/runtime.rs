//! [`Runtime`]: who spawns and who sleeps.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

/// Spawns tasks and measures out time for them.
///
/// Laws: `spawn` returns at once and never runs the task inside the call; a task that cannot be run is dropped, which
/// is counted like any abandoned shadow. `sleep` completes no earlier than asked.
pub trait Runtime: Debug + Send + Sync {
    /// Runs `task` to its end, somewhere else.
    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

impl<R: Runtime + ?Sized> Runtime for Arc<R> {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        (**self).spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }
}
