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
    /// Grows whenever the record or the doubt becomes another one.
    pub(super) generation: u64,
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubted {
    pub(super) doubt: Doubt,
    /// The safer of what was known and what was found.
    kept: Settings,
    found: Option<Record>,
}

impl Known {
    pub(super) fn new(record: Option<Record>, heard: Heard) -> Self {
        Self {
            record,
            doubted: None,
            brake: None,
            assumed: None,
            heard,
            failed: false,
            recent: Recent::default(),
            generation: 0,
        }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.epoch)
    }

    pub(super) fn etag(&self) -> Option<u128> {
        self.record.as_ref().map(|record| record.etag)
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

    /// Takes in what a load found, or says that it proves nothing: something else has been learnt since it began, at
    /// `generation`. `continues` says whether the audit leads from the known record to the found one.
    pub(super) fn found(&mut self, generation: u64, found: Option<Record>, continues: bool, at: Heard) -> bool {
        self.hear(at);
        if generation != self.generation {
            return false;
        }
        match (&self.record, found) {
            (None, None) => {}
            (None, Some(found)) => self.believe(found),
            (Some(known), found) if Expect::of(Some(known)).matches(found.as_ref()) => self.found_again(),
            (Some(known), Some(found)) if settles(&found, known) || (found.epoch > known.epoch && continues) => {
                self.believe(found);
            }
            (Some(_), found) => self.mistrust(found),
        }
        true
    }

    /// Takes in the record of this process's own commit, which was made on what was known at `generation`; or says that it
    /// proves nothing, since something else has been learnt: the store may have lost the record again.
    pub(super) fn committed(&mut self, generation: u64, record: &Record, at: Heard) -> bool {
        self.hear(at);
        let present = generation == self.generation;
        if present {
            self.believe(record.clone());
        }
        present
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
        if self.doubted.take_if(|doubted| !matches!(doubted.doubt, Doubt::AuditGap { .. })).is_some() {
            self.generation += 1;
        }
    }

    /// Takes in what the audit says after `after`, read when `record` was the believed one. The entry of a record is written
    /// together with it.
    pub(super) fn audited(&mut self, record: &Record, entries: Vec<AuditEntry>) {
        let written = entries.iter().any(|entry| entry.epoch == record.epoch && entry.hash == record.audit_hash);
        let present = self.record.as_ref() == Some(record) && self.doubted.is_none();
        if written {
            self.recent.extend(entries);
        } else if present {
            self.doubt_it(Doubt::AuditGap { known_epoch: record.epoch }, self.believed(), Some(record.clone()));
        }
    }

    fn believe(&mut self, record: Record) {
        let settled = self.record.as_ref().is_some_and(|known| record.settles > known.settles);
        if self.doubted.is_some() || settled {
            // A store that lost records has another audit: it is read anew.
            self.recent = Recent::default();
        }
        self.record = Some(record);
        self.doubted = None;
        self.generation += 1;
    }

    fn mistrust(&mut self, found: Option<Record>) {
        let (known_epoch, believed) = (self.epoch(), self.believed());
        let Some(record) = found else {
            return self.doubt_it(Doubt::StateLost { known_epoch }, believed, None);
        };
        let found_epoch = record.epoch;
        let doubt = if found_epoch > known_epoch {
            Doubt::Forked { known_epoch, found_epoch }
        } else {
            Doubt::StateRegressed { known_epoch, found_epoch }
        };
        self.doubt_it(doubt, safer(believed, record.settings()), Some(record));
    }

    fn doubt_it(&mut self, doubt: Doubt, kept: Settings, found: Option<Record>) {
        let doubted = Doubted { doubt, kept, found };
        if self.doubted.as_ref() != Some(&doubted) {
            self.doubted = Some(doubted);
            self.generation += 1;
        }
    }
}

/// Whether an operator settled with `found` what holds, for those who know `known` too.
pub(super) const fn settles(found: &Record, known: &Record) -> bool {
    found.settles > known.settles && found.settles >= known.epoch
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

    fn change(before: Option<&Record>, mode: SystemMode, etag: u128) -> Change {
        let after = Settings { mode, ..Settings::default() };
        let stamp = Stamp { at: UNIX_EPOCH, etag, op_id: etag };
        Change::new(before, after, ChangeKind::Transition, Author::for_emergency("", ""), stamp)
    }

    fn next(before: Option<&Record>, mode: SystemMode, etag: u128) -> Record {
        change(before, mode, etag).record().clone()
    }

    #[test]
    fn what_was_overtaken_proves_nothing() {
        let first = next(None, SystemMode::Parallel, 1);
        let second = next(Some(&first), SystemMode::NewOnly, 2);
        let mut known = Known::new(None, NOW);
        assert!(known.committed(0, &first, NOW));
        assert!(!known.found(0, None, true, NOW));
        assert_eq!((known.doubt(), known.epoch()), (None, 1));
        assert!(known.committed(1, &second, NOW));
        assert!(!known.found(1, Some(first.clone()), true, NOW));
        assert!(!known.committed(1, &first, NOW));
        assert_eq!((known.effective().mode, known.epoch()), (SystemMode::NewOnly, 2));
        assert!(known.found(2, Some(first), true, NOW));
        assert_eq!(known.doubt(), Some(Doubt::StateRegressed { known_epoch: 2, found_epoch: 1 }));
        assert_eq!(known.effective().mode, SystemMode::Parallel);
    }

    #[test]
    fn what_was_asked_before_a_doubt_or_during_it_proves_nothing_after_it() {
        let first = next(None, SystemMode::Parallel, 1);
        let mut known = Known::new(Some(first.clone()), NOW);
        let mut generations = vec![known.generation];
        for found in [None, Some(first.clone()), None, Some(first.clone())] {
            assert!(known.found(known.generation, found, true, NOW));
            assert!(!generations.contains(&known.generation), "{generations:?}, {}", known.generation);
            generations.push(known.generation);
        }
        assert!(!known.committed(0, &next(Some(&first), SystemMode::NewOnly, 2), NOW));
        assert_eq!((known.doubt(), known.epoch()), (None, 1));
    }

    #[test]
    fn the_entry_of_a_record_is_the_one_of_its_epoch_and_hash() {
        let [ours, other] = [1, 2].map(|etag| change(None, SystemMode::Parallel, etag));
        for (entry, doubt) in [(ours.entry(), None), (other.entry(), Some(Doubt::AuditGap { known_epoch: 1 }))] {
            let mut known = Known::new(Some(ours.record().clone()), NOW);
            known.audited(ours.record(), vec![entry.clone()]);
            assert_eq!(known.doubt(), doubt);
        }
    }

    #[test]
    fn a_transition_that_is_read_again_is_shown_once() {
        let mut recent = Recent::default();
        let entry = change(None, SystemMode::Parallel, 1).entry().clone();
        recent.extend([entry.clone(), entry.clone()]);
        recent.own(entry.clone());
        assert_eq!(recent.to_vec(), [entry]);
    }

    #[test]
    fn a_settlement_settles_one_loss_and_not_the_next() {
        let record = |epoch, settles| Record { epoch, settles, ..next(None, SystemMode::Parallel, 1) };
        assert!(settles(&record(2, 5), &record(5, 0)));
        assert!(!settles(&record(2, 5), &record(6, 0)), "more is known than was settled");
        assert!(!settles(&record(2, 5), &record(4, 5)), "it was lost again after it was settled");
    }

    #[test]
    fn a_later_record_that_did_not_come_from_the_known_one_is_doubted() {
        let first = next(None, SystemMode::Parallel, 1);
        let other = next(Some(&next(None, SystemMode::GradualRollout, 7)), SystemMode::NewOnly, 8);
        let mut known = Known::new(Some(first), NOW);
        assert!(known.found(0, Some(other.clone()), false, NOW));
        assert_eq!(known.doubt(), Some(Doubt::Forked { known_epoch: 1, found_epoch: 2 }));
        assert_eq!(known.effective().mode, SystemMode::Parallel);
        let generation = known.generation;
        assert!(known.found(generation, Some(other), false, NOW));
        assert_eq!(known.generation, generation, "the same again is nothing new");
    }
}
