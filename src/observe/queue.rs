//! [`ObserverQueue`]: lets nobody wait for a slow observer.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Event, Observer};
use crate::contain::contain_quietly;
use crate::handover::{FlushTimeout, Handover, HandoverCounts, Limits, Parcel};
use crate::lock::lock;

/// Stands in front of an observer that may block, and calls it from a thread of its own, in the order of the events.
///
/// - Whoever tells never waits for the observer: it takes a short lock.
/// - At most 4,096 events wait. What does not fit is dropped.
/// - All of them are [counted](Self::counts), and so are the panics of the observer, which end here.
/// - The thread starts with the first event. When the queue is dropped, the thread hands over what still waits and ends;
///   nobody waits for it, also where the observer never returns.
///
/// ```
/// use cutover::Observer;
/// use cutover::observe::{Event, ObserverQueue};
/// use std::time::Duration;
///
/// let queue = ObserverQueue::new(|source: &str, event: &Event| println!("{source}: {event:?}"));
/// queue.observe("search", &Event::BreakerClosed);
/// queue.flush(Duration::from_secs(5))?;
/// assert_eq!(queue.counts().handed_over, 1);
/// # Ok::<(), cutover::handover::FlushTimeout>(())
/// ```
pub struct ObserverQueue {
    handover: Handover<Heard>,
    /// The source of the last event: most have the same, which saves an allocation for each.
    last_source: Mutex<Arc<str>>,
    hears_starts: bool,
    hears_keys: bool,
}

impl ObserverQueue {
    /// How many events may wait.
    pub const MAX_EVENTS: usize = 4_096;

    /// A queue in front of `observer`.
    #[must_use]
    pub fn new(observer: impl Observer + 'static) -> Self {
        let limits = Limits { entries: Self::MAX_EVENTS, bytes: usize::MAX };
        let hears_starts = contain_quietly(|| observer.hears_starts()) == Ok(true);
        let hears_keys = contain_quietly(|| observer.hears_keys()) == Ok(true);
        let receive = move |heard: Heard| {
            observer.observe(&heard.source, &heard.event);
            true
        };
        let handover = Handover::new("cutover-observer", limits, receive);
        Self { handover, last_source: Mutex::new("".into()), hears_starts, hears_keys }
    }

    /// As [`observe`](Observer::observe), for a source that is shared already. Says whether the event was taken.
    pub fn push(&self, source: &Arc<str>, event: Event) -> bool {
        self.handover.push(Heard { source: Arc::clone(source), event })
    }

    /// What became of all events so far.
    #[must_use]
    pub fn counts(&self) -> HandoverCounts {
        self.handover.counts()
    }

    /// Blocks until all events so far are handed over, for at most `deadline`. That is real time: no injected clock
    /// moves it. Never call it from the observer itself.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how many events still wait.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        self.handover.flush(deadline)
    }

    fn share(&self, source: &str) -> Arc<str> {
        let mut last = lock(&self.last_source);
        if **last != *source {
            *last = source.into();
        }
        Arc::clone(&last)
    }
}

impl Observer for ObserverQueue {
    fn observe(&self, source: &str, event: &Event) {
        self.push(&self.share(source), *event);
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn hears_starts(&self) -> bool {
        self.hears_starts
    }

    fn hears_keys(&self) -> bool {
        self.hears_keys
    }

    fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        Self::flush(self, deadline)
    }
}

impl fmt::Debug for ObserverQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserverQueue").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

struct Heard {
    source: Arc<str>,
    event: Event,
}

impl Parcel for Heard {
    type Label = ();

    fn label(&self) -> Option<()> {
        None
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn merge(&mut self, _later: &Self) {}
}
