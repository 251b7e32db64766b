//! Claims: each change of one is a single statement, and a look at the row says why one changed nothing.

use std::time::Duration;

use cutover::store::{
    ClaimError, ClaimRecord, ClaimRequest, ClaimState, ClaimStore, Grant, ItemId, MigrationId, async_trait,
};
use cutover::{Side, StoreError};
use tokio_postgres::{Row, Transaction};

use crate::decide::{Found, Next, Stored, ended_before, lost, millis, state};
use crate::error::Asked;
use crate::state::{GATES, expected, hex, record};
use crate::store::{column, int8, number, text};
use crate::{PostgresError, PostgresStore};

#[async_trait]
impl ClaimStore for PostgresStore {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        for _ in 0..TRIES {
            if let Some(grant) = self.grant(id, request).await? {
                return Ok(grant);
            }
            match self.look(id, &request.item).await?.next(request)? {
                Next::Granted(grant) => return Ok(grant),
                Next::StandIn => self.stand_in(id).await?,
                Next::Again => {}
            }
        }
        Err(StoreError::unavailable(
            "the item is free, but others were faster again and again, or the gates are not the record's",
        )
        .into())
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        let (number, ttl) = (token.to_string(), millis(ttl));
        let keys = (id.as_str(), item.as_str());
        let values = [text(&keys.0), text(&keys.1), text(&number), int8(&ttl)];
        let changed = self.write(&self.sql.renew, &values).await?;
        if !changed.is_empty() {
            return Ok(());
        }
        let found = self.look(id, item).await?;
        Err(lost(found.claim.as_ref().map(|claim| &claim.record), token))
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.end(id, item, token, COMPLETED).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.end(id, item, token, RELEASED).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        Ok(self.look(id, item).await?.claim.map(|claim| claim.record))
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.read(&self.sql.expired, &[text(&id.as_str()), int8(&limit)]).await?;
        let item = |row: &Row| column::<String>(row, 0)?.try_into().map_err(StoreError::corrupt);
        rows.iter().map(|row| Ok(claim(row, 1, item(row)?)?.record)).collect()
    }
}

impl PostgresStore {
    /// Completes an item in a transaction of the host, so that what the host does in it and the completion commit together
    /// or not at all: the one way to an effect that happens exactly once.
    ///
    /// The item stays locked until the transaction ends, so keep it short. Roll back on every error:
    ///
    /// - [`ClaimError::Completed`]: it was completed before, perhaps by a commit of yours whose answer was lost. Unlike
    ///   [`complete`](ClaimStore::complete), this refuses the holder's own repetition too, since the effect would be repeated
    ///   with it.
    /// - [`ClaimError::Lost`]: the lease ran out, was released, or another one has claimed since.
    /// - [`ClaimError::Store`]: the server failed.
    ///
    /// ```no_run
    /// # use cutover::store::{Grant, ItemId, MigrationId};
    /// # use cutover_postgres::PostgresStore;
    /// # use tokio_postgres::Client;
    /// # async fn book(
    /// #     store: &PostgresStore, client: &mut Client, id: &MigrationId, item: &ItemId, grant: Grant,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let transaction = client.transaction().await?;
    /// transaction.execute("UPDATE accounts SET balance = balance - 10 WHERE id = 17", &[]).await?;
    /// store.complete_in(&transaction, id, item, grant.token).await?; // dropping the transaction rolls back
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As above.
    pub async fn complete_in(
        &self,
        transaction: &Transaction<'_>,
        id: &MigrationId,
        item: &ItemId,
        token: u64,
    ) -> Result<(), ClaimError> {
        // Nothing is stored before the host commits, so no answer here leaves anything open.
        let failed = |error| PostgresError::from(error).into_store_error(Asked::Read);
        let number = token.to_string();
        let keys = (id.as_str(), item.as_str());
        let values = [text(&keys.0), text(&keys.1), text(&number), text(&COMPLETED.0)];
        if !transaction.query_typed(&self.sql.end, &values).await.map_err(failed)?.is_empty() {
            return Ok(());
        }
        let looked = transaction.query_typed(&self.sql.look, &[text(&keys.0), text(&keys.1)]).await.map_err(failed)?;
        let found = found(&looked, item)?;
        Err(lost(found.claim.as_ref().map(|claim| &claim.record), token))
    }

    /// Grants a free item if the record is the expected one.
    async fn grant(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Option<Grant>, StoreError> {
        let ClaimRequest { item, side, expect, holder, op_id, ttl } = request;
        let (epoch, etag) = expected(*expect);
        // Any gate will do, and the operation is random.
        let gate = i64::try_from(op_id % u128::from(GATES.unsigned_abs())).unwrap_or_default();
        let (op_id, millis) = (hex(*op_id), millis(*ttl));
        let (id, item, side, holder) = (id.as_str(), item.as_str(), side.name(), holder.as_str());
        let who = [text(&id), text(&item), text(&epoch), text(&etag), text(&side), text(&holder)];
        let values: Vec<_> = who.into_iter().chain([text(&op_id), int8(&millis), int8(&gate)]).collect();
        let rows = self.write(&self.sql.claim, &values).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let remaining = Duration::from_millis(millis.unsigned_abs());
        Ok(Some(Grant { token: number(column(row, 0)?)?, remaining }))
    }

    async fn look(&self, id: &MigrationId, item: &ItemId) -> Result<Found, StoreError> {
        let rows = self.read(&self.sql.look, &[text(&id.as_str()), text(&item.as_str())]).await?;
        found(&rows, item)
    }

    async fn end(&self, id: &MigrationId, item: &ItemId, token: u64, end: End) -> Result<(), ClaimError> {
        let number = token.to_string();
        let keys = (id.as_str(), item.as_str());
        let values = [text(&keys.0), text(&keys.1), text(&number), text(&end.0)];
        let changed = self.write(&self.sql.end, &values).await?;
        if !changed.is_empty() {
            return Ok(());
        }
        let found = self.look(id, item).await?;
        ended_before(found.claim.as_ref(), token, end.1)
    }
}

/// The name of a final state, and the state.
type End = (&'static str, ClaimState);

const COMPLETED: End = ("completed", ClaimState::Completed);
const RELEASED: End = ("released", ClaimState::Released);

/// How often a claim is tried while others claim and release the same item.
const TRIES: usize = 16;

fn found(rows: &[Row], item: &ItemId) -> Result<Found, StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::corrupt(PostgresError::Unexpected("there is no row")))?;
    let has_row = column::<Option<&str>>(row, 0)?.is_some();
    let claimed = column::<Option<&str>>(row, 3)?.is_some();
    let claim = claimed.then(|| claim(row, 3, item.clone())).transpose()?;
    Ok(Found { current: record(row, 0)?, has_row, claim })
}

/// The claim whose columns begin with its side at `at`.
fn claim(row: &Row, at: usize, item: ItemId) -> Result<Stored, StoreError> {
    let text = |index: usize| column::<&str>(row, at.saturating_add(index));
    let unfit = || StoreError::corrupt(PostgresError::Unexpected("a claim has a value that nobody wrote"));
    let sides = [Side::Legacy, Side::New];
    let side = text(0)?;
    let record = ClaimRecord {
        item,
        side: sides.into_iter().find(|known| known.name() == side).ok_or_else(unfit)?,
        epoch: number(text(1)?)?,
        holder: text(2)?.parse().map_err(|_| unfit())?,
        token: number(text(4)?)?,
        state: state(text(5)?, column(row, at.saturating_add(6))?).ok_or_else(unfit)?,
    };
    Ok(Stored { record, op_id: u128::from_str_radix(text(3)?, 16).map_err(StoreError::corrupt)? })
}
