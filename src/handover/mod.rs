//! Queues in front of recorders and observers that may block: what they [count](HandoverCounts) and how long a flush
//! may take.

mod waiting;

pub(crate) use waiting::{Limits, Parcel, Place, Waiting};

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::contain::{Panicked, contain_quietly, discard};
use crate::lock::lock;

/// Hands parcels over to foreign code on a thread of its own. Whoever pushes never waits for that code.
///
/// The thread starts with the first parcel. When the handover is dropped it hands over what still waits, then ends;
/// nobody waits for it.
pub(crate) struct Handover<P: Parcel> {
    shared: Arc<Shared<P>>,
}

impl<P: Parcel> Handover<P> {
    /// A queue within `limits`, emptied by the thread `name` into `receive`, which says whether it took the parcel.
    pub(crate) fn new(name: &'static str, limits: Limits, receive: impl FnMut(P) -> bool + Send + 'static) -> Self {
        let state = State {
            waiting: Waiting::new(limits),
            counts: HandoverCounts::default(),
            receive: Some(Box::new(receive)),
            done: 0,
            started: false,
            closed: false,
        };
        let shared = Shared {
            name,
            state: Mutex::new(state),
            room: AtomicBool::new(true),
            arrived: Condvar::new(),
            left: Condvar::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Queues `parcel`, or merges it into an equal one that still waits. What does not fit is dropped and counted:
    /// `false`.
    pub(crate) fn push(&self, parcel: P) -> bool {
        let size = parcel.size();
        let mut state = lock(&self.shared.state);
        state.started = state.started || start(&self.shared);
        let place = if state.started { state.waiting.push(parcel, size) } else { Place::None(parcel) };
        let taken = state.count_push(&place);
        // One that was merged needed no room, so it does not say that there is any.
        if !matches!(place, Place::Shared) {
            self.shared.room.store(taken && state.waiting.has_room(), Ordering::Relaxed);
        }
        drop(state);
        self.shared.arrived.notify_one();
        taken
    }

    /// Whether a parcel that equals none that waits would probably be queued: a hint that costs one read. Once one did
    /// not fit, there is no room until another has left or found a place of its own.
    pub(crate) fn has_room(&self) -> bool {
        self.shared.room.load(Ordering::Relaxed)
    }

    pub(crate) fn counts(&self) -> HandoverCounts {
        let state = lock(&self.shared.state);
        HandoverCounts { pending: state.waiting.end() - state.done, ..state.counts }
    }

    /// Blocks until everything pushed before is handed over, for at most `deadline` of real time.
    pub(crate) fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        let state = lock(&self.shared.state);
        let end = state.waiting.end();
        let waited = self.shared.left.wait_timeout_while(state, deadline, |state| state.done < end);
        let done = waited.unwrap_or_else(PoisonError::into_inner).0.done;
        if done < end { Err(FlushTimeout { pending: end - done }) } else { Ok(()) }
    }
}

impl<P: Parcel> Drop for Handover<P> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        state.closed = true;
        let unused = if state.started { None } else { state.receive.take() };
        drop(state);
        self.shared.arrived.notify_one();
        discard(unused);
    }
}

impl<P: Parcel> fmt::Debug for Handover<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").field("name", &self.shared.name).field("counts", &self.counts()).finish()
    }
}

/// What became of everything that was pushed. `pushed` of all times is the sum of all fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct HandoverCounts {
    /// Waits, or is being handed over.
    pub pending: u64,
    /// Was handed over.
    pub handed_over: u64,
    /// Was merged into an equal one that still waited.
    pub merged: u64,
    /// Did not fit into the queue or the store behind it, or found no thread, and was dropped.
    pub dropped: u64,
    /// Was refused with an error.
    pub failed: u64,
    /// Met with a panic.
    pub panicked: u64,
}

/// Not everything was handed over in time. It still waits, and may be handed over later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{pending} entries were not handed over in time")]
#[non_exhaustive]
pub struct FlushTimeout {
    /// How many entries still wait or are being handed over.
    pub pending: u64,
}

struct Shared<P: Parcel> {
    name: &'static str,
    state: Mutex<State<P>>,
    room: AtomicBool,
    arrived: Condvar,
    left: Condvar,
}

struct State<P: Parcel> {
    waiting: Waiting<P>,
    counts: HandoverCounts,
    /// Here until the thread takes it.
    receive: Option<Box<dyn FnMut(P) -> bool + Send>>,
    /// How many queued parcels have left, whatever became of them.
    done: u64,
    started: bool,
    closed: bool,
}

impl<P: Parcel> State<P> {
    fn count_push(&mut self, place: &Place<P>) -> bool {
        match place {
            Place::Own => {}
            Place::Shared => self.counts.merged += 1,
            Place::None(_) => self.counts.dropped += 1,
        }
        !matches!(place, Place::None(_))
    }

    fn count_end(&mut self, taken: Result<bool, Panicked>) {
        self.done += 1;
        let count = match taken {
            Ok(true) => &mut self.counts.handed_over,
            Ok(false) => &mut self.counts.failed,
            Err(Panicked) => &mut self.counts.panicked,
        };
        *count += 1;
    }
}

/// Starts the thread; `false` when the system refuses one.
fn start<P: Parcel>(shared: &Arc<Shared<P>>) -> bool {
    let thread = thread::Builder::new().name(shared.name.to_owned());
    let shared = Arc::clone(shared);
    thread.spawn(move || run(&shared)).is_ok()
}

fn run<P: Parcel>(shared: &Shared<P>) {
    let Some(mut receive) = lock(&shared.state).receive.take() else { return };
    while let Some(parcel) = shared.next() {
        let taken = contain_quietly(|| receive(parcel));
        lock(&shared.state).count_end(taken);
        shared.left.notify_all();
    }
    discard(receive);
}

impl<P: Parcel> Shared<P> {
    /// Waits for the next parcel; `None` when nothing waits and nobody can push any more.
    fn next(&self) -> Option<P> {
        let idle = |state: &mut State<P>| state.waiting.is_empty() && !state.closed;
        let state = self.arrived.wait_while(lock(&self.state), idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let next = state.waiting.pop();
        self.room.store(state.waiting.has_room(), Ordering::Relaxed);
        next
    }
}
