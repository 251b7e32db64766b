//! Claims, with their flaws.

use std::cmp::Reverse;
use std::time::{Duration, UNIX_EPOCH};

use cutover::Side;
use cutover::clock::Instant;
use cutover::store::{
    Actor, ClaimError, ClaimRecord, ClaimRequest, ClaimState, ClaimStore, Expect, Grant, ItemId, MigrationId,
    StoreError, async_trait,
};

use crate::flaw::Flaw;
use crate::store::{Flawed, Migration};

#[derive(Clone)]
pub(crate) struct Claimed {
    item: ItemId,
    side: Side,
    epoch: u64,
    holder: Actor,
    op_id: u128,
    token: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Held { until: Instant },
    Released,
    Completed,
}

impl Flawed {
    /// The moment by which leases end.
    fn lease_now(&self, migration: &Migration) -> Instant {
        if !self.is(Flaw::EndsLeasesByRecordTimes) {
            return self.now();
        }
        let record = self.read(migration).ok().flatten();
        let since = record.and_then(|record| record.since.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        self.now().plus(since)
    }

    fn key(&self, item: &ItemId) -> String {
        if self.is(Flaw::FoldsTheCaseOfItems) { item.as_str().to_lowercase() } else { item.to_string() }
    }

    fn answer(&self, migration: &Migration, request: &ClaimRequest) -> Result<Option<Grant>, ClaimError> {
        let other = || {
            let current = self.read(migration)?;
            let right = request.expect.matches(current.as_ref()) || self.is(Flaw::ClaimsByAnyRecord);
            if right { Ok(()) } else { Err(ClaimError::other_record(current)) }
        };
        if !self.is(Flaw::ComparesTheRecordLast) {
            other()?;
        }
        let held = self.held(migration, request)?;
        if held.is_none() {
            other()?;
        }
        Ok(held)
    }

    fn held(&self, migration: &Migration, request: &ClaimRequest) -> Result<Option<Grant>, ClaimError> {
        let now = self.lease_now(migration);
        let Some(present) = migration.claims.get(&self.key(&request.item)) else { return Ok(None) };
        let token = present.token;
        let repeated = present.op_id == request.op_id && !self.is(Flaw::ForgetsWhoClaimed);
        match present.state {
            State::Completed if self.is(Flaw::ClaimsTheCompleted) => Ok(None),
            State::Completed => Err(ClaimError::Completed),
            State::Held { until } if now < until || self.is(Flaw::HoldsForEver) => {
                let rest = until.since(now);
                let remaining = if self.is(Flaw::ProlongsByRepeating) { request.ttl } else { rest };
                if repeated { Ok(Some(Grant { token, remaining })) } else { Err(ClaimError::Held { remaining: rest }) }
            }
            State::Released | State::Held { .. } if self.is(Flaw::RepeatsOldGrants) && repeated => {
                Ok(Some(Grant { token, remaining: Duration::ZERO }))
            }
            State::Released | State::Held { .. } => Ok(None),
        }
    }

    fn grant(&self, migration: &mut Migration, request: &ClaimRequest) -> Grant {
        let key = self.key(&request.item);
        let mut last = migration.claims.get(&key).map_or(0, |present| present.token);
        let expired = migration.claims.get(&key).is_some_and(|present| matches!(present.state, State::Held { .. }));
        if self.is(Flaw::BeginsTokensAnewAfterExpiry) && expired {
            last = 0;
        }
        let epoch = match request.expect {
            Expect::Absent => 0,
            Expect::Exact { epoch, .. } => epoch,
        };
        let claimed = Claimed {
            item: request.item.clone(),
            side: if self.is(Flaw::ForgetsTheSide) { Side::New } else { request.side },
            epoch,
            holder: request.holder.clone(),
            op_id: request.op_id,
            token: last + 1,
            state: State::Held { until: self.lease_now(migration).plus(request.ttl) },
        };
        migration.claims.insert(key, claimed);
        Grant { token: last + 1, remaining: request.ttl }
    }

    /// Changes what `token` holds.
    fn act(&self, migration: &mut Migration, item: &ItemId, token: u64, next: State) -> Result<(), ClaimError> {
        let now = self.lease_now(migration);
        let lost = ClaimError::Lost { token };
        let renews = matches!(next, State::Held { .. });
        let Some(present) = migration.claims.get_mut(&self.key(item)) else { return Err(lost) };
        let own = present.token == token || self.is(Flaw::ActsForAnyToken);
        if own && !renews && present.state == next {
            return if self.is(Flaw::EndsOnlyOnce) { Err(lost) } else { Ok(()) };
        }
        match present.state {
            State::Completed if self.is(Flaw::ReleasesTheCompleted) && next == State::Released => {}
            State::Completed => return Err(ClaimError::Completed),
            State::Held { .. } if own && renews && self.is(Flaw::RenewsWhatRanOut) => {}
            State::Held { .. } if own && !renews && self.is(Flaw::EndsWhatRanOut) => {}
            State::Held { until } if own && (now < until || self.is(Flaw::HoldsForEver)) => {}
            State::Held { .. } | State::Released => return Err(lost),
        }
        if !(renews && self.is(Flaw::NeverRenews)) {
            present.state = next;
        }
        if next == State::Released && self.is(Flaw::DeletesTheReleased) {
            migration.claims.remove(&self.key(item));
        }
        Ok(())
    }

    async fn act_later(&self, id: &MigrationId, item: &ItemId, token: u64, next: State) -> Result<(), ClaimError> {
        self.call(async || self.with(id, |migration| self.act(migration, item, token, next))).await
    }

    fn record(claimed: &Claimed, now: Instant) -> ClaimRecord {
        let state = match claimed.state {
            State::Held { until } if now < until => ClaimState::Held { remaining: until.since(now) },
            State::Held { until } => ClaimState::Expired { ago: now.since(until) },
            State::Released => ClaimState::Released,
            State::Completed => ClaimState::Completed,
        };
        let Claimed { item, side, epoch, holder, token, .. } = claimed.clone();
        ClaimRecord { item, side, epoch, holder, token, state }
    }
}

#[async_trait]
impl ClaimStore for Flawed {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        self.call(async || {
            let early = self.with(id, |migration| self.answer(migration, request));
            if self.is(Flaw::LooksAndThenClaims) {
                let early = early?;
                self.travel().await;
                return Ok(early.unwrap_or_else(|| self.with(id, |migration| self.grant(migration, request))));
            }
            if self.is(Flaw::ClaimsInTwoSteps) && matches!(early, Ok(None)) {
                let half = ClaimRequest { op_id: 0, ..request.clone() };
                self.with(id, |migration| self.grant(migration, &half));
                self.travel().await;
                return Ok(self.with(id, |migration| self.grant(migration, request)));
            }
            self.with(id, |migration| match self.answer(migration, request)? {
                Some(grant) => Ok(grant),
                None => Ok(self.grant(migration, request)),
            })
        })
        .await
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        let next = self.with(id, |migration| State::Held { until: self.lease_now(migration).plus(ttl) });
        self.act_later(id, item, token, next).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.act_later(id, item, token, State::Completed).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.act_later(id, item, token, State::Released).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        self.call(async || {
            Ok(self.with(id, |migration| {
                let now = self.lease_now(migration);
                migration.claims.get(&self.key(item)).map(|claimed| Self::record(claimed, now))
            }))
        })
        .await
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        self.call(async || {
            Ok(self.with(id, |migration| {
                let now = self.lease_now(migration);
                let records = migration.claims.values().map(|claimed| Self::record(claimed, now));
                let listed = |record: &ClaimRecord| match record.state {
                    ClaimState::Expired { ago } => Some(ago),
                    ClaimState::Held { .. } if self.is(Flaw::ListsTheHeld) => Some(Duration::ZERO),
                    _ => None,
                };
                let mut expired: Vec<_> = records.filter_map(|record| Some((listed(&record)?, record))).collect();
                if !self.is(Flaw::ListsInTheOrderOfItems) {
                    expired.sort_by_key(|&(ago, _)| Reverse(ago));
                }
                expired.into_iter().take(limit).map(|(_, record)| record).collect()
            }))
        })
        .await
    }
}
