//! Checks of what is apart, and of what is the same seen from elsewhere.

use super::state::conflict;
use super::violation::{judge, same};
use super::{StoreFactory, Violation, tools};
use crate::store::Record;

/// C8: several migrations in one store, with the same operations and etags. The one with the highest epoch comes first.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn migrations_are_apart(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("migrations_are_apart", factory, async {
        let stores = factory.fresh().await?;
        let longest = "a".repeat(64);
        let names = ["a", "b", "a.b", "a_b", "a-b", "ab", "a.", "a..b", "0", &longest, "a1", "a11", "record", "audit"];
        let counts = (1..=names.len() as u128).rev();
        for (name, count) in names.into_iter().zip(counts.clone()) {
            let id = tools::id(name)?;
            tools::holds(&*stores.state, &id, &[]).await.map_err(|seen| seen.when(&format!("of the new `{name}`")))?;
            tools::fill(&*stores.state, &id, count).await?;
        }
        for (name, count) in names.into_iter().zip(counts) {
            let mut wanted: Vec<Record> = Vec::new();
            for number in 1..=count {
                wanted.push(tools::change(wanted.last(), number).record().clone());
            }
            let held = tools::holds(&*stores.state, &tools::id(name)?, &wanted).await;
            held.map_err(|seen| seen.when(&format!("of `{name}`")))?;
        }
        Ok(())
    })
    .await
}

/// C8, between stores: the factory's fresh ones do not see each other.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn fresh_stores_are_apart(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("fresh_stores_are_apart", factory, async {
        let id = tools::id("same")?;
        let one = factory.fresh().await?;
        let records = tools::fill(&*one.state, &id, 3).await?;
        let other = factory.fresh().await?;
        tools::holds(&*other.state, &id, &[]).await?;
        let first = tools::fill(&*other.state, &id, 1).await?;
        tools::holds(&*other.state, &id, &first).await?;
        tools::holds(&*one.state, &id, &records).await
    })
    .await
}

/// C9: two handles write in turn, and each sees at once what the other one wrote.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn handles_see_each_other(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("handles_see_each_other", factory, async {
        let one = factory.fresh().await?;
        let other = factory.reopen(&one).await?;
        let id = tools::id("handles")?;
        let mut records: Vec<Record> = Vec::new();
        for (number, (writer, reader)) in [(&one, &other), (&other, &one)].into_iter().cycle().take(6).enumerate() {
            let number = number as u128;
            tools::holds(&*reader.state, &id, &records).await?;
            let stored = tools::put(&*writer.state, &id, records.last(), number).await?;
            let refused = tools::put(&*reader.state, &id, records.last(), 100 + number).await;
            conflict(refused, Some(&stored))?;
            let again = tools::put(&*reader.state, &id, records.last(), number).await?;
            same("the other handle's answer to the same operation", &again, &stored)?;
            records.push(stored);
            tools::holds(&*reader.state, &id, &records).await?;
        }
        Ok(())
    })
    .await
}

/// C9, later: after the last handle was closed.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn a_restart_loses_nothing(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("a_restart_loses_nothing", factory, async {
        let mut stores = factory.fresh().await?;
        let id = tools::id("restart")?;
        let mut records = Vec::new();
        for number in 0..4 {
            records.push(tools::put(&*stores.state, &id, records.last(), number).await?);
            stores = factory.restart(stores).await?;
            tools::holds(&*stores.state, &id, &records).await?;
        }
        let again = tools::put(&*stores.state, &id, None, 0).await?;
        same("the answer to an operation from before the restart", &Some(&again), &records.first())?;
        tools::holds(&*stores.state, &id, &records).await
    })
    .await
}
