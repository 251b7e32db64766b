//! Eight writers on one record: no change is lost, and every one has its audit entry.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cutover::store::{
    AuditEntry, AuditVerifier, Author, Change, ChangeKind, ClaimStore, Expect, MigrationId, Settings, Stamp,
};
use cutover::{Clock, Percentage, StateStore, StoreError, SystemClock, SystemMode};
use futures::future::try_join_all;

use crate::address::Address;
use crate::{Failure, quantile};

/// How many handles, writers and changes.
const HANDLES: usize = 4;
const WRITERS: u64 = 8;
const CHANGES: u64 = 50;

/// What came of it, over all seeds.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Contention {
    /// How many changes were acknowledged.
    pub acknowledged: u64,
    /// How many of them are not in the audit, or share their entry with another one.
    pub lost: u64,
    /// How many entries of the audit nobody was told of.
    pub surplus: u64,
    /// How many tries were refused because others were faster.
    pub conflicts: u64,
}

/// Lets 8 writers over 4 handles make 50 changes each, once per seed.
///
/// # Errors
/// When the store fails, or when the audit has no sound chain that ends with the record.
pub async fn contend(address: &Address, seeds: u64) -> Result<Contention, Failure> {
    let reader = address.connect().await?;
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        handles.push(address.connect().await?);
    }
    let mut total = Contention::default();
    for seed in 0..seeds {
        let id: MigrationId = format!("contended-{seed}").parse()?;
        let writers = (0..WRITERS).zip(handles.iter().cycle());
        let writers = writers.map(|(writer, store)| {
            let (id, store) = (id.clone(), Arc::clone(store));
            tokio::spawn(async move { write(&store, &id, seed << 32 | writer).await })
        });
        let mut acknowledged = Vec::new();
        for written in try_join_all(writers).await? {
            let (epochs, conflicts) = written?;
            acknowledged.extend(epochs);
            total.conflicts += conflicts;
        }
        let stored = audit(&reader, &id).await?.iter().map(|entry| entry.epoch).collect();
        let (lost, surplus) = differences(&acknowledged, stored);
        total.acknowledged += acknowledged.len() as u64;
        total.lost += lost;
        total.surplus += surplus;
    }
    Ok(total)
}

/// How many acknowledged epochs have no stored one of their own, and how many stored ones were not acknowledged.
fn differences(acknowledged: &[u64], mut stored: HashSet<u64>) -> (u64, u64) {
    let lost = acknowledged.iter().filter(|epoch| !stored.remove(epoch)).count();
    (lost as u64, stored.len() as u64)
}

/// The epochs of all changes, and how many tries were refused.
async fn write(store: &Arc<dyn ClaimStore>, id: &MigrationId, seed: u64) -> Result<(Vec<u64>, u64), Failure> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut epochs, mut conflicts) = (Vec::new(), 0);
    while (epochs.len() as u64) < CHANGES {
        if let Some(epoch) = try_write(store, id, &mut random).await? {
            epochs.push(epoch);
            continue;
        }
        conflicts += 1;
        // Without a pause the slower ones only keep the machine busy with refusals.
        tokio::time::sleep(Duration::from_millis(random.u64(0..5))).await;
    }
    Ok((epochs, conflicts))
}

/// The epoch of the change; `None` if another one was faster.
async fn try_write(
    store: &Arc<dyn ClaimStore>,
    id: &MigrationId,
    random: &mut fastrand::Rng,
) -> Result<Option<u64>, Failure> {
    let before = store.load(id).await?;
    let rollout = Percentage::from_ppm(random.u32(0..=1_000_000))?;
    let after = Settings { mode: SystemMode::GradualRollout, rollout, ..Settings::default() };
    let stamp = Stamp { at: SystemClock::new().wall(), etag: random.u128(..), op_id: random.u128(..) };
    let author = Author::new("writer", "one of many")?;
    let change = Change::new(before.as_ref(), after, ChangeKind::Rollout, author, stamp);
    match store.compare_and_swap(id, Expect::of(before.as_ref()), &change).await {
        Ok(record) => Ok(Some(record.epoch)),
        Err(StoreError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The whole audit, whose chain is sound and whose end is the record.
async fn audit(store: &Arc<dyn ClaimStore>, id: &MigrationId) -> Result<Vec<AuditEntry>, Failure> {
    let entries = store.history(id, 0, usize::MAX >> 1).await?;
    let mut verifier = AuditVerifier::new();
    entries.iter().try_for_each(|entry| verifier.follow(entry))?;
    let record = store.load(id).await?.ok_or("the record is gone")?;
    if (record.epoch, record.audit_hash) == (verifier.head().epoch, verifier.head().hash) {
        return Ok(entries);
    }
    Err("the audit does not end with the record".into())
}

/// How long a change takes that nobody contends, in the middle and at the 99th percentile.
///
/// # Errors
/// When the store fails.
pub async fn latency(address: &Address, changes: u32) -> Result<(Duration, Duration), Failure> {
    let (store, id) = (address.connect().await?, "uncontended".parse()?);
    let (clock, mut random) = (SystemClock::new(), fastrand::Rng::with_seed(1));
    let mut times = Vec::new();
    for _ in 0..changes {
        let start = clock.now();
        try_write(&store, &id, &mut random).await?;
        times.push(clock.now().since(start));
    }
    times.sort_unstable();
    Ok((quantile(&times, 0.5), quantile(&times, 0.99)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_without_an_entry_and_entries_without_a_change_are_counted_apart() {
        let differ = |acknowledged: &[u64], stored: &[u64]| differences(acknowledged, stored.iter().copied().collect());
        assert_eq!(differ(&[3, 1, 2], &[1, 2, 3]), (0, 0));
        assert_eq!(differ(&[1, 2, 3], &[1, 2]), (1, 0));
        assert_eq!(differ(&[1, 2, 2], &[1, 2]), (1, 0), "two share an entry");
        assert_eq!(differ(&[1, 2], &[1, 2, 3, 4]), (0, 2));
        assert_eq!(differ(&[1, 2, 2], &[1, 2, 3]), (1, 1));
    }
}
