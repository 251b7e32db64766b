//! Checks of calls that are dropped half way.
//!
//! Each call is polled once more than the last time before it is dropped, until it ends before that.

use std::future::poll_fn;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::claims::{LONG, claims, request};
use super::violation::{Found, Seen, ensure, judge, same};
use super::{StoreFactory, Violation, tools};
use crate::store::{ClaimError, ClaimStore, Expect, MigrationId, Record};
use crate::testing::discrepancy;

/// C15: after a dropped write the store has it whole or not at all, and the same operation completes it.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn dropping_a_write_is_safe(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("dropping_a_write_is_safe", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("dropped")?;
        let other = factory.reopen(&stores).await?;
        let mut records: Vec<Record> = Vec::new();
        for polls in 0..MOST_POLLS {
            let number = u128::from(polls);
            let before = records.last().cloned();
            let write = tools::put(&*stores.state, &id, before.as_ref(), number);
            let ended = dropped_after(polls, write.boxed()).await;
            let repeated = tools::put(&*other.state, &id, before.as_ref(), number).await?;
            records.push(tools::change(before.as_ref(), number).record().clone());
            same("the answer to the dropped write, repeated,", &Some(&repeated), &records.last())?;
            let held = tools::holds(&*stores.state, &id, &records).await;
            held.map_err(|seen| seen.when(&format!("after a write was dropped at its poll {polls}")))?;
            tools::is_whole(&*stores.state, &id).await?;
            if ended.transpose()?.is_some() {
                return Ok(());
            }
        }
        endless("compare_and_swap")
    })
    .await
}

/// C15, for reads: the handle goes on to work.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn dropping_a_read_is_safe(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("dropping_a_read_is_safe", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("reads")?;
        let records = tools::fill(&*stores.state, &id, 3).await?;
        let (mut load_ended, mut history_ended) = (false, false);
        for polls in 0..MOST_POLLS {
            load_ended |= dropped_after(polls, stores.state.load(&id)).await.transpose()?.is_some();
            history_ended |= dropped_after(polls, stores.state.history(&id, 1, 2)).await.transpose()?.is_some();
            let held = tools::holds(&*stores.state, &id, &records).await;
            held.map_err(|seen| seen.when(&format!("after reads were dropped at their poll {polls}")))?;
            if load_ended && history_ended {
                return Ok(());
            }
        }
        endless("load or history")
    })
    .await
}

/// C15, for claims: the same request gets the item, and completing or releasing is repeated safely.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn dropping_a_claim_is_safe(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("dropping_a_claim_is_safe", factory, async {
        let stores = factory.fresh().await?;
        let (claims, id) = (claims(&stores)?, tools::id("dropped")?);
        for polls in 0..MOST_POLLS {
            let completed = drop_each(&*claims, &id, polls, true).await;
            let released = drop_each(&*claims, &id, polls, false).await;
            let when = format!("after calls were dropped at their poll {polls}");
            let ended = completed.map_err(|seen| seen.when(&when))? & released.map_err(|seen| seen.when(&when))?;
            if ended {
                return Ok(());
            }
        }
        endless("a claim, its renewal or its end")
    })
    .await
}

/// Drops and repeats each call of one claim; says whether all of them ended before they were dropped.
async fn drop_each(claims: &dyn ClaimStore, id: &MigrationId, polls: u32, complete: bool) -> Found<bool> {
    let number = u128::from(polls) * 4 + u128::from(complete) * 2;
    let claim = request(&format!("item {number}"), number, Expect::Absent, LONG)?;
    let rival = crate::store::ClaimRequest { op_id: tools::op(number + 1), ..claim.clone() };
    let item = &claim.item;
    let claimed = dropped_after(polls, claims.claim(id, &claim)).await.transpose()?;
    let token = claims.claim(id, &claim).await?.token;
    ensure(claimed.is_none_or(|grant| grant.token == token), || format!("{claimed:?} was granted again as {token}"))?;
    let refused = claims.claim(id, &rival).await;
    ensure(matches!(refused, Err(ClaimError::Held { .. })), || format!("another claim is answered by {refused:?}"))?;
    let renewed = dropped_after(polls, claims.renew(id, item, token, LONG)).await.transpose()?;
    claims.renew(id, item, token, LONG).await?;
    let end = || if complete { claims.complete(id, item, token) } else { claims.release(id, item, token) };
    let ended = dropped_after(polls, end()).await.transpose()?;
    end().await?;
    match (claims.claim(id, &rival).await, complete) {
        (Err(ClaimError::Completed), true) => {}
        (Ok(grant), false) if grant.token > token => {}
        (other, _) => return Err(Seen::new(format!("a later claim is answered by {other:?}"))),
    }
    Ok(claimed.is_some() && renewed.is_some() && ended.is_some())
}

/// C15, for discrepancies: a dropped batch is counted once or not at all.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn dropping_a_batch_is_safe(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("dropping_a_batch_is_safe", factory, async {
        let stores = factory.fresh().await?;
        let kept = super::discrepancies::kept(&stores)?;
        for polls in 0..MOST_POLLS {
            let id = tools::id(&format!("batch-{polls}"))?;
            let batch = [discrepancy("runner", 1), discrepancy("runner", 2)];
            let ended = dropped_after(polls, kept.add(&id, &batch)).await.transpose()?;
            kept.add(&id, &batch).await?;
            let counts: Vec<u64> = kept.page(&id, None, 10).await?.iter().map(|one| one.occurrences).collect();
            let right = matches!(*counts, [1 | 2, 1 | 2]) && (ended.is_none() || *counts == [2, 2]);
            ensure(right, || {
                format!("after poll {polls} of a batch, and the same batch whole, the counts are {counts:?}")
            })?;
            if ended.is_some() {
                return Ok(());
            }
        }
        endless("add")
    })
    .await
}

/// The answer of `call`, if it comes within so many polls; then it is dropped.
async fn dropped_after<T>(polls: u32, mut call: BoxFuture<'_, T>) -> Option<T> {
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match call.poll_unpin(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn endless(call: &str) -> Found {
    Err(Seen::new(format!("{call} has not ended after {MOST_POLLS} polls")))
}

const MOST_POLLS: u32 = 200;
