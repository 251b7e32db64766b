//! A store in whose calls everybody else may go on, and whose messages may get lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::{MemoryStore, StateStore, StoreError};
use futures::{StreamExt, stream};
use shuttle::rand::{Rng, thread_rng};

use crate::explore::{Seen, one_in, pause};

/// How a store treats its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Every answer arrives; a wake-up may arrive twice.
    Good,
    /// Answers to writes and wake-ups get lost, and streams of wake-ups end.
    Bad,
}

/// Handles share one store.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    inner: MemoryStore,
    line: Line,
    reads: Arc<Reads>,
    conflicts: Seen,
}

/// Which reads of the record there were.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    begun: AtomicUsize,
    /// The last one to begin of those that have ended.
    ended: AtomicUsize,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

impl Reads {
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    /// How many were under way at once, at most.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    fn begin(&self) -> usize {
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(under_way, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn end(&self, number: usize) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        self.ended.fetch_max(number, Ordering::Relaxed);
    }
}

impl Remote {
    pub(crate) fn new(line: Line) -> Self {
        Self { inner: MemoryStore::new(), line, reads: Arc::default(), conflicts: Seen::default() }
    }

    /// Counts the writes that come too late.
    pub(crate) fn counting(self, conflicts: &Seen) -> Self {
        Self { conflicts: conflicts.clone(), ..self }
    }

    /// The same store, whose reads are counted apart.
    pub(crate) fn apart(&self) -> Self {
        Self { reads: Arc::default(), ..self.clone() }
    }

    pub(crate) fn reads(&self) -> &Reads {
        &self.reads
    }

    /// What is stored, without anybody going on meanwhile.
    pub(crate) async fn stored(&self) -> Option<Record> {
        self.stored_of(&id()).await
    }

    /// As [`stored`](Self::stored), of the migration `id`.
    pub(crate) async fn stored_of(&self, id: &MigrationId) -> Option<Record> {
        self.inner.load(id).await.expect("a store in memory answers")
    }

    /// The whole audit, which the record must be the end of.
    pub(crate) async fn audit(&self) -> Vec<AuditEntry> {
        let audit = self.inner.history(&id(), 0, 1000).await.expect("a store in memory answers");
        assert!(audit.iter().map(|entry| entry.epoch).eq(1..=audit.len() as u64), "{audit:?}");
        assert_eq!(audit.last().map(AuditEntry::record), self.stored().await);
        audit
    }
}

pub(crate) fn id() -> MigrationId {
    "search".parse().expect("it is one")
}

#[async_trait]
impl StateStore for Remote {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        let number = self.reads.begin();
        pause().await;
        let answer = self.inner.load(id).await;
        pause().await;
        self.reads.end(number);
        answer
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        pause().await;
        if self.line == Line::Bad && one_in(8) {
            return Err(StoreError::outcome_unknown("the request was lost"));
        }
        let answer = self.inner.compare_and_swap(id, expect, change).await;
        pause().await;
        if matches!(answer, Err(StoreError::Conflict { .. })) {
            self.conflicts.happened();
        }
        if self.line == Line::Bad && one_in(8) {
            return Err(StoreError::outcome_unknown("the answer was lost"));
        }
        answer
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        pause().await;
        let answer = self.inner.history(id, after_epoch, limit).await;
        pause().await;
        answer
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        pause().await;
        let Some(wake_ups) = self.inner.watch(id).await? else { return Ok(None) };
        pause().await;
        let least = usize::from(self.line == Line::Good);
        let arrive = move |()| stream::iter(vec![(); thread_rng().gen_range(least..=2)]);
        let lost = self.line == Line::Bad;
        let connected = move |(): &()| std::future::ready(!(lost && one_in(4)));
        Ok(Some(wake_ups.take_while(connected).flat_map(arrive).boxed()))
    }
}
