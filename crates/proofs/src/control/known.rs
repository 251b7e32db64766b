//! What an instance knows, and what it makes of what it finds.

use cutover::SystemMode;

use super::decide::safer;
use super::record::{Expect, Id, Record, id_of, mode_of};
use super::variant::Variant;

/// The last believed record, and why the store is not believed if it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Known {
    pub(crate) record: Option<Record>,
    pub(crate) doubted: Option<Doubted>,
}

/// The store went back, or lost its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Doubted {
    /// The safer of what was known and what was found.
    pub(crate) kept: SystemMode,
    pub(crate) found: Option<Record>,
}

/// What a read found, and whether the store still remembers what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// What was known when the read began.
    pub(crate) start: Expect,
    pub(crate) found: Option<Record>,
    pub(crate) remembered: bool,
}

impl Known {
    pub(crate) const fn new(record: Option<Record>) -> Self {
        Self { record, doubted: None }
    }

    pub(crate) fn epoch(&self) -> u8 {
        self.record.map_or(0, |record| record.id.epoch)
    }

    /// The record that a change is made on: the believed one, or what was found in its place.
    pub(crate) fn base(&self) -> Option<Record> {
        self.doubted.map_or(self.record, |doubted| doubted.found)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        let found = self.doubted.and_then(|doubted| doubted.found);
        self.record.into_iter().chain(found).map(|record| record.id)
    }

    /// The mode that routes where no brake is pulled.
    pub(crate) fn believed(&self) -> SystemMode {
        self.doubted.map_or_else(|| mode_of(self.record), |doubted| doubted.kept)
    }

    /// Takes in what a read found.
    pub(crate) fn found(&mut self, finding: Finding, variant: Variant) {
        let Finding { start, found, .. } = finding;
        if variant == Variant::BelieveFindings {
            *self = Self::new(found);
        } else if self.record.is_none() && found.is_none() {
        } else if id_of(self.record) == id_of(found) {
            self.doubted = None;
        } else if self.is_news(finding, variant) {
            *self = Self::new(found);
        } else if predates(id_of(found), start) || variant == Variant::DoubtOvertakenReads || forks(finding, variant) {
            self.mistrust(found, variant);
        }
    }

    fn is_news(&self, finding: Finding, variant: Variant) -> bool {
        let newer = finding.found.is_some_and(|found| found.id.epoch > self.epoch());
        newer && !forks(finding, variant)
    }

    fn mistrust(&mut self, found: Option<Record>, variant: Variant) {
        let believed = self.believed();
        let kept = match found {
            Some(record) if variant == Variant::RouteByFound => record.mode,
            Some(record) => safer(believed, record.mode),
            None => believed,
        };
        self.doubted = Some(Doubted { kept, found });
    }

    /// Takes in the record of this instance's own commit, which was made on `base`.
    pub(crate) fn committed(&mut self, base: Expect, record: Record) {
        let settles = self.doubted.is_some_and(|doubted| id_of(doubted.found) == base);
        if settles || record.id.epoch > self.epoch() {
            *self = Self::new(Some(record));
        }
    }

    /// Whether `self` holds an older record than `before`, or another one of the same epoch.
    pub(crate) fn is_behind(&self, before: &Self) -> bool {
        predates(id_of(self.record), id_of(before.record))
    }
}

/// Whether the known record is no longer in the audit.
fn forks(finding: Finding, variant: Variant) -> bool {
    variant == Variant::CheckLineage && !finding.remembered
}

/// Whether the finding is older than what was known when the search began, or differs from it at the same epoch.
fn predates(found: Expect, start: Expect) -> bool {
    match (start, found) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(start), Some(found)) => found.epoch < start.epoch || (found.epoch == start.epoch && found != start),
    }
}
