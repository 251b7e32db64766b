//! [`Claim`]: an item that is held, and how long this process may believe so.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_channel::oneshot::{self, Receiver, Sender};
use futures_util::FutureExt;
use futures_util::future::{self, select};

use super::Shared;
use super::renewal::Renewal;
use crate::clock::Instant;
use crate::lock::lock;
use crate::observe::{ClaimEnd, Event};
use crate::outcome::Side;
use crate::store::{ClaimError, ItemId};

/// An item that this process holds for one side.
///
/// It is renewed in the background until it is completed, released or dropped. Ask [`still_valid`](Self::still_valid) before
/// each effect, or stop when [`ended`](Self::ended) does.
///
/// The end is measured by the monotonic clock of the controller, from before the request was sent, and lies a margin before
/// the end in the store: a tenth of the time to live, and a second where that is at most a quarter of it. Such a clock goes on
/// while the process is stopped, and no jump of the time of day moves it. Most stand still while the *machine* sleeps or is
/// moved; then only the store knows, and refuses.
///
/// - Renewals run on the runtime of the controller. Work that blocks its threads lets claims end.
/// - A renewal that is refused ends the claim at once. A store that does not answer lets it run until its end.
/// - Once ended, it never becomes valid again, whatever the store says later.
/// - Dropping a claim stops the renewals. The item is not given back, since half of the work may be done: it is
///   [stuck](super::Claims::stuck) when its time has run out. [Release](Self::release) an item on which nothing was done.
pub struct Claim {
    shared: Arc<Shared>,
    held: Held,
    lease: Arc<Lease>,
}

/// What is held.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) item: ItemId,
    pub(super) side: Side,
    pub(super) epoch: u64,
    pub(super) token: u64,
    pub(super) ttl: Duration,
}

impl Claim {
    pub(super) fn begin(shared: Arc<Shared>, held: Held, end: Instant) -> Self {
        let lease = Arc::new(Lease::until(end));
        let renewal = Renewal::new(Arc::clone(&shared), &held, &lease);
        shared.inner.tell_of(&Event::Claimed { side: held.side });
        shared.inner.port.spawn(renewal.run().boxed());
        Self { shared, held, lease }
    }

    /// The item.
    #[must_use]
    pub const fn item(&self) -> &ItemId {
        &self.held.item
    }

    /// The side that is to process it.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.held.side
    }

    /// The epoch of the route by which it was claimed.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.held.epoch
    }

    /// Larger than the token of every earlier claim of the item. What the work changes refuses a smaller one than it has
    /// seen, if it can.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.held.token
    }

    /// Whether this process still holds the item. It asks nobody, and is right also after the process was stopped for a
    /// while.
    #[must_use]
    pub fn still_valid(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// How long the claim is valid if it is not renewed; zero when it has ended.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.lease.remaining(self.shared.now())
    }

    /// Resolves when the claim is no longer valid: it ran out, was lost, completed, released or dropped. To stop work that
    /// would be in vain.
    ///
    /// It borrows nothing. On a runtime that cannot sleep it does not hear of the end of its time.
    ///
    /// ```
    /// # use cutover::{Claims, MemoryStore, MigrationController, Side};
    /// # use futures::future::{Either, select};
    /// # use std::{pin::pin, time::Duration};
    /// # async fn work() {}
    /// # futures::executor::block_on(async {
    /// # let store = MemoryStore::new();
    /// # let controller = MigrationController::open("triage", store.clone()).await?;
    /// # let claims = Claims::new(&controller, store, "worker 3")?;
    /// let claim = claims.claim("ticket 17", Side::Legacy, 0, Duration::from_secs(30)).await?;
    /// match select(pin!(work()), pin!(claim.ended())).await {
    ///     Either::Left(_) => claim.complete().await?,
    ///     Either::Right(_) => println!("another worker may have it by now"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn ended(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (inner, lease) = (Arc::clone(&self.shared.inner), Arc::downgrade(&self.lease));
        let signal = self.lease.signal();
        async move {
            let remaining = || lease.upgrade().map(|lease| lease.remaining(inner.clock.now()));
            while let Some(remaining) = remaining().filter(|remaining| !remaining.is_zero()) {
                select(signal.clone(), pin!(inner.port.sleep(remaining))).await;
            }
        }
    }

    /// Says that the item is processed, for ever: nobody will claim it again. The claim ends. The store decides, also when
    /// the claim is not valid here any more; doing it again succeeds.
    ///
    /// # Errors
    /// [`ClaimError::Lost`] when another one may have claimed the item: the effects of this one may be done twice.
    /// [`ClaimError::Completed`] when another one completed it. [`ClaimError::Store`] when the store failed: try again
    /// while the claim is valid.
    pub async fn complete(&self) -> Result<(), ClaimError> {
        let answer = self.shared.complete(&self.held.item, self.held.token).await;
        if !matches!(answer, Err(ClaimError::Store(_))) {
            self.lease.end();
        }
        self.settled(answer, ClaimEnd::Completed)
    }

    /// Gives the item back at once: nothing was done, or it can be done again. The claim ends before the store is asked,
    /// since nobody knows when another one gets the item.
    ///
    /// # Errors
    /// As [`complete`](Self::complete). An item that was not released is free when its time has run out.
    pub async fn release(&self) -> Result<(), ClaimError> {
        self.lease.end();
        let answer = self.shared.release(&self.held.item, self.held.token).await;
        self.settled(answer, ClaimEnd::Released)
    }

    /// Tells the observers how it ended, if the store has said so.
    fn settled(&self, answer: Result<(), ClaimError>, end: ClaimEnd) -> Result<(), ClaimError> {
        match answer {
            Ok(()) => self.shared.ended(&self.held, &self.lease, end),
            Err(ClaimError::Store(_)) => {}
            Err(_) => self.shared.ended(&self.held, &self.lease, ClaimEnd::Lost),
        }
        answer
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.shared.ended(&self.held, &self.lease, ClaimEnd::Dropped);
    }
}

impl Shared {
    /// Tells the observers how a claim ended, unless they know.
    pub(super) fn ended(&self, held: &Held, lease: &Lease, end: ClaimEnd) {
        if !lease.told.swap(true, Ordering::AcqRel) {
            self.inner.tell_of(&Event::ClaimEnded { side: held.side, end });
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held { item, side, epoch, token, .. } = &self.held;
        let mut shown = f.debug_struct("Claim");
        shown.field("item", item).field("side", side).field("epoch", epoch).field("token", token);
        shown.field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

/// How long this process may believe in a claim. Its claim alone owns it: when it is dropped, who listens hears of it.
pub(super) struct Lease {
    /// The moment in nanoseconds, or [`OVER`].
    until: AtomicU64,
    /// Dropped when the lease ends.
    open: Mutex<Option<Sender<()>>>,
    signal: Signal,
    /// Whether the observers know how the claim ended.
    told: AtomicBool,
}

/// Resolves when a lease ends for another reason than its time.
pub(super) type Signal = future::Shared<Receiver<()>>;

/// What has ended stays ended.
const OVER: u64 = 0;

impl Lease {
    fn until(end: Instant) -> Self {
        let (open, signal) = oneshot::channel();
        let (until, open, signal) = (AtomicU64::new(end.as_nanos()), Mutex::new(Some(open)), signal.shared());
        Self { until, open, signal, told: AtomicBool::new(false) }
    }

    pub(super) fn signal(&self) -> Signal {
        self.signal.clone()
    }

    pub(super) fn remaining(&self, now: Instant) -> Duration {
        let still = self.update(|until| if now.as_nanos() < until { until } else { OVER });
        Instant::from_nanos(still).since(now)
    }

    /// Lets it last until `end`, if it has not ended yet. Says whether it lasts.
    pub(super) fn extend(&self, end: Instant, now: Instant) -> bool {
        let longer = |until: u64| if now.as_nanos() < until { until.max(end.as_nanos()) } else { OVER };
        self.update(longer) != OVER
    }

    pub(super) fn end(&self) {
        self.update(|_| OVER);
    }

    /// One step from the end that holds to the next one; what is over stays so, since no moment lies before it.
    fn update(&self, next: impl Fn(u64) -> u64) -> u64 {
        let mut until = self.until.load(Ordering::Acquire);
        loop {
            let after = next(until);
            if after == until {
                return after;
            }
            match self.until.compare_exchange_weak(until, after, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break self.close_if_over(after),
                Err(other) => until = other,
            }
        }
    }

    fn close_if_over(&self, until: u64) -> u64 {
        if until == OVER {
            let open = lock(&self.open).take();
            drop(open);
        }
        until
    }
}

/// When a claim ends here that `lasts` in the store from after the moment `sent`.
pub(super) fn local_end(sent: Instant, lasts: Duration, ttl: Duration) -> Instant {
    sent.plus(lasts.saturating_sub(margin(ttl)))
}

/// A tenth, and a second where that is at most a quarter: clocks differ in speed, and effects take time.
fn margin(ttl: Duration) -> Duration {
    (ttl / 10).max(Duration::from_secs(1).min(ttl / 4))
}

/// Stores keep no more.
pub(super) fn whole_millis(ttl: Duration) -> Duration {
    ttl.saturating_sub(Duration::from_nanos(u64::from(ttl.subsec_nanos() % 1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn the_margin_is_a_tenth_and_a_second_where_the_time_allows() {
        let margins =
            [100, 2_000, 4_000, 5_000, 10_000, 30_000].map(|ttl| margin(Duration::from_millis(ttl)).as_millis());
        assert_eq!(margins, [25, 500, 1_000, 1_000, 1_000, 3_000]);
        assert_eq!(local_end(at(7), Duration::from_secs(10), Duration::from_secs(10)), at(9_007));
        assert_eq!(local_end(at(7), Duration::from_millis(900), Duration::from_secs(10)), at(7));
    }

    #[test]
    fn whole_milliseconds_are_kept() {
        assert_eq!(whole_millis(Duration::new(3, 1_999_999)), Duration::new(3, 1_000_000));
    }

    #[test]
    fn what_was_seen_to_have_ended_is_never_extended() {
        let lease = Lease::until(at(10));
        assert!(lease.extend(at(20), at(9)));
        assert_eq!(lease.remaining(at(15)), Duration::from_millis(5));
        assert_eq!(lease.remaining(at(20)), Duration::ZERO);
        assert!(!lease.extend(at(30), at(15)), "an answer that was on its way");
        assert_eq!(lease.remaining(at(15)), Duration::ZERO);
        assert!(lease.signal().now_or_never().is_some());
    }

    #[test]
    fn at_the_very_moment_of_its_end_a_lease_is_over() {
        let [seen, extended] = [Lease::until(at(10)), Lease::until(at(10))];
        assert_eq!(seen.remaining(at(10)), Duration::ZERO);
        assert!(!extended.extend(at(20), at(10)));
        assert_eq!(extended.remaining(at(9)), Duration::ZERO);
    }

    #[test]
    fn a_renewal_never_shortens() {
        let lease = Lease::until(at(10));
        assert!(lease.extend(at(5), at(1)));
        assert_eq!(lease.remaining(at(1)), Duration::from_millis(9));
        lease.end();
        assert_eq!(lease.remaining(at(1)), Duration::ZERO);
    }
}
