//! What several checks need: changes, handles, tasks and pauses.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, UNIX_EPOCH};

use futures_channel::oneshot;
use futures_util::future::{BoxFuture, Either, select};

use super::violation::{Found, Seen, ensure, same};
use super::{Pause, StoreFactory, Stores};
use crate::Percentage;
use crate::mode::SystemMode;
use crate::store::{
    AuditEntry, AuditHead, AuditVerifier, Author, Change, ChangeKind, Expect, MigrationId, Record, Settings, Stamp,
    StateStore, StoreError,
};

pub(super) fn id(name: &str) -> Found<MigrationId> {
    Ok(name.parse()?)
}

/// A change to a rollout that only `number` makes, with etag and operation of its own in all 128 bits.
pub(super) fn change(before: Option<&Record>, number: u128) -> Change {
    let ppm = u32::try_from(number % 1_000_001).unwrap_or_default();
    let after = Settings {
        mode: SystemMode::GradualRollout,
        rollout: Percentage::from_ppm(ppm).unwrap_or_default(),
        shadow_share: None,
    };
    let at = UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    Change::new(before, after, ChangeKind::Rollout, author(), Stamp { at, etag: spread(number), op_id: op(number) })
}

pub(super) fn author() -> Author {
    Author::for_emergency("conformance kit", "a check")
}

/// The operation of `number`.
pub(super) fn op(number: u128) -> u128 {
    spread(number ^ (1 << 127))
}

/// Another number for every number, with bits everywhere.
fn spread(number: u128) -> u128 {
    number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

/// Stores change `number` on top of `before`.
pub(super) async fn put(
    store: &dyn StateStore,
    id: &MigrationId,
    before: Option<&Record>,
    number: u128,
) -> Result<Record, StoreError> {
    store.compare_and_swap(id, Expect::of(before), &change(before, number)).await
}

/// Stores changes `1..=count` on nothing, and gives back the records.
pub(super) async fn fill(store: &dyn StateStore, id: &MigrationId, count: u128) -> Found<Vec<Record>> {
    let mut records: Vec<Record> = Vec::new();
    for number in 1..=count {
        let stored = put(store, id, records.last(), number).await?;
        records.push(stored);
    }
    Ok(records)
}

/// The whole audit, read in pages.
pub(super) async fn audit(store: &dyn StateStore, id: &MigrationId) -> Found<Vec<AuditEntry>> {
    let mut all: Vec<AuditEntry> = Vec::new();
    loop {
        let after = all.last().map_or(0, |entry| entry.epoch);
        let page = store.history(id, after, 100).await?;
        let moves = page.first().is_none_or(|entry| entry.epoch > after);
        ensure(moves, || format!("the history after epoch {after} begins with epoch {after} or before"))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Checks that record and audit are those of `records`.
pub(super) async fn holds(store: &dyn StateStore, id: &MigrationId, records: &[Record]) -> Found {
    same("the record", &store.load(id).await?.as_ref(), &records.last())?;
    let made: Vec<Record> = audit(store, id).await?.iter().map(AuditEntry::record).collect();
    same("the audit as records", &made, &records.to_vec())
}

/// Checks that the audit is gapless, chained, and ends at `record`.
pub(super) async fn is_whole(store: &dyn StateStore, id: &MigrationId) -> Found<Vec<AuditEntry>> {
    let record = store.load(id).await?;
    let audit = audit(store, id).await?;
    let mut verifier = AuditVerifier::new();
    audit.iter().try_for_each(|entry| verifier.follow(entry))?;
    let head = record.as_ref().map(AuditHead::of).unwrap_or_default();
    same("the end of the audit", &verifier.head(), &head)?;
    Ok(audit)
}

/// `count` handles on the content of `stores`, itself included.
pub(super) async fn handles(factory: &dyn StoreFactory, stores: &Stores, count: usize) -> Found<Vec<Stores>> {
    let mut handles = vec![stores.clone()];
    while handles.len() < count {
        handles.push(factory.reopen(stores).await?);
    }
    Ok(handles)
}

/// Spawns all tasks and waits for their answers, in their order.
pub(super) async fn in_parallel<T: Send + 'static>(
    factory: &dyn StoreFactory,
    tasks: impl IntoIterator<Item = BoxFuture<'static, T>>,
) -> Found<Vec<T>> {
    let runtime = factory.runtime();
    let mut answers = Vec::new();
    for task in tasks {
        let (sender, receiver) = oneshot::channel();
        runtime.spawn(Box::pin(async move { drop(sender.send(task.await)) }));
        answers.push(receiver);
    }
    let mut done = Vec::new();
    for answer in answers {
        done.push(answer.await.map_err(|_| Seen::new("a task has panicked, or its runtime dropped it"))?);
    }
    Ok(done)
}

/// The answer, if it comes within the factory's patience.
pub(super) async fn within<T>(
    factory: &dyn StoreFactory,
    what: &str,
    call: impl Future<Output = T> + Send,
) -> Found<T> {
    let patience = factory.limits().patience;
    match select(pin!(call), factory.runtime().sleep(patience)).await {
        Either::Left((answer, _)) => Ok(answer),
        Either::Right(_) => Err(Seen::new(format!("{what} has not come within {patience:?}"))),
    }
}

/// Lets all others that are ready go first.
pub(super) async fn step_back() {
    let mut stepped = false;
    poll_fn(|context| {
        if std::mem::replace(&mut stepped, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(super) fn no_pause() -> Pause {
    Arc::new(|| Box::pin(std::future::ready(())))
}
