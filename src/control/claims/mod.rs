//! [`Claims`]: an item is claimed before either side starts, so that exactly one side processes it.

mod basis;
mod calls;
mod error;
mod lease;
mod reconcile;
mod renewal;

pub use error::NotClaimed;
pub use lease::Claim;
pub use reconcile::{Reconciled, Resolution, Stuck};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::MigrationController;
use super::inner::Inner;
use crate::clock::Instant;
use crate::observe::Event;
use crate::outcome::Side;
use crate::store::{Actor, ClaimError, ClaimRecord, ClaimRequest, ClaimStore, Expect, ItemId, StoreError, TextError};
use lease::{local_end, whole_millis};

/// Claims items for one side or the other, in the store that also keeps the mode.
///
/// Any number of workers may be given the same item, in any number of processes, while the mode changes: one of them gets
/// the claim, and it gets it for a side that serves by the present record. What the store promises, and what it does not,
/// stands at [`ClaimStore`]: *at most one accepted completion per item*. Effects are done once only where they are
/// idempotent, check the [token](Claim::token), or commit together with the completion.
///
/// - A route decides, a claim confirms: `claim` takes the side and the epoch of a [`Route`](crate::Route), and the store
///   compares the epoch in the same step in which it grants. After [`NotClaimed::is_outdated`] route anew and claim again.
/// - While the store is in [`Doubt`](super::Doubt), an emergency of this process is not stored yet, or nothing but a
///   [start policy](super::StartPolicy) says who serves, new claims nothing. Legacy goes on by what the store holds.
/// - A mode that changes later takes no claim away: what was begun is ended by the side that began it.
/// - Every call of the store has the deadline of the controller, and is repeated while its outcome is unknown. A claim whose
///   outcome stays unknown, or whose future is dropped, may hold the item until its time has run out.
///
/// Clones share everything.
///
/// ```
/// use cutover::control::NotClaimed;
/// use cutover::{Claims, MemoryStore, MigrationController, SystemMode};
/// use std::time::Duration;
///
/// # futures::executor::block_on(async {
/// let store = MemoryStore::new();
/// let controller = MigrationController::open("triage", store.clone()).await?;
/// let claims = Claims::new(&controller, store, "worker 3")?;
///
/// let ttl = Duration::from_secs(30);
/// let route = controller.route("ticket 17");
/// let claim = claims.claim("ticket 17", route.serve, route.epoch, ttl).await?;
/// let other = claims.claim("ticket 17", route.serve, route.epoch, ttl).await;
/// assert!(matches!(other, Err(NotClaimed::Held { .. })));
///
/// if claim.still_valid() {
///     // One effect of the side `claim.side()`, which shows `claim.token()` to whoever checks it.
/// }
/// claim.complete().await?;
///
/// controller.transition(SystemMode::Parallel, "ana", "compare").await?;
/// let late = claims.claim("ticket 18", route.serve, route.epoch, ttl).await;
/// assert!(late.is_err_and(|error| error.is_outdated()));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Claims {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Arc<Inner>,
    store: Arc<dyn ClaimStore>,
    holder: Actor,
}

impl Claims {
    /// The shortest time for which an item is claimed.
    pub const MIN_TTL: Duration = Duration::from_millis(100);

    /// The longest time for which an item is claimed without a renewal.
    pub const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

    /// Claims in `store`, which must be the one of `controller`. `holder` says to people who holds an item: a worker, a
    /// process, a machine.
    ///
    /// # Errors
    /// [`TextError`] when the holder is not 1 to 256 bytes, is blank, or has control characters.
    pub fn new(
        controller: &MigrationController,
        store: impl ClaimStore + 'static,
        holder: &str,
    ) -> Result<Self, TextError> {
        let (inner, store, holder) = (Arc::clone(&controller.inner), Arc::new(store), holder.parse()?);
        Ok(Self { shared: Arc::new(Shared { inner, store, holder }) })
    }

    /// Claims `item` for `side`, if the record of `expected_epoch` still holds and nobody holds or has completed the item.
    ///
    /// The claim is renewed in the background until it ends, at each third of `ttl`, of which whole milliseconds count.
    /// `expected_epoch` is that of the route by which `side` was chosen. If the controller has not heard of it, or of any
    /// record because it started without the store, it reads the store once. If the route turns out to be outdated, the controller has read the present record when this returns.
    ///
    /// # Errors
    /// [`NotClaimed`]: then neither side may start.
    pub async fn claim(&self, item: &str, side: Side, expected_epoch: u64, ttl: Duration) -> Result<Claim, NotClaimed> {
        match checked(item, ttl) {
            Ok((item, ttl)) => self.claim_checked(item, side, expected_epoch, ttl).await,
            Err(refused) => Err(self.shared.heard(side, refused)),
        }
    }

    async fn claim_checked(&self, item: ItemId, side: Side, epoch: u64, ttl: Duration) -> Result<Claim, NotClaimed> {
        let claimed = self.try_claim(item, side, epoch, ttl).await;
        claimed.map_err(|refused| self.shared.heard(side, refused))
    }

    async fn try_claim(&self, item: ItemId, side: Side, epoch: u64, ttl: Duration) -> Result<Claim, NotClaimed> {
        let shared = &self.shared;
        let expect = shared.expect(side, epoch).await?;
        let (holder, op_id) = (shared.holder.clone(), shared.inner.random.next_u128());
        let mut request = ClaimRequest { item, side, expect, holder, op_id, ttl };
        for _ in 0..EXPECTATIONS {
            match shared.grant(&request).await {
                Ok((token, end)) => return self.begin(request, epoch, token, end).await,
                Err(ClaimError::OtherRecord { current }) => {
                    let present = current.map_or(0, |record| record.epoch);
                    request.expect = shared.expect_anew(&request, epoch, present).await?;
                }
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(NotClaimed::OutdatedRoute { routed: epoch, present: shared.basis().epoch })
    }

    /// The claim of a grant, unless the grant came so late that its time is up.
    async fn begin(&self, request: ClaimRequest, epoch: u64, token: u64, end: Instant) -> Result<Claim, NotClaimed> {
        let ClaimRequest { item, side, ttl, .. } = request;
        if end <= self.shared.now() {
            // Nobody has started: whether it is given back now or runs out is a matter of time only.
            drop(self.shared.release_once(&item, token).await);
            return Err(NotClaimed::Late { ttl });
        }
        Ok(Claim::begin(Arc::clone(&self.shared), lease::Held { item, side, epoch, token, ttl }, end))
    }

    /// What the store keeps about `item`; `None` if it was never claimed.
    ///
    /// # Errors
    /// [`NotClaimed::Item`] when that is not an item, [`NotClaimed::Store`] when the store does not answer.
    pub async fn claimed(&self, item: &str) -> Result<Option<ClaimRecord>, NotClaimed> {
        Ok(self.shared.claimed(&item.parse()?).await?)
    }

    /// The claims that ran out without being completed or released, the oldest first: at most `limit`, and at most 200 of
    /// them. Somebody has begun and not said how it ended; see [`reconcile`](Self::reconcile).
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn stuck(&self, limit: usize) -> Result<Vec<ClaimRecord>, StoreError> {
        self.shared.expired(limit.min(super::MAX_PAGE)).await
    }
}

/// The item, and for how long it is claimed.
fn checked(item: &str, ttl: Duration) -> Result<(ItemId, Duration), NotClaimed> {
    let item = item.parse()?;
    if !(Claims::MIN_TTL..=Claims::MAX_TTL).contains(&ttl) {
        return Err(NotClaimed::Ttl { ttl });
    }
    Ok((item, whole_millis(ttl)))
}

/// With how many expectations one claim is tried, if the store turns out to hold another record.
const EXPECTATIONS: u32 = 2;

impl Shared {
    fn now(&self) -> Instant {
        self.inner.clock.now()
    }

    /// Tells the observers that an item was not claimed.
    fn heard(&self, side: Side, refused: NotClaimed) -> NotClaimed {
        self.inner.tell_of(&Event::NotClaimed { side, why: refused.refusal() });
        refused
    }

    /// The record of which the claim of a route is made.
    async fn expect(&self, side: Side, epoch: u64) -> Result<Expect, NotClaimed> {
        let before = self.basis();
        if before.assumed || before.epoch < epoch {
            self.inner.load().await?;
        }
        if before.assumed && side == Side::New {
            return Err(NotClaimed::Assumed);
        }
        self.basis().check(side, epoch)
    }

    /// As [`expect`](Self::expect), after the store has refused what was expected.
    async fn expect_anew(&self, refused: &ClaimRequest, epoch: u64, present: u64) -> Result<Expect, NotClaimed> {
        self.inner.load().await?;
        let expect = self.basis().check(refused.side, epoch)?;
        if expect == refused.expect {
            return Err(NotClaimed::OutdatedRoute { routed: epoch, present });
        }
        Ok(expect)
    }

    /// The token of a grant, and when it ends by the clock of this process.
    async fn grant(&self, request: &ClaimRequest) -> Result<(u64, Instant), ClaimError> {
        let (sent, grant) = self.claim(request).await?;
        let lasts = grant.remaining.min(request.ttl);
        Ok((grant.token, local_end(sent, lasts, request.ttl)))
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { inner, holder, .. } = &*self.shared;
        f.debug_struct("Claims").field("id", &inner.port.id).field("holder", holder).finish_non_exhaustive()
    }
}
