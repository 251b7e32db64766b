//! Renews a claim in the background.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::{Either, select};

use super::Shared;
use super::lease::{Held, Lease, Signal, local_end};
use crate::bucket::ppm_of;
use crate::observe::ClaimEnd;
use crate::store::{ClaimError, StoreError};

/// Knows its claim by a weak reference only, and ends with it.
pub(super) struct Renewal {
    shared: Arc<Shared>,
    held: Held,
    lease: Weak<Lease>,
    signal: Signal,
}

impl Renewal {
    pub(super) fn new(shared: Arc<Shared>, held: &Held, lease: &Arc<Lease>) -> Self {
        Self { shared, held: held.clone(), lease: Arc::downgrade(lease), signal: lease.signal() }
    }

    pub(super) async fn run(self) {
        select(self.signal.clone(), pin!(self.keep_up())).await;
    }

    async fn keep_up(&self) {
        let mut wait = Some(self.spread(self.held.ttl / 3));
        while let Some(duration) = wait {
            self.shared.inner.port.sleep(duration).await;
            wait = self.renew().await;
        }
    }

    /// How long to wait for the next renewal; `None` when the claim has ended.
    async fn renew(&self) -> Option<Duration> {
        let sent = self.shared.now();
        if self.lease.upgrade()?.remaining(sent).is_zero() {
            return None;
        }
        let ttl = self.held.ttl;
        let answer = self.send().await;
        let (lease, now) = (self.lease.upgrade()?, self.shared.now());
        match answer {
            Ok(()) => lease.extend(local_end(sent, ttl, ttl), now).then(|| self.spread(ttl / 3)),
            Err(ClaimError::Store(_)) => Some(self.spread(ttl / 10)),
            Err(_) => {
                lease.end();
                self.shared.ended(&self.held, &lease, ClaimEnd::Lost);
                None
            }
        }
    }

    /// One renewal, short enough that there is time for another one.
    async fn send(&self) -> Result<(), ClaimError> {
        let Held { item, token, ttl, .. } = &self.held;
        let renewed = pin!(self.shared.renew(item, *token, *ttl));
        match select(renewed, pin!(self.shared.inner.port.sleep(*ttl / 6))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(StoreError::outcome_unknown("the store did not answer in time").into()),
        }
    }

    /// Up to 15 % less or more, so that claims made at once are not renewed at once.
    fn spread(&self, wait: Duration) -> Duration {
        wait * (850_000 + ppm_of(self.shared.inner.random.next_u64()) * 3 / 10) / 1_000_000
    }
}
