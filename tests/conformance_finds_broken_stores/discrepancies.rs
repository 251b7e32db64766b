//! Discrepancies, with their flaws.

use cutover::Discrepancy;
use cutover::record::Fingerprint;
use cutover::store::{Added, DiscrepancyStore, MAX_DISTINCT, MigrationId, StoreError, async_trait};

use crate::flaw::Flaw;
use crate::store::{Flawed, Migration};

impl Flawed {
    fn merged(&self, kept: &Discrepancy, later: &Discrepancy) -> Discrepancy {
        let mut kept = kept.clone();
        match self.flaw {
            Flaw::KeepsTheLastSample => {
                let mut later = later.clone();
                later.merge(&kept);
                return later;
            }
            Flaw::CountsBatchesNotOccurrences => {
                let mut once = later.clone();
                once.occurrences = 1;
                kept.merge(&once);
            }
            _ => kept.merge(later),
        }
        kept
    }

    fn add_one(&self, migration: &mut Migration, one: &Discrepancy, added: &mut Added) {
        let most = if self.is(Flaw::HasNoBound) { usize::MAX } else { MAX_DISTINCT };
        let full = migration.discrepancies.len() >= most;
        match migration.discrepancies.get(&one.fingerprint) {
            Some(_) if full && self.is(Flaw::StopsCountingWhenFull) => added.dropped += 1,
            Some(kept) => {
                let merged = self.merged(kept, one);
                migration.discrepancies.insert(one.fingerprint, merged);
                added.merged += 1;
            }
            None if full => added.dropped += 1,
            None => {
                let mut one = one.clone();
                if self.is(Flaw::DropsNulFromTexts) {
                    one.key = one.key.map(|key| key.replace('\0', ""));
                }
                migration.discrepancies.insert(one.fingerprint, one);
                added.added += 1;
            }
        }
    }
}

#[async_trait]
impl DiscrepancyStore for Flawed {
    async fn add(&self, id: &MigrationId, batch: &[Discrepancy]) -> Result<Added, StoreError> {
        self.call(async || {
            let mut added = Added::default();
            if self.is(Flaw::MergesOutsideTheStore) {
                let read = self.with(id, |migration| migration.discrepancies.clone());
                self.travel().await;
                self.with(id, |migration| {
                    migration.discrepancies = read;
                    for one in batch {
                        self.add_one(migration, one, &mut added);
                    }
                });
                return Ok(added);
            }
            self.with(id, |migration| batch.iter().for_each(|one| self.add_one(migration, one, &mut added)));
            Ok(added)
        })
        .await
    }

    async fn page(
        &self,
        id: &MigrationId,
        after: Option<Fingerprint>,
        limit: usize,
    ) -> Result<Vec<Discrepancy>, StoreError> {
        self.call(async || {
            let mut kept: Vec<_> = self.with(id, |migration| migration.discrepancies.values().cloned().collect());
            if self.is(Flaw::PagesDiscrepanciesByPath) {
                kept.sort_by(|one, other| {
                    one.differences.first().map(|d| &d.path).cmp(&other.differences.first().map(|d| &d.path))
                });
            }
            let beyond = |one: &Discrepancy| after.is_none_or(|after| one.fingerprint > after);
            Ok(kept.into_iter().filter(beyond).take(limit).collect())
        })
        .await
    }

    async fn clear(&self, id: &MigrationId) -> Result<(), StoreError> {
        self.call(async || {
            match self.flaw {
                Flaw::ClearsEverything => self.everywhere(|migration| migration.discrepancies.clear()),
                _ => self.with(id, |migration| migration.discrepancies.clear()),
            }
            Ok(())
        })
        .await
    }
}
