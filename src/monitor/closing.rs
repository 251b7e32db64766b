//! [`Closing`]: closes ticks, in order, into the sums of the present phase.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::baseline::{self, Seen};
use super::cells::CELLS;
use super::ended::Ended;
use super::histogram::{Histogram, Totals};
use super::late::LateRuns;
use super::ledger::{Ledger, Rows};
use super::quality::Values;
use super::tally::{Tally, open_calls, open_runs_of_legacy};
use super::{Baseline, MeanDurations, MonitorSnapshot, PhaseCounts, SideCounts};
use crate::clock::Instant;
use crate::mode::SystemMode;
use crate::outcome::Side;

/// What is known of closed ticks.
#[derive(Debug)]
pub(super) struct Closing {
    /// The sums of the present phase.
    counts: PhaseCounts,
    /// The first tick that is not closed.
    next: u64,
    /// Closed ticks of the phase that are in the sums.
    ticks: u64,
    lost_ticks: u64,
    /// Runs of each side that were still going on when their tick was closed, in this phase.
    unended: [u64; 2],
    /// What was counted when the phase began.
    late_before: u64,
    late_ends_before: [LateRuns; 2],
    durations_before: [Totals; 2],
    qualities_before: Vec<[Values; 2]>,
    /// The last phase before that counted anything.
    ended: Box<Option<Ended>>,
    baseline: Option<Baseline>,
    seen: Seen,
}

impl Closing {
    pub(super) fn new(metrics: usize) -> Self {
        Self {
            counts: PhaseCounts::empty(0, SystemMode::LegacyOnly),
            next: 0,
            ticks: 0,
            lost_ticks: 0,
            unended: [0; 2],
            late_before: 0,
            late_ends_before: [LateRuns::default(); 2],
            durations_before: [const { Totals::new() }; 2],
            qualities_before: vec![[Values::default(); 2]; metrics],
            ended: Box::new(None),
            baseline: None,
            seen: Seen::new(),
        }
    }

    /// A phase begins with the tick `begins`. Nothing is allocated: a call waits for this.
    pub(super) fn begin(&mut self, ledger: &Ledger, epoch: u64, mode: SystemMode, begins: u64) {
        if ledger.has_a_phase() {
            self.end(ledger);
        }
        self.counts = PhaseCounts::empty(epoch, mode);
        (self.next, self.ticks, self.lost_ticks, self.unended) = (begins, 0, 0, [0; 2]);
        (self.late_before, self.late_ends_before) = (ledger.late(), ledger.late_ends.sums());
        for (side, before) in [Side::Legacy, Side::New].into_iter().zip(&mut self.durations_before) {
            *before = Totals::new();
            ledger.add_durations(side, before);
        }
        for (before, now) in self.qualities_before.iter_mut().zip(ledger.qualities.sums()) {
            *before = now;
        }
        if let Some(firsts) = &ledger.firsts {
            firsts.clear();
        }
    }

    /// The phase is over. Nothing is allocated here either.
    fn end(&mut self, ledger: &Ledger) {
        let ended = Ended {
            counts: self.counts,
            ticks: self.ticks,
            lost_ticks: self.lost_ticks,
            late: ledger.late().saturating_sub(self.late_before),
            durations: [Side::Legacy, Side::New].map(|side| self.all_durations(ledger, side)),
        };
        let ended = ended.with_open(ledger, self.next);
        if ended.has_counted() {
            *self.ended = Some(ended);
        }
    }

    /// Measures calls against this baseline from the tick `from` on.
    pub(super) fn freeze(&mut self, ledger: &Ledger, baseline: Baseline, from: u64) {
        ledger.limits.set(&baseline, &ledger.settings, from);
        self.baseline = Some(baseline);
    }

    pub(super) const fn counts(&self) -> PhaseCounts {
        self.counts
    }

    pub(super) const fn baseline(&self) -> Option<Baseline> {
        self.baseline
    }

    /// How long the runs of a side took in this phase that ended in time.
    fn durations(&self, ledger: &Ledger, side: Side) -> Totals {
        let mut totals = Totals::new();
        ledger.add_durations(side, &mut totals);
        if let Some(before) = self.durations_before.get(side as usize) {
            totals.since(before);
        }
        totals
    }

    fn unended(&self, side: Side) -> u64 {
        self.unended.get(side as usize).copied().unwrap_or_default()
    }

    /// With those that did not, each of which counts with the timeout.
    fn all_durations(&self, ledger: &Ledger, side: Side) -> Totals {
        let mut durations = self.durations(ledger, side);
        durations.add(Duration::from_nanos(ledger.settings.timeout), self.unended(side));
        durations
    }

    fn histogram(&self, ledger: &Ledger, side: Side) -> Histogram {
        self.all_durations(ledger, side).histogram()
    }

    /// Runs that ended late count with the time that they took, those that never ended with the timeout.
    pub(super) fn means(&self, ledger: &Ledger) -> MeanDurations {
        let [legacy, new] = ledger.late_ends.sums();
        let [legacy_before, new_before] = self.late_ends_before;
        let mean = |side, late: LateRuns| {
            let durations = self.durations(ledger, side);
            let never = self.unended(side).saturating_sub(late.runs);
            let sum = LateRuns { runs: durations.len(), nanos: durations.nanos() };
            sum.plus(late).and(never, ledger.settings.timeout).mean()
        };
        MeanDurations {
            legacy: mean(Side::Legacy, legacy.since(legacy_before)),
            new: mean(Side::New, new.since(new_before)),
        }
    }

    pub(super) fn snapshot(&self, ledger: &Ledger) -> MonitorSnapshot {
        MonitorSnapshot {
            counts: self.counts,
            time: ledger.settings.span(self.ticks),
            lost_ticks: self.lost_ticks,
            late: ledger.late().saturating_sub(self.late_before),
            legacy: self.histogram(ledger, Side::Legacy),
            new: self.histogram(ledger, Side::New),
            quality: ledger.qualities.since(&self.qualities_before),
        }
    }

    /// The last phase before that counted anything.
    pub(super) fn ended(&self, ledger: &Ledger) -> Option<MonitorSnapshot> {
        Option::as_ref(&self.ended).map(|ended| ended.snapshot(ledger))
    }

    fn take_in(&mut self, sums: &[u64; CELLS], timed: bool) {
        let tally = Tally::of(sums, timed);
        tally.add_to(&mut self.counts);
        let [legacy, new] = &mut self.unended;
        *legacy += tally.unended_legacy;
        *new += tally.unended_new;
        self.ticks += 1;
        self.seen.add(&tally.legacy, tally.unended_legacy);
    }

    /// Time passed in which no call started.
    const fn skip_to(&mut self, tick: u64) {
        let ticks = tick.saturating_sub(self.next);
        self.ticks += ticks;
        self.seen.ticks += ticks;
        self.next = tick;
    }

    const fn lose(&mut self) {
        self.lost_ticks += 1;
    }
}

impl Ledger {
    /// Closes ticks in order, as far as all of their calls have ended or their time is up.
    pub(super) fn close(&self, closing: &mut Closing, now: Instant) {
        if !self.has_a_phase() {
            return;
        }
        let (present, before) = (self.settings.tick_of(now), closing.next);
        let newest = self.newest.load(Ordering::Acquire);
        while closing.next < present.min(newest) && self.close_next(closing, now) {}
        let empty_until = self.empty_until(present, now);
        if closing.next >= newest && closing.next < empty_until {
            closing.skip_to(empty_until);
            self.open_from.store(empty_until, Ordering::Release);
        }
        if closing.next != before && closing.baseline.is_none() {
            self.try_to_freeze(closing);
        }
    }

    /// The first tick in which calls may have started that nobody has told of yet.
    fn empty_until(&self, present: u64, now: Instant) -> u64 {
        if self.is_told_late.load(Ordering::Acquire) {
            self.settings.tick_of(Instant::from_nanos(now.as_nanos().saturating_sub(self.settings.timeout)))
        } else {
            present
        }
    }

    /// Closes the next tick, if it can be closed.
    fn close_next(&self, closing: &mut Closing, now: Instant) -> bool {
        let tick = closing.next;
        let is_up = now.as_nanos() >= self.settings.deadline(tick);
        if is_up {
            self.open_from.store(tick + 1, Ordering::Release);
        }
        let sums = self.sums(tick);
        if !is_up && (self.is_told_late.load(Ordering::Acquire) || open_calls(&sums) > 0) {
            return false;
        }
        self.open_from.store(tick + 1, Ordering::Release);
        closing.next = tick + 1;
        if self.is_lost(tick) {
            closing.lose();
        } else {
            closing.take_in(&sums, self.limits.hold_in(tick));
        }
        true
    }

    pub(super) fn sums(&self, tick: u64) -> [u64; CELLS] {
        let mut sums = [0; CELLS];
        self.all_rows().map(Rows::ring).for_each(|ring| ring.add_ends(tick, &mut sums));
        self.all_rows().map(Rows::ring).for_each(|ring| ring.add_starts(tick, &mut sums));
        sums
    }

    fn try_to_freeze(&self, closing: &mut Closing) {
        if !closing.seen.is_worth_a_look() {
            return;
        }
        let newest = self.newest.load(Ordering::Acquire).max(closing.next);
        // First those that go on: what ends in between is better counted twice than not at all.
        let open: u64 = (closing.next..newest).map(|tick| open_runs_of_legacy(&self.sums(tick))).sum();
        let mut totals = Totals::new();
        self.add_durations(Side::Legacy, &mut totals);
        totals.add(Duration::from_nanos(self.settings.timeout), closing.seen.unended);
        let mut given_up = Totals::new();
        self.given_up.add_to(&mut given_up);
        if let Some(baseline) = baseline::of(&totals, (&given_up, open), &closing.seen, &self.settings) {
            let from = newest + 1;
            closing.freeze(self, baseline, from);
        }
    }
}

/// For the baseline: what legacy did since the monitor was made.
impl Seen {
    fn add(&mut self, legacy: &SideCounts, unended: u64) {
        self.legacy += *legacy;
        self.unended += unended;
        self.ticks += 1;
    }
}
