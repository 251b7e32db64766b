//! Checks of discrepancies.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::FutureExt;
use serde_json::json;

use super::violation::{Found, Seen, ensure, judge, same};
use super::{StoreFactory, Stores, Violation, tools};
use crate::compare::Difference;
use crate::mode::SystemMode;
use crate::outcome::Side;
use crate::record::{Captured, Discrepancy, Fingerprint};
use crate::store::{Added, DiscrepancyStore, MAX_DISTINCT, MigrationId};
use crate::testing::discrepancy;

pub(super) fn kept(stores: &Stores) -> Found<Arc<dyn DiscrepancyStore>> {
    stores.discrepancies.clone().ok_or_else(|| Seen::new("the factory declares Discrepancies, and gives none"))
}

/// The first sample stays; occurrences and times are those of all.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn discrepancies_are_merged(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("discrepancies_are_merged", factory, async {
        let stores = factory.fresh().await?;
        let other = factory.reopen(&stores).await?;
        let id = tools::id("merged")?;
        let mut first = sample(1, 5_000, 1);
        let later = Discrepancy { epoch: 9, mode: SystemMode::NewOnly, served: Side::New, ..sample(1, 9_000, 2) };
        let later = Discrepancy { key: Some("a later key".to_owned()), ..later };
        let earlier = Discrepancy { epoch: 5, ..sample(1, 1_000, (1 << 53) + 1) };
        let lone = sample(2, 3_000, 7);
        same("the page of a new migration", &kept(&stores)?.page(&id, None, 10).await?, &Vec::new())?;
        let batch = [first.clone(), later.clone(), lone.clone()];
        let added = kept(&stores)?.add(&id, &batch).await?;
        same("what became of the first batch", &added, &Added { added: 2, merged: 1, dropped: 0 })?;
        let added = kept(&other)?.add(&id, std::slice::from_ref(&earlier)).await?;
        same("what became of the second batch", &added, &Added { added: 0, merged: 1, dropped: 0 })?;
        same("what became of nothing", &kept(&stores)?.add(&id, &[]).await?, &Added::default())?;
        first.merge(&later);
        first.merge(&earlier);
        for handle in [&stores, &other] {
            same("what is kept", &kept(handle)?.page(&id, None, 10).await?, &in_order([first.clone(), lone.clone()]))?;
        }
        Ok(())
    })
    .await
}

/// One whose fingerprint is that of `number`.
fn sample(number: u64, millis: u64, occurrences: u64) -> Discrepancy {
    let seen = UNIX_EPOCH + Duration::from_millis(millis);
    Discrepancy { occurrences, first_seen: seen, last_seen: seen, ..discrepancy("search", number) }
}

fn in_order(all: impl IntoIterator<Item = Discrepancy>) -> Vec<Discrepancy> {
    let mut all: Vec<Discrepancy> = all.into_iter().collect();
    all.sort_unstable_by_key(|one| one.fingerprint);
    all
}

/// Several handles add the same ones at once, and every occurrence counts.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn racing_batches_lose_nothing(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("racing_batches_lose_nothing", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("racing")?;
        let handles = tools::handles(factory, &stores, 4).await?;
        let mut tasks = Vec::new();
        for (task, handle) in handles.iter().chain(&handles).enumerate() {
            let (kept, id) = (kept(handle)?, id.clone());
            tasks.push(async move { add_often(&*kept, &id, task).await }.boxed());
        }
        let mut total = Added::default();
        for added in tools::in_parallel(factory, tasks).await? {
            let Added { added, merged, dropped } = added?;
            total =
                Added { added: total.added + added, merged: total.merged + merged, dropped: total.dropped + dropped };
        }
        let counts: Vec<u64> = kept(&stores)?.page(&id, None, 10).await?.iter().map(|one| one.occurrences).collect();
        same("the occurrences", &counts, &vec![80; 5])?;
        same("what became of all batches", &total, &Added { added: 5, merged: 395, dropped: 0 })
    })
    .await
}

/// Ten batches of five, in an order that is this task's own.
async fn add_often(kept: &dyn DiscrepancyStore, id: &MigrationId, task: usize) -> Found<Added> {
    let mut total = Added::default();
    let mut batch: Vec<Discrepancy> = (0..5).map(|number| discrepancy("search", number)).collect();
    batch.rotate_left(task % 5);
    for _ in 0..10 {
        let Added { added, merged, dropped } = kept.add(id, &batch).await?;
        total = Added { added: total.added + added, merged: total.merged + merged, dropped: total.dropped + dropped };
        tools::step_back().await;
    }
    Ok(total)
}

/// Pages of every size, in the order of the fingerprints.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn discrepancies_are_paged(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("discrepancies_are_paged", factory, async {
        let stores = factory.fresh().await?;
        let (kept, id) = (kept(&stores)?, tools::id("paged")?);
        let all = in_order((0..50).map(|number| discrepancy("search", number)));
        kept.add(&id, &all).await?;
        for limit in [1, 7, 49, 50, 51] {
            let mut read: Vec<Discrepancy> = Vec::new();
            loop {
                let after = read.last().map(|one| one.fingerprint);
                let page = kept.page(&id, after, limit).await?;
                let wanted: Vec<_> = all.iter().skip(read.len()).take(limit).cloned().collect();
                same(&format!("the page of {limit} after {after:?}"), &page, &wanted)?;
                if page.is_empty() {
                    break;
                }
                read.extend(page);
            }
        }
        same("the page of none", &kept.page(&id, None, 0).await?, &Vec::new())?;
        let between = Fingerprint::of(&discrepancy("elsewhere", 1));
        let wanted: Vec<_> = all.iter().filter(|one| one.fingerprint > between).take(3).cloned().collect();
        same("the page after a fingerprint that is not there", &kept.page(&id, Some(between), 3).await?, &wanted)
    })
    .await
}

/// Migrations do not see each other's, and one can be cleared alone.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn discrepancies_are_apart(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("discrepancies_are_apart", factory, async {
        let stores = factory.fresh().await?;
        let elsewhere = factory.fresh().await?;
        let (here, there) = (kept(&stores)?, kept(&elsewhere)?);
        let ids = [tools::id("a")?, tools::id("a.b")?, tools::id("a_b")?];
        for (id, occurrences) in ids.iter().zip(1..) {
            here.add(id, &[sample(1, 1_000, occurrences)]).await?;
        }
        same("what another store keeps", &there.page(&ids[0], None, 10).await?, &Vec::new())?;
        there.clear(&ids[0]).await?;
        here.clear(&ids[2]).await?;
        for (id, occurrences) in ids.iter().zip([Some(1), Some(2), None]) {
            let wanted: Vec<_> = occurrences.map(|count| sample(1, 1_000, count)).into_iter().collect();
            same(&format!("what is kept of `{id}`"), &here.page(id, None, 10).await?, &wanted)?;
        }
        let added = here.add(&ids[2], &[sample(1, 2_000, 4)]).await?;
        same("what becomes of one after clearing", &added, &Added { added: 1, merged: 0, dropped: 0 })?;
        same("what is kept then", &here.page(&ids[2], None, 10).await?, &vec![sample(1, 2_000, 4)])
    })
    .await
}

/// Everything that a discrepancy holds, over a restart.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn discrepancies_survive(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("discrepancies_survive", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("survive")?;
        let whole = in_order([full(), sample(2, 253_402_300_799_999, u64::from(u32::MAX) << 20)]);
        kept(&stores)?.add(&id, &whole).await?;
        same("what is kept", &kept(&stores)?.page(&id, None, 10).await?, &whole)?;
        let stores = factory.restart(stores).await?;
        same("what is kept after a restart", &kept(&stores)?.page(&id, None, 10).await?, &whole)
    })
    .await
}

fn full() -> Discrepancy {
    let text = "\u{0}\u{202e}\u{1f9ea} \"quoted\" \\ '; --".to_owned();
    let captured = Captured { text: text.clone(), truncated: true };
    let mut full = discrepancy("r\u{fc}n {}:*%", 1);
    let values = json!({"z": [0.1, -0.0, 1e300, u64::MAX, null], "a": text, "\u{e9}": {}});
    full.differences =
        vec![Difference::new("/a~1b/0/\u{1f9ea}", Some(values.clone()), None), Difference::new("", None, Some(values))];
    full.differences_truncated = true;
    full.legacy.value = Some(captured.clone());
    full.legacy.elapsed = Duration::from_nanos((1 << 53) + 1);
    full.context = Some(captured);
    full.key = Some(text);
    full.epoch = (1 << 53) + 1;
    full.fingerprint = Fingerprint::of(&full);
    full
}

/// There is room for [`MAX_DISTINCT`]; what finds none is counted, and what has some goes on to count.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn discrepancies_are_bounded(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("discrepancies_are_bounded", factory, async {
        let stores = factory.fresh().await?;
        let (kept, id) = (kept(&stores)?, tools::id("bounded")?);
        let most: Vec<Discrepancy> = (0..).take(MAX_DISTINCT - 5).map(|number| discrepancy("search", number)).collect();
        for batch in most.chunks(500) {
            let added = kept.add(&id, batch).await?;
            same("what became of a batch", &added, &Added { added: batch.len(), merged: 0, dropped: 0 })?;
        }
        let over: Vec<Discrepancy> = (0..20).map(|number| discrepancy("over", number)).collect();
        let added = kept.add(&id, &over).await?;
        same("what became of 20 with room for 5", &added, &Added { added: 5, merged: 0, dropped: 15 })?;
        let added = kept.add(&id, &[discrepancy("search", 0), discrepancy("one more", 0)]).await?;
        same(
            "what became of an old one and a new one without room",
            &added,
            &Added { added: 0, merged: 1, dropped: 1 },
        )?;
        let mut read = 0;
        let mut occurrences = 0;
        let mut after = None;
        loop {
            let page = kept.page(&id, after, 1000).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.fingerprint);
            read += page.len();
            occurrences += page.iter().map(|one| one.occurrences).sum::<u64>();
        }
        same("how many are kept", &read, &MAX_DISTINCT)?;
        ensure(occurrences == MAX_DISTINCT as u64 + 1, || format!("together they occurred {occurrences} times"))
    })
    .await
}
