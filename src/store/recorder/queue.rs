//! [`Queue`]: what waits, what is being stored, and what became of the rest. Pure logic, no lock and no task.

use std::sync::Arc;

use futures_channel::oneshot;

use super::StoreRecorder;
use crate::handover::{HandoverCounts, Limits, Parcel, Place, Waiting};
use crate::record::Discrepancy;
use crate::store::Added;

pub(super) struct Queue {
    waiting: Waiting<Discrepancy>,
    /// Whether there was room when something last came or went.
    room: bool,
    /// Taken out of the queue together, so that equal ones that come meanwhile are not merged into what is on its way.
    batch: Arc<[Discrepancy]>,
    /// How many of the batch have ended.
    from: usize,
    /// How many are sent at once.
    most: usize,
    failures: u32,
    counts: HandoverCounts,
    /// How many queued discrepancies have ended, whatever became of them.
    done: u64,
    waiters: Vec<(u64, oneshot::Sender<()>)>,
    /// Whether a task stores what waits, or will.
    active: bool,
    closed: bool,
}

/// What is sent in one call of the store: never empty.
pub(super) struct Parcels {
    batch: Arc<[Discrepancy]>,
    from: usize,
    to: usize,
}

impl Parcels {
    pub(super) fn as_slice(&self) -> &[Discrepancy] {
        self.batch.get(self.from..self.to).unwrap_or_default()
    }
}

/// What a call of the store came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Stored(Added),
    /// It may go better later.
    Later,
    /// It will not go better later.
    Refused,
    Panicked,
}

impl Queue {
    pub(super) fn new() -> Self {
        let limits = Limits { entries: StoreRecorder::MAX_ENTRIES, bytes: StoreRecorder::MAX_BYTES };
        Self {
            waiting: Waiting::new(limits),
            room: true,
            batch: Arc::default(),
            from: 0,
            most: StoreRecorder::MAX_BATCH,
            failures: 0,
            counts: HandoverCounts::default(),
            done: 0,
            waiters: Vec::new(),
            active: false,
            closed: false,
        }
    }

    /// Queues `discrepancy`, merges it into an equal one that waits, or drops it: `false`.
    pub(super) fn push(&mut self, discrepancy: Discrepancy) -> bool {
        let size = discrepancy.size();
        let taken = match self.waiting.push(discrepancy, size) {
            Place::Own => true,
            // It needed no room, so it does not say that there is any.
            Place::Shared => {
                self.counts.merged += 1;
                return true;
            }
            Place::None(_) => {
                self.counts.dropped += 1;
                false
            }
        };
        self.room = taken && self.waiting.has_room();
        taken
    }

    pub(super) const fn has_room(&self) -> bool {
        self.room
    }

    pub(super) const fn close(&mut self) {
        self.closed = true;
    }

    /// Whether a task has to be started now.
    pub(super) fn activate(&mut self) -> bool {
        let needed = !self.active && self.pending() > 0 && !self.given_up();
        self.active |= needed;
        needed
    }

    /// The task that was to store is gone.
    pub(super) const fn deactivate(&mut self) {
        self.active = false;
    }

    /// What to send next: what has not ended of the last batch, or a new one.
    pub(super) fn next(&mut self) -> Option<Parcels> {
        if self.given_up() {
            return None;
        }
        if self.from == self.batch.len() {
            self.batch = self.take().into();
            self.from = 0;
        }
        let to = self.batch.len().min(self.from + self.most);
        (self.from < to).then(|| Parcels { batch: Arc::clone(&self.batch), from: self.from, to })
    }

    fn take(&mut self) -> Vec<Discrepancy> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < StoreRecorder::MAX_BATCH && bytes < BATCH_BYTES {
            let Some(discrepancy) = self.waiting.pop() else { break };
            bytes += Parcel::size(&discrepancy);
            batch.push(discrepancy);
        }
        self.room = self.waiting.has_room();
        batch
    }

    /// Takes in what became of `sent` discrepancies. Whoever waited for what has ended by now is given back, to be woken
    /// outside of the lock.
    pub(super) fn ended(&mut self, sent: usize, answer: Answer) -> Vec<oneshot::Sender<()>> {
        match (answer, sent) {
            (Answer::Stored(added), _) => self.stored(sent, added),
            (Answer::Later, _) => self.failures = self.failures.saturating_add(1),
            (Answer::Refused, 0..=1) => {
                self.counts.failed += 1;
                self.gave_up_one();
            }
            (Answer::Panicked, 0..=1) => {
                self.counts.panicked += 1;
                self.gave_up_one();
            }
            (Answer::Refused | Answer::Panicked, _) => {
                self.most = sent / 2;
                self.failures = self.failures.saturating_add(1);
            }
        }
        self.take_waiters()
    }

    fn stored(&mut self, sent: usize, added: Added) {
        let dropped = added.dropped.min(sent);
        self.counts.handed_over += (sent - dropped) as u64;
        self.counts.dropped += dropped as u64;
        self.failures = 0;
        self.most = (self.most * 2).min(StoreRecorder::MAX_BATCH);
        self.advance(sent);
    }

    fn gave_up_one(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.advance(1);
    }

    fn advance(&mut self, count: usize) {
        self.from += count;
        self.done += count as u64;
        if self.from == self.batch.len() {
            self.batch = Arc::default();
            self.from = 0;
        }
    }

    fn take_waiters(&mut self) -> Vec<oneshot::Sender<()>> {
        let done = self.done;
        let (over, left): (Vec<_>, _) =
            std::mem::take(&mut self.waiters).into_iter().partition(|(end, _)| *end <= done);
        self.waiters = left;
        over.into_iter().map(|(_, waiter)| waiter).collect()
    }

    /// Failures in a row.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    const fn given_up(&self) -> bool {
        self.closed && self.failures >= LAST_TRIES
    }

    /// How many discrepancies were queued so far.
    pub(super) fn end(&self) -> u64 {
        self.waiting.end()
    }

    pub(super) const fn done(&self) -> u64 {
        self.done
    }

    /// Resolves when everything queued so far has ended; `None` if it has.
    pub(super) fn wait(&mut self) -> Option<oneshot::Receiver<()>> {
        let end = self.end();
        self.waiters.retain(|(_, waiter)| !waiter.is_canceled());
        (self.done < end).then(|| {
            let (waiter, ended) = oneshot::channel();
            self.waiters.push((end, waiter));
            ended
        })
    }

    fn pending(&self) -> u64 {
        self.end() - self.done
    }

    pub(super) fn counts(&self) -> HandoverCounts {
        HandoverCounts { pending: self.pending(), ..self.counts }
    }
}

/// No discrepancy is added to a batch of so many bytes.
const BATCH_BYTES: usize = 1024 * 1024;
/// How many failures in a row are the end once the recorder is gone.
const LAST_TRIES: u32 = 10;
