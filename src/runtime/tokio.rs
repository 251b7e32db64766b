//! [`TokioRuntime`]: tasks and sleeps of a Tokio runtime.

use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use ::tokio::runtime::{Handle, Id};
use ::tokio::time::Instant;
use futures_util::future::BoxFuture;

use super::task::Contained;
use super::{Runtime, process_wide};
use crate::contain::{contain_quietly, discard};
use crate::lock::lock;

/// Spawns and sleeps on one Tokio runtime, for instance on one that the host keeps apart for shadows.
///
/// - The runtime belongs to the host, which drives it and shuts it down. Once it is shut down, tasks are dropped.
/// - A runtime without time, or one that is shut down, cannot sleep: then the thread of [`HostRuntime`](super::HostRuntime)
///   measures the time. The panic by which Tokio says so is contained; it is reported once for each runtime.
/// - Time that Tokio paused stays paused.
///
/// ```
/// use cutover::runtime::{Runtime, TokioRuntime};
///
/// let host = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
/// let shadows = TokioRuntime::new(host.handle().clone());
/// let (sender, receiver) = std::sync::mpsc::channel();
/// shadows.spawn(Box::pin(async move { sender.send("ran").unwrap() }));
/// assert_eq!(receiver.recv(), Ok("ran"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokioRuntime {
    handle: Handle,
}

impl TokioRuntime {
    /// The runtime behind `handle`.
    #[must_use]
    pub const fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// The runtime that the caller runs on, if it is one of Tokio.
    #[must_use]
    pub fn current() -> Option<Self> {
        Handle::try_current().ok().map(Self::new)
    }

    /// Tokio's own sleep; `None` where this runtime has no time.
    fn try_sleep(&self, duration: Duration) -> Option<Pin<Box<::tokio::time::Sleep>>> {
        let id = self.handle.id();
        if TIMELESS.contains(id) {
            return None;
        }
        let make = || {
            let _entered = self.handle.enter();
            Box::pin(::tokio::time::sleep(duration))
        };
        contain_quietly(make).inspect_err(|_| TIMELESS.insert(id)).ok()
    }
}

impl Runtime for TokioRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let task = Contained::new(task);
        contain_quietly(|| drop(self.handle.spawn(task))).ok();
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match self.try_sleep(duration) {
            Some(sleep) => Box::pin(Sleep::Tokio(sleep)),
            None => process_wide().sleep(duration),
        }
    }
}

/// Tokio's sleep, until its runtime is shut down.
enum Sleep {
    Tokio(Pin<Box<::tokio::time::Sleep>>),
    Thread(BoxFuture<'static, ()>),
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Self::Tokio(sleep) = &mut *self {
            if let Ok(poll) = contain_quietly(|| sleep.as_mut().poll(context)) {
                return poll;
            }
            let rest = sleep.deadline().saturating_duration_since(Instant::now());
            discard(std::mem::replace(&mut *self, Self::Thread(process_wide().sleep(rest))));
        }
        match &mut *self {
            Self::Tokio(_) => Poll::Pending,
            Self::Thread(sleep) => sleep.as_mut().poll(context),
        }
    }
}

/// The runtimes that have no time: asking them again would only report the same panic again.
static TIMELESS: Timeless = Timeless { any: AtomicBool::new(false), known: Mutex::new(Vec::new()) };

struct Timeless {
    any: AtomicBool,
    known: Mutex<Vec<Id>>,
}

impl Timeless {
    fn contains(&self, id: Id) -> bool {
        self.any.load(Ordering::Acquire) && lock(&self.known).contains(&id)
    }

    fn insert(&self, id: Id) {
        lock(&self.known).push(id);
        self.any.store(true, Ordering::Release);
    }
}
