//! What the tests of the controller share.

use std::time::Duration;

use cutover::Runtime;
use futures::FutureExt;
use futures::future::BoxFuture;

/// The Tokio runtime of the test, whose time may be paused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestRuntime;

impl Runtime for TestRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}
