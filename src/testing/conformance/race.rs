//! Checks of writes that meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, select};

use super::state::conflict;
use super::violation::{Found, Seen, ensure, judge, same};
use super::{Pause, StoreFactory, Stores, Violation, tools};
use crate::random::RandomSource;
use crate::store::{MigrationId, Record, StateStore, StoreError};
use crate::testing::SeededRandom;

/// C4, at once: the same operation over several handles.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn repeating_at_once_is_safe(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("repeating_at_once_is_safe", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("twice")?;
        let handles = tools::handles(factory, &stores, HANDLES).await?;
        let mut records: Vec<Record> = Vec::new();
        for round in 1..=10 {
            let before = records.last().cloned();
            let tasks = handles.iter().chain(&handles).map(|handle| {
                let (state, id, before) = (Arc::clone(&handle.state), id.clone(), before.clone());
                async move { tools::put(&*state, &id, before.as_ref(), round).await }.boxed()
            });
            let made = tools::change(before.as_ref(), round).record().clone();
            for answer in tools::in_parallel(factory, tasks).await? {
                same("the answer to an operation that several handles send at once", &answer?, &made)?;
            }
            records.push(made);
        }
        tools::holds(&*stores.state, &id, &records).await
    })
    .await
}

/// C5: writers that read, change and retry, with the seed of the factory's [limits](super::Limits).
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn racing_writers_lose_nothing(factory: &dyn StoreFactory) -> Result<(), Violation> {
    racing_writers_with_seed(factory, factory.limits().seed).await
}

/// [`racing_writers_lose_nothing`] with a seed, for a proof that runs many of them.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn racing_writers_with_seed(factory: &dyn StoreFactory, seed: u64) -> Result<(), Violation> {
    judge("racing_writers_lose_nothing", factory, async move {
        race(factory, seed).await.map_err(|seen| seen.when(&format!("with seed {seed}")))
    })
    .await
}

async fn race(factory: &dyn StoreFactory, seed: u64) -> Found {
    let limits = factory.limits();
    let stores = factory.fresh().await?;
    let id = tools::id("race")?;
    let handles = tools::handles(factory, &stores, HANDLES).await?;
    let random = SeededRandom::new(seed);
    let writers = handles.iter().cycle().take(limits.writers).enumerate().map(|(writer, handle)| {
        let random = SeededRandom::new(random.next_u64());
        let first = writer * limits.changes;
        write(Arc::clone(&handle.state), id.clone(), first..first + limits.changes, random).boxed()
    });
    let mut committed = Vec::new();
    for commits in tools::in_parallel(factory, writers).await? {
        committed.extend(commits?);
    }
    committed.sort_unstable();
    let wanted: Vec<u64> = (1..).take(limits.writers * limits.changes).collect();
    same("the epochs that writers were told, in order,", &committed, &wanted)?;
    let audit = tools::is_whole(&*stores.state, &id).await?;
    let epochs: Vec<u64> = audit.iter().map(|entry| entry.epoch).collect();
    same("the epochs of the audit", &epochs, &wanted)?;
    let mut kept: Vec<u128> = audit.iter().map(|entry| entry.op_id).collect();
    let mut sent: Vec<u128> = (0..).take(wanted.len()).map(tools::op).collect();
    kept.sort_unstable();
    sent.sort_unstable();
    ensure(kept == sent, || "the audit has an operation twice".to_owned())
}

async fn write(
    state: Arc<dyn StateStore>,
    id: MigrationId,
    numbers: std::ops::Range<usize>,
    random: SeededRandom,
) -> Found<Vec<u64>> {
    let mut committed = Vec::new();
    for number in numbers {
        loop {
            let before = state.load(&id).await?;
            for _ in 0..random.next_u64() % 3 {
                tools::step_back().await;
            }
            match tools::put(&*state, &id, before.as_ref(), number as u128).await {
                Ok(record) => break committed.push(record.epoch),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(committed)
}

/// C6: another handle commits between the check's own reading and writing.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn a_change_after_reading_is_noticed(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("a_change_after_reading_is_noticed", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("hooked")?;
        let rival = factory.reopen(&stores).await?;
        let mut records = Vec::new();
        for number in 0..6 {
            let read = stores.state.load(&id).await?;
            same("what is read before the other change", &read.as_ref(), &records.last())?;
            records.push(tools::put(&*rival.state, &id, read.as_ref(), number).await?);
            if number % 2 == 1 {
                let over = tools::put(&*rival.state, &id, records.last(), 100 + number).await?;
                records.push(over);
            }
            conflict(tools::put(&*stores.state, &id, read.as_ref(), 200 + number).await, records.last())?;
        }
        tools::holds(&*stores.state, &id, &records).await
    })
    .await
}

/// C6, inside the store: another handle commits between the store's own reading and writing.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn a_pause_in_a_write_loses_nothing(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("a_pause_in_a_write_loses_nothing", factory, async {
        for present in 0..2 {
            let stores = factory.fresh().await?;
            let id = tools::id("paused")?;
            let records = tools::fill(&*stores.state, &id, present).await?;
            let rival = Rival::new(&stores, &id, records.last());
            let Some(pausing) = factory.pausing(&stores, rival.pause(factory)).await? else {
                return Err(Seen::new("the factory declares Pause, and gives no store that pauses"));
            };
            let paused = tools::put(&*pausing.state, &id, records.last(), 50).await;
            ensure(rival.met.load(Ordering::Acquire), || "the store never awaited its pause".to_owned())?;
            let other = rival.write.await.map_err(Seen::new)?;
            let winner = match (paused, other) {
                (Ok(winner), None) | (Err(StoreError::Conflict { .. }), Some(winner)) => winner,
                (paused, other) => return Err(Seen::new(format!("both ended alike: {paused:?} and {other:?}"))),
            };
            let wanted: Vec<Record> = records.into_iter().chain([winner]).collect();
            tools::holds(&*stores.state, &id, &wanted).await?;
        }
        Ok(())
    })
    .await
}

/// A write that comes in between; it has `None` for an answer when it was refused.
struct Rival {
    write: Shared<BoxFuture<'static, Result<Option<Record>, String>>>,
    met: Arc<AtomicBool>,
}

impl Rival {
    fn new(stores: &Stores, id: &MigrationId, before: Option<&Record>) -> Self {
        let (state, id, before) = (Arc::clone(&stores.state), id.clone(), before.cloned());
        let write = async move {
            match tools::put(&*state, &id, before.as_ref(), 60).await {
                Ok(record) => Ok(Some(record)),
                Err(StoreError::Conflict { .. }) => Ok(None),
                Err(error) => Err(format!("the other write failed: {error:?}")),
            }
        };
        Self { write: write.boxed().shared(), met: Arc::default() }
    }

    /// Goes on when the other write has ended, or after a while: a store may make it wait for the paused one.
    fn pause(&self, factory: &dyn StoreFactory) -> Pause {
        let (write, met, runtime) = (self.write.clone(), Arc::clone(&self.met), factory.runtime());
        Arc::new(move || {
            met.store(true, Ordering::Release);
            let (write, while_blocked) = (write.clone(), runtime.sleep(Duration::from_millis(200)));
            Box::pin(async move { drop(select(write, while_blocked).await) })
        })
    }
}

const HANDLES: usize = 4;
