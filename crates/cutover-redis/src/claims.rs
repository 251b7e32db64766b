//! Claims.

use std::time::Duration;

use cutover::Side;
use cutover::store::{
    ClaimError, ClaimRecord, ClaimRequest, ClaimState, ClaimStore, Expect, Grant, ItemId, MigrationId, StoreError,
    async_trait,
};

use crate::fault::Fault;
use crate::script::{CLAIM, CLAIMED, EXPIRED, KEEP};
use crate::state::{count, epoch_text, expected, hex, read_record};
use crate::store::RedisStore;

#[async_trait]
impl ClaimStore for RedisStore {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        let keys = self.keys(id);
        let (epoch, etag) = expected(request.expect);
        let granted_by = match request.expect {
            Expect::Absent => 0,
            Expect::Exact { epoch, .. } => epoch,
        };
        let call = CLAIM.call(&[keys.record(), keys.claim(&request.item), keys.leases()]);
        let call = call.arg(epoch).arg(etag).arg(request.item.as_str()).arg(request.side.name());
        let call = call.arg(epoch_text(granted_by)).arg(request.holder.as_str()).arg(hex(request.op_id));
        let call = call.arg(micros(request.ttl).to_string());
        let (answer, durability) = self.connection.write_by::<Answer>(&call, self.replicas).await?;
        let grant = granted(answer)?;
        durability.check()?;
        Ok(grant)
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        self.keep(id, item, token, Act { becomes: "held", lasts: micros(ttl).to_string() }).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        let lasts = self.completed_for.map(|time| (micros(time) / 1000).max(1).to_string()).unwrap_or_default();
        self.keep(id, item, token, Act { becomes: "completed", lasts }).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.keep(id, item, token, Act { becomes: "released", lasts: String::new() }).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        let found = self.claims_of(id, vec![item.clone()]).await?;
        Ok(found.into_iter().next())
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        let call = EXPIRED.call(&[self.keys(id).leases()]).arg(count(limit).to_string());
        let items: Vec<String> = self.connection.read_by(&call).await?;
        let items = items.into_iter().map(|item| item.parse().map_err(|_| field("item"))).collect::<Result<_, _>>()?;
        let mut found = self.claims_of(id, items).await?;
        found.retain(|claim| matches!(claim.state, ClaimState::Expired { .. }));
        Ok(found)
    }
}

impl RedisStore {
    async fn keep(&self, id: &MigrationId, item: &ItemId, token: u64, act: Act) -> Result<(), ClaimError> {
        let keys = self.keys(id);
        let call = KEEP.call(&[keys.claim(item), keys.leases()]);
        let call = call.arg(item.as_str()).arg(token.to_string()).arg(act.becomes).arg(act.lasts);
        let (answer, durability) = self.connection.write_by::<String>(&call, self.replicas).await?;
        match answer.as_str() {
            "done" => Ok(durability.check()?),
            "lost" => Err(ClaimError::Lost { token }),
            "completed" => Err(ClaimError::Completed),
            _ => Err(not_understood().into()),
        }
    }

    /// What is stored about those of `items` that were ever claimed, as of one moment.
    async fn claims_of(&self, id: &MigrationId, items: Vec<ItemId>) -> Result<Vec<ClaimRecord>, StoreError> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keys(id);
        let claims: Vec<_> = items.iter().map(|item| keys.claim(item)).collect();
        let found: Vec<Option<Stored>> = self.connection.read_by(&CLAIMED.call(&claims)).await?;
        let stored = items.into_iter().zip(found).filter_map(|(item, stored)| Some((item, stored?)));
        stored.map(|(item, stored)| claim_record(item, stored)).collect()
    }
}

/// What a claim becomes, and for how long.
struct Act {
    becomes: &'static str,
    lasts: String,
}

/// What the claiming script says: a word, the token, microseconds, the present record.
type Answer = (String, Option<String>, u64, Option<Vec<u8>>);

fn granted((word, token, left, current): Answer) -> Result<Grant, ClaimError> {
    let remaining = Duration::from_micros(left);
    match word.as_str() {
        "granted" => Ok(Grant { token: number(token.as_deref(), "token")?, remaining }),
        "held" => Err(ClaimError::Held { remaining }),
        "completed" => Err(ClaimError::Completed),
        "other" => Err(ClaimError::other_record(read_record(current.as_deref())?)),
        _ => Err(not_understood().into()),
    }
}

/// Token, side, epoch, holder, state, microseconds.
type Stored = (String, Option<String>, Option<String>, Option<String>, String, u64);

fn claim_record(item: ItemId, (token, side, epoch, holder, state, left): Stored) -> Result<ClaimRecord, StoreError> {
    let side = [Side::Legacy, Side::New].into_iter().find(|known| side.as_deref() == Some(known.name()));
    let time = Duration::from_micros(left);
    let state = match state.as_str() {
        "held" => ClaimState::Held { remaining: time },
        "expired" => ClaimState::Expired { ago: time },
        "released" => ClaimState::Released,
        "completed" => ClaimState::Completed,
        _ => return Err(field("state")),
    };
    Ok(ClaimRecord {
        item,
        side: side.ok_or_else(|| field("side"))?,
        epoch: number(epoch.as_deref(), "epoch")?,
        holder: holder.and_then(|holder| holder.parse().ok()).ok_or_else(|| field("holder"))?,
        token: number(Some(&token), "token")?,
        state,
    })
}

fn number(text: Option<&str>, name: &'static str) -> Result<u64, StoreError> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| field(name))
}

fn field(name: &'static str) -> StoreError {
    StoreError::corrupt(Fault::Field(name))
}

fn not_understood() -> StoreError {
    StoreError::outcome_unknown(Fault::NotUnderstood)
}

/// Whole milliseconds, as microseconds. At most a hundred years, so that Lua adds them to a time without loss.
fn micros(time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    millis.min(HUNDRED_YEARS) * 1000
}

const HUNDRED_YEARS: u64 = 100 * 365 * 24 * 60 * 60 * 1000;
