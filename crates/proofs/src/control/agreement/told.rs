//! A store that holds what it is told, and the histories that it is told.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cutover::store::{
    AuditEntry, Author, Change as Write, ChangeKind, Expect, MigrationId, Record as Stored, Settings, Stamp, WakeUps,
    async_trait,
};
use cutover::{MigrationController, Runtime, StateStore, StoreError, SystemMode};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::BoxFuture;

use crate::control::record::{Change, Etag, Id, Kind, Record, Store, id_of};

/// All records of one migration, oldest first.
pub(super) type History = Vec<Record>;

pub(super) fn record(epoch: u8, op: u8, mode: SystemMode, settles: u8) -> Record {
    Record { id: Id { epoch, etag: Etag { op, attempt: 0 } }, mode, settles }
}

/// The modelled store that holds `history`.
pub(super) fn modelled(history: &[Record]) -> Store {
    let before = std::iter::once(None).chain(history.iter().copied().map(Some));
    let entry = |(before, record): (_, &Record)| Change {
        expect: id_of(before),
        record: *record,
        kind: Kind::Transition,
        knew: 0,
    };
    Store { record: history.last().copied(), audit: before.zip(history).map(entry).collect() }
}

fn write(before: Option<&Stored>, record: Record) -> Write {
    let settings = Settings { mode: record.mode, ..Settings::default() };
    let (op, attempt) = (u128::from(record.id.etag.op), u128::from(record.id.etag.attempt));
    let stamp = Stamp { at: std::time::UNIX_EPOCH, etag: op << 8 | attempt, op_id: op };
    let author = Author::new("model", "agreement").unwrap();
    Write::new(before, settings, ChangeKind::Transition, author, stamp).settling(u64::from(record.settles))
}

/// What happens to the store between the next write and the answer to it.
pub(super) enum Then {
    Hold(History),
    /// Somebody leaves the emergency that was written.
    Leave,
}

#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    audit: Vec<Write>,
    hidden: bool,
    held_load: Option<oneshot::Receiver<()>>,
    held_swap: Option<oneshot::Receiver<()>>,
    then: Option<Then>,
}

impl Content {
    fn tell(&mut self, history: &[Record]) {
        self.audit.clear();
        for &record in history {
            self.append(record);
        }
    }

    fn append(&mut self, record: Record) {
        self.audit.push(write(self.audit.last().map(Write::record), record));
    }

    fn present(&self) -> Option<Stored> {
        self.audit.last().map(|write| write.record().clone())
    }

    fn go_on(&mut self, then: Then) {
        match then {
            Then::Hold(history) => self.tell(&history),
            Then::Leave => {
                let epoch = u8::try_from(self.audit.len()).unwrap() + 1;
                self.append(record(epoch, 30, SystemMode::LegacyOnly, 0));
            }
        }
    }
}

impl Told {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap()
    }

    pub(super) fn tell(&self, history: &[Record]) {
        self.content().tell(history);
    }

    /// From now on the audit is empty, and the record stays.
    pub(super) fn hide_audit(&self, hidden: bool) {
        self.content().hidden = hidden;
    }

    pub(super) fn then(&self, then: Then) {
        self.content().then = Some(then);
    }

    /// What the next load finds arrives when the sender is dropped.
    pub(super) fn hold_load(&self) -> oneshot::Sender<()> {
        let (sender, receiver) = oneshot::channel();
        self.content().held_load = Some(receiver);
        sender
    }

    /// The answer to the next write arrives when the sender is dropped.
    pub(super) fn hold_swap(&self) -> oneshot::Sender<()> {
        let (sender, receiver) = oneshot::channel();
        self.content().held_swap = Some(receiver);
        sender
    }

    /// Epoch, mode and settlement of each record.
    pub(super) fn outline(&self) -> Vec<(u64, SystemMode, u64)> {
        let outline = |record: &Stored| (record.epoch, record.mode, record.settles);
        self.content().audit.iter().map(|write| outline(write.record())).collect()
    }

    pub(super) fn controller(&self) -> MigrationController {
        let builder = MigrationController::builder("agreement", self.clone());
        block_on(builder.runtime(Unhurried::default()).manual_refresh().open()).unwrap()
    }
}

#[async_trait]
impl StateStore for Told {
    async fn load(&self, _: &MigrationId) -> Result<Option<Stored>, StoreError> {
        let (found, held) = {
            let mut content = self.content();
            (content.present(), content.held_load.take())
        };
        if let Some(held) = held {
            let _dropped = held.await;
        }
        Ok(found)
    }

    async fn compare_and_swap(&self, _: &MigrationId, expect: Expect, change: &Write) -> Result<Stored, StoreError> {
        let (answer, held) = {
            let mut content = self.content();
            let first = content.audit.iter().find(|write| write.op_id() == change.op_id()).cloned();
            if first.is_none() && !expect.matches(content.present().as_ref()) {
                return Err(StoreError::conflict(content.present()));
            }
            if first.is_none() {
                content.audit.push(change.clone());
            }
            if let Some(then) = content.then.take() {
                content.go_on(then);
            }
            (first.unwrap_or_else(|| change.clone()), content.held_swap.take())
        };
        if let Some(held) = held {
            let _dropped = held.await;
        }
        Ok(answer.record().clone())
    }

    async fn history(&self, _: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let content = self.content();
        let audit = content.audit.iter().filter(|_| !content.hidden).map(|write| write.entry().clone());
        Ok(audit.filter(|entry| entry.epoch > after).take(limit).collect())
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

/// Whoever pauses goes on at once, and no deadline passes. Tasks are driven by those who wait for them.
#[derive(Default)]
struct Unhurried(Mutex<Vec<BoxFuture<'static, ()>>>);

impl fmt::Debug for Unhurried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unhurried")
    }
}

impl Runtime for Unhurried {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if duration < Duration::from_secs(1) { std::future::ready(()).boxed() } else { std::future::pending().boxed() }
    }
}
