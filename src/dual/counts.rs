//! [`Counts`]: how the runner's calls ended, counted in stripes so that threads do not share cache lines.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::observe::{Part, SkipReason};
use crate::outcome::{Side, Verdict};
use crate::stripe::{STRIPES, Stripe};

/// How a runner's calls ended since it was built.
///
/// Calls of one side are not counted here; observe [`Event::Served`](crate::observe::Event::Served) for them.
///
/// Every selected call, that is every call of which both sides were to run, ends in exactly one column, so that
/// `selected = matched + mismatched + ignored + both_failed + one_failed + panicked + timed_out + abandoned`
/// as soon as no call is [in flight](Self::in_flight).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Calls of which both sides were to run.
    pub selected: u64,
    /// Both sides agreed.
    pub matched: u64,
    /// Both sides ended and disagreed.
    pub mismatched: u64,
    /// The comparator or known noise said that the difference does not matter, or the comparator failed.
    pub ignored: u64,
    /// Both sides failed, and nothing compares errors.
    pub both_failed: u64,
    /// One side failed.
    pub one_failed: u64,
    /// At least one side panicked.
    pub panicked: u64,
    /// The shadow took too long.
    pub timed_out: u64,
    /// The call was dropped before both sides had ended.
    pub abandoned: u64,
    /// Calls that legacy answered because new failed while it served.
    pub fallbacks: u64,
    /// Routed shadows that did not run, by reason.
    pub skipped: Skipped,
    /// Faults of the parts that the host gave; none of them touched an answer.
    pub faults: Faults,
    /// Total time that legacy took in selected calls, in nanoseconds.
    pub legacy_nanos: u64,
    /// Total time that new took in selected calls, in nanoseconds.
    pub new_nanos: u64,
}

impl Counts {
    /// Selected calls that have not ended yet.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.selected.saturating_sub(self.ended())
    }

    /// Selected calls that have ended: the sum of the eight columns.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.matched
            + self.mismatched
            + self.ignored
            + self.both_failed
            + self.one_failed
            + self.panicked
            + self.timed_out
            + self.abandoned
    }

    /// The count of one verdict.
    #[must_use]
    pub const fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Matched => self.matched,
            Verdict::Mismatched => self.mismatched,
            Verdict::Ignored => self.ignored,
            Verdict::BothFailed => self.both_failed,
            Verdict::OneFailed => self.one_failed,
            Verdict::Panicked => self.panicked,
            Verdict::TimedOut => self.timed_out,
            Verdict::Abandoned => self.abandoned,
        }
    }
}

/// Routed shadows that did not run, by [`SkipReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// The key was not in the shadow share.
    pub not_sampled: u64,
    /// As many shadows as allowed were in flight.
    pub in_flight: u64,
    /// The breaker was open.
    pub breaker_open: u64,
    /// The call came from inside the runner's own new side.
    pub nested: u64,
}

/// Contained faults of the parts that the host gave, by [`Part`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Faults {
    /// The router panicked.
    pub router: u64,
    /// A comparator failed or panicked.
    pub comparator: u64,
    /// A capture function or a context failed or panicked.
    pub capture: u64,
    /// The recorder failed or panicked, or its queue was full. What a recorder with a queue of its own loses behind it
    /// stands in its own counts.
    pub recorder: u64,
    /// The observer panicked, or its queue was full.
    pub observer: u64,
    /// The runtime could not spawn or sleep.
    pub runtime: u64,
}

/// The counters behind [`Counts`], a group for each stripe of threads.
#[derive(Debug, Default)]
pub(super) struct Counters {
    stripes: [Group; STRIPES],
}

/// What the threads of one stripe count. Two cache lines apart, because processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Group {
    selected: AtomicU64,
    nanos: [AtomicU64; 2],
    verdicts: [AtomicU64; Verdict::ALL.len()],
    fallbacks: AtomicU64,
    skipped: [AtomicU64; SkipReason::ALL.len()],
    faults: [AtomicU64; Part::ALL.len()],
}

impl Counters {
    #[inline]
    pub(super) fn select(&self) {
        self.add(|group| Some(&group.selected), 1);
    }

    #[inline]
    pub(super) fn end(&self, verdict: Verdict, legacy_nanos: u64, new_nanos: u64) {
        let stripe = Stripe::own();
        let Some(Group { verdicts, nanos: [legacy, new], .. }) = self.stripes.get(stripe.index()) else { return };
        verdicts.get(verdict as usize).into_iter().for_each(|count| stripe.add(count, 1));
        stripe.add(legacy, legacy_nanos);
        stripe.add(new, new_nanos);
    }

    #[inline]
    pub(super) fn skip(&self, reason: SkipReason) {
        self.add(|group| group.skipped.get(reason as usize), 1);
    }

    pub(super) fn fault(&self, part: Part) {
        self.add(|group| group.faults.get(part as usize), 1);
    }

    pub(super) fn fall_back(&self) {
        self.add(|group| Some(&group.fallbacks), 1);
    }

    #[inline]
    fn add(&self, pick: impl FnOnce(&Group) -> Option<&AtomicU64>, amount: u64) {
        let stripe = Stripe::own();
        if let Some(counter) = self.stripes.get(stripe.index()).and_then(pick) {
            stripe.add(counter, amount);
        }
    }

    /// The sums. Calls that end meanwhile may be in or not; each is in one column at most.
    pub(super) fn sum(&self) -> Counts {
        let total = |pick: fn(&Group) -> &AtomicU64| self.stripes.iter().map(pick).map(get).sum::<u64>();
        let verdict = |verdict: Verdict| self.sum_at(|group| &group.verdicts, verdict as usize);
        Counts {
            matched: verdict(Verdict::Matched),
            mismatched: verdict(Verdict::Mismatched),
            ignored: verdict(Verdict::Ignored),
            both_failed: verdict(Verdict::BothFailed),
            one_failed: verdict(Verdict::OneFailed),
            panicked: verdict(Verdict::Panicked),
            timed_out: verdict(Verdict::TimedOut),
            abandoned: verdict(Verdict::Abandoned),
            selected: total(|group| &group.selected),
            fallbacks: total(|group| &group.fallbacks),
            skipped: self.skipped(),
            faults: self.faults(),
            legacy_nanos: self.sum_at(|group| &group.nanos, Side::Legacy as usize),
            new_nanos: self.sum_at(|group| &group.nanos, Side::New as usize),
        }
    }

    fn skipped(&self) -> Skipped {
        let skipped = |reason: SkipReason| self.sum_at(|group| &group.skipped, reason as usize);
        Skipped {
            not_sampled: skipped(SkipReason::NotSampled),
            in_flight: skipped(SkipReason::InFlight),
            breaker_open: skipped(SkipReason::BreakerOpen),
            nested: skipped(SkipReason::Nested),
        }
    }

    fn faults(&self) -> Faults {
        let fault = |part: Part| self.sum_at(|group| &group.faults, part as usize);
        Faults {
            router: fault(Part::Router),
            comparator: fault(Part::Comparator),
            capture: fault(Part::Capture),
            recorder: fault(Part::Recorder),
            observer: fault(Part::Observer),
            runtime: fault(Part::Runtime),
        }
    }

    fn sum_at(&self, pick: impl Fn(&Group) -> &[AtomicU64], index: usize) -> u64 {
        self.stripes.iter().filter_map(|group| pick(group).get(index)).map(get).sum()
    }
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
