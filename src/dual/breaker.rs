//! The breaker: stops shadows after faults in a row, and tries one when the cool-down is over.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::policy::BreakerPolicy;
use crate::clock::Instant;

#[derive(Debug)]
pub(super) struct Breaker {
    policy: Option<BreakerPolicy>,
    faults_in_a_row: AtomicU32,
    /// Until when it is open, in nanoseconds of the clock; 0 while it is closed.
    open_until: AtomicU64,
}

/// What the breaker says to a shadow that wants to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is closed: run.
    Closed,
    /// The cool-down is over: run, and let this shadow's end decide.
    Probe,
    /// It is open: skip.
    Open,
}

/// What a shadow's end changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Opened,
    Closed,
}

impl Breaker {
    pub(super) const fn new(policy: Option<BreakerPolicy>) -> Self {
        Self { policy, faults_in_a_row: AtomicU32::new(0), open_until: AtomicU64::new(0) }
    }

    /// Asks before a shadow starts. The clock is read only while the breaker is open.
    #[inline]
    pub(super) fn admit(&self, now: impl FnOnce() -> Instant) -> Admission {
        match self.open_until.load(Ordering::Relaxed) {
            CLOSED => Admission::Closed,
            until => self.admit_probe(until, now()),
        }
    }

    /// The first caller after the cool-down wins the probe; the next may probe one cool-down later.
    fn admit_probe(&self, until: u64, now: Instant) -> Admission {
        let Some(policy) = self.policy else { return Admission::Closed };
        if now.as_nanos() < until {
            return Admission::Open;
        }
        let next = now.plus(policy.cool_down).as_nanos();
        match self.open_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Admission::Probe,
            Err(_) => Admission::Open,
        }
    }

    /// A shadow returned, with a value or an error.
    #[inline]
    pub(super) fn shadow_returned(&self, probe: bool) -> Option<Change> {
        if self.faults_in_a_row.load(Ordering::Relaxed) > 0 {
            self.faults_in_a_row.store(0, Ordering::Relaxed);
        }
        if probe {
            self.open_until.store(CLOSED, Ordering::Relaxed);
        }
        probe.then_some(Change::Closed)
    }

    /// A shadow panicked or took too long.
    pub(super) fn shadow_faulted(&self, probe: bool, now: Instant) -> Option<Change> {
        let policy = self.policy?;
        let faults = self.faults_in_a_row.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if !probe && faults < policy.faults {
            return None;
        }
        let until = now.plus(policy.cool_down).as_nanos().max(CLOSED + 1);
        let before = self.open_until.swap(until, Ordering::Relaxed);
        (before == CLOSED).then_some(Change::Opened)
    }
}

const CLOSED: u64 = 0;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const COOL_DOWN: Duration = Duration::from_nanos(100);

    fn breaker(faults: u32) -> Breaker {
        Breaker::new(Some(BreakerPolicy { faults, cool_down: COOL_DOWN }))
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn it_opens_after_the_faults_in_a_row_and_not_before() {
        let breaker = breaker(3);
        assert_eq!(breaker.shadow_faulted(false, at(1)), None);
        assert_eq!(breaker.shadow_faulted(false, at(2)), None);
        assert_eq!(breaker.shadow_returned(false), None);
        assert_eq!(breaker.shadow_faulted(false, at(3)), None);
        assert_eq!(breaker.shadow_faulted(false, at(4)), None);
        assert_eq!(breaker.admit(|| at(4)), Admission::Closed);
        assert_eq!(breaker.shadow_faulted(false, at(5)), Some(Change::Opened));
        assert_eq!(breaker.admit(|| at(104)), Admission::Open);
    }

    #[test]
    fn one_probe_after_the_cool_down_decides() {
        let breaker = breaker(1);
        breaker.shadow_faulted(false, at(0));
        assert_eq!(breaker.admit(|| at(100)), Admission::Probe);
        assert_eq!(breaker.admit(|| at(101)), Admission::Open);
        assert_eq!(breaker.shadow_faulted(true, at(110)), None);
        assert_eq!(breaker.admit(|| at(209)), Admission::Open);
        assert_eq!(breaker.admit(|| at(210)), Admission::Probe);
        assert_eq!(breaker.shadow_returned(true), Some(Change::Closed));
        assert_eq!(breaker.admit(|| at(211)), Admission::Closed);
    }

    #[test]
    fn a_late_success_of_an_ordinary_shadow_does_not_close_it() {
        let breaker = breaker(1);
        breaker.shadow_faulted(false, at(0));
        assert_eq!(breaker.shadow_returned(false), None);
        assert_eq!(breaker.admit(|| at(50)), Admission::Open);
    }

    #[test]
    fn without_a_policy_it_never_opens() {
        let breaker = Breaker::new(None);
        for nanos in 0..100 {
            assert_eq!(breaker.shadow_faulted(false, at(nanos)), None);
        }
        assert_eq!(breaker.admit(|| at(100)), Admission::Closed);
    }
}
