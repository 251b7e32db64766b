//! [`VirtualRuntime`]: tasks in a fixed order, in time that costs nothing.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::task::{ArcWake, waker_ref};

use super::ManualClock;
use crate::clock::{Clock, Instant};
use crate::lock::lock;
use crate::runtime::{Contained, Ending, Runtime};

/// Runs futures on the calling thread, always in the same order, in virtual time.
///
/// While anything is ready the clock stands still. When all wait, it jumps to the next timer. A task that advances the
/// [clock](Self::clock) itself stands for one that blocks its thread for so long.
///
/// Only what happens on this thread counts: a future that waits for another thread looks like one that waits for ever.
/// Clones are handles of the same runtime.
///
/// ```
/// use cutover::testing::VirtualRuntime;
/// use cutover::{Clock, Runtime};
/// use std::time::Duration;
///
/// let runtime = VirtualRuntime::new();
/// let start = runtime.clock().now();
/// runtime.run(runtime.sleep(Duration::from_secs(3600)));
/// assert_eq!(runtime.clock().now().since(start), Duration::from_secs(3600));
/// ```
#[derive(Clone)]
pub struct VirtualRuntime {
    shared: Arc<Shared>,
}

impl VirtualRuntime {
    /// A runtime without tasks, whose clock is at its origin.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::default() }
    }

    /// The clock of this runtime.
    #[must_use]
    pub fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.shared.clock)
    }

    /// Runs `future` to its end, and the spawned tasks beside it as far as they come until then. The two take turns:
    /// one poll of the future, one of the task that was woken first.
    ///
    /// # Panics
    /// With `deadlock: ..` when nothing is ready, no timer is set and the future has not ended. A panic of the future
    /// goes through.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        match self.try_run(future) {
            Some(output) => output,
            #[expect(clippy::panic, reason = "a test that can never go on has failed")]
            None => panic!("deadlock: nothing is ready and no timer is set, but the future has not ended; {self:?}"),
        }
    }

    /// As [`run`](Self::run); `None` when the future can never end. It is dropped then.
    pub fn try_run<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let main = Arc::new(Main(AtomicBool::new(true)));
        loop {
            let woken = main.0.swap(false, Ordering::Relaxed);
            if woken {
                let polled = future.as_mut().poll(&mut Context::from_waker(&waker_ref(&main)));
                if let Poll::Ready(output) = polled {
                    return Some(output);
                }
            }
            let busy = self.shared.poll_next() || woken;
            if !busy && !self.shared.clock.advance_to_next_timer() {
                return None;
            }
        }
    }

    /// Runs the spawned tasks until all of them wait. The clock stands still.
    pub fn run_until_idle(&self) {
        while self.shared.poll_next() {}
    }

    /// Runs the spawned tasks, and advances the clock from timer to timer by at most `max`. It stops as soon as all
    /// tasks have ended or none of them can go on. Says whether all have ended.
    ///
    /// ```
    /// use cutover::Runtime;
    /// use cutover::testing::VirtualRuntime;
    /// use std::time::Duration;
    ///
    /// let runtime = VirtualRuntime::new();
    /// runtime.spawn(runtime.sleep(Duration::from_secs(2)));
    /// assert!(!runtime.settle(Duration::from_secs(1)));
    /// assert!(runtime.settle(Duration::from_secs(1)));
    /// ```
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn settle(&self, max: Duration) -> bool {
        let end = self.shared.clock.now().plus(max);
        self.run_until_idle();
        while self.pending_tasks() > 0 && self.advance_within(end) {
            self.run_until_idle();
        }
        self.pending_tasks() == 0
    }

    /// Moves on to the next timer, or to `end` where that comes first; `false` when there is nothing to wait for.
    fn advance_within(&self, end: Instant) -> bool {
        let clock = &self.shared.clock;
        let now = clock.now();
        clock.next_deadline().filter(|_| now < end).map(|next| clock.advance(next.min(end).since(now))).is_some()
    }

    /// How many spawned tasks have not ended.
    #[must_use]
    pub fn pending_tasks(&self) -> usize {
        lock(&self.shared.tasks).len()
    }

    /// How many spawned tasks have panicked. Their panics are contained.
    #[must_use]
    pub fn panicked_tasks(&self) -> u64 {
        self.shared.panicked.load(Ordering::Relaxed)
    }

    /// Drops all spawned tasks that have not ended, as a runtime does that is shut down. Says how many there were.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn drop_tasks(&self) -> usize {
        let dropped = std::mem::take(&mut *lock(&self.shared.tasks));
        dropped.len()
    }
}

impl Default for VirtualRuntime {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime for VirtualRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let turn = Arc::new(Turn { id, queued: AtomicBool::new(false), ready: Arc::clone(&self.shared.ready) });
        lock(&self.shared.tasks).insert(id, Contained::new(task));
        ArcWake::wake(turn);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.shared.clock.sleep(duration)
    }
}

impl fmt::Debug for VirtualRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualRuntime")
            .field("clock", &self.shared.clock)
            .field("pending_tasks", &self.pending_tasks())
            .field("panicked_tasks", &self.panicked_tasks())
            .finish()
    }
}

#[derive(Default)]
struct Shared {
    clock: Arc<ManualClock>,
    ready: Arc<Ready>,
    /// The tasks that have not ended; the one that is being polled is out.
    tasks: Mutex<BTreeMap<u64, Contained>>,
    next_id: AtomicU64,
    panicked: AtomicU64,
}

impl Shared {
    /// Polls the task that was woken first; `false` when none was.
    fn poll_next(&self) -> bool {
        let Some(turn) = lock(&self.ready.turns).pop_front() else { return false };
        turn.queued.store(false, Ordering::Relaxed);
        let task = lock(&self.tasks).remove(&turn.id);
        if let Some(task) = task {
            self.poll(task, &turn);
        }
        true
    }

    fn poll(&self, mut task: Contained, turn: &Arc<Turn>) {
        match Pin::new(&mut task).poll(&mut Context::from_waker(&waker_ref(turn))) {
            Poll::Pending => drop(lock(&self.tasks).insert(turn.id, task)),
            Poll::Ready(Ending::Done) => {}
            Poll::Ready(Ending::Panicked) => drop(self.panicked.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// The tasks that were woken, in that order.
#[derive(Default)]
struct Ready {
    turns: Mutex<VecDeque<Arc<Turn>>>,
}

/// A task's place in the order.
struct Turn {
    id: u64,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl ArcWake for Turn {
    fn wake_by_ref(turn: &Arc<Self>) {
        if !turn.queued.swap(true, Ordering::Relaxed) {
            lock(&turn.ready.turns).push_back(Arc::clone(turn));
        }
    }
}

/// Whether the future that is run was woken.
struct Main(AtomicBool);

impl ArcWake for Main {
    fn wake_by_ref(main: &Arc<Self>) {
        main.0.store(true, Ordering::Relaxed);
    }
}
