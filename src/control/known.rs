//! What this process knows of the stored state, and what it makes of what it finds: pure.

use std::collections::VecDeque;
use std::time::SystemTime;

use super::decide::{emergency, safer};
use super::emergency::Brake;
use super::snapshot::Snapshot;
use crate::clock::{Clock, Instant};
use crate::store::{AuditEntry, Doubt, Expect, Record, Settings};

/// What this process knows.
#[derive(Debug)]
pub(super) struct Known {
    /// The last record that was believed.
    pub(super) record: Option<Record>,
    pub(super) doubted: Option<Doubted>,
    /// An emergency that is not stored yet; it outranks everything else.
    pub(super) brake: Option<Brake>,
    /// What routes as long as the store has never been heard: chosen by the host.
    pub(super) assumed: Option<Settings>,
    /// When the store was last heard.
    pub(super) heard: Heard,
    /// Whether the store failed when it was last asked.
    pub(super) failed: bool,
    pub(super) recent: Recent,
}

/// A moment, for people and for measuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) wall: SystemTime,
    pub(super) moment: Instant,
}

impl Heard {
    pub(super) fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.wall(), moment: clock.now() }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Doubted {
    pub(super) doubt: Doubt,
    /// The safer of what was known and what was found.
    kept: Settings,
    found: Option<Record>,
}

impl Known {
    pub(super) fn new(record: Option<Record>, heard: Heard) -> Self {
        Self { record, doubted: None, brake: None, assumed: None, heard, failed: false, recent: Recent::default() }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.epoch)
    }

    pub(super) fn doubt(&self) -> Option<Doubt> {
        self.doubted.as_ref().map(|doubted| doubted.doubt)
    }

    /// The record that a change is made on: the believed one, or what was found in its place.
    pub(super) fn base(&self) -> Option<&Record> {
        self.doubted.as_ref().map_or(self.record.as_ref(), |doubted| doubted.found.as_ref())
    }

    /// What routes.
    pub(super) fn effective(&self) -> Settings {
        let believed = self.believed();
        if self.brake.is_some() { emergency(believed) } else { believed }
    }

    fn believed(&self) -> Settings {
        let doubted = self.doubted.as_ref().map(|doubted| doubted.kept);
        let stored = || self.record.as_ref().map(Record::settings).unwrap_or_default();
        doubted.or(self.assumed).unwrap_or_else(stored)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let settings = self.effective();
        Snapshot {
            mode: settings.mode,
            rollout: settings.rollout,
            shadow_share: settings.effective_shadow_share(),
            epoch: self.epoch(),
        }
    }

    /// Takes in what a load found. `start` is what was known when the load began: what has been learnt since may be newer
    /// than the finding, which then proves nothing.
    pub(super) fn found(&mut self, start: Expect, found: Option<Record>, at: Heard) {
        self.hear(at);
        let outdated = !predates(found.as_ref(), start);
        match (&self.record, found) {
            (None, None) => {}
            (Some(known), found) if Expect::of(Some(known)).matches(found.as_ref()) => self.found_again(),
            (known, Some(found)) if known.as_ref().is_none_or(|known| found.epoch > known.epoch) => self.believe(found),
            _ if outdated => {}
            (Some(known), Some(found)) if settles(&found, known) => self.believe(found),
            (_, found) => self.mistrust(found),
        }
    }

    /// Takes in the record of this process's own commit, which was made on `base`.
    pub(super) fn committed(&mut self, base: Expect, record: Record, at: Heard) {
        self.hear(at);
        let settles = self.doubted.as_ref().is_some_and(|doubted| base.matches(doubted.found.as_ref()));
        if settles || record.epoch > self.epoch() {
            self.believe(record);
        }
    }

    fn hear(&mut self, at: Heard) {
        (self.heard, self.failed, self.assumed) = (at, false, None);
    }

    /// The store failed, or gave an answer that nothing can be made of.
    pub(super) fn unheard(&mut self) {
        self.failed = true;
    }

    /// The believed record is what the store holds. Its audit is not mended by that.
    fn found_again(&mut self) {
        self.doubted.take_if(|doubted| !matches!(doubted.doubt, Doubt::AuditGap { .. }));
    }

    /// Takes in what the audit says after `after`, read when `record` was the believed one. The entry of a record is written
    /// together with it.
    pub(super) fn audited(&mut self, record: &Record, entries: Vec<AuditEntry>) {
        let written = entries.iter().any(|entry| entry.epoch == record.epoch && entry.hash == record.audit_hash);
        let present = self.record.as_ref() == Some(record) && self.doubted.is_none();
        if written {
            self.recent.extend(entries);
        } else if present {
            let doubt = Doubt::AuditGap { known_epoch: record.epoch };
            self.doubted = Some(Doubted { doubt, kept: self.believed(), found: Some(record.clone()) });
        }
    }

    fn believe(&mut self, record: Record) {
        if self.doubted.is_some() {
            // A store that lost records has another audit: it is read anew.
            self.recent = Recent::default();
        }
        self.record = Some(record);
        self.doubted = None;
    }

    fn mistrust(&mut self, found: Option<Record>) {
        let known_epoch = self.epoch();
        let believed = self.believed();
        let (doubt, kept) = match &found {
            None => (Doubt::StateLost { known_epoch }, believed),
            Some(record) => {
                let found_epoch = record.epoch;
                (Doubt::StateRegressed { known_epoch, found_epoch }, safer(believed, record.settings()))
            }
        };
        self.doubted = Some(Doubted { doubt, kept, found });
    }
}

/// Whether an operator settled with `found` what holds, for those who know `known` too.
const fn settles(found: &Record, known: &Record) -> bool {
    found.settles > known.settles && found.settles >= known.epoch
}

/// Whether the finding is older than what was known when the search began, or differs from it at the same epoch.
fn predates(found: Option<&Record>, start: Expect) -> bool {
    match (start, found) {
        (Expect::Absent, _) => false,
        (Expect::Exact { .. }, None) => true,
        (Expect::Exact { epoch, etag }, Some(found)) => {
            found.epoch < epoch || (found.epoch == epoch && found.etag != etag)
        }
    }
}

/// The last transitions, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent {
    transitions: VecDeque<AuditEntry>,
    /// Up to which epoch the audit has been read.
    read_to: u64,
}

impl Recent {
    /// How many transitions are kept.
    pub(super) const LENGTH: usize = 10;

    /// The epoch after which the audit has to be read to know the changes up to `epoch`; `None` if they are known.
    pub(super) fn missing(&self, epoch: u64) -> Option<u64> {
        (self.read_to < epoch).then(|| self.read_to.max(epoch.saturating_sub(LOOK_BACK)))
    }

    /// Takes in entries, oldest first; what is known already is left out.
    pub(super) fn extend(&mut self, entries: impl IntoIterator<Item = AuditEntry>) {
        for entry in entries {
            if entry.epoch > self.read_to {
                self.read_to = entry.epoch;
                self.push(entry);
            }
        }
    }

    /// Takes in this process's own change, without a gap only if it follows what has been read.
    pub(super) fn own(&mut self, entry: AuditEntry) {
        if entry.epoch == self.read_to.saturating_add(1) {
            self.extend([entry]);
        }
    }

    fn push(&mut self, entry: AuditEntry) {
        if entry.is_transition() {
            self.transitions.push_back(entry);
        }
        if self.transitions.len() > Self::LENGTH {
            self.transitions.pop_front();
        }
    }

    pub(super) fn to_vec(&self) -> Vec<AuditEntry> {
        self.transitions.iter().cloned().collect()
    }
}

/// How many changes are read to find the last transitions.
pub(super) const LOOK_BACK: u64 = 50;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    use crate::mode::SystemMode;
    use crate::store::{Author, Change, ChangeKind, Stamp};

    const NOW: Heard = Heard { wall: UNIX_EPOCH, moment: Instant::from_nanos(0) };

    fn next(before: Option<&Record>, mode: SystemMode, etag: u128) -> Record {
        let after = Settings { mode, ..Settings::default() };
        let stamp = Stamp { at: UNIX_EPOCH, etag, op_id: etag };
        let author = Author::for_emergency("", "");
        Change::new(before, after, ChangeKind::Transition, author, stamp).record().clone()
    }

    #[test]
    fn a_finding_that_is_older_than_what_was_learnt_meanwhile_proves_nothing() {
        let first = next(None, SystemMode::Parallel, 1);
        let second = next(Some(&first), SystemMode::NewOnly, 2);
        let mut known = Known::new(None, NOW);
        known.committed(Expect::Absent, first.clone(), NOW);
        known.found(Expect::Absent, None, NOW);
        assert_eq!((known.doubt(), known.epoch()), (None, 1));
        known.committed(Expect::of(Some(&first)), second.clone(), NOW);
        known.found(Expect::of(Some(&first)), Some(first.clone()), NOW);
        assert_eq!((known.doubt(), known.epoch()), (None, 2));
        known.found(Expect::of(Some(&second)), Some(first), NOW);
        assert_eq!(known.doubt(), Some(Doubt::StateRegressed { known_epoch: 2, found_epoch: 1 }));
        assert_eq!(known.effective().mode, SystemMode::Parallel);
    }

    #[test]
    fn an_old_commit_that_is_answered_late_changes_nothing() {
        let first = next(None, SystemMode::Parallel, 1);
        let second = next(Some(&first), SystemMode::NewOnly, 2);
        let mut known = Known::new(Some(second), NOW);
        known.committed(Expect::Absent, first, NOW);
        assert_eq!((known.effective().mode, known.epoch()), (SystemMode::NewOnly, 2));
    }
}
