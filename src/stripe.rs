//! Which stripe of a counter a thread writes to. Up to 15 threads own one each and write it without locked
//! instructions; all others share one.

use std::cell::Cell;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

/// How many stripes there are: the shared one and those with an owner.
pub(crate) const STRIPES: usize = 16;

/// The stripe of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stripe(usize);

/// For threads that own none; written with atomic additions.
const SHARED: usize = 0;

/// Not a stripe: the thread has not asked yet.
const UNASKED: usize = usize::MAX;

thread_local! {
    static STRIPE: Cell<usize> = const { Cell::new(UNASKED) };
    /// Gives the stripe back when the thread ends.
    static OWNERSHIP: Ownership = const { Ownership };
}

impl Stripe {
    /// The stripe of the calling thread.
    #[inline]
    pub(crate) fn own() -> Self {
        match STRIPE.get() {
            UNASKED => Self::claim(),
            index => Self(index),
        }
    }

    /// The stripe of the calling thread, if it has asked before and no other writes that one.
    #[inline]
    pub(crate) fn owned() -> Option<Self> {
        let index = STRIPE.get();
        (SHARED + 1..STRIPES).contains(&index).then_some(Self(index))
    }

    #[cold]
    fn claim() -> Self {
        let index = OWNERSHIP.try_with(|_| take_free()).ok().flatten().unwrap_or(SHARED);
        STRIPE.set(index);
        Self(index)
    }

    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0
    }

    /// Whether several threads write this stripe.
    #[inline]
    pub(crate) const fn is_shared(self) -> bool {
        self.0 == SHARED
    }

    /// Adds to a counter of this stripe. Its owner is the only one who writes it, so reading and writing apart is safe.
    #[inline]
    pub(crate) fn add(self, counter: &AtomicU64, amount: u64) {
        if self.is_shared() {
            counter.fetch_add(amount, Ordering::Relaxed);
        } else {
            counter.store(counter.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
        }
    }
}

/// One bit per stripe that has an owner; the shared one never is free.
static TAKEN: AtomicU16 = AtomicU16::new(1);

/// The acquiring exchange sees everything that the last owner wrote before it gave the stripe back.
fn take_free() -> Option<usize> {
    let lowest_free = |taken: u16| (taken != u16::MAX).then(|| taken | (taken + 1));
    let before = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, lowest_free).ok()?;
    Some(before.trailing_ones() as usize)
}

struct Ownership;

impl Drop for Ownership {
    fn drop(&mut self) {
        let index = STRIPE.replace(SHARED);
        if index != SHARED && index < STRIPES {
            TAKEN.fetch_and(!(1 << index), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier, Mutex};

    use super::*;

    #[test]
    fn no_stripe_has_two_owners_and_ended_threads_give_theirs_back() {
        for _ in 0..20 {
            let (owned, all_here) = (Mutex::new(Vec::new()), Barrier::new(40));
            std::thread::scope(|scope| {
                for _ in 0..40 {
                    scope.spawn(|| {
                        let index = Stripe::own().index();
                        owned.lock().unwrap().push(index);
                        all_here.wait();
                    });
                }
            });
            let mut owned: Vec<_> = owned.into_inner().unwrap().into_iter().filter(|&index| index != SHARED).collect();
            let claimed = owned.len();
            owned.sort_unstable();
            owned.dedup();
            assert_eq!(owned.len(), claimed, "two threads own one stripe");
        }
    }

    #[test]
    fn threads_that_come_and_go_lose_no_count() {
        let counters: Arc<[AtomicU64; STRIPES]> = Arc::default();
        for _ in 0..50 {
            std::thread::scope(|scope| {
                for _ in 0..30 {
                    scope.spawn(|| {
                        let stripe = Stripe::own();
                        (0..100).for_each(|_| stripe.add(&counters[stripe.index()], 1));
                    });
                }
            });
        }
        let sum: u64 = counters.iter().map(|counter| counter.load(Ordering::Relaxed)).sum();
        assert_eq!(sum, 50 * 30 * 100);
    }
}
