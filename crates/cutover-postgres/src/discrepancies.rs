//! Discrepancies: one row per fingerprint, merged by the server.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cutover::record::Fingerprint;
use cutover::store::{Added, DiscrepancyStore, MAX_DISTINCT, MigrationId, async_trait};
use cutover::{Discrepancy, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::PostgresStore;
use crate::store::{column, int8, number, text};

#[async_trait]
impl DiscrepancyStore for PostgresStore {
    async fn add(&self, id: &MigrationId, batch: &[Discrepancy]) -> Result<Added, StoreError> {
        let groups = grouped(batch);
        if groups.is_empty() {
            return Ok(Added::default());
        }
        let Columns { fingerprints, samples, occurrences, first, last } = Columns::of(&groups)?;
        let most = i64::try_from(MAX_DISTINCT).unwrap_or(i64::MAX);
        let id = id.as_str();
        let columns = [&fingerprints, &samples, &occurrences, &first, &last];
        let columns = columns.map(|texts| (texts as &(dyn ToSql + Sync), Type::TEXT_ARRAY));
        let values: Vec<_> = [text(&id)].into_iter().chain(columns).chain([int8(&most)]).collect();
        let kept = Kept::of(&self.write(&self.sql.add, &values).await?)?;
        if kept.unused != 0 {
            // Only a race makes a difference, and one that stays only makes the room smaller or larger by as much.
            drop(self.write(&self.sql.adjust, &[text(&id), int8(&kept.unused)]).await);
        }
        Ok(kept.count(&groups))
    }

    async fn page(
        &self,
        id: &MigrationId,
        after: Option<Fingerprint>,
        limit: usize,
    ) -> Result<Vec<Discrepancy>, StoreError> {
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.read(&self.sql.page, &[text(&id.as_str()), text(&after), int8(&limit)]).await?;
        rows.iter().map(discrepancy).collect()
    }

    async fn clear(&self, id: &MigrationId) -> Result<(), StoreError> {
        self.write(&self.sql.clear, &[text(&id.as_str())]).await.map(drop)
    }
}

/// Those of a fingerprint merged into one, and how many they were: a statement cannot change a row twice.
fn grouped(batch: &[Discrepancy]) -> BTreeMap<Fingerprint, (Discrepancy, usize)> {
    let mut groups: BTreeMap<Fingerprint, (Discrepancy, usize)> = BTreeMap::new();
    for discrepancy in batch {
        match groups.get_mut(&discrepancy.fingerprint) {
            Some((first, calls)) => {
                first.merge(discrepancy);
                *calls = calls.saturating_add(1);
            }
            None => drop(groups.insert(discrepancy.fingerprint, (discrepancy.clone(), 1))),
        }
    }
    groups
}

/// The columns of a batch, as texts.
#[derive(Default)]
struct Columns {
    fingerprints: Vec<String>,
    samples: Vec<String>,
    occurrences: Vec<String>,
    first: Vec<String>,
    last: Vec<String>,
}

impl Columns {
    fn of(groups: &BTreeMap<Fingerprint, (Discrepancy, usize)>) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for (fingerprint, (sample, _)) in groups {
            columns.fingerprints.push(fingerprint.to_string());
            columns.samples.push(serde_json::to_string(sample).map_err(StoreError::corrupt)?);
            columns.occurrences.push(sample.occurrences.to_string());
            columns.first.push(unix_millis(sample.first_seen).to_string());
            columns.last.push(unix_millis(sample.last_seen).to_string());
        }
        Ok(columns)
    }
}

/// What the server kept of a batch.
struct Kept {
    /// Whether each one that was kept is new.
    fingerprints: BTreeMap<String, bool>,
    /// Places that were taken for new ones, less those that were used.
    unused: i64,
}

impl Kept {
    fn of(rows: &[Row]) -> Result<Self, StoreError> {
        let (mut fingerprints, mut unused) = (BTreeMap::new(), 0_i64);
        for row in rows {
            match (column::<Option<String>>(row, 0)?, column::<Option<bool>>(row, 1)?) {
                (Some(fingerprint), Some(added)) => {
                    unused = unused.saturating_sub(i64::from(added));
                    fingerprints.insert(fingerprint, added);
                }
                _ => unused = unused.saturating_add(column(row, 2)?),
            }
        }
        Ok(Self { fingerprints, unused })
    }

    fn count(&self, groups: &BTreeMap<Fingerprint, (Discrepancy, usize)>) -> Added {
        let mut added = Added::default();
        for (fingerprint, (_, calls)) in groups {
            match self.fingerprints.get(&fingerprint.to_string()) {
                None => added.dropped = added.dropped.saturating_add(*calls),
                Some(true) => {
                    added.added = added.added.saturating_add(1);
                    added.merged = added.merged.saturating_add(calls.saturating_sub(1));
                }
                Some(false) => added.merged = added.merged.saturating_add(*calls),
            }
        }
        added
    }
}

/// The first sample, with what was counted since.
fn discrepancy(row: &Row) -> Result<Discrepancy, StoreError> {
    let mut sample: Discrepancy = serde_json::from_str(column(row, 0)?).map_err(StoreError::corrupt)?;
    sample.occurrences = number(column(row, 1)?)?;
    sample.first_seen = time(number(column(row, 2)?)?).unwrap_or(sample.first_seen);
    sample.last_seen = time(number(column(row, 3)?)?).unwrap_or(sample.last_seen);
    Ok(sample)
}

fn unix_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn time(unix_millis: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(unix_millis))
}
