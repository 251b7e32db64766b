//! Checks of the audit.

use super::violation::{judge, same};
use super::{StoreFactory, Violation, tools};
use crate::store::AuditEntry;

/// C7: pages of every size, and what was read once is read again.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn the_audit_is_gapless_and_paged(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("the_audit_is_gapless_and_paged", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("audit")?;
        let records = tools::fill(&*stores.state, &id, 25).await?;
        let before = tools::is_whole(&*stores.state, &id).await?;
        let pages = [(0, 0), (0, 1), (0, 25), (0, 1000), (7, 3), (9, 2), (10, 100), (24, 3), (25, 3), (1 << 53, 3)];
        for (after, limit) in pages {
            let page = stores.state.history(&id, after, limit).await?;
            let wanted: Vec<_> = before.iter().filter(|entry| entry.epoch > after).take(limit).cloned().collect();
            same(&format!("the page of {limit} after epoch {after}"), &page, &wanted)?;
        }
        let next = tools::put(&*stores.state, &id, records.last(), 26).await?;
        let after = tools::is_whole(&*stores.state, &id).await?;
        same("the audit before the last change", &after.iter().take(25).collect(), &before.iter().collect::<Vec<_>>())?;
        same("the last entry's record", &after.last().map(AuditEntry::record), &Some(next))
    })
    .await
}
