//! The laws of `DiscrepancyStore` as steps in a transaction.

use cutover::store::{Added, MAX_DISTINCT, MigrationId};
use cutover::{Discrepancy, StoreError, record::Fingerprint};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::failure::Failure;
use crate::link::Step;
use crate::state::sql_limit;

pub(crate) fn add(transaction: &Transaction<'_>, id: &MigrationId, batch: &[Discrepancy]) -> Step<Added, StoreError> {
    let mut room = MAX_DISTINCT.saturating_sub(count(transaction, id)?);
    let mut added = Added::default();
    for discrepancy in batch {
        let fingerprint = discrepancy.fingerprint.to_string();
        let kept = find(transaction, id, &fingerprint)?;
        match kept {
            Some(mut kept) => {
                kept.merge(discrepancy);
                put(transaction, id, &fingerprint, &kept)?;
                added.merged += 1;
            }
            None if room == 0 => added.dropped += 1,
            None => {
                put(transaction, id, &fingerprint, discrepancy)?;
                room -= 1;
                added.added += 1;
            }
        }
    }
    Ok(Ok(added))
}

fn count(connection: &Connection, id: &MigrationId) -> Result<usize, Failure> {
    let mut select = connection.prepare_cached("SELECT count(*) FROM discrepancy WHERE migration = ?1")?;
    let count: i64 = select.query_row([id.as_str()], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

fn find(connection: &Connection, id: &MigrationId, fingerprint: &str) -> Result<Option<Discrepancy>, Failure> {
    let select = "SELECT discrepancy FROM discrepancy WHERE migration = ?1 AND fingerprint = ?2";
    let mut select = connection.prepare_cached(select)?;
    let json: Option<String> = select.query_row([id.as_str(), fingerprint], |row| row.get(0)).optional()?;
    Ok(json.map(|json| parsed(&json)).transpose()?)
}

fn put(transaction: &Transaction<'_>, id: &MigrationId, fingerprint: &str, kept: &Discrepancy) -> Result<(), Failure> {
    let json = serde_json::to_string(kept).map_err(StoreError::corrupt)?;
    let upsert = "INSERT INTO discrepancy (migration, fingerprint, discrepancy) VALUES (?1, ?2, ?3)
        ON CONFLICT (migration, fingerprint) DO UPDATE SET discrepancy = excluded.discrepancy";
    transaction.prepare_cached(upsert)?.execute([id.as_str(), fingerprint, &json])?;
    Ok(())
}

pub(crate) fn page(
    connection: &Connection,
    id: &MigrationId,
    after: Option<Fingerprint>,
    limit: usize,
) -> Result<Vec<Discrepancy>, Failure> {
    // The digits of a fingerprint sort like its number; no fingerprint comes before the empty text.
    let after = after.map(String::from).unwrap_or_default();
    let select = "SELECT discrepancy FROM discrepancy WHERE migration = ?1 AND fingerprint > ?2
        ORDER BY fingerprint LIMIT ?3";
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(params![id.as_str(), after, sql_limit(limit)])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(parsed(&row.get::<_, String>(0)?)?);
    }
    Ok(page)
}

pub(crate) fn clear(transaction: &Transaction<'_>, id: &MigrationId) -> Step<(), StoreError> {
    transaction.prepare_cached("DELETE FROM discrepancy WHERE migration = ?1")?.execute([id.as_str()])?;
    Ok(Ok(()))
}

fn parsed(json: &str) -> Result<Discrepancy, StoreError> {
    serde_json::from_str(json).map_err(StoreError::corrupt)
}
