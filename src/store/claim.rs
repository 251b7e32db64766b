//! What the host implements to let exactly one side process an item: [`ClaimStore`].

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Actor, Expect, ItemId, MigrationId, Record, StateStore, StoreError, async_trait};
use crate::outcome::Side;
use crate::wire;

/// Keeps who may process which item: a lease with a token, next to the records of [`StateStore`].
///
/// It promises *at most one accepted completion per item*, and at most one holder at a time as far as the store itself
/// keeps what it acknowledged. It does not promise that effects happen once: a holder that is paused for longer than its
/// lease may still act. Effects are done once only where they are idempotent, where they check the token, or where they
/// commit together with the completion.
///
/// Every law holds per item of a migration, for all handles on the same store and across restarts. An item is *held* from
/// its claim until its lease runs out, it is released or it is completed.
///
/// 1. *The record decides.* A claim is granted only if the present record is as expected, compared in the same atomic step
///    that grants it: a process with an old record claims nothing.
/// 2. *One holder.* Of any number of simultaneous claims of an item that nobody holds, exactly one is granted. What is held
///    or completed is not claimed.
/// 3. *Tokens only grow.* Each grant's token is larger than every earlier one of the item, and than 0, whatever expired, was
///    released or was restarted in between.
/// 4. *Only the holder.* Renewing, completing and releasing need the token of the present holder and a lease that has not
///    run out; anything else changes nothing.
/// 5. *Completed is final.* A completed item is never claimed again.
/// 6. *The store's clock* alone says when a lease runs out.
/// 7. *Repeating is safe.* A claim whose `op_id` is that of the present holder is granted again, with the same token and
///    what is left of its lease; after the lease ran out, or the item was released, it is a new claim.
///    Completing or releasing again with the same token succeeds, as long as nobody has claimed since.
/// 8. *Dropping a future is safe*: the call then took place completely or not at all.
///
/// Claims live in the store of the records, because law 1 needs both in one atomic step. The expectation is checked first,
/// then whether the item is completed, then whether it is held.
///
/// ```
/// use cutover::Side;
/// use cutover::store::{ClaimError, ClaimRequest, ClaimStore, Expect, MemoryStore, MigrationId};
/// use std::time::Duration;
///
/// # futures::executor::block_on(async {
/// let (store, id) = (MemoryStore::new(), "triage".parse::<MigrationId>()?);
/// let request = ClaimRequest {
///     item: "ticket 17".parse()?,
///     side: Side::Legacy,
///     expect: Expect::Absent, // nothing is stored, so legacy serves
///     holder: "worker 3".parse()?,
///     op_id: 1,
///     ttl: Duration::from_secs(30),
/// };
/// let grant = store.claim(&id, &request).await?;
/// assert_eq!(grant.token, 1);
///
/// let other = ClaimRequest { op_id: 2, ..request.clone() };
/// assert!(matches!(store.claim(&id, &other).await, Err(ClaimError::Held { .. })));
/// store.complete(&id, &request.item, grant.token).await?;
/// assert!(matches!(store.claim(&id, &other).await, Err(ClaimError::Completed)));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[async_trait]
pub trait ClaimStore: StateStore {
    /// Claims an item for one side.
    ///
    /// # Errors
    /// [`ClaimError::Held`], [`ClaimError::Completed`] or [`ClaimError::OtherRecord`] when it is not to be had;
    /// [`ClaimError::Store`] when the store fails.
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError>;

    /// Lets the lease last for `ttl` from now.
    ///
    /// # Errors
    /// [`ClaimError::Lost`] or [`ClaimError::Completed`] when the token is not that of a holder;
    /// [`ClaimError::Store`] when the store fails.
    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError>;

    /// Completes the item for ever.
    ///
    /// # Errors
    /// [`ClaimError::Lost`] when the token is not that of the holder, [`ClaimError::Completed`] when another one completed
    /// it; [`ClaimError::Store`] when the store fails.
    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError>;

    /// Gives the item back, so that it can be claimed at once.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError>;

    /// What is stored about an item; `None` if it was never claimed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError>;

    /// Claims whose lease has run out and that nobody has claimed since, the oldest first, at most `limit` of them.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError>;
}

/// Who wants to process what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a host's test of its store makes its own")]
pub struct ClaimRequest {
    /// The item.
    pub item: ItemId,
    /// The side that is to process it.
    pub side: Side,
    /// The record by which it is that side's item.
    pub expect: Expect,
    /// Who asks, for people.
    pub holder: Actor,
    /// 128 random bits of this request: it is granted once, however often it is repeated.
    pub op_id: u128,
    /// How long the lease lasts. Stores keep whole milliseconds.
    pub ttl: Duration,
}

/// A claim that was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a host's store makes it")]
pub struct Grant {
    /// Larger than the token of every earlier grant of the item.
    pub token: u64,
    /// How long the lease lasts from the moment in which the store answered.
    pub remaining: Duration,
}

/// What a store keeps about an item. As JSON, durations are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host's store makes it")]
pub struct ClaimRecord {
    /// The item.
    pub item: ItemId,
    /// The side of the last claim.
    pub side: Side,
    /// The epoch by which it was granted; 0 without a record.
    pub epoch: u64,
    /// Who claimed it last.
    pub holder: Actor,
    /// The token of the last claim.
    pub token: u64,
    /// Where it stands, by the store's clock.
    pub state: ClaimState,
}

impl ClaimRecord {
    /// The longest JSON text that [`from_json`](Self::from_json) reads: 64 KiB.
    pub const MAX_BYTES: usize = Record::MAX_BYTES;

    /// Reads the JSON text of a claim record.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] above [`MAX_BYTES`](Self::MAX_BYTES), [`StoreError::Corrupt`] for what is not one.
    pub fn from_json(json: &[u8]) -> Result<Self, StoreError> {
        Record::check_size(json.len())?;
        wire::read(json).map_err(StoreError::corrupt)
    }
}

/// Where a claimed item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a store must decide over all of them")]
pub enum ClaimState {
    /// Somebody holds it.
    Held {
        /// How long its lease still lasts.
        #[serde(with = "crate::wire::nanos")]
        remaining: Duration,
    },
    /// Its lease ran out.
    Expired {
        /// How long ago.
        #[serde(with = "crate::wire::nanos")]
        ago: Duration,
    },
    /// Its holder gave it back.
    Released,
    /// It is completed.
    Completed,
}

/// A claim was not granted, or is not held any more. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Somebody else holds the item.
    #[error("another claim holds the item for {remaining:?} more")]
    Held {
        /// How long its lease still lasts, if it is not renewed.
        remaining: Duration,
    },
    /// The item is completed.
    #[error("the item is completed")]
    Completed,
    /// The present record is not the expected one: decide anew who processes the item.
    #[error("the stored record is another one than expected; decide anew who processes the item")]
    OtherRecord {
        /// The present record, if there is one.
        current: Option<Box<Record>>,
    },
    /// The token is not that of the present holder: the lease ran out, was released, or another one has claimed since.
    #[error("token {token} does not hold the item any more; its effects must not be continued")]
    Lost {
        /// The token.
        token: u64,
    },
    /// The store failed. With [`StoreError::OutcomeUnknown`] the same call may be repeated.
    #[error("the store did not take the claim")]
    Store(#[from] StoreError),
}

impl ClaimError {
    /// [`OtherRecord`](Self::OtherRecord) with the present record.
    #[must_use]
    pub fn other_record(current: Option<Record>) -> Self {
        Self::OtherRecord { current: current.map(Box::new) }
    }
}

#[async_trait]
impl<S: ClaimStore + ?Sized> ClaimStore for Arc<S> {
    async fn claim(&self, id: &MigrationId, request: &ClaimRequest) -> Result<Grant, ClaimError> {
        (**self).claim(id, request).await
    }

    async fn renew(&self, id: &MigrationId, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        (**self).renew(id, item, token, ttl).await
    }

    async fn complete(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        (**self).complete(id, item, token).await
    }

    async fn release(&self, id: &MigrationId, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        (**self).release(id, item, token).await
    }

    async fn claimed(&self, id: &MigrationId, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        (**self).claimed(id, item).await
    }

    async fn expired(&self, id: &MigrationId, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        (**self).expired(id, limit).await
    }
}
