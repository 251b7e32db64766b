//! [`ThreadRuntime`]: a runtime that needs no other.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::task::ArcWake;

use super::Runtime;
use super::task::Contained;
use super::timer::Timers;
use crate::lock::lock;

/// Runs its tasks on one background thread and wakes its sleeps from a second one. It needs no other executor.
///
/// - Both threads start when they are first needed: the one for tasks has the name of the runtime, the one for sleeps
///   the same with `-timer` at its end.
/// - A sleep completes on any executor, wherever it is awaited, and is not delayed by tasks.
/// - A task that panics ends alone. A task that blocks delays the other tasks of this runtime, and nobody else.
/// - Clones are handles of the same runtime. When the last one is dropped, tasks that have not ended are dropped and
///   the threads end; nobody waits for them. Sleeps that are still awaited complete.
/// - Where the system refuses a thread, tasks are dropped, and sleeps are polled until their time has come.
///
/// A shadow that may block belongs on a runtime of its own: this one, or a Tokio runtime of the host.
///
/// ```
/// use cutover::runtime::{Runtime, ThreadRuntime};
/// use std::sync::mpsc;
///
/// let shadows = ThreadRuntime::new("shadows");
/// let (sender, receiver) = mpsc::channel();
/// shadows.spawn(Box::pin(async move {
///     sender.send(std::thread::current().name().map(str::to_owned)).ok();
/// }));
/// assert_eq!(receiver.recv()?.as_deref(), Some("shadows"));
/// # Ok::<(), mpsc::RecvError>(())
/// ```
#[derive(Clone)]
pub struct ThreadRuntime {
    executor: Arc<Executor>,
    timers: Timers,
}

impl ThreadRuntime {
    /// A runtime whose threads bear `name`. Bytes that a thread's name cannot hold (NUL) are left out.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into().replace('\0', "");
        let timers = Timers::new(format!("{name}-timer"));
        Self { executor: Arc::new(Executor { name, inbox: Arc::default() }), timers }
    }
}

impl Runtime for ThreadRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        // A task that is refused is dropped here, outside of every lock.
        drop(self.executor.accept(Contained::new(task)));
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.timers.sleep(duration))
    }
}

impl fmt::Debug for ThreadRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadRuntime").field("name", &self.executor.name).finish_non_exhaustive()
    }
}

/// The handle of the thread for tasks.
struct Executor {
    name: String,
    inbox: Arc<Inbox>,
}

impl Executor {
    /// Hands `task` to the thread; gives it back when there is none.
    fn accept(&self, task: Contained) -> Option<Contained> {
        let mut mail = lock(&self.inbox.mail);
        mail.started = mail.started || self.start();
        if !mail.started {
            return Some(task);
        }
        mail.arrived.push(task);
        mail.woken = true;
        self.inbox.changed.notify_one();
        None
    }

    /// Starts the thread; `false` when the system refuses one.
    fn start(&self) -> bool {
        let inbox = Arc::clone(&self.inbox);
        thread::Builder::new().name(self.name.clone()).spawn(move || run(&inbox)).is_ok()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        lock(&self.inbox.mail).closed = true;
        self.inbox.changed.notify_one();
    }
}

/// Polls tasks until no handle is left.
fn run(inbox: &Arc<Inbox>) {
    let waker = futures_util::task::waker(Arc::clone(inbox));
    let mut context = Context::from_waker(&waker);
    let mut tasks = FuturesUnordered::new();
    while let Some(arrived) = inbox.wait() {
        tasks.extend(arrived);
        while let Poll::Ready(Some(_)) = tasks.poll_next_unpin(&mut context) {}
    }
    drop(inbox.take());
}

/// What the thread waits for: new tasks, and wakers of old ones.
#[derive(Default)]
struct Inbox {
    mail: Mutex<Mail>,
    changed: Condvar,
}

#[derive(Default)]
struct Mail {
    arrived: Vec<Contained>,
    woken: bool,
    started: bool,
    closed: bool,
}

impl Inbox {
    /// Waits for something to do and takes the tasks that arrived; `None` when no handle is left.
    fn wait(&self) -> Option<Vec<Contained>> {
        let idle = |mail: &mut Mail| !mail.woken && !mail.closed;
        let mut mail = self.changed.wait_while(lock(&self.mail), idle).unwrap_or_else(PoisonError::into_inner);
        mail.woken = false;
        (!mail.closed).then(|| std::mem::take(&mut mail.arrived))
    }

    fn take(&self) -> Vec<Contained> {
        std::mem::take(&mut lock(&self.mail).arrived)
    }
}

impl ArcWake for Inbox {
    fn wake_by_ref(inbox: &Arc<Self>) {
        lock(&inbox.mail).woken = true;
        inbox.changed.notify_one();
    }
}
