//! Counts of the last while, in a ring of ticks: a call adds to two words at most, without a lock.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Instant, nanos};
use crate::lock::lock;

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) failures: u64,
    pub(super) calls: u64,
}

/// Calls and failures of one epoch.
#[derive(Debug)]
pub(super) struct Window {
    tick: u64,
    calls: Ring,
    failures: Ring,
    /// The epoch whose calls count.
    epoch: AtomicU64,
    /// 1 above the epoch that has tripped; 0 if none has.
    tripped: AtomicU64,
    beginning: Mutex<()>,
}

/// How many ticks a window has.
const TICKS: usize = 20;

impl Window {
    pub(super) fn new(window: Duration, epoch: u64) -> Self {
        Self {
            tick: (nanos(window) / TICKS as u64).max(1),
            calls: Ring::default(),
            failures: Ring::default(),
            epoch: AtomicU64::new(epoch),
            tripped: AtomicU64::new(0),
            beginning: Mutex::new(()),
        }
    }

    /// Whether the calls of `epoch` count.
    #[inline]
    pub(super) fn is_of(&self, epoch: u64) -> bool {
        self.epoch.load(Ordering::Acquire) == epoch && !self.has_tripped(epoch)
    }

    #[inline]
    fn has_tripped(&self, epoch: u64) -> bool {
        self.tripped.load(Ordering::Acquire) == epoch.wrapping_add(1)
    }

    /// Begins anew with `epoch`, unless it has tripped. Says whether its calls count.
    pub(super) fn begin(&self, epoch: u64) -> bool {
        let _one_at_a_time = lock(&self.beginning);
        if self.has_tripped(epoch) {
            return false;
        }
        if self.epoch.load(Ordering::Acquire) != epoch {
            self.calls.clear();
            self.failures.clear();
            self.tripped.store(0, Ordering::Release);
            self.epoch.store(epoch, Ordering::Release);
        }
        true
    }

    /// No call of `epoch` counts any more. Only one caller is told that it was the one.
    pub(super) fn trip(&self, epoch: u64) -> bool {
        let tripped = epoch.wrapping_add(1);
        self.tripped.swap(tripped, Ordering::AcqRel) != tripped
    }

    #[inline]
    pub(super) fn call(&self, now: Instant) {
        self.calls.add(self.number(now));
    }

    /// Counts a failure, and gives back what the window holds with it.
    pub(super) fn failure(&self, now: Instant) -> Tally {
        let number = self.number(now);
        self.failures.add(number);
        Tally { failures: self.failures.sum(number), calls: self.calls.sum(number) }
    }

    #[inline]
    const fn number(&self, now: Instant) -> u64 {
        now.as_nanos() / self.tick
    }
}

/// A count per tick. The upper half of a word is the number of the tick, the lower half its count.
#[derive(Debug, Default)]
struct Ring([AtomicU64; TICKS]);

const COUNT: u64 = 0xffff_ffff;

const fn word(number: u64, count: u64) -> u64 {
    number << 32 | count
}

/// Whether a word is of a later tick: whoever counts was held up for a whole window.
const fn is_later(found: u64, number: u64) -> bool {
    (found >> 32).wrapping_sub(number) & COUNT < COUNT / 2
}

impl Ring {
    #[inline]
    fn add(&self, number: u64) {
        let Some(slot) = self.slot(number) else { return };
        let mut found = slot.load(Ordering::Relaxed);
        while found >> 32 != number & COUNT {
            if found != 0 && is_later(found, number) {
                return;
            }
            let first = slot.compare_exchange_weak(found, word(number, 1), Ordering::Relaxed, Ordering::Relaxed);
            match first {
                Ok(_) => return,
                Err(other) => found = other,
            }
        }
        slot.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    fn slot(&self, number: u64) -> Option<&AtomicU64> {
        self.0.get(usize::try_from(number % TICKS as u64).ok()?)
    }

    /// What was counted in the tick `last` and those before it.
    fn sum(&self, last: u64) -> u64 {
        let numbers = last.saturating_sub(TICKS as u64 - 1)..=last;
        let counted = |number: u64| {
            let found = self.slot(number)?.load(Ordering::Relaxed);
            (found >> 32 == number & COUNT).then_some(found & COUNT)
        };
        numbers.filter_map(counted).sum()
    }

    fn clear(&self) {
        for slot in &self.0 {
            slot.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::from_nanos(secs * 1_000_000_000)
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let window = Window::new(Duration::from_secs(60), 0);
        window.failure(at(0));
        window.failure(at(30));
        assert_eq!(window.failure(at(59)).failures, 3);
        assert_eq!(window.failure(at(60)).failures, 3);
        assert_eq!(window.failure(at(1_000)).failures, 1);
    }

    proptest! {
        #[test]
        fn the_counts_are_those_of_a_plain_list(steps in prop::collection::vec((0_u64..40, any::<bool>()), 1..200)) {
            let (window, mut list, mut now) = (Window::new(Duration::from_secs(20), 0), VecDeque::new(), 0);
            for (pause, failed) in steps {
                now += pause;
                list.push_back((now, failed));
                list.retain(|(then, _)| now - then < 20);
                window.call(at(now));
                if failed {
                    let failures = list.iter().filter(|(_, failed)| *failed).count() as u64;
                    let expected = Tally { failures, calls: list.len() as u64 };
                    prop_assert_eq!(window.failure(at(now)), expected);
                }
            }
        }
    }

    #[test]
    fn threads_lose_no_count_within_a_tick() {
        let window = Window::new(Duration::from_secs(60), 0);
        let count = || (0..1_000).for_each(|_| window.call(at(5)));
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(count))));
        assert_eq!(window.failure(at(5)).calls, 4_000);
    }

    #[test]
    fn a_caller_that_was_held_up_for_a_whole_window_wipes_out_nothing() {
        let window = Window::new(Duration::from_secs(20), 0);
        (0..3).for_each(|_| window.call(at(100)));
        for late in [80, 60, 0] {
            window.call(at(late));
            window.failure(at(late));
        }
        let expected = Tally { failures: 1, calls: 3 };
        assert_eq!(window.failure(at(100)), expected);
    }

    #[test]
    fn one_caller_trips_an_epoch_and_another_epoch_begins_anew() {
        let window = Window::new(Duration::from_secs(60), 3);
        window.failure(at(1));
        assert!(window.is_of(3) && window.trip(3) && !window.trip(3));
        assert!(!window.is_of(3) && !window.begin(3));
        assert!(window.begin(4) && window.is_of(4));
        assert_eq!(window.failure(at(1)).failures, 1);
        assert!(window.begin(3), "a store that lost records comes by an epoch twice");
    }
}
