//! [`Ended`]: what the phase before the present one counted.

use std::sync::atomic::Ordering;

use super::cells::RING;
use super::histogram::Totals;
use super::ledger::Ledger;
use super::tally::{Tally, without_open};
use super::{MonitorSnapshot, PhaseCounts};
use crate::mode::SystemMode;

/// A phase that is over. Its place is made once, because a call waits for a phase to end.
#[derive(Debug)]
pub(super) struct Ended {
    /// Whether a phase has ended yet.
    is_there: bool,
    counts: PhaseCounts,
    ticks: u64,
    lost_ticks: u64,
    late: u64,
    durations: [Totals; 2],
}

impl Ended {
    pub(super) fn new() -> Self {
        Self {
            is_there: false,
            counts: PhaseCounts::empty(0, SystemMode::LegacyOnly),
            ticks: 0,
            lost_ticks: 0,
            late: 0,
            durations: [const { Totals::new() }; 2],
        }
    }

    /// Takes in what was counted in closed ticks: how many those were, how many were lost, and how many calls came late.
    pub(super) fn take(
        &mut self,
        counts: PhaseCounts,
        (ticks, lost_ticks, late): (u64, u64, u64),
        durations: [Totals; 2],
    ) {
        self.is_there = true;
        (self.counts, self.durations) = (counts, durations);
        (self.ticks, self.lost_ticks, self.late) = (ticks, lost_ticks, late);
    }

    /// Takes in what has ended in the ticks from `next` on, which nobody will close any more.
    pub(super) fn take_open(&mut self, ledger: &Ledger, next: u64) {
        let newest = ledger.newest.load(Ordering::Acquire);
        for tick in (next..newest).take(RING) {
            if ledger.is_lost(tick) {
                self.lost_ticks += 1;
            } else {
                let ended = without_open(ledger.sums(tick));
                Tally::of(&ended, ledger.limits.hold_in(tick)).add_to(&mut self.counts);
                self.ticks += 1;
            }
        }
    }

    pub(super) fn snapshot(&self, ledger: &Ledger) -> Option<MonitorSnapshot> {
        let [legacy, new] = self.durations.each_ref().map(Totals::histogram);
        self.is_there.then(|| MonitorSnapshot {
            counts: self.counts,
            time: ledger.settings.span(self.ticks),
            lost_ticks: self.lost_ticks,
            late: self.late,
            legacy,
            new,
            quality: Vec::new(),
        })
    }
}
