//! Checks of wake-ups.

use futures_util::StreamExt;
use futures_util::future::join;

use super::violation::{Found, Seen, judge};
use super::{StoreFactory, Stores, Violation, tools};
use crate::store::{MigrationId, WakeUps};

/// C10: who loads at every wake-up sees every change in the end, on every handle.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn changes_wake_those_who_watch(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("changes_wake_those_who_watch", factory, async {
        let stores = factory.fresh().await?;
        let (id, quiet) = (tools::id("watched")?, tools::id("quiet")?);
        let other = factory.reopen(&stores).await?;
        let unread = watch(&stores, &id).await?;
        let unrelated = watch(&stores, &quiet).await?;
        let mut near = watch(&stores, &id).await?;
        let mut far = watch(&other, &id).await?;
        let mut last = None;
        for number in 1..=5 {
            let write = tools::put(&*stores.state, &id, last.as_ref(), number.into());
            let both = join(seen(&other, &id, &mut far, number), seen(&stores, &id, &mut near, number));
            let what = format!("a wake-up for change {number}, for each of two that watch,");
            let (written, woken) = tools::within(factory, &what, join(write, both)).await?;
            last = Some(written?);
            woken.0.and(woken.1)?;
        }
        drop((unread, unrelated));
        Ok(())
    })
    .await
}

/// Loads at every wake-up until it finds `epoch`.
async fn seen(stores: &Stores, id: &MigrationId, wakes: &mut WakeUps, epoch: u64) -> Found {
    loop {
        if wakes.next().await.is_none() {
            return Err(Seen::new("the wake-ups have ended, and no connection was lost"));
        }
        if stores.state.load(id).await?.is_some_and(|record| record.epoch >= epoch) {
            return Ok(());
        }
    }
}

async fn watch(stores: &Stores, id: &MigrationId) -> Found<WakeUps> {
    let wakes = stores.state.watch(id).await?;
    wakes.ok_or_else(|| Seen::new("the factory declares Watch, and the store gives no wake-ups"))
}
