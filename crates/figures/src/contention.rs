//! Eight writers on one record: no change is lost, and every one has its audit entry.

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
    /// How many of them are not in the audit.
    pub lost: u64,
    /// How many tries were refused because others were faster.
    pub conflicts: u64,
}

/// Lets 8 writers over 4 handles make 50 changes each, once per seed.
///
/// # Errors
/// When the store fails, or when the audit is not 1..=400 with a sound chain.
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
        let conflicts = try_join_all(writers).await?.into_iter().sum::<Result<u64, Failure>>()?;
        let entries = audit(&reader, &id).await?;
        total.conflicts += conflicts;
        total.acknowledged += WRITERS * CHANGES;
        total.lost += WRITERS * CHANGES - entries.len() as u64;
    }
    Ok(total)
}

async fn write(store: &Arc<dyn ClaimStore>, id: &MigrationId, seed: u64) -> Result<u64, Failure> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut conflicts = 0;
    for _ in 0..CHANGES {
        while !try_write(store, id, &mut random).await? {
            conflicts += 1;
        }
    }
    Ok(conflicts)
}

async fn try_write(store: &Arc<dyn ClaimStore>, id: &MigrationId, random: &mut fastrand::Rng) -> Result<bool, Failure> {
    let before = store.load(id).await?;
    let rollout = Percentage::from_ppm(random.u32(0..=1_000_000))?;
    let after = Settings { mode: SystemMode::GradualRollout, rollout, ..Settings::default() };
    let stamp = Stamp { at: SystemClock::new().wall(), etag: random.u128(..), op_id: random.u128(..) };
    let author = Author::new("writer", "one of many")?;
    let change = Change::new(before.as_ref(), after, ChangeKind::Rollout, author, stamp);
    match store.compare_and_swap(id, Expect::of(before.as_ref()), &change).await {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict { .. }) => Ok(false),
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
