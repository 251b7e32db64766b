//! What the store keeps: one record, and the audit of how it came about.

use cutover::SystemMode;

use super::variant::Variant;

/// Stands for the 128 random bits of a record. Each attempt of an operation makes another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Etag {
    pub(crate) op: u8,
    pub(crate) attempt: u8,
}

/// What a compare-and-swap compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    pub(crate) epoch: u8,
    pub(crate) etag: Etag,
}

/// A compare-and-swap expects this record, or none.
pub(crate) type Expect = Option<Id>;

/// The stored state of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record {
    pub(crate) id: Id,
    pub(crate) mode: SystemMode,
    /// Up to which epoch an operator settled what holds after the store had lost records.
    pub(crate) settles: u8,
}

impl Record {
    /// Whether an operator settled with this record what holds, for those who know `known` too.
    pub(crate) const fn settles_for(self, known: Self) -> bool {
        self.settles > known.settles && self.settles >= known.id.epoch
    }
}

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An operator changed the mode.
    Transition,
    /// Somebody pulled the brake.
    Emergency,
    /// An operator settled what holds after the store had lost records.
    Reconciliation,
}

/// One write, which is also one line of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    pub(crate) expect: Expect,
    pub(crate) record: Record,
    pub(crate) kind: Kind,
    /// Only for the properties: the epoch that its maker knew, if the maker was in doubt; otherwise 0.
    pub(crate) knew: u8,
}

impl Change {
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        self.expect.into_iter().chain([self.record.id])
    }
}

/// What the store answers to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// The record of the commit, which is the first one if the operation was repeated.
    Committed(Record),
    /// The present record is not the expected one.
    Conflict,
}

/// One record with its audit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Store {
    pub(crate) record: Option<Record>,
    pub(crate) audit: Vec<Change>,
}

pub(crate) fn id_of(record: Option<Record>) -> Expect {
    record.map(|record| record.id)
}

pub(crate) fn mode_of(record: Option<Record>) -> SystemMode {
    record.map_or_else(SystemMode::default, |record| record.mode)
}

impl Store {
    /// A store in which one change was made, or none.
    pub(crate) fn beginning(mode: Option<SystemMode>) -> Self {
        let record =
            mode.map(|mode| Record { id: Id { epoch: 1, etag: Etag { op: 0, attempt: 0 } }, mode, settles: 0 });
        let change = record.map(|record| Change { expect: None, record, kind: Kind::Reconciliation, knew: 0 });
        Self { record, audit: change.into_iter().collect() }
    }

    /// The compare-and-swap: one atomic step.
    pub(crate) fn compare_and_swap(&mut self, change: Change, variant: Variant) -> Answer {
        if let Some(first) = self.entry_of(change.record.id.etag.op).filter(|_| variant != Variant::ForgetOperations) {
            return Answer::Committed(first.record);
        }
        if !self.is_as_expected(change.expect, variant) {
            return Answer::Conflict;
        }
        self.record = Some(change.record);
        if variant != Variant::AuditApart {
            self.audit.push(change);
        }
        Answer::Committed(change.record)
    }

    fn is_as_expected(&self, expect: Expect, variant: Variant) -> bool {
        let present = id_of(self.record);
        if variant == Variant::CompareEpochOnly {
            return present.map(|id| id.epoch) == expect.map(|id| id.epoch);
        }
        present == expect
    }

    pub(crate) fn entry_of(&self, op: u8) -> Option<&Change> {
        self.audit.iter().find(|entry| entry.record.id.etag.op == op)
    }

    /// Whether the record that was known belongs to what the store holds now.
    pub(crate) fn remembers(&self, known: Option<Record>) -> bool {
        known.is_none_or(|known| self.audit.iter().any(|entry| entry.record == known))
    }

    /// The highest epoch for which somebody in doubt made a change.
    pub(crate) fn settled(&self) -> u8 {
        self.audit.iter().map(|entry| entry.knew).max().unwrap_or(0)
    }

    /// A replica takes over that has not got the last write.
    pub(crate) fn fail_over(&mut self) {
        self.audit.pop();
        self.record = self.audit.last().map(|entry| entry.record);
    }

    /// Everything is gone: evicted, flushed, or restored from before its time.
    pub(crate) fn lose_everything(&mut self) {
        self.audit.clear();
        self.record = None;
    }
}
