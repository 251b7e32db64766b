//! Checks of single writes.

use super::violation::{Found, Seen, ensure, judge, same, short};
use super::{StoreFactory, Violation, tools};
use crate::store::{Expect, Record, StoreError};

/// C1: before anything was stored there is no record, no history, and no error.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn absent_is_none(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("absent_is_none", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("absent")?;
        same("the record", &stores.state.load(&id).await?, &None)?;
        same("the history", &stores.state.history(&id, 0, 10).await?, &Vec::new())?;
        let above = stores.state.history(&id, 7, 10).await?;
        same("the history after epoch 7", &above, &Vec::new())?;
        same("the record, after reading the history,", &stores.state.load(&id).await?, &None)
    })
    .await
}

/// C2: what expects no record creates one, once.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn creating_is_exclusive(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("creating_is_exclusive", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("create")?;
        let first = tools::put(&*stores.state, &id, None, 1).await?;
        same("the created record", &first, tools::change(None, 1).record())?;
        conflict(tools::put(&*stores.state, &id, None, 2).await, Some(&first))?;
        tools::holds(&*stores.state, &id, &[first]).await
    })
    .await
}

/// C3: epoch and etag must both be the present ones.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn a_refused_write_changes_nothing(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("a_refused_write_changes_nothing", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("refuse")?;
        let records = tools::fill(&*stores.state, &id, 2).await?;
        let Some(Record { epoch, etag, .. }) = records.last().cloned() else { return Ok(()) };
        let wrong = [
            Expect::Absent,
            Expect::of(records.first()),
            Expect::Exact { epoch, etag: etag ^ 1 },
            Expect::Exact { epoch, etag: etag ^ (1 << 127) },
            Expect::Exact { epoch, etag: 0 },
            Expect::Exact { epoch: epoch + 1, etag },
            Expect::Exact { epoch: epoch - 1, etag },
        ];
        for (expect, number) in wrong.into_iter().zip(10..) {
            let change = tools::change(records.last(), number);
            let answer = stores.state.compare_and_swap(&id, expect, &change).await;
            conflict(answer, records.last()).map_err(|seen| seen.when(&format!("expecting {expect:?}")))?;
            tools::holds(&*stores.state, &id, &records).await?;
        }
        let nowhere = tools::id("nowhere")?;
        conflict(tools::put(&*stores.state, &nowhere, records.first(), 20).await, None)?;
        tools::holds(&*stores.state, &nowhere, &[]).await?;
        let third = tools::put(&*stores.state, &id, records.last(), 21).await?;
        same("the epoch of a write that expects the present record", &third.epoch, &3)
    })
    .await
}

/// C4: also with another expectation, and long after other changes.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn repeating_an_operation_is_safe(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("repeating_an_operation_is_safe", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("repeat")?;
        let mut records = tools::fill(&*stores.state, &id, 1).await?;
        let first = tools::put(&*stores.state, &id, None, 1).await?;
        same("the answer to the same call", &Some(&first), &records.first())?;
        let again = tools::put(&*stores.state, &id, Some(&first), 1).await?;
        same("the answer to the same operation on its own record", &again, &first)?;
        for number in 2..=12 {
            records.push(tools::put(&*stores.state, &id, records.last(), number).await?);
        }
        for (before, number) in [None].into_iter().chain(records.iter().map(Some)).zip(1..=12) {
            let again = tools::put(&*stores.state, &id, before, number).await?;
            let wanted = records.iter().find(|record| record.op_id == tools::op(number));
            same("the answer to an old operation", &Some(&again), &wanted)?;
        }
        let elsewhere = Expect::Exact { epoch: 99, etag: 99 };
        let again = stores.state.compare_and_swap(&id, elsewhere, &tools::change(None, 1)).await?;
        same("the answer to an old operation with another expectation", &again, &first)?;
        tools::holds(&*stores.state, &id, &records).await
    })
    .await
}

/// Checks that `answer` refuses with the `present` record.
pub(super) fn conflict(answer: Result<Record, StoreError>, present: Option<&Record>) -> Found {
    match answer {
        Err(StoreError::Conflict { current }) => same("the record of the refusal", &current.as_deref(), &present),
        Ok(record) => Err(Seen::new(format!("a write was accepted that expects another record: {}", short(&record)))),
        Err(error) => ensure(false, || format!("the refusal is not a conflict but {error:?}")),
    }
}
