//! [`Timers`]: sleeps that work on any executor, woken by a thread of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::contain::{contain_quietly, discard};
use crate::lock::lock;

/// The timers of one thread, which starts with the first sleep that waits and ends when the last handle is dropped.
/// Every [`Sleep`] is a handle too.
#[derive(Clone)]
pub(super) struct Timers(Arc<Handle>);

impl Timers {
    pub(super) fn new(thread_name: String) -> Self {
        Self(Arc::new(Handle { shared: Arc::default(), thread_name }))
    }

    /// Completes after `duration`, counted from this call.
    pub(super) fn sleep(&self, duration: Duration) -> Sleep {
        Sleep { timers: self.clone(), deadline: now().checked_add(duration), key: None }
    }

    /// Wakes `waker` at the time in `key`, instead of the one that was to be woken then. Says whether the thread runs.
    fn wake_at(&self, key: Key, waker: Waker) -> bool {
        let shared = &self.0.shared;
        let mut state = lock(&shared.state);
        let replaced = state.waiting.insert(key, waker);
        state.started = state.started || start(shared, &self.0.thread_name);
        let started = state.started;
        if state.waiting.first_key_value().is_some_and(|(first, _)| *first == key) {
            shared.changed.notify_one();
        }
        drop(state);
        discard(replaced);
        started
    }

    fn forget(&self, key: Key) {
        let forgotten = lock(&self.0.shared.state).waiting.remove(&key);
        discard(forgotten);
    }

    fn next_id(&self) -> u64 {
        let mut state = lock(&self.0.shared.state);
        state.next_id += 1;
        state.next_id
    }
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers").finish_non_exhaustive()
    }
}

struct Handle {
    shared: Arc<Shared>,
    thread_name: String,
}

impl Drop for Handle {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.changed.notify_one();
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: BTreeMap<Key, Waker>,
    next_id: u64,
    started: bool,
    closed: bool,
}

/// When, and which of those that are due then.
type Key = (Instant, u64);

/// Starts the thread; `false` when the system refuses one.
fn start(shared: &Arc<Shared>, name: &str) -> bool {
    let shared = Arc::clone(shared);
    let run = move || {
        while let Some(due) = shared.next_due() {
            for waker in due {
                contain_quietly(|| waker.wake()).ok();
            }
        }
    };
    thread::Builder::new().name(name.to_owned()).spawn(run).is_ok()
}

impl Shared {
    /// Waits for the next wakers that are due; `None` when no handle is left.
    fn next_due(&self) -> Option<Vec<Waker>> {
        let mut state = lock(&self.state);
        while !state.closed {
            let now = now();
            let due = state.take_due(now);
            if !due.is_empty() {
                return Some(due);
            }
            let rest =
                state.waiting.first_key_value().map(|((deadline, _), _)| deadline.saturating_duration_since(now));
            state = match rest {
                Some(rest) => self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        None
    }
}

impl State {
    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let later = self.waiting.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.waiting, later).into_values().collect()
    }
}

/// Completes at its deadline, on whatever executor it is polled. A deadline past the end of time never comes.
///
/// Where the system refuses a thread, it asks to be polled again and again until its time has come, which costs processor
/// time but never the deadline.
pub(super) struct Sleep {
    timers: Timers,
    deadline: Option<Instant>,
    key: Option<Key>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        if now() >= deadline {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| (deadline, self.timers.next_id()));
        self.key = Some(key);
        if !self.timers.wake_at(key, context.waker().clone()) {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.timers.forget(key);
        }
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a real runtime sleeps in real time")]
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::task::ArcWake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl ArcWake for Woken {
        fn wake_by_ref(woken: &Arc<Self>) {
            woken.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn wakers_come_due_in_the_order_of_their_deadlines() {
        let start = now();
        let woken: [Arc<Woken>; 4] = std::array::from_fn(|_| Arc::default());
        let mut state = State::default();
        for (delay, woken) in [3, 0, 2, 1].into_iter().zip(&woken) {
            let key = (start + Duration::from_secs(delay), delay);
            state.waiting.insert(key, futures_util::task::waker(Arc::clone(woken)));
        }
        let due = state.take_due(start + Duration::from_secs(2));
        let order: Vec<_> = due
            .into_iter()
            .map(|waker| {
                waker.wake();
                woken.iter().position(|woken| woken.0.swap(false, Ordering::Relaxed)).unwrap()
            })
            .collect();
        assert_eq!(order, [1, 3, 2]);
        assert_eq!(state.waiting.len(), 1);
    }

    #[test]
    fn a_dropped_sleep_leaves_nothing_behind() {
        let timers = Timers::new("timers".into());
        let mut sleep = Box::pin(timers.sleep(Duration::from_secs(3600)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut context).is_pending());
        assert!(sleep.as_mut().poll(&mut context).is_pending());
        assert_eq!(lock(&timers.0.shared.state).waiting.len(), 1);
        drop(sleep);
        assert_eq!(lock(&timers.0.shared.state).waiting.len(), 0);
    }

    #[test]
    fn a_sleep_past_the_end_of_time_waits_without_a_thread() {
        let timers = Timers::new("timers".into());
        let mut sleep = Box::pin(timers.sleep(Duration::MAX));
        assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(!lock(&timers.0.shared.state).started);
    }
}
