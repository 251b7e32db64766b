//! Claims: the laws of `ClaimStore` as steps in a transaction.

use std::time::Duration;

use cutover::store::{Actor, ClaimError, ClaimRecord, ClaimRequest, ClaimState, Expect, Grant, ItemId, MigrationId};
use cutover::{Side, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::failure::Failure;
use crate::link::Step;
use crate::state::{self, epoch_text, sql_limit};

/// A row of the table `claim`, but for migration and item.
#[derive(Debug)]
struct Claim {
    side: String,
    epoch: String,
    holder: String,
    op_id: [u8; 16],
    token: i64,
    state: String,
    until_ms: i64,
}

/// The store's clock, in milliseconds since 1970: that of the machine, which all processes on the file have in common.
fn now(connection: &Connection) -> rusqlite::Result<i64> {
    let mut select = connection.prepare_cached("SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER)")?;
    select.query_row([], |row| row.get(0))
}

pub(crate) fn claim(
    transaction: &Transaction<'_>,
    id: &MigrationId,
    request: &ClaimRequest,
) -> Step<Grant, ClaimError> {
    let current = state::load(transaction, id)?;
    if !request.expect.matches(current.as_ref()) {
        return Ok(Err(ClaimError::other_record(current)));
    }
    let now = now(transaction)?;
    let present = find(transaction, id, &request.item)?;
    if let Some(decided) = present.as_ref().and_then(|present| present.answer(request.op_id, now)) {
        return Ok(decided);
    }
    let last = match present {
        Some(present) => present.token,
        None => last_purged(transaction, id)?,
    };
    let token = last.checked_add(1).ok_or_else(|| StoreError::Denied("the tokens of the item are used up".into()))?;
    let ttl = millis(request.ttl);
    grant(transaction, id, request, token, now.saturating_add(ttl))?;
    Ok(Ok(Grant { token: token.unsigned_abs(), remaining: between(0, ttl) }))
}

fn grant(
    transaction: &Transaction<'_>,
    id: &MigrationId,
    request: &ClaimRequest,
    token: i64,
    until_ms: i64,
) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO claim (migration, item, side, epoch, holder, op_id, token, state, until_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'held', ?8)
        ON CONFLICT (migration, item) DO UPDATE SET side = excluded.side, epoch = excluded.epoch,
            holder = excluded.holder, op_id = excluded.op_id, token = excluded.token, state = excluded.state,
            until_ms = excluded.until_ms, ended_ms = NULL";
    let epoch = match request.expect {
        Expect::Absent => 0,
        Expect::Exact { epoch, .. } => epoch,
    };
    transaction.prepare_cached(upsert)?.execute(params![
        id.as_str(),
        request.item.as_str(),
        request.side.name(),
        epoch_text(epoch),
        request.holder.as_str(),
        request.op_id.to_be_bytes(),
        token,
        until_ms,
    ])?;
    Ok(())
}

pub(crate) fn renew(
    transaction: &Transaction<'_>,
    id: &MigrationId,
    item: &ItemId,
    token: u64,
    ttl: Duration,
) -> Step<(), ClaimError> {
    let now = now(transaction)?;
    if let Err(lost) = held(find(transaction, id, item)?.as_ref(), token, now) {
        return Ok(Err(lost));
    }
    let update = "UPDATE claim SET until_ms = ?3 WHERE migration = ?1 AND item = ?2";
    let until = now.saturating_add(millis(ttl));
    transaction.prepare_cached(update)?.execute(params![id.as_str(), item.as_str(), until])?;
    Ok(Ok(()))
}

/// Completes or releases: `end` is the state that follows.
pub(crate) fn end(
    transaction: &Transaction<'_>,
    id: &MigrationId,
    item: &ItemId,
    token: u64,
    end: &'static str,
) -> Step<(), ClaimError> {
    let now = now(transaction)?;
    let present = find(transaction, id, item)?;
    if present.as_ref().is_some_and(|claim| claim.has(token) && claim.state == end) {
        return Ok(Ok(()));
    }
    if let Err(lost) = held(present.as_ref(), token, now) {
        return Ok(Err(lost));
    }
    let update = "UPDATE claim SET state = ?3, ended_ms = ?4 WHERE migration = ?1 AND item = ?2";
    transaction.prepare_cached(update)?.execute(params![id.as_str(), item.as_str(), end, now])?;
    Ok(Ok(()))
}

pub(crate) const COMPLETED: &str = "completed";
pub(crate) const RELEASED: &str = "released";
const HELD: &str = "held";

/// Whether `token` holds the item now.
fn held(present: Option<&Claim>, token: u64, now: i64) -> Result<(), ClaimError> {
    match present {
        Some(claim) if claim.state == COMPLETED => Err(ClaimError::Completed),
        Some(claim) if claim.has(token) && claim.is_held(now) => Ok(()),
        Some(_) | None => Err(ClaimError::Lost { token }),
    }
}

const COLUMNS: &str = "side, epoch, holder, op_id, token, state, until_ms, item";

fn find(connection: &Connection, id: &MigrationId, item: &ItemId) -> rusqlite::Result<Option<Claim>> {
    let select = format!("SELECT {COLUMNS} FROM claim WHERE migration = ?1 AND item = ?2");
    let mut select = connection.prepare_cached(&select)?;
    select.query_row([id.as_str(), item.as_str()], Claim::from_row).optional()
}

pub(crate) fn get(connection: &Connection, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, Failure> {
    let now = now(connection)?;
    let found = find(connection, id, item)?;
    Ok(found.map(|claim| claim.record(item.clone(), now)).transpose()?)
}

pub(crate) fn expired(connection: &Connection, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, Failure> {
    let now = now(connection)?;
    let select = format!(
        "SELECT {COLUMNS} FROM claim WHERE migration = ?1 AND state = 'held' AND until_ms <= ?2
         ORDER BY until_ms, item LIMIT ?3"
    );
    let mut select = connection.prepare_cached(&select)?;
    let mut rows = select.query(params![id.as_str(), now, sql_limit(limit)])?;
    let mut expired = Vec::new();
    while let Some(row) = rows.next()? {
        let item: String = row.get(7)?;
        let item = item.parse().map_err(StoreError::corrupt)?;
        expired.push(Claim::from_row(row)?.record(item, now)?);
    }
    Ok(expired)
}

/// Deletes up to `limit` claims that were completed at least `age` ago, and says how many.
pub(crate) fn purge(
    transaction: &Transaction<'_>,
    id: &MigrationId,
    age: Duration,
    limit: usize,
) -> Step<usize, StoreError> {
    let before = now(transaction)?.saturating_sub(millis(age));
    let delete = "DELETE FROM claim WHERE migration = ?1 AND item IN (SELECT item FROM claim
            WHERE migration = ?1 AND state = 'completed' AND ended_ms <= ?2 ORDER BY ended_ms LIMIT ?3)
        RETURNING token";
    let mut delete = transaction.prepare_cached(delete)?;
    let tokens = delete.query_map(params![id.as_str(), before, sql_limit(limit)], |row| row.get::<_, i64>(0))?;
    let tokens = tokens.collect::<rusqlite::Result<Vec<_>>>()?;
    if let Some(&largest) = tokens.iter().max() {
        let upsert = "INSERT INTO purged (migration, token) VALUES (?1, ?2)
            ON CONFLICT (migration) DO UPDATE SET token = max(token, excluded.token)";
        transaction.prepare_cached(upsert)?.execute(params![id.as_str(), largest])?;
    }
    Ok(Ok(tokens.len()))
}

fn last_purged(connection: &Connection, id: &MigrationId) -> rusqlite::Result<i64> {
    let mut select = connection.prepare_cached("SELECT token FROM purged WHERE migration = ?1")?;
    Ok(select.query_row([id.as_str()], |row| row.get(0)).optional()?.unwrap_or(0))
}

impl Claim {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            side: row.get(0)?,
            epoch: row.get(1)?,
            holder: row.get(2)?,
            op_id: row.get(3)?,
            token: row.get(4)?,
            state: row.get(5)?,
            until_ms: row.get(6)?,
        })
    }

    fn has(&self, token: u64) -> bool {
        self.token.unsigned_abs() == token
    }

    fn is_held(&self, now: i64) -> bool {
        self.state == HELD && now < self.until_ms
    }

    /// What this says to a claim of the item; `None` if it is free.
    fn answer(&self, op_id: u128, now: i64) -> Option<Result<Grant, ClaimError>> {
        if self.state == COMPLETED {
            return Some(Err(ClaimError::Completed));
        }
        let remaining = between(now, self.until_ms);
        let repeated = self.op_id == op_id.to_be_bytes();
        let grant = Grant { token: self.token.unsigned_abs(), remaining };
        self.is_held(now).then_some(if repeated { Ok(grant) } else { Err(ClaimError::Held { remaining }) })
    }

    fn record(self, item: ItemId, now: i64) -> Result<ClaimRecord, StoreError> {
        let state = match self.state.as_str() {
            HELD if now < self.until_ms => ClaimState::Held { remaining: between(now, self.until_ms) },
            HELD => ClaimState::Expired { ago: between(self.until_ms, now) },
            RELEASED => ClaimState::Released,
            COMPLETED => ClaimState::Completed,
            _ => return Err(StoreError::corrupt("a claim has a state that does not exist")),
        };
        let side = [Side::Legacy, Side::New].into_iter().find(|side| side.name() == self.side);
        Ok(ClaimRecord {
            item,
            side: side.ok_or_else(|| StoreError::corrupt("a claim has a side that does not exist"))?,
            epoch: self.epoch.parse().map_err(StoreError::corrupt)?,
            holder: self.holder.parse::<Actor>().map_err(StoreError::corrupt)?,
            token: self.token.unsigned_abs(),
            state,
        })
    }
}

/// Whole milliseconds, rounded up: a lease never ends before its holder thinks so.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

fn between(earlier_ms: i64, later_ms: i64) -> Duration {
    Duration::from_millis(later_ms.saturating_sub(earlier_ms).max(0).unsigned_abs())
}
