//! [`Ended`]: what an earlier phase counted.

use std::sync::atomic::Ordering;

use super::cells::RING;
use super::histogram::Totals;
use super::ledger::Ledger;
use super::tally::{Tally, without_open};
use super::{MonitorSnapshot, PhaseCounts};

/// A phase that is over.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) counts: PhaseCounts,
    pub(super) ticks: u64,
    pub(super) lost_ticks: u64,
    pub(super) late: u64,
    pub(super) durations: [Totals; 2],
}

impl Ended {
    /// With what has ended in the ticks from `next` on, which nobody will close any more.
    pub(super) fn with_open(mut self, ledger: &Ledger, next: u64) -> Self {
        let newest = ledger.newest.load(Ordering::Acquire);
        for tick in (next..newest).take(RING) {
            if ledger.is_lost(tick) {
                self.lost_ticks += 1;
            } else {
                let ended = without_open(&ledger.sums(tick));
                Tally::of(&ended, ledger.limits.hold_in(tick)).add_to(&mut self.counts);
                self.ticks += 1;
            }
        }
        self
    }

    pub(super) const fn has_counted(&self) -> bool {
        self.counts.legacy.started > 0 || self.counts.new.started > 0
    }

    pub(super) fn snapshot(&self, ledger: &Ledger) -> MonitorSnapshot {
        let [legacy, new] = self.durations.each_ref().map(Totals::histogram);
        MonitorSnapshot {
            counts: self.counts,
            time: ledger.settings.span(self.ticks),
            lost_ticks: self.lost_ticks,
            late: self.late,
            legacy,
            new,
            quality: Vec::new(),
        }
    }
}
