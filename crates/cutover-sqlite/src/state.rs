//! Records and their audit: the laws of `StateStore` as steps in a transaction.

use cutover::StoreError;
use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::failure::Failure;
use crate::link::Step;

pub(crate) fn load(connection: &Connection, id: &MigrationId) -> Result<Option<Record>, Failure> {
    let json = text_of_record(connection, id)?;
    Ok(json.map(|json| Record::from_json(json.as_bytes())).transpose()?)
}

/// The record as it is stored, for telling one from another.
pub(crate) fn text_of_record(connection: &Connection, id: &MigrationId) -> rusqlite::Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT record FROM record WHERE migration = ?1")?;
    select.query_row([id.as_str()], |row| row.get(0)).optional()
}

pub(crate) fn compare_and_swap(
    transaction: &Transaction<'_>,
    id: &MigrationId,
    expect: Expect,
    change: &Change,
) -> Step<Record, StoreError> {
    if let Some(first) = entry_of(transaction, id, change.op_id())? {
        return Ok(Ok(first.record()));
    }
    let current = load(transaction, id)?;
    if !expect.matches(current.as_ref()) {
        return Ok(Err(StoreError::conflict(current)));
    }
    append(transaction, id, change.entry())?;
    replace(transaction, id, change.record())?;
    Ok(Ok(change.record().clone()))
}

fn entry_of(connection: &Connection, id: &MigrationId, op_id: u128) -> Result<Option<AuditEntry>, Failure> {
    let mut select = connection.prepare_cached("SELECT entry FROM audit WHERE migration = ?1 AND op_id = ?2")?;
    let json: Option<String> =
        select.query_row(params![id.as_str(), op_id.to_be_bytes()], |row| row.get(0)).optional()?;
    Ok(json.map(|json| AuditEntry::from_json(json.as_bytes())).transpose()?)
}

fn append(transaction: &Transaction<'_>, id: &MigrationId, entry: &AuditEntry) -> Result<(), Failure> {
    let json = entry.to_json()?;
    let insert = "INSERT INTO audit (migration, epoch, op_id, entry) VALUES (?1, ?2, ?3, ?4)";
    let row = params![id.as_str(), epoch_text(entry.epoch), entry.op_id.to_be_bytes(), json];
    transaction.prepare_cached(insert)?.execute(row)?;
    Ok(())
}

fn replace(transaction: &Transaction<'_>, id: &MigrationId, record: &Record) -> Result<(), Failure> {
    let upsert = "INSERT INTO record (migration, epoch, record) VALUES (?1, ?2, ?3)
        ON CONFLICT (migration) DO UPDATE SET epoch = excluded.epoch, record = excluded.record";
    let row = params![id.as_str(), epoch_text(record.epoch), record.to_json()?];
    transaction.prepare_cached(upsert)?.execute(row)?;
    Ok(())
}

pub(crate) fn history(
    connection: &Connection,
    id: &MigrationId,
    after_epoch: u64,
    limit: usize,
) -> Result<Vec<AuditEntry>, Failure> {
    let select = "SELECT entry FROM audit WHERE migration = ?1 AND epoch > ?2 ORDER BY epoch LIMIT ?3";
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(params![id.as_str(), epoch_text(after_epoch), sql_limit(limit)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(0)?;
        entries.push(AuditEntry::from_json(json.as_bytes())?);
    }
    Ok(entries)
}

/// All 64 bits, in an order that the database knows: its own integers end at 2^63.
pub(crate) fn epoch_text(epoch: u64) -> String {
    format!("{epoch:020}")
}

pub(crate) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
