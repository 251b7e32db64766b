//! Discrepancies.

use cutover::record::{Discrepancy, Fingerprint};
use cutover::store::{Added, DiscrepancyStore, MAX_DISTINCT, MigrationId, StoreError, async_trait};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::fault::Fault;
use crate::script::{ADD_DISCREPANCIES, PAGE};
use crate::state::count;
use crate::store::RedisStore;

#[async_trait]
impl DiscrepancyStore for RedisStore {
    async fn add(&self, id: &MigrationId, batch: &[Discrepancy]) -> Result<Added, StoreError> {
        let mut sum = Added::default();
        for part in batch.chunks(PART) {
            match self.add_part(id, part).await {
                Ok(added) => sum = plus(sum, added),
                // Parts before this one are stored.
                Err(error) if sum != Added::default() => return Err(StoreError::outcome_unknown(error)),
                Err(error) => return Err(error),
            }
        }
        Ok(sum)
    }

    async fn page(
        &self,
        id: &MigrationId,
        after: Option<Fingerprint>,
        limit: usize,
    ) -> Result<Vec<Discrepancy>, StoreError> {
        let keys = self.keys(id);
        let from = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
        let call = PAGE.call(&[keys.discrepancies(), keys.fingerprints()]).arg(from).arg(count(limit).to_string());
        let found: Vec<Kept> = self.connection.read_by(&call).await?;
        found.into_iter().map(read).collect()
    }

    async fn clear(&self, id: &MigrationId) -> Result<(), StoreError> {
        let keys = self.keys(id);
        let mut command = redis::cmd("DEL");
        command.arg(keys.discrepancies()).arg(keys.fingerprints());
        self.connection.write(command).await
    }
}

/// How many discrepancies go to Redis in one step, so that none of them keeps others waiting for long.
const PART: usize = 100;

impl RedisStore {
    async fn add_part(&self, id: &MigrationId, part: &[Discrepancy]) -> Result<Added, StoreError> {
        let keys = self.keys(id);
        let call = ADD_DISCREPANCIES.call(&[keys.discrepancies(), keys.fingerprints()]);
        let mut call = call.arg(MAX_DISTINCT.to_string()).arg(MAX_COUNT.to_string());
        for discrepancy in part {
            let sample = serde_json::to_vec(discrepancy).map_err(StoreError::corrupt)?;
            call = call.arg(discrepancy.fingerprint.to_string()).arg(sample);
            call = call.arg(discrepancy.occurrences.min(MAX_COUNT).to_string());
            call = call.arg(millis(discrepancy.first_seen).to_string()).arg(millis(discrepancy.last_seen).to_string());
        }
        let ((added, merged, dropped), _) = self.connection.write_by(&call, None).await?;
        Ok(Added { added, merged, dropped })
    }
}

/// The largest count that Redis adds to.
const MAX_COUNT: u64 = i64::MAX.unsigned_abs();

fn plus(sum: Added, part: Added) -> Added {
    Added { added: sum.added + part.added, merged: sum.merged + part.merged, dropped: sum.dropped + part.dropped }
}

/// The first sample as JSON, the occurrences, and in milliseconds when the first and the last were seen.
type Kept = (Option<Vec<u8>>, Option<u64>, Option<u64>, Option<u64>);

fn read((sample, occurrences, first, last): Kept) -> Result<Discrepancy, StoreError> {
    let missing = || StoreError::corrupt(Fault::Field("discrepancy"));
    let mut kept: Discrepancy = serde_json::from_slice(&sample.ok_or_else(missing)?).map_err(|_| missing())?;
    kept.occurrences = occurrences.ok_or_else(missing)?;
    kept.first_seen = time(first).ok_or_else(missing)?;
    kept.last_seen = time(last).ok_or_else(missing)?;
    Ok(kept)
}

fn millis(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

fn time(millis: Option<u64>) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis?))
}
