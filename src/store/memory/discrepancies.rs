//! The discrepancies of one migration.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use crate::record::{Discrepancy, Fingerprint};
use crate::store::{Added, MAX_DISTINCT};

#[derive(Debug, Default)]
pub(super) struct Discrepancies(BTreeMap<Fingerprint, Discrepancy>);

impl Discrepancies {
    pub(super) fn add(&mut self, batch: &[Discrepancy]) -> Added {
        let mut added = Added::default();
        for discrepancy in batch {
            *self.add_one(discrepancy, &mut added) += 1;
        }
        added
    }

    /// Keeps one and gives back the count that it belongs to.
    fn add_one<'a>(&mut self, discrepancy: &Discrepancy, counts: &'a mut Added) -> &'a mut usize {
        let full = self.0.len() >= MAX_DISTINCT;
        match self.0.entry(discrepancy.fingerprint) {
            Entry::Occupied(mut kept) => {
                kept.get_mut().merge(discrepancy);
                &mut counts.merged
            }
            Entry::Vacant(_) if full => &mut counts.dropped,
            Entry::Vacant(place) => {
                place.insert(discrepancy.clone());
                &mut counts.added
            }
        }
    }

    pub(super) fn page(&self, after: Option<Fingerprint>, limit: usize) -> Vec<Discrepancy> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.0.range((from, Bound::Unbounded)).take(limit).map(|(_, kept)| kept.clone()).collect()
    }
}
