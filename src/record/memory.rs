//! [`MemoryRecorder`]: the newest discrepancies, in memory.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

use super::{Discrepancy, DiscrepancyKind, Fingerprint, RecordError, Recorder};
use crate::lock::lock;

/// Keeps the discrepancies that were seen last, each fingerprint once, by default at most 1,000 and 8 MiB.
///
/// A discrepancy that is seen again is merged: the first sample stays and the counts grow. Where there are too many, the
/// one that was not seen for the longest time goes.
///
/// ```
/// use cutover::Recorder;
/// use cutover::record::MemoryRecorder;
/// # #[cfg(feature = "testing")] {
/// # let discrepancy = cutover::testing::discrepancy("search", 1);
///
/// let recorder = MemoryRecorder::new();
/// recorder.record(discrepancy.clone())?;
/// recorder.record(discrepancy.clone())?;
/// assert_eq!(recorder.len(), 1);
/// assert_eq!(recorder.find(discrepancy.fingerprint).map(|found| found.occurrences), Some(2));
/// # }
/// # Ok::<(), cutover::record::RecordError>(())
/// ```
pub struct MemoryRecorder {
    max_entries: usize,
    max_bytes: usize,
    memory: Mutex<Memory>,
}

impl MemoryRecorder {
    /// How many discrepancies are kept by default.
    pub const DEFAULT_ENTRIES: usize = 1_000;
    /// How many bytes they may hold by default: 8 MiB.
    pub const DEFAULT_BYTES: usize = 8 * 1024 * 1024;

    /// An empty recorder with the default bounds.
    #[must_use]
    pub fn new() -> Self {
        Self { max_entries: Self::DEFAULT_ENTRIES, max_bytes: Self::DEFAULT_BYTES, memory: Mutex::default() }
    }

    /// Keeps at most `entries` distinct fingerprints (default: 1,000).
    #[must_use]
    pub const fn with_max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Keeps at most `bytes`, by [`Discrepancy::size`] (default: 8 MiB).
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// All that is kept; what was seen last comes last.
    #[must_use]
    pub fn discrepancies(&self) -> Vec<Discrepancy> {
        self.select(|_| true)
    }

    /// All of one kind; what was seen last comes last.
    #[must_use]
    pub fn by_kind(&self, kind: DiscrepancyKind) -> Vec<Discrepancy> {
        self.select(|discrepancy| discrepancy.kind == kind)
    }

    /// The one with this fingerprint.
    #[must_use]
    pub fn find(&self, fingerprint: Fingerprint) -> Option<Discrepancy> {
        let found = lock(&self.memory).kept.get(&fingerprint).map(|kept| Arc::clone(&kept.discrepancy));
        found.map(Arc::unwrap_or_clone)
    }

    /// How many distinct fingerprints are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.memory).kept.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes are kept, by [`Discrepancy::size`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        lock(&self.memory).bytes
    }

    /// How many had to go for the bounds, each counted once however often it was seen. What was
    /// [cleared](Self::clear) does not count.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        lock(&self.memory).dropped
    }

    /// Forgets all that is kept. The count of those dropped stays.
    pub fn clear(&self) {
        let mut memory = lock(&self.memory);
        let forgotten = Memory { dropped: memory.dropped, ..Memory::default() };
        let forgotten = std::mem::replace(&mut *memory, forgotten);
        drop(memory);
        drop(forgotten);
    }

    /// Copies outside of the lock, so that recording does not wait for a reader.
    fn select(&self, wanted: impl Fn(&Discrepancy) -> bool) -> Vec<Discrepancy> {
        let selected = lock(&self.memory).in_order();
        selected.into_iter().filter(|discrepancy| wanted(discrepancy)).map(Arc::unwrap_or_clone).collect()
    }
}

impl Default for MemoryRecorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder for MemoryRecorder {
    /// Never fails: what does not fit is dropped and counted.
    fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError> {
        let size = discrepancy.size();
        let mut memory = lock(&self.memory);
        memory.keep(discrepancy, size);
        while memory.kept.len() > self.max_entries || memory.bytes > self.max_bytes {
            memory.drop_oldest();
        }
        Ok(())
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

impl fmt::Debug for MemoryRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = lock(&self.memory);
        f.debug_struct("MemoryRecorder")
            .field("len", &memory.kept.len())
            .field("bytes", &memory.bytes)
            .field("dropped", &memory.dropped)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Memory {
    kept: HashMap<Fingerprint, Kept>,
    /// The fingerprints by the turn in which they were seen last.
    order: BTreeMap<u64, Fingerprint>,
    turns: u64,
    bytes: usize,
    dropped: u64,
}

struct Kept {
    discrepancy: Arc<Discrepancy>,
    size: usize,
    last_turn: u64,
}

impl Memory {
    fn keep(&mut self, discrepancy: Discrepancy, size: usize) {
        self.turns += 1;
        self.order.insert(self.turns, discrepancy.fingerprint);
        if let Some(kept) = self.kept.get_mut(&discrepancy.fingerprint) {
            Arc::make_mut(&mut kept.discrepancy).merge(&discrepancy);
            self.order.remove(&std::mem::replace(&mut kept.last_turn, self.turns));
            return;
        }
        self.bytes += size;
        let fingerprint = discrepancy.fingerprint;
        self.kept.insert(fingerprint, Kept { discrepancy: Arc::new(discrepancy), size, last_turn: self.turns });
    }

    fn drop_oldest(&mut self) {
        let oldest = self.order.pop_first().and_then(|(_, fingerprint)| self.kept.remove(&fingerprint));
        self.bytes -= oldest.map_or(self.bytes, |kept| kept.size);
        self.dropped += 1;
    }

    fn in_order(&self) -> Vec<Arc<Discrepancy>> {
        let kept = self.order.values().filter_map(|fingerprint| self.kept.get(fingerprint));
        kept.map(|kept| Arc::clone(&kept.discrepancy)).collect()
    }
}
