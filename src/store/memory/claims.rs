//! The claims of one migration: the laws of [`ClaimStore`](crate::store::ClaimStore) as pure functions of a moment.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Instant;
use crate::outcome::Side;
use crate::store::{Actor, ClaimError, ClaimRecord, ClaimRequest, ClaimState, Expect, Grant, ItemId};

#[derive(Debug, Default)]
pub(super) struct Claims {
    items: HashMap<ItemId, Claimed>,
}

#[derive(Debug)]
struct Claimed {
    side: Side,
    epoch: u64,
    holder: Actor,
    op_id: u128,
    token: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Held { until: Instant },
    Released,
    Completed,
}

impl Claims {
    pub(super) fn claim(&mut self, request: &ClaimRequest, now: Instant) -> Result<Grant, ClaimError> {
        let present = self.items.get(&request.item);
        if let Some(present) = present {
            if let Some(decided) = present.answer(request.op_id, now) {
                return decided;
            }
        }
        let token = present.map_or(0, |present| present.token).saturating_add(1);
        let epoch = match request.expect {
            Expect::Absent => 0,
            Expect::Exact { epoch, .. } => epoch,
        };
        let claimed = Claimed {
            side: request.side,
            epoch,
            holder: request.holder.clone(),
            op_id: request.op_id,
            token,
            state: State::Held { until: now.plus(request.ttl) },
        };
        self.items.insert(request.item.clone(), claimed);
        Ok(Grant { token, remaining: request.ttl })
    }

    pub(super) fn renew(&mut self, item: &ItemId, token: u64, ttl: Duration, now: Instant) -> Result<(), ClaimError> {
        let claimed = self.held(item, token, now)?;
        claimed.state = State::Held { until: now.plus(ttl) };
        Ok(())
    }

    pub(super) fn complete(&mut self, item: &ItemId, token: u64, now: Instant) -> Result<(), ClaimError> {
        self.end(item, token, State::Completed, now)
    }

    pub(super) fn release(&mut self, item: &ItemId, token: u64, now: Instant) -> Result<(), ClaimError> {
        self.end(item, token, State::Released, now)
    }

    fn end(&mut self, item: &ItemId, token: u64, end: State, now: Instant) -> Result<(), ClaimError> {
        let repeated = |claimed: &Claimed| claimed.token == token && claimed.state == end;
        if self.items.get(item).is_some_and(repeated) {
            return Ok(());
        }
        self.held(item, token, now)?.state = end;
        Ok(())
    }

    fn held(&mut self, item: &ItemId, token: u64, now: Instant) -> Result<&mut Claimed, ClaimError> {
        let lost = ClaimError::Lost { token };
        let Some(claimed) = self.items.get_mut(item) else { return Err(lost) };
        match claimed.state {
            State::Completed => Err(ClaimError::Completed),
            State::Held { until } if claimed.token == token && now < until => Ok(claimed),
            State::Held { .. } | State::Released => Err(lost),
        }
    }

    pub(super) fn get(&self, item: &ItemId, now: Instant) -> Option<ClaimRecord> {
        self.items.get(item).map(|claimed| claimed.record(item, now))
    }

    pub(super) fn expired(&self, limit: usize, now: Instant) -> Vec<ClaimRecord> {
        let ended = |claimed: &Claimed| match claimed.state {
            State::Held { until } if until <= now => Some(until),
            State::Held { .. } | State::Released | State::Completed => None,
        };
        let mut expired: Vec<_> =
            self.items.iter().filter_map(|(item, claimed)| Some((ended(claimed)?, item, claimed))).collect();
        expired.sort_unstable_by_key(|&(until, item, _)| (until, item));
        expired.into_iter().take(limit).map(|(_, item, claimed)| claimed.record(item, now)).collect()
    }
}

impl Claimed {
    /// What this says to a claim of the item; `None` if it is free.
    fn answer(&self, op_id: u128, now: Instant) -> Option<Result<Grant, ClaimError>> {
        match self.state {
            State::Completed => Some(Err(ClaimError::Completed)),
            State::Held { until } if now < until => {
                let remaining = until.since(now);
                let repeated = self.op_id == op_id;
                let grant = Grant { token: self.token, remaining };
                Some(if repeated { Ok(grant) } else { Err(ClaimError::Held { remaining }) })
            }
            State::Held { .. } | State::Released => None,
        }
    }

    fn record(&self, item: &ItemId, now: Instant) -> ClaimRecord {
        let state = match self.state {
            State::Held { until } if now < until => ClaimState::Held { remaining: until.since(now) },
            State::Held { until } => ClaimState::Expired { ago: now.since(until) },
            State::Released => ClaimState::Released,
            State::Completed => ClaimState::Completed,
        };
        let Self { side, epoch, ref holder, token, .. } = *self;
        ClaimRecord { item: item.clone(), side, epoch, holder: holder.clone(), token, state }
    }
}
