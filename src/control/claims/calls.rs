//! The calls of the store: each with a deadline, repeated while its outcome is unknown, and every panic contained.

use std::time::Duration;

use super::Shared;
use crate::clock::Instant;
use crate::store::{ClaimError, ClaimRecord, ClaimRequest, Grant, ItemId, StoreError};

impl Shared {
    /// The grant, and when the request was sent that was granted.
    pub(super) async fn claim(&self, request: &ClaimRequest) -> Result<(Instant, Grant), ClaimError> {
        let send = || async {
            let sent = self.now();
            let grant = self.within(self.store.claim(&self.inner.port.id, request)).await?;
            Ok((sent, grant))
        };
        self.settled(send).await
    }

    /// Sent once: the next renewal repeats it.
    pub(super) async fn renew(&self, item: &ItemId, token: u64, ttl: Duration) -> Result<(), ClaimError> {
        self.within(self.store.renew(&self.inner.port.id, item, token, ttl)).await
    }

    pub(super) async fn complete(&self, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.settled(|| self.within(self.store.complete(&self.inner.port.id, item, token))).await
    }

    pub(super) async fn release(&self, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.settled(|| self.release_once(item, token)).await
    }

    pub(super) async fn release_once(&self, item: &ItemId, token: u64) -> Result<(), ClaimError> {
        self.within(self.store.release(&self.inner.port.id, item, token)).await
    }

    pub(super) async fn claimed(&self, item: &ItemId) -> Result<Option<ClaimRecord>, StoreError> {
        let call = async { self.store.claimed(&self.inner.port.id, item).await };
        self.inner.port.within(call, StoreError::unavailable).await
    }

    pub(super) async fn expired(&self, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        let call = async { self.store.expired(&self.inner.port.id, limit).await };
        self.inner.port.within(call, StoreError::unavailable).await
    }

    async fn within<T>(&self, call: impl Future<Output = Result<T, ClaimError>> + Send) -> Result<T, ClaimError> {
        self.inner.port.within(async { Ok(call.await) }, StoreError::outcome_unknown).await?
    }

    async fn settled<T, F>(&self, send: impl FnMut() -> F) -> Result<T, ClaimError>
    where
        F: Future<Output = Result<T, ClaimError>>,
    {
        self.inner.until_known(store_failure, send).await
    }
}

/// Whatever the store says about the item itself is an outcome.
fn store_failure(error: ClaimError) -> Result<StoreError, ClaimError> {
    if let ClaimError::Store(error) = error { Ok(error) } else { Err(error) }
}
