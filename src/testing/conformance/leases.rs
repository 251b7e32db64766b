//! Checks of claims over time.

use std::time::{Duration, UNIX_EPOCH};

use super::claims::{LONG, claims, is_held, lost, request};
use super::violation::{Found, Seen, ensure, judge, same};
use super::{StoreFactory, Violation, tools};
use crate::store::{
    Change, ChangeKind, ClaimError, ClaimRequest, ClaimState, ClaimStore, Expect, Grant, MigrationId, Record, Settings,
    Stamp,
};

/// C16: tokens over release, expiry, restart and completion of others.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn tokens_only_grow(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("tokens_only_grow", factory, async {
        let mut stores = factory.fresh().await?;
        let id = tools::id("tokens")?;
        let lease = factory.limits().lease;
        let mut last = 0;
        for (number, end) in [End::Release, End::Expire, End::Restart].into_iter().cycle().take(6).enumerate() {
            let claim = request("item", number as u128, Expect::Absent, if end == End::Expire { lease } else { LONG })?;
            let Grant { token, .. } = claims(&stores)?.claim(&id, &claim).await?;
            ensure(token > last, || format!("after token {last} comes token {token}"))?;
            last = token;
            if end == End::Expire {
                factory.wait(lease * 2).await;
                continue;
            }
            if end == End::Restart {
                stores = factory.restart(stores).await?;
            }
            claims(&stores)?.release(&id, &claim.item, token).await?;
        }
        Ok(())
    })
    .await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Release,
    Expire,
    Restart,
}

/// C18: a lease that ran out is lost, also while nobody else has claimed, and then belongs to whoever claims.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn a_lease_that_ran_out_is_lost(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("a_lease_that_ran_out_is_lost", factory, async {
        let stores = factory.fresh().await?;
        let (claims, id) = (claims(&stores)?, tools::id("lease")?);
        let lease = factory.limits().lease;
        let first = request("item", 1, Expect::Absent, lease)?;
        let early = claims.claim(&id, &first).await?;
        factory.wait(lease * 2).await;
        for answer in [
            claims.renew(&id, &first.item, early.token, LONG).await,
            claims.complete(&id, &first.item, early.token).await,
            claims.release(&id, &first.item, early.token).await,
        ] {
            lost("after the lease ran out", &answer)?;
        }
        let state = claims.claimed(&id, &first.item).await?.map(|kept| kept.state);
        ensure(matches!(state, Some(ClaimState::Expired { .. })), || format!("the claim is {state:?}"))?;
        let second = request("item", 2, Expect::Absent, LONG)?;
        let late = claims.claim(&id, &second).await?;
        ensure(late.token > early.token, || format!("after {early:?} comes {late:?}"))?;
        for answer in [
            claims.renew(&id, &first.item, early.token, LONG).await,
            claims.complete(&id, &first.item, early.token).await,
            claims.release(&id, &first.item, early.token).await,
        ] {
            lost("after another claim", &answer)?;
        }
        is_held(claims.claimed(&id, &second.item).await?, &second, late)?;
        Ok(claims.complete(&id, &second.item, late.token).await?)
    })
    .await
}

/// A lease lasts from the last renewal, for what that asked: neither longer nor shorter.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn a_lease_lasts_as_renewed(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("a_lease_lasts_as_renewed", factory, async {
        let stores = factory.fresh().await?;
        let (claims, id) = (claims(&stores)?, tools::id("renewal")?);
        let lease = factory.limits().lease;
        let (kept, grant) = renewed_in_time(&*claims, &id, lease).await?;
        let unrenewed = request("not renewed", 100, Expect::Absent, LONG)?;
        let whole = claims.claim(&id, &unrenewed).await?;
        factory.wait(lease * 2).await;
        is_held(claims.claimed(&id, &kept.item).await?, &ClaimRequest { ttl: LONG, ..kept.clone() }, grant)?;
        is_held(claims.claimed(&id, &unrenewed.item).await?, &unrenewed, whole)?;
        claims.renew(&id, &unrenewed.item, whole.token, lease).await?;
        factory.wait(lease * 2).await;
        lost("after a shorter renewal ran out", &claims.complete(&id, &unrenewed.item, whole.token).await)?;
        Ok(claims.complete(&id, &kept.item, grant.token).await?)
    })
    .await
}

/// Claims for a short lease and renews it for a long one. On a slow day the short one may run out before; then the next
/// item is tried.
async fn renewed_in_time(claims: &dyn ClaimStore, id: &MigrationId, lease: Duration) -> Found<(ClaimRequest, Grant)> {
    for number in 0..5 {
        let short = request(&format!("item {number}"), number, Expect::Absent, lease)?;
        let grant = claims.claim(id, &short).await?;
        match claims.renew(id, &short.item, grant.token, LONG).await {
            Ok(()) => return Ok((short, grant)),
            Err(ClaimError::Lost { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Seen::new(format!("five leases of {lease:?} in a row were lost before they could be renewed")))
}

/// Law 7 of claims: what the answers to repeated calls are, and that they neither grant anew nor prolong.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn repeating_a_claim_is_safe(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("repeating_a_claim_is_safe", factory, async {
        let stores = factory.fresh().await?;
        let (claims, id) = (claims(&stores)?, tools::id("again")?);
        let lease = factory.limits().lease;
        let first = request("item", 1, Expect::Absent, LONG)?;
        let Grant { token, .. } = claims.claim(&id, &first).await?;
        factory.wait(lease).await;
        let again = claims.claim(&id, &first).await?;
        same("the token of the repeated claim", &again.token, &token)?;
        let rest = LONG.saturating_sub(lease) + Duration::from_millis(1);
        ensure(again.remaining <= rest, || format!("the repeated claim has {:?} left, not {rest:?}", again.remaining))?;
        let other = request("item", 2, Expect::Absent, LONG)?;
        let refused = claims.claim(&id, &other).await;
        ensure(matches!(refused, Err(ClaimError::Held { .. })), || {
            format!("another claim is answered by {refused:?}")
        })?;
        claims.release(&id, &first.item, token).await?;
        claims.release(&id, &first.item, token).await?;
        let anew = claims.claim(&id, &first).await?;
        ensure(anew.token > token, || format!("a claim after the release of token {token} has {anew:?}"))?;
        lost("releasing an old token again", &claims.release(&id, &first.item, token).await)?;
        claims.complete(&id, &first.item, anew.token).await?;
        claims.complete(&id, &first.item, anew.token).await?;
        let short = request("short", 3, Expect::Absent, lease)?;
        let ran_out = claims.claim(&id, &short).await?;
        factory.wait(lease * 2).await;
        let anew = claims.claim(&id, &ClaimRequest { ttl: LONG, ..short }).await?;
        ensure(anew.token > ran_out.token, || format!("a claim after {ran_out:?} ran out has {anew:?}"))
    })
    .await
}

/// What was not renewed in time is found again, the oldest first.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn claims_that_ran_out_are_listed(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("claims_that_ran_out_are_listed", factory, async {
        let stores = factory.fresh().await?;
        let (claims, id) = (claims(&stores)?, tools::id("expired")?);
        let lease = factory.limits().lease;
        let leases =
            [("b", lease * 3), ("c", lease), ("a", lease * 2), ("held", LONG), ("released", LONG), ("done", LONG)];
        let mut tokens = Vec::new();
        for ((item, ttl), number) in leases.into_iter().zip(1..) {
            tokens.push(claims.claim(&id, &request(item, number, Expect::Absent, ttl)?).await?.token);
        }
        if let [.., released, done] = *tokens {
            claims.release(&id, &"released".parse()?, released).await?;
            claims.complete(&id, &"done".parse()?, done).await?;
        }
        factory.wait(lease * 4).await;
        for (limit, wanted) in [(10, &["c", "a", "b"][..]), (2, &["c", "a"]), (1, &["c"]), (0, &[])] {
            listed(&*claims, &id, limit, wanted).await?;
        }
        listed(&*claims, &tools::id("other")?, 10, &[]).await?;
        claims.claim(&id, &request("a", 20, Expect::Absent, LONG)?).await?;
        listed(&*claims, &id, 10, &["c", "b"]).await
    })
    .await
}

async fn listed(claims: &dyn ClaimStore, id: &MigrationId, limit: usize, wanted: &[&str]) -> Found {
    let listed = claims.expired(id, limit).await?;
    let items: Vec<&str> = listed.iter().map(|claim| claim.item.as_str()).collect();
    same(&format!("the list of at most {limit} claims that ran out"), &items, &wanted.to_vec())?;
    for claim in &listed {
        let kept = claims.claimed(id, &claim.item).await?.map(|kept| (kept.token, kept.holder));
        same("what is stored about a listed claim", &kept, &Some((claim.token, claim.holder.clone())))?;
        let expired = matches!(claim.state, ClaimState::Expired { .. });
        ensure(expired, || format!("a claim that ran out is listed as {:?}", claim.state))?;
    }
    Ok(())
}

/// C19: what the clocks of clients wrote into records moves no lease, an hour forwards or back.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn times_of_clients_move_no_lease(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("times_of_clients_move_no_lease", factory, async {
        let stores = factory.fresh().await?;
        let (claims, id) = (claims(&stores)?, tools::id("skewed")?);
        let lease = factory.limits().lease;
        let noon = UNIX_EPOCH + Duration::from_secs(1_600_000_000);
        let mut last: Option<Record> = None;
        for (number, at) in [noon, noon + LONG * 2, noon - LONG * 2, noon].into_iter().enumerate() {
            let number = number as u128;
            let short = request(&format!("short {number}"), number * 10, Expect::of(last.as_ref()), lease)?;
            let long = request(&format!("long {number}"), number * 10 + 1, Expect::of(last.as_ref()), LONG)?;
            let ended = claims.claim(&id, &short).await?;
            let going_on = claims.claim(&id, &long).await?;
            let stamp = Stamp { at, etag: number + 1, op_id: number + 1 };
            let change = Change::new(last.as_ref(), Settings::default(), ChangeKind::Rollout, tools::author(), stamp);
            last = Some(stores.state.compare_and_swap(&id, Expect::of(last.as_ref()), &change).await?);
            claims.renew(&id, &long.item, going_on.token, LONG).await?;
            is_held(claims.claimed(&id, &long.item).await?, &long, going_on)?;
            factory.wait(lease * 2).await;
            lost("after the lease ran out", &claims.complete(&id, &short.item, ended.token).await)?;
            claims.complete(&id, &long.item, going_on.token).await?;
        }
        Ok(())
    })
    .await
}

/// C16, over a restart: held, released and completed items are so afterwards.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn claims_survive_a_restart(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("claims_survive_a_restart", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("survivors")?;
        let first = tools::put(&*stores.state, &id, None, 1).await?;
        let before = claims(&stores)?;
        let mut held = Vec::new();
        for (item, number) in ["held", "released", "done"].into_iter().zip(1..) {
            let request = request(item, number, Expect::of(Some(&first)), LONG)?;
            held.push((before.claim(&id, &request).await?, request));
        }
        let [(grant, request), (released, given), (completed, done)] = &*held else { return Ok(()) };
        before.release(&id, &given.item, released.token).await?;
        before.complete(&id, &done.item, completed.token).await?;
        let was = [before.claimed(&id, &given.item).await?, before.claimed(&id, &done.item).await?];
        drop(before);
        let stores = factory.restart(stores).await?;
        let after = claims(&stores)?;
        is_held(after.claimed(&id, &request.item).await?, request, *grant)?;
        let is = [after.claimed(&id, &given.item).await?, after.claimed(&id, &done.item).await?];
        same("released and completed claims", &is, &was)?;
        same("the token of the claim, repeated", &after.claim(&id, request).await?.token, &grant.token)?;
        after.renew(&id, &request.item, grant.token, LONG).await?;
        Ok(after.complete(&id, &request.item, grant.token).await?)
    })
    .await
}
