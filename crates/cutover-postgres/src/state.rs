//! Records and their audit.

use cutover::StoreError;
use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, StateStore, WakeUps, async_trait};
use tokio_postgres::Row;

use crate::error::Asked;
use crate::store::{Failed, column, int8, number, text};
use crate::{PostgresError, PostgresStore};

#[async_trait]
impl StateStore for PostgresStore {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        let rows = self.read(&self.sql.load, &[text(&id.as_str())]).await?;
        rows.first().map_or(Ok(None), |row| record(row, 0))
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        // Before anything is sent: what is too large changes nothing.
        let texts = (change.record().to_json()?, change.entry().to_json()?);
        if expect == Expect::Absent {
            self.stand_in(id).await?;
        }
        match self.swap(id, expect, change, texts).await {
            Ok(Swapped::Stored) => Ok(change.record().clone()),
            Ok(Swapped::Refused(why)) => self.explain(id, expect, change, why).await,
            Err(error) => Err(error),
        }
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let (after, limit) = (after_epoch.to_string(), i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.read(&self.sql.history, &[text(&id.as_str()), text(&after), int8(&limit)]).await?;
        rows.iter().map(|row| AuditEntry::from_json(column::<&str>(row, 0)?.as_bytes())).collect()
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        let Some(listener) = &self.listener else { return Ok(None) };
        let watching = listener.watch(id).await;
        watching.map(Some).map_err(|error| error.into_store_error(Asked::Nothing))
    }
}

/// What became of a change.
enum Swapped {
    Stored,
    Refused(Why),
}

/// Why nothing was stored.
enum Why {
    /// The record is another one, or the operation is known.
    OtherRecord,
    /// The audit has such an entry already.
    Duplicate(PostgresError),
}

impl PostgresStore {
    async fn swap(
        &self,
        id: &MigrationId,
        expect: Expect,
        change: &Change,
        (record, entry): (String, String),
    ) -> Result<Swapped, StoreError> {
        let (epoch, etag) = (change.record().epoch.to_string(), hex(change.record().etag));
        let (op_id, channel) = (hex(change.op_id()), self.channel());
        let id = id.as_str();
        let (expected_epoch, expected_etag) = expected(expect);
        let next = [text(&epoch), text(&etag), text(&record), text(&op_id), text(&entry), text(&channel)];
        let present = [text(&expected_epoch), text(&expected_etag)];
        let values: Vec<_> = [text(&id)].into_iter().chain(next).chain(present).collect();
        match self.send(&self.sql.replace, &values).await {
            Ok(rows) if rows.is_empty() => Ok(Swapped::Refused(Why::OtherRecord)),
            Ok(_) => Ok(Swapped::Stored),
            Err(Failed { error, .. }) if error.is_duplicate() => Ok(Swapped::Refused(Why::Duplicate(error))),
            Err(failed) => Err(failed.into_store_error(Asked::Write)),
        }
    }

    /// Makes what stands for "no record yet", if there is nothing.
    pub(crate) async fn stand_in(&self, id: &MigrationId) -> Result<(), StoreError> {
        // A read in its errors: whatever becomes of this, there is no record and no claim of it.
        self.read(&self.sql.stand_in, &[text(&id.as_str()), int8(&GATES)]).await.map(drop)
    }

    /// Says why nothing was stored. A known operation is answered as its first commit was.
    async fn explain(&self, id: &MigrationId, expect: Expect, change: &Change, why: Why) -> Result<Record, StoreError> {
        let op_id = hex(change.op_id());
        let rows = self.read(&self.sql.operation, &[text(&id.as_str()), text(&op_id)]).await?;
        let row = rows.first().ok_or_else(|| StoreError::corrupt(PostgresError::Unexpected("there is no row")))?;
        if let Some(entry) = column::<Option<&str>>(row, 0)? {
            return Ok(AuditEntry::from_json(entry.as_bytes())?.record());
        }
        let current = record(row, 1)?;
        match why {
            _ if !expect.matches(current.as_ref()) => Err(StoreError::conflict(current)),
            Why::Duplicate(error) => Err(StoreError::corrupt(error)),
            Why::OtherRecord => Err(StoreError::unavailable("the record was another one for a moment")),
        }
    }
}

/// How many rows of a migration claims have to lock, one each.
pub(crate) const GATES: i64 = 4;

/// The record whose epoch, etag and text are in a row from column `at`; `None` where they are null.
pub(crate) fn record(row: &Row, at: usize) -> Result<Option<Record>, StoreError> {
    let Some(json) = column::<Option<&str>>(row, at.saturating_add(2))? else { return Ok(None) };
    let record = Record::from_json(json.as_bytes())?;
    let epoch = number(column(row, at)?)?;
    if record.epoch != epoch || hex(record.etag) != column::<&str>(row, at.saturating_add(1))? {
        return Err(StoreError::corrupt(PostgresError::Unexpected("a row has another epoch or etag than its record")));
    }
    Ok(Some(record))
}

/// The epoch and the etag of an expected row. Without a record it is the row that stands in for one.
pub(crate) fn expected(expect: Expect) -> (String, String) {
    match expect {
        Expect::Absent => ("0".to_owned(), String::new()),
        Expect::Exact { epoch, etag } => (epoch.to_string(), hex(etag)),
    }
}

pub(crate) fn hex(bits: u128) -> String {
    format!("{bits:032x}")
}
