//! Checks of what a store does when it cannot do what it should.

use std::time::Duration;

use super::claims::{LONG, request};
use super::violation::{Found, Seen, ensure, judge, same, short};
use super::{Planted, StoreFactory, Stores, Violation, tools};
use crate::store::{ClaimError, ClaimStore, DiscrepancyStore, Expect, MigrationId, Record, StateStore, StoreError};
use crate::testing::discrepancy;

/// C13: what is no record, or a newer version's, is an error, and stays as it is whatever is written over it.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn what_cannot_be_read_is_an_error(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("what_cannot_be_read_is_an_error", factory, async {
        let cases: [(Plant, IsRight); 4] = [
            (|_| Planted::garbage(), |error| matches!(error, StoreError::Corrupt(_))),
            (|_| Planted::no_record(), |error| matches!(error, StoreError::Corrupt(_))),
            (Planted::newer_format, |error| matches!(error, StoreError::UnknownFormat(_))),
            (Planted::unknown_mode, |error| matches!(error, StoreError::UnknownFormat(_))),
        ];
        let mut planted_any = false;
        for (planted, is_right) in cases {
            let stores = factory.fresh().await?;
            let id = tools::id("planted")?;
            let records = tools::fill(&*stores.state, &id, 2).await?;
            let Some(last) = records.last() else { continue };
            let planted = planted(last);
            if !factory.plant(&stores, &id, &planted).await? {
                continue;
            }
            planted_any = true;
            let stores = factory.reopen(&stores).await?;
            let kept = stays_unread(&*stores.state, &id, last, &planted, is_right).await;
            kept.map_err(|seen| seen.when(&format!("with {} in place of the record", planted.json)))?;
        }
        ensure(planted_any, || "the factory declares Plant, and plants nothing".to_owned())
    })
    .await
}

type Plant = fn(&Record) -> Planted;
type IsRight = fn(&StoreError) -> bool;

async fn stays_unread(
    store: &dyn StateStore,
    id: &MigrationId,
    last: &Record,
    planted: &Planted,
    is_right: IsRight,
) -> Found {
    let audit = store.history(id, 0, 10).await.ok();
    let mut expectations = vec![Expect::Absent, Expect::Exact { epoch: last.epoch, etag: 0 }];
    if planted.version.is_some() {
        expectations.push(Expect::of(Some(last)));
    }
    for (expect, number) in expectations.into_iter().zip(10..) {
        let found = store.load(id).await.map(drop);
        ensure(found.as_ref().is_err_and(is_right), || format!("the answer to a load is {}", short(&found)))?;
        let answer = store.compare_and_swap(id, expect, &tools::change(Some(last), number)).await;
        let refused = answer.as_ref().is_err_and(is_right);
        ensure(refused, || format!("the answer to a write that expects {expect:?} is {}", short(&answer)))?;
    }
    let found = store.load(id).await.map(drop);
    ensure(found.as_ref().is_err_and(is_right), || format!("after refused writes a load gives {}", short(&found)))?;
    same("the audit, if it can be read,", &store.history(id, 0, 10).await.ok(), &audit)
}

/// C14: every call ends within the factory's patience, and says that nothing was stored.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn an_unreachable_store_is_unavailable(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("an_unreachable_store_is_unavailable", factory, async {
        let Some(stores) = factory.broken().await? else {
            return Err(Seen::new("the factory declares Broken, and has no such store"));
        };
        let id = tools::id("broken")?;
        let state = &*stores.state;
        unavailable("load", tools::within(factory, "load", state.load(&id)).await?)?;
        let write = tools::within(factory, "compare_and_swap", tools::put(state, &id, None, 1)).await?;
        unavailable("compare_and_swap", write)?;
        unavailable("history", tools::within(factory, "history", state.history(&id, 0, 10)).await?)?;
        match tools::within(factory, "watch", state.watch(&id)).await? {
            Ok(None) | Err(StoreError::Unavailable(_)) => {}
            Ok(Some(mut wakes)) => {
                use futures_util::StreamExt;
                let wake = tools::within(factory, "the end of the wake-ups", wakes.next()).await?;
                same("a wake-up of a store that cannot be reached", &wake, &None)?;
            }
            Err(error) => return Err(Seen::new(format!("the answer of watch is {error:?}"))),
        }
        if let Some(claims) = declared(factory, &stores)? {
            broken_claims(factory, &*claims, &id).await?;
        }
        match &stores.discrepancies {
            Some(discrepancies) => broken_discrepancies(factory, &**discrepancies, &id).await,
            None => Ok(()),
        }
    })
    .await
}

fn declared(factory: &dyn StoreFactory, stores: &Stores) -> Found<Option<std::sync::Arc<dyn ClaimStore>>> {
    let declares = factory.capabilities();
    let pairs = [
        (declares.has(super::Capability::Claims), stores.claims.is_some(), "claims"),
        (declares.has(super::Capability::Discrepancies), stores.discrepancies.is_some(), "discrepancies"),
    ];
    for (declared, given, what) in pairs {
        ensure(declared == given, || format!("{what} declared: {declared}, given: {given}"))?;
    }
    Ok(stores.claims.clone())
}

async fn broken_claims(factory: &dyn StoreFactory, claims: &dyn ClaimStore, id: &MigrationId) -> Found {
    let claim = request("item", 1, Expect::Absent, LONG)?;
    let item = &claim.item;
    let answers = [
        ("claim", tools::within(factory, "claim", claims.claim(id, &claim)).await?.map(drop)),
        ("renew", tools::within(factory, "renew", claims.renew(id, item, 1, LONG)).await?),
        ("complete", tools::within(factory, "complete", claims.complete(id, item, 1)).await?),
        ("release", tools::within(factory, "release", claims.release(id, item, 1)).await?),
    ];
    for (call, answer) in answers {
        match answer {
            Err(ClaimError::Store(StoreError::Unavailable(_))) => {}
            other => return Err(Seen::new(format!("the answer of {call} is {other:?}"))),
        }
    }
    unavailable("claimed", tools::within(factory, "claimed", claims.claimed(id, item)).await?)?;
    unavailable("expired", tools::within(factory, "expired", claims.expired(id, 10)).await?)
}

async fn broken_discrepancies(factory: &dyn StoreFactory, kept: &dyn DiscrepancyStore, id: &MigrationId) -> Found {
    unavailable("add", tools::within(factory, "add", kept.add(id, &[discrepancy("runner", 1)])).await?)?;
    unavailable("page", tools::within(factory, "page", kept.page(id, None, 10)).await?)?;
    unavailable("clear", tools::within(factory, "clear", kept.clear(id)).await?)
}

fn unavailable<T: std::fmt::Debug>(call: &str, answer: Result<T, StoreError>) -> Found {
    match answer {
        Err(StoreError::Unavailable(_)) => Ok(()),
        other => Err(Seen::new(format!("the answer of {call} is {}", short(&other)))),
    }
}

/// A handle whose connections were cut finds the store again, and what was written meanwhile.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn a_cut_connection_comes_back(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("a_cut_connection_comes_back", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("cut")?;
        let other = factory.reopen(&stores).await?;
        let mut records = tools::fill(&*other.state, &id, 1).await?;
        tools::holds(&*stores.state, &id, &records).await?;
        let cut = factory.disconnect(&stores).await?;
        ensure(cut, || "the factory declares Disconnect, and cuts nothing".to_owned())?;
        records.push(tools::put(&*other.state, &id, records.last(), 2).await?);
        let found = tools::within(factory, "an answer after the cut", again(factory, &*stores.state, &id)).await?;
        same("the record after the cut", &found.as_ref(), &records.last())?;
        records.push(tools::put(&*stores.state, &id, records.last(), 3).await?);
        tools::holds(&*other.state, &id, &records).await
    })
    .await
}

/// Loads until that succeeds.
async fn again(factory: &dyn StoreFactory, store: &dyn StateStore, id: &MigrationId) -> Option<Record> {
    loop {
        if let Ok(found) = store.load(id).await {
            return found;
        }
        factory.runtime().sleep(Duration::from_millis(20)).await;
    }
}
