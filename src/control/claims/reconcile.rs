//! Settles what was begun and not ended.

use serde::Serialize;

use super::{Claim, Claims, NotClaimed};
use crate::outcome::Side;
use crate::store::{ClaimRecord, StoreError};
use std::time::Duration;

/// A claim that ran out, after the item was claimed anew: its last holder can neither complete nor renew it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stuck {
    /// The claim that ran out.
    pub lost: ClaimRecord,
    /// The side for which the item is held now: that of the lost claim if it may still claim, else the other one.
    pub side: Side,
    /// The token of the new claim.
    pub token: u64,
}

/// What became of a stuck item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an item was processed or it was not")]
pub enum Resolution {
    /// It was processed: it is completed.
    Completed,
    /// It was not, or can be processed again: it is released.
    Retry,
}

/// What became of all stuck items that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Reconciled {
    /// Completed.
    pub completed: usize,
    /// Released, to be claimed again.
    pub retried: usize,
    /// Others had claimed or completed them meanwhile.
    pub skipped: usize,
    /// They could not be claimed or settled: they are still stuck, or will be again.
    pub unsettled: usize,
}

/// For how long a stuck item is claimed; renewed while the host looks for evidence.
const TTL: Duration = Duration::from_secs(30);
/// How often a stuck item is claimed by another record.
const ATTEMPTS: u32 = 3;

impl Claims {
    /// Settles at most `limit`, and at most 200, of the items that are [stuck](Self::stuck), one after the other. Each is
    /// claimed first, so that its last holder is fenced off; then `judge` looks for evidence of what was done, and the item is
    /// completed or released.
    ///
    /// An item whose mode has moved on is claimed for the side that may process it now. Run it from time to time in any
    /// number of processes: no item is judged by two at once. A panic of `judge` goes through, and its item is stuck again
    /// later.
    ///
    /// ```
    /// use cutover::control::{Resolution, Stuck};
    /// # use cutover::{Claims, MemoryStore, MigrationController};
    /// # async fn was_answered(item: &str) -> bool { item.is_empty() }
    /// # futures::executor::block_on(async {
    /// # let store = MemoryStore::new();
    /// # let controller = MigrationController::open("triage", store.clone()).await?;
    /// # let claims = Claims::new(&controller, store, "janitor")?;
    /// let settled = claims
    ///     .reconcile(50, async |stuck: Stuck| match was_answered(stuck.lost.item.as_str()).await {
    ///         true => Resolution::Completed,
    ///         false => Resolution::Retry,
    ///     })
    ///     .await?;
    /// assert_eq!(settled.unsettled, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] when the stuck items cannot be listed. What fails later counts as unsettled.
    pub async fn reconcile<J, F>(&self, limit: usize, mut judge: J) -> Result<Reconciled, StoreError>
    where
        J: FnMut(Stuck) -> F,
        F: Future<Output = Resolution>,
    {
        let mut counts = Reconciled::default();
        for lost in self.stuck(limit).await? {
            let column = match self.claim_stuck(&lost).await {
                Ok(claim) => {
                    let stuck = Stuck { lost, side: claim.side(), token: claim.token() };
                    settle(&claim, judge(stuck).await, &mut counts).await
                }
                Err(NotClaimed::Held { .. } | NotClaimed::Completed) => &mut counts.skipped,
                Err(_) => &mut counts.unsettled,
            };
            *column += 1;
        }
        Ok(counts)
    }

    async fn claim_stuck(&self, lost: &ClaimRecord) -> Result<Claim, NotClaimed> {
        let mut attempt = 1;
        loop {
            let basis = self.shared.basis();
            let claimed = self.claim_checked(lost.item.clone(), basis.heir_of(lost.side), basis.epoch, TTL).await;
            match claimed {
                Err(error) if error.is_outdated() && attempt < ATTEMPTS => attempt += 1,
                ended => return ended,
            }
        }
    }
}

/// Settles an item and gives back the count that it belongs to.
async fn settle<'a>(claim: &Claim, resolution: Resolution, counts: &'a mut Reconciled) -> &'a mut usize {
    let (settled, column) = match resolution {
        Resolution::Completed => (claim.complete().await, &mut counts.completed),
        Resolution::Retry => (claim.release().await, &mut counts.retried),
    };
    if settled.is_ok() { column } else { &mut counts.unsettled }
}
