//! [`Observers`]: several observers in the place of one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Event, Observer, ObserverQueue};
use crate::contain::contain_quietly;
use crate::handover::FlushTimeout;

/// Tells several observers, in the order in which they were added. Each is contained apart: one that panics, blocks or
/// lags behind is no loss to the others.
///
/// An observer that may block gets an [`ObserverQueue`] of its own.
///
/// ```
/// use cutover::Observer;
/// use cutover::observe::{Event, Observers};
///
/// let observers = Observers::new()
///     .with(|source: &str, event: &Event| println!("{source}: {event:?}"))
///     .with(|_: &str, _: &Event| panic!("a broken observer"));
/// observers.observe("search", &Event::BreakerClosed);
/// observers.flush(std::time::Duration::from_secs(5))?;
/// assert_eq!(observers.faults(), 1);
/// # Ok::<(), cutover::handover::FlushTimeout>(())
/// ```
#[derive(Default)]
pub struct Observers {
    members: Vec<Heard>,
    hear_starts: bool,
    hear_keys: bool,
}

/// One of them, and whether it wants to know of starts.
struct Heard {
    member: Member,
    starts: bool,
}

impl Observers {
    /// Nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new(), hear_starts: false, hear_keys: false }
    }

    /// These observers, and `observer`.
    #[must_use]
    pub fn with(mut self, observer: impl Observer + 'static) -> Self {
        let starts = contain_quietly(|| observer.hears_starts()) == Ok(true);
        self.hear_starts |= starts;
        self.hear_keys |= contain_quietly(|| observer.hears_keys()) == Ok(true);
        self.members.push(Heard { member: Member::new(observer), starts });
        self
    }

    /// How many observers are told.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many events one of the observers lost: it panicked at them, or its queue was full.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.members.iter().map(|heard| heard.member.faults()).sum()
    }

    /// Blocks until every observer has heard all events so far, for at most `deadline` of real time each.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how many events still wait, those of all observers together.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        let pending =
            self.members.iter().filter_map(|heard| heard.member.flush(deadline).err()).map(|late| late.pending).sum();
        if pending > 0 { Err(FlushTimeout { pending }) } else { Ok(()) }
    }
}

impl Observer for Observers {
    fn observe(&self, source: &str, event: &Event) {
        let is_start = matches!(event, Event::Started { .. });
        for Heard { member, starts } in &self.members {
            if *starts || !is_start {
                member.observe(source, event);
            }
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }

    #[inline]
    fn hears_starts(&self) -> bool {
        self.hear_starts
    }

    #[inline]
    fn hears_keys(&self) -> bool {
        self.hear_keys
    }

    fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        Self::flush(self, deadline)
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").field("len", &self.len()).field("faults", &self.faults()).finish()
    }
}

enum Member {
    Direct { observer: Box<dyn Observer>, panics: AtomicU64 },
    Queued(ObserverQueue),
}

impl Member {
    fn new(observer: impl Observer + 'static) -> Self {
        if contain_quietly(|| observer.never_blocks()) == Ok(true) {
            Self::Direct { observer: Box::new(observer), panics: AtomicU64::new(0) }
        } else {
            Self::Queued(ObserverQueue::new(observer))
        }
    }

    fn observe(&self, source: &str, event: &Event) {
        match self {
            Self::Queued(queue) => queue.observe(source, event),
            Self::Direct { observer, panics } => {
                if contain_quietly(|| observer.observe(source, event)).is_err() {
                    panics.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn faults(&self) -> u64 {
        match self {
            Self::Direct { panics, .. } => panics.load(Ordering::Relaxed),
            Self::Queued(queue) => queue.counts().dropped + queue.counts().panicked,
        }
    }

    fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        match self {
            Self::Direct { observer, panics } => contain_quietly(|| observer.flush(deadline)).unwrap_or_else(|_| {
                panics.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }),
            Self::Queued(queue) => queue.flush(deadline),
        }
    }
}
