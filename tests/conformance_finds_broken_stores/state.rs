//! Records and audits, with their flaws.

use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, Settings, WakeUps, async_trait};
use cutover::{StateStore, StoreError, SystemMode};
use futures::StreamExt;
use futures::channel::mpsc::unbounded;
use serde_json::Value;

use crate::flaw::Flaw;
use crate::store::{Flawed, Migration, Row, lock};

/// The record of the operation's first commit, or none if the change is to be stored.
type Decision = Result<Option<Record>, StoreError>;

pub(crate) fn row_of(entry: &str) -> Row {
    let record = AuditEntry::from_json(entry.as_bytes()).expect("an entry that was stored").record();
    Row { json: record.to_json().expect("a record"), epoch: record.epoch, etag: record.etag }
}

impl Flawed {
    pub(crate) fn read(&self, migration: &Migration) -> Result<Option<Record>, StoreError> {
        let Some(row) = &migration.record else { return Ok(None) };
        match Record::from_json(row.json.as_bytes()) {
            Err(_) if self.is(Flaw::TakesTheUnreadableForAbsent) => Ok(None),
            Err(StoreError::UnknownFormat(_)) if self.is(Flaw::TakesUnknownModesForLegacy) => {
                let mut json: Value = serde_json::from_str(&row.json).expect("JSON");
                json["mode"] = "legacy_only".into();
                json["format"] = 1.into();
                Record::from_json(json.to_string().as_bytes()).map(Some)
            }
            read => read.map(Some),
        }
    }

    fn first_of(&self, migration: &Migration, change: &Change) -> Option<Record> {
        let entries = migration.audit.iter().filter_map(|json| AuditEntry::from_json(json.as_bytes()).ok());
        match self.flaw {
            Flaw::ForgetsOperations => None,
            Flaw::RemembersOneOperation => {
                entries.into_iter().next_back().filter(|entry| entry.op_id == change.op_id())
            }
            _ => {
                let mut entries = entries;
                entries.find(|entry| entry.op_id == change.op_id())
            }
        }
        .map(|entry| entry.record())
    }

    fn matches(&self, expect: Expect, current: Option<&Record>) -> bool {
        match (expect, current) {
            (Expect::Absent, _) if self.is(Flaw::CreatesOverAnything) => true,
            (Expect::Exact { epoch, .. }, Some(current)) if self.is(Flaw::IgnoresTheEtag) => epoch == current.epoch,
            (Expect::Exact { etag, .. }, Some(current)) if self.is(Flaw::IgnoresTheEpoch) => etag == current.etag,
            (Expect::Exact { epoch, etag }, Some(current)) if self.is(Flaw::ComparesEpochsAsDoubles) => {
                #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "this is the flaw")]
                let same = epoch as f64 == current.epoch as f64;
                same && etag == current.etag
            }
            _ => expect.matches(current),
        }
    }

    fn decide(&self, migration: &Migration, expect: Expect, change: &Change) -> Decision {
        let unreadable = migration.record.as_ref().map(|row| Record::from_json(row.json.as_bytes()));
        if self.is(Flaw::OverwritesTheUnreadable) && unreadable.is_some_and(|read| read.is_err()) {
            return Ok(None);
        }
        let current = self.read(migration)?;
        let matches = self.matches(expect, current.as_ref());
        if self.is(Flaw::ComparesBeforeTheOperation) && !matches {
            return Err(StoreError::conflict(current));
        }
        let known = self.first_of(migration, change).filter(|_| !self.is(Flaw::LooksUpOperationsTooEarly));
        if known.is_some() || matches { Ok(known) } else { Err(self.conflict(current)) }
    }

    fn conflict(&self, current: Option<Record>) -> StoreError {
        if self.is(Flaw::ConflictsWithoutTheRecord) {
            StoreError::conflict(None)
        } else {
            StoreError::conflict(current)
        }
    }

    /// What some flaws decide before the step that stores.
    fn decide_early(&self, id: &MigrationId, expect: Expect, change: &Change) -> Option<Decision> {
        match self.flaw {
            Flaw::ComparesAndThenWrites => Some(self.with(id, |migration| self.decide(migration, expect, change))),
            Flaw::LooksUpOperationsTooEarly => {
                self.with(id, |migration| self.first_of(migration, change)).map(|first| Ok(Some(first)))
            }
            Flaw::ComparesWithWhatItReadLast => {
                let first = self.with(id, |migration| self.first_of(migration, change));
                let read = lock(&self.handle.last_read).get(id).cloned()?;
                let matches = first.is_some() || expect.matches(read.as_ref());
                Some(if matches { Ok(first) } else { Err(StoreError::conflict(read)) })
            }
            _ => None,
        }
    }

    async fn swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        let early = self.decide_early(id, expect, change);
        if let Some(pause) = &self.pause {
            pause().await;
        }
        self.travel().await;
        if self.is(Flaw::WakesBeforeTheWrite) {
            self.with(id, wake);
            self.travel().await;
            self.travel().await;
        }
        let stored = self.with(id, |migration| {
            let decided = early.unwrap_or_else(|| self.decide(migration, expect, change));
            self.store(migration, decided, change)
        })?;
        if self.is(Flaw::WritesTheEntryLater) {
            self.travel().await;
            self.with(id, |migration| self.append(migration, change))?;
        }
        if !self.is(Flaw::WakesBeforeTheWrite) {
            self.with(id, wake);
        }
        Ok(stored)
    }

    fn store(&self, migration: &mut Migration, decided: Decision, change: &Change) -> Result<Record, StoreError> {
        match decided {
            Ok(Some(first)) => return Ok(first),
            Ok(None) => {}
            Err(refusal) => {
                if self.is(Flaw::AuditsRefusedWrites) {
                    self.append(migration, change)?;
                }
                return Err(refusal);
            }
        }
        let fits = change.entry().to_json().map(|json| json.len());
        if !self.is(Flaw::WritesTheRecordFirst) && !self.is(Flaw::HasNoLimit) {
            let size = fits?;
            if self.is(Flaw::HasALowLimit) && size > 60_000 {
                return Err(StoreError::TooLarge { size, max: 60_000 });
            }
        }
        let Record { epoch, etag, .. } = *change.record();
        migration.record = Some(Row { json: change.record().to_json()?, epoch, etag });
        if !self.is(Flaw::WritesTheEntryLater) {
            self.append(migration, change)?;
        }
        Ok(change.record().clone())
    }

    fn append(&self, migration: &mut Migration, change: &Change) -> Result<(), StoreError> {
        let mut json = match change.entry().to_json() {
            Err(StoreError::TooLarge { .. }) if self.is(Flaw::HasNoLimit) => {
                change.clone().with_evidence("".into()).entry().to_json()?
            }
            json => json?,
        };
        if self.is(Flaw::KeepsNumbersAsDoubles) {
            json = serde_json::to_string(&doubles(serde_json::from_str(&json).expect("JSON"))).expect("JSON");
        }
        if self.is(Flaw::TrimsTexts) {
            let mut entry: AuditEntry = serde_json::from_str(&json).expect("an entry");
            entry.reason = entry.reason.as_str().trim().parse().expect("a reason");
            json = entry.to_json()?;
        }
        if self.is(Flaw::RewritesOldEntries) {
            if let Some(old) = migration.audit.first_mut() {
                *old = old.replace("a check", "redacted");
            }
        }
        let skipped = self.is(Flaw::SkipsAnEntry) && migration.audit.len() == 20;
        if !skipped {
            migration.audit.push(json);
        }
        Ok(())
    }
}

fn doubles(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_u64().is_some_and(|number| number > 1 << 53 && number < u64::MAX) => {
            number.as_f64().into()
        }
        Value::Array(items) => items.into_iter().map(doubles).collect(),
        Value::Object(members) => members.into_iter().map(|(name, member)| (name, doubles(member))).collect(),
        other => other,
    }
}

fn wake(migration: &mut Migration) {
    migration.watchers.retain(|watcher| watcher.unbounded_send(()).is_ok());
}

#[async_trait]
impl StateStore for Flawed {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.call(async || {
            let remembered = lock(&self.handle.last_read).get(id).cloned();
            if let (Some(Some(remembered)), Flaw::RemembersWhatItRead) = (remembered, self.flaw) {
                return Ok(Some(remembered));
            }
            let read = self.with(id, |migration| self.read(migration))?;
            lock(&self.handle.last_read).insert(id.clone(), read.clone());
            if read.is_none() && self.is(Flaw::HasADefaultForAbsent) {
                let settings = Settings { mode: SystemMode::LegacyOnly, ..Settings::default() };
                let author = cutover::store::Author::new("nobody", "default").expect("texts");
                let stamp = cutover::store::Stamp { at: std::time::UNIX_EPOCH, etag: 0, op_id: 0 };
                let kind = cutover::store::ChangeKind::Transition;
                return Ok(Some(Change::new(None, settings, kind, author, stamp).record().clone()));
            }
            Ok(read)
        })
        .await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.call(async || self.swap(id, expect, change).await).await
    }

    async fn history(&self, id: &MigrationId, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let limit = if self.is(Flaw::IgnoresTheLimitOfPages) { usize::MAX } else { limit };
        let after = |entry: &AuditEntry| match self.flaw {
            Flaw::PagesFromTheEpochItself => entry.epoch >= after_epoch,
            _ => entry.epoch > after_epoch,
        };
        self.call(async || {
            let audit = self.with(id, |migration| migration.audit.clone());
            let entries = audit.iter().map(|json| AuditEntry::from_json(json.as_bytes()));
            let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
            if self.is(Flaw::PagesNewestFirst) {
                entries.reverse();
            }
            Ok(entries.into_iter().filter(after).take(limit).collect())
        })
        .await
    }

    async fn watch(&self, id: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        self.call(async || {
            let (sender, receiver) = unbounded();
            if !self.is(Flaw::WakesNobody) {
                self.with(id, |migration| migration.watchers.push(sender.clone()));
            }
            if self.is(Flaw::EndsWakeUps) {
                return Ok(Some(receiver.take(2).boxed()));
            }
            // The sender is kept, so that the stream does not end.
            Ok(Some(receiver.map(move |()| drop(sender.clone())).boxed()))
        })
        .await
    }
}
