//! Checks of claims, but for time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::violation::{Found, Seen, ensure, judge, same, short};
use super::{StoreFactory, Stores, Violation, tools};
use crate::outcome::Side;
use crate::random::RandomSource;
use crate::store::{ClaimError, ClaimRecord, ClaimRequest, ClaimState, ClaimStore, Expect, Grant, MigrationId, Record};
use crate::testing::SeededRandom;

/// A lease that does not run out during a check.
pub(super) const LONG: Duration = Duration::from_secs(3600);

pub(super) fn request(item: &str, number: u128, expect: Expect, ttl: Duration) -> Found<ClaimRequest> {
    let holder = format!("worker {number}").parse()?;
    Ok(ClaimRequest { item: item.parse()?, side: Side::Legacy, expect, holder, op_id: tools::op(number), ttl })
}

pub(super) fn claims(stores: &Stores) -> Found<Arc<dyn ClaimStore>> {
    stores.claims.clone().ok_or_else(|| Seen::new("the factory declares Claims, and gives none"))
}

/// Law 1 of claims: the expectation is compared first, and a refusal leaves no trace.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn the_record_decides_who_claims(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("the_record_decides_who_claims", factory, async {
        let stores = factory.fresh().await?;
        let (claims, id) = (claims(&stores)?, tools::id("record")?);
        let mut records: Vec<Record> = Vec::new();
        for round in 0..3_u128 {
            let wrong = wrong_expectations(&records);
            for (expect, number) in wrong.into_iter().zip(round * 100..) {
                let refused = request("never", number, expect, LONG)?;
                other_record(claims.claim(&id, &refused).await, records.last())?;
                same("the claim that was refused", &claims.claimed(&id, &refused.item).await?, &None)?;
            }
            let item = format!("item {round}");
            let right = request(&item, round * 100 + 50, Expect::of(records.last()), LONG)?;
            let grant = claims.claim(&id, &right).await?;
            let epoch = claims.claimed(&id, &right.item).await?.map(|claim| claim.epoch);
            same("the epoch of the claim", &epoch, &Some(records.last().map_or(0, |record| record.epoch)))?;
            records.push(tools::put(&*stores.state, &id, records.last(), round).await?);
            other_record(claims.claim(&id, &right).await, records.last())?;
            claims.complete(&id, &right.item, grant.token).await?;
            let late = ClaimRequest { op_id: tools::op(round * 100 + 51), ..right };
            other_record(claims.claim(&id, &late).await, records.last())?;
        }
        Ok(())
    })
    .await
}

fn wrong_expectations(records: &[Record]) -> Vec<Expect> {
    let Some(Record { epoch, etag, .. }) = records.last().cloned() else {
        return vec![Expect::Exact { epoch: 1, etag: 1 }, Expect::Exact { epoch: 0, etag: 0 }];
    };
    let mut wrong = vec![Expect::Absent, Expect::Exact { epoch, etag: etag ^ 1 }];
    wrong.push(Expect::Exact { epoch: epoch + 1, etag });
    wrong.extend(records.iter().rev().skip(1).map(|record| Expect::of(Some(record))));
    wrong
}

fn other_record(answer: Result<Grant, ClaimError>, present: Option<&Record>) -> Found {
    match answer {
        Err(ClaimError::OtherRecord { current }) => same("the record of the refusal", &current.as_deref(), &present),
        other => Err(Seen::new(format!("the answer to a claim by another record is {}", short(&other)))),
    }
}

/// C16: of contenders over several handles exactly one is granted, and the others are told for how long.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn one_claim_wins(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("one_claim_wins", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("contended")?;
        let handles = tools::handles(factory, &stores, 4).await?;
        for round in 0..20_u128 {
            let item = format!("item {round}");
            let mut tasks = Vec::new();
            for (handle, number) in handles.iter().chain(&handles).zip(round * 8..) {
                let (claims, id) = (claims(handle)?, id.clone());
                let request = request(&item, number, Expect::Absent, LONG)?;
                tasks.push(async move { (claims.claim(&id, &request).await, request) }.boxed());
            }
            let (mut winners, mut held) = (Vec::new(), 0);
            for (answer, request) in tools::in_parallel(factory, tasks).await? {
                match answer {
                    Ok(grant) => winners.push((grant, request)),
                    Err(ClaimError::Held { remaining }) if remaining <= LONG => held += 1,
                    other => return Err(Seen::new(format!("the answer to a contender is {other:?}"))),
                }
            }
            let (1, 7, Some((grant, won))) = (winners.len(), held, winners.pop()) else {
                return Err(Seen::new(format!("{} of 8 contenders were granted", winners.len())));
            };
            let kept = claims(&stores)?.claimed(&id, &won.item).await?;
            is_held(kept, &won, grant)?;
        }
        Ok(())
    })
    .await
}

pub(super) fn is_held(kept: Option<ClaimRecord>, request: &ClaimRequest, grant: Grant) -> Found {
    let Some(ClaimRecord { item, side, epoch: _, holder, token, state }) = kept else {
        return Err(Seen::new("nothing is stored about a claim that was granted"));
    };
    same("the claimed item", &item, &request.item)?;
    same("the claim's side", &side, &request.side)?;
    same("the claim's holder", &holder, &request.holder)?;
    same("the claim's token", &token, &grant.token)?;
    let held = matches!(state, ClaimState::Held { remaining } if remaining <= request.ttl);
    ensure(held && grant.remaining <= request.ttl, || format!("of {grant:?} for {:?}, {state:?}", request.ttl))
}

/// C17: another token than the holder's does nothing, nor does the holder's after release.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn only_the_holder_acts(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("only_the_holder_acts", factory, async {
        let stores = factory.fresh().await?;
        let (claims, id) = (claims(&stores)?, tools::id("holder")?);
        let first = request("item", 1, Expect::Absent, LONG)?;
        all_lost(&*claims, &id, &first, &[0, 1, u64::MAX]).await?;
        same("what is stored about an item nobody claimed", &claims.claimed(&id, &first.item).await?, &None)?;
        let early = claims.claim(&id, &first).await?;
        all_lost(&*claims, &id, &first, &[0, early.token + 1, u64::MAX]).await?;
        is_held(claims.claimed(&id, &first.item).await?, &first, early)?;
        claims.release(&id, &first.item, early.token).await?;
        for answer in [
            claims.renew(&id, &first.item, early.token, LONG).await,
            claims.complete(&id, &first.item, early.token).await,
        ] {
            lost("after its release", &answer)?;
        }
        let second = ClaimRequest { side: Side::New, ..request("item", 2, Expect::Absent, LONG)? };
        let late = claims.claim(&id, &second).await?;
        all_lost(&*claims, &id, &first, &[early.token]).await?;
        is_held(claims.claimed(&id, &second.item).await?, &second, late)?;
        claims.renew(&id, &second.item, late.token, LONG).await?;
        Ok(claims.complete(&id, &second.item, late.token).await?)
    })
    .await
}

async fn all_lost(claims: &dyn ClaimStore, id: &MigrationId, request: &ClaimRequest, tokens: &[u64]) -> Found {
    for &token in tokens {
        let with = format!("with token {token}");
        lost(&with, &claims.renew(id, &request.item, token, LONG).await)?;
        lost(&with, &claims.complete(id, &request.item, token).await)?;
        lost(&with, &claims.release(id, &request.item, token).await)?;
    }
    Ok(())
}

pub(super) fn lost(when: &str, answer: &Result<(), ClaimError>) -> Found {
    ensure(matches!(answer, Err(ClaimError::Lost { .. })), || format!("{when}, the answer is {answer:?}"))
}

/// C17: a completed item stays so, for every token, operation and record, and after a restart.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn completed_is_final(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("completed_is_final", factory, async {
        let mut stores = factory.fresh().await?;
        let id = tools::id("final")?;
        let first = request("item", 1, Expect::Absent, factory.limits().lease)?;
        let grant = claims(&stores)?.claim(&id, &ClaimRequest { ttl: LONG, ..first.clone() }).await?;
        claims(&stores)?.renew(&id, &first.item, grant.token, LONG).await?;
        claims(&stores)?.complete(&id, &first.item, grant.token).await?;
        let mut record = None;
        for number in 2..4 {
            let claims = claims(&stores)?;
            let again = ClaimRequest { expect: Expect::of(record.as_ref()), ..first.clone() };
            let other = request("item", number, Expect::of(record.as_ref()), LONG)?;
            completed("a claim", &claims.claim(&id, &again).await.map(drop))?;
            completed("another claim", &claims.claim(&id, &other).await.map(drop))?;
            for token in [grant.token, grant.token + 1] {
                completed("renew", &claims.renew(&id, &first.item, token, LONG).await)?;
                completed("release", &claims.release(&id, &first.item, token).await)?;
            }
            completed("complete, with another token,", &claims.complete(&id, &first.item, grant.token + 1).await)?;
            claims.complete(&id, &first.item, grant.token).await?;
            let state = claims.claimed(&id, &first.item).await?.map(|kept| (kept.token, kept.state));
            same("token and state of the claim", &state, &Some((grant.token, ClaimState::Completed)))?;
            factory.wait(factory.limits().lease * 2).await;
            record = Some(tools::put(&*stores.state, &id, record.as_ref(), number).await?);
            drop(claims);
            stores = factory.restart(stores).await?;
        }
        Ok(())
    })
    .await
}

fn completed(call: &str, answer: &Result<(), ClaimError>) -> Found {
    ensure(matches!(answer, Err(ClaimError::Completed)), || format!("the answer to {call} is {answer:?}"))
}

/// C11 for claims: items that only a careless store takes for one, and the same item of two migrations.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn items_are_apart(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("items_are_apart", factory, async {
        let stores = factory.fresh().await?;
        let claims = claims(&stores)?;
        let long = "\u{1f9ea}".repeat(128);
        let longer = ["x".repeat(511), "x".repeat(512)];
        let mut items = ITEMS.to_vec();
        items.extend([long.as_str(), &longer[0], &longer[1]]);
        for name in ["one", "two"] {
            let id = tools::id(name)?;
            for (item, number) in items.iter().zip(1..) {
                let request = request(item, number, Expect::Absent, LONG)?;
                let grant = claims.claim(&id, &request).await;
                let grant = grant.map_err(|error| Seen::from(error).when(&format!("claiming {item:?} of `{name}`")))?;
                is_held(claims.claimed(&id, &request.item).await?, &request, grant)?;
            }
        }
        Ok(())
    })
    .await
}

const ITEMS: &[&str] = &[
    "a",
    "A",
    "a ",
    " a",
    "a:b",
    "a/b",
    "a%",
    "a_",
    "a*",
    "a?",
    "{a}",
    "a}b{",
    "../a",
    "a\\",
    "'a'",
    "\"a\"",
    "a;--",
    "e\u{301}",
    "\u{e9}",
    "\u{202e}a",
    "ss",
    "\u{df}",
    "\u{131}",
    "i",
    "0",
    "00",
    "1",
    "1.0",
    "null",
    "a\u{a0}",
];

/// C20: workers over several handles try every item in an order of their own.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn no_item_is_granted_twice(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("no_item_is_granted_twice", factory, async {
        let limits = factory.limits();
        let stores = factory.fresh().await?;
        let id = tools::id("items")?;
        let handles = tools::handles(factory, &stores, 3).await?;
        let random = SeededRandom::new(limits.seed);
        let mut workers = Vec::new();
        for (worker, handle) in handles.iter().cycle().take(limits.workers).enumerate() {
            let (claims, id, random) = (claims(handle)?, id.clone(), SeededRandom::new(random.next_u64()));
            workers.push(async move { work(&*claims, &id, worker, limits.items, &random).await }.boxed());
        }
        let mut granted = Vec::new();
        for items in tools::in_parallel(factory, workers).await? {
            granted.extend(items?);
        }
        granted.sort_unstable();
        let wanted: Vec<usize> = (0..limits.items).collect();
        ensure(granted == wanted, || {
            format!("{} grants for {} items, with seed {}", granted.len(), limits.items, limits.seed)
        })
    })
    .await
}

/// The items that the worker got. Every second one it completes at once.
async fn work(
    claims: &dyn ClaimStore,
    id: &MigrationId,
    worker: usize,
    items: usize,
    random: &SeededRandom,
) -> Found<Vec<usize>> {
    let mut order: Vec<(u64, usize)> = (0..items).map(|item| (random.next_u64(), item)).collect();
    order.sort_unstable();
    let mut granted = Vec::new();
    for (draw, item) in order {
        let number = (worker * items + item) as u128;
        let request = request(&format!("item {item}"), number, Expect::Absent, LONG)?;
        match claims.claim(id, &request).await {
            Ok(grant) => {
                granted.push(item);
                tools::step_back().await;
                if draw % 2 == 0 {
                    claims.complete(id, &request.item, grant.token).await?;
                }
            }
            Err(ClaimError::Held { .. } | ClaimError::Completed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(granted)
}
