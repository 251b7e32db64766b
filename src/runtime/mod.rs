//! [`Runtime`]: who spawns and who sleeps.

mod patience;
mod task;
mod thread;
mod timer;
#[cfg(feature = "tokio")]
mod tokio;

pub(crate) use patience::{Lost, Sheltered, backoff, sleep, try_sleep, within};
#[cfg(feature = "testing")]
pub(crate) use task::{Contained, Ending};
pub use thread::ThreadRuntime;
#[cfg(feature = "tokio")]
pub use tokio::TokioRuntime;

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Spawns tasks and measures out time for them.
///
/// Laws: `spawn` returns at once and never runs the task inside the call; a task that cannot be run is dropped, which
/// is counted like any abandoned shadow. `sleep` completes no earlier than asked.
///
/// ```
/// use cutover::Runtime;
/// use futures::future::BoxFuture;
/// use std::time::Duration;
///
/// /// Runs and sleeps on the global executor of `smol`.
/// #[derive(Debug)]
/// struct SmolRuntime;
///
/// impl Runtime for SmolRuntime {
///     fn spawn(&self, task: BoxFuture<'static, ()>) {
///         smol::spawn(task).detach();
///     }
///
///     fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
///         Box::pin(async move {
///             smol::Timer::after(duration).await;
///         })
///     }
/// }
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// SmolRuntime.spawn(Box::pin(async move {
///     SmolRuntime.sleep(Duration::from_millis(1)).await;
///     sender.send("ran").expect("somebody listens");
/// }));
/// assert_eq!(receiver.recv(), Ok("ran"));
/// ```
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

/// The runtime of whoever calls: the default where the host gives none.
///
/// Each call looks anew. With the feature `tokio` and inside a Tokio runtime, that runtime spawns and sleeps. Anywhere
/// else, on `smol` or on a plain thread, one [`ThreadRuntime`] does that starts with its first task and is shared by
/// the whole process.
///
/// A Tokio runtime that was entered but that nobody drives neither runs tasks nor measures time.
///
/// ```
/// use cutover::runtime::{HostRuntime, Runtime};
/// use std::time::Duration;
///
/// futures::executor::block_on(HostRuntime.sleep(Duration::from_millis(1)));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct has nothing to add")]
pub struct HostRuntime;

#[cfg(feature = "tokio")]
impl Runtime for HostRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        match TokioRuntime::current() {
            Some(tokio) => tokio.spawn(task),
            None => process_wide().spawn(task),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        TokioRuntime::current().map_or_else(|| process_wide().sleep(duration), |tokio| tokio.sleep(duration))
    }
}

#[cfg(not(feature = "tokio"))]
impl Runtime for HostRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        process_wide().spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        process_wide().sleep(duration)
    }
}

/// The runtime of last resort. Its threads start when it is first used and live as long as the process.
pub(crate) fn process_wide() -> &'static ThreadRuntime {
    static RUNTIME: OnceLock<ThreadRuntime> = OnceLock::new();
    RUNTIME.get_or_init(|| ThreadRuntime::new("cutover"))
}
