//! What an instance knows, and what it makes of what it finds.

use cutover::SystemMode;

use super::decide::safer;
use super::record::{Id, Record, id_of, mode_of};
use super::variant::Variant;

/// The last believed record, and why the store is not believed if it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Known {
    pub(crate) record: Option<Record>,
    pub(crate) doubted: Option<Doubted>,
}

/// The store went back, went on without the known record, or lost its record or the audit of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Doubted {
    /// The safer of what was known and what was found.
    pub(crate) kept: SystemMode,
    /// The known record itself if it is the audit that has a gap.
    pub(crate) found: Option<Record>,
}

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    pub(crate) found: Option<Record>,
    /// Only for the properties: for which epoch operators had settled what holds.
    pub(crate) settled: u8,
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

    /// Takes in what a read found; `continues` says whether the audit has the known record.
    pub(crate) fn found(&mut self, found: Option<Record>, continues: bool, variant: Variant) {
        let Some(known) = self.record.filter(|_| variant != Variant::BelieveFindings) else {
            return *self = Self::new(found);
        };
        if id_of(found) == Some(known.id) {
            self.doubted = self.doubted.filter(|doubted| doubted.found == self.record);
        } else if found.is_some_and(|found| self.is_news(known, found, continues, variant)) {
            *self = Self::new(found);
        } else {
            self.mistrust(found, variant);
        }
    }

    fn is_news(&self, known: Record, found: Record, continues: bool, variant: Variant) -> bool {
        let outgrown = variant == Variant::OutgrowDoubt && self.doubted.is_some();
        let unchecked = outgrown || variant == Variant::BelieveForks;
        let settled = found.settles_for(known) || (variant == Variant::SettleForAll && found.settles > known.settles);
        settled || (found.id.epoch > known.id.epoch && (continues || unchecked))
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

    /// Takes in whether the audit has the entry of the known record.
    pub(crate) fn audited(&mut self, written: bool) {
        if !written && self.doubted.is_none() {
            self.doubted = Some(Doubted { kept: self.believed(), found: self.record });
        }
    }

    /// Takes in the record of this instance's own commit.
    pub(crate) const fn committed(&mut self, record: Record) {
        *self = Self::new(Some(record));
    }

    /// Whether `self` holds an older record than `before`, or another one of the same epoch.
    pub(crate) fn is_behind(&self, before: &Self) -> bool {
        match (before.record, self.record) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(now)) => now.id.epoch <= before.id.epoch && now.id != before.id,
        }
    }
}
