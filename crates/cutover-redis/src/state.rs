//! Records, audits and wake-ups.

use std::collections::HashMap;

use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, StateStore, StoreError, WakeUps, async_trait};
use futures_util::StreamExt;

use crate::connection::Durability;
use crate::fault::{self, Fault};
use crate::script::{COMPARE_AND_SWAP, Call};
use crate::store::RedisStore;

/// What a script says: a word, and two texts that may be missing.
type Answer = (String, Option<Vec<u8>>, Option<Vec<u8>>);

#[async_trait]
impl StateStore for RedisStore {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        let mut command = redis::cmd("HGETALL");
        command.arg(self.keys(id).record());
        let fields: HashMap<String, Vec<u8>> = self.connection.read(command).await?;
        if fields.is_empty() {
            return Ok(None);
        }
        let field = |name| fields.get(name).map(Vec::as_slice).ok_or_else(|| StoreError::corrupt(Fault::Field(name)));
        let record = Record::from_json(field("json")?)?;
        let is_that =
            field("epoch")? == epoch_text(record.epoch).as_bytes() && field("etag")? == hex(record.etag).as_bytes();
        if is_that { Ok(Some(record)) } else { Err(StoreError::corrupt(Fault::RecordsDiffer)) }
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let call = self.swap(id, expect, change)?;
        let (answer, durability) = self.connection.write_by::<Answer>(&call, self.replicas).await?;
        settled(answer, durability, change)
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("XRANGE");
        command.arg(self.keys(id).audit()).arg(format!("({after_epoch}-0")).arg("+").arg("COUNT").arg(count(limit));
        let entries: Vec<(String, (String, Vec<u8>))> = self.connection.read(command).await?;
        entries.iter().map(|(_, (_, json))| AuditEntry::from_json(json)).collect()
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        let Some(client) = &self.watcher else { return Ok(None) };
        let connect = async {
            let mut subscriber = client.get_async_pubsub().await?;
            subscriber.subscribe(self.keys(id).changes()).await?;
            Ok(subscriber.into_on_message())
        };
        let messages = connect.await.map_err(|error| fault::of_read(&error))?;
        Ok(Some(messages.ready_chunks(COALESCED).map(drop).boxed()))
    }
}

/// How many messages at most make one wake-up.
const COALESCED: usize = 64;

impl RedisStore {
    fn swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Call, StoreError> {
        let (record, entry) = (change.record(), change.entry().to_json()?);
        let (keys, operation) = (self.keys(id), hex(change.op_id()));
        let (audit, operations) = (keys.audit_aside(&operation), keys.operations_aside(&operation));
        let (epoch, etag) = expected(expect);
        let call = COMPARE_AND_SWAP.call(&[keys.record(), keys.audit(), keys.operations(), audit, operations]);
        let call = call.arg(epoch).arg(etag).arg(operation).arg(epoch_text(record.epoch)).arg(hex(record.etag));
        Ok(call.arg(record.to_json()?).arg(entry).arg(keys.changes()))
    }
}

fn settled((word, entry, current): Answer, durability: Durability, change: &Change) -> Result<Record, StoreError> {
    match word.as_str() {
        "stored" => durability.check().map(|()| change.record().clone()),
        "repeated" => {
            let first = first_commit(entry.as_deref(), current.as_deref(), change.op_id())?;
            durability.check().map(|()| first)
        }
        "conflict" => Err(StoreError::conflict(read_record(current.as_deref())?)),
        _ => Err(StoreError::outcome_unknown(Fault::NotUnderstood)),
    }
}

/// The record of an operation that was stored before: what its audit entry says, or the present record if the entry is gone.
fn first_commit(entry: Option<&[u8]>, current: Option<&[u8]>, op_id: u128) -> Result<Record, StoreError> {
    if let Some(entry) = entry {
        return AuditEntry::from_json(entry).map(|entry| entry.record());
    }
    let current = read_record(current)?.filter(|record| record.op_id == op_id);
    current.ok_or_else(|| StoreError::corrupt(Fault::EntryGone))
}

pub(crate) fn read_record(json: Option<&[u8]>) -> Result<Option<Record>, StoreError> {
    json.map(Record::from_json).transpose()
}

/// What a script compares with: an empty epoch expects no record.
pub(crate) fn expected(expect: Expect) -> (String, String) {
    match expect {
        Expect::Absent => Default::default(),
        Expect::Exact { epoch, etag } => (epoch_text(epoch), hex(etag)),
    }
}

pub(crate) fn epoch_text(epoch: u64) -> String {
    epoch.to_string()
}

pub(crate) fn hex(bits: u128) -> String {
    format!("{bits:032x}")
}

/// As many as Redis can be asked for.
pub(crate) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
