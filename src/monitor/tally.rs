//! What the counts of one tick say, once it is closed.

use super::cells::{CELLS, Cell};
use super::{PairTally, PhaseCounts, ServedCounts, SideCounts};

/// Calls that have started and not ended.
pub(super) fn open_calls(sums: &[u64; CELLS]) -> u64 {
    let open = Open::of(sums);
    open.alone_legacy + open.alone_new + open.both_legacy + open.both_new
}

/// Runs of legacy that have not ended, or of which nobody knows.
pub(super) fn open_runs_of_legacy(sums: &[u64; CELLS]) -> u64 {
    let open = Open::of(sums);
    open.alone_legacy + open.both_legacy + open.both_new
}

/// The sums as if the calls that have not ended had not started.
pub(super) fn without_open(sums: &[u64; CELLS]) -> [u64; CELLS] {
    let mut ended = *sums;
    for (started, end) in [
        (Cell::StartedLegacy, Cell::EndedLegacy),
        (Cell::StartedNew, Cell::EndedNew),
        (Cell::StartedBothLegacy, Cell::EndedBothLegacy),
        (Cell::StartedBothNew, Cell::EndedBothNew),
    ] {
        if let Some(count) = ended.get_mut(started as usize) {
            *count = (*count).min(at(sums, end));
        }
    }
    ended
}

fn at(sums: &[u64; CELLS], cell: Cell) -> u64 {
    sums.get(cell as usize).copied().unwrap_or_default()
}

/// Calls that have not ended, by how they started.
struct Open {
    alone_legacy: u64,
    alone_new: u64,
    both_legacy: u64,
    both_new: u64,
}

impl Open {
    fn of(sums: &[u64; CELLS]) -> Self {
        let open = |started, ended| at(sums, started).saturating_sub(at(sums, ended));
        Self {
            alone_legacy: open(Cell::StartedLegacy, Cell::EndedLegacy),
            alone_new: open(Cell::StartedNew, Cell::EndedNew),
            both_legacy: open(Cell::StartedBothLegacy, Cell::EndedBothLegacy),
            both_new: open(Cell::StartedBothNew, Cell::EndedBothNew),
        }
    }
}

/// One closed tick. What has not ended is overdue; of a pair that has not ended, both sides are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) legacy: SideCounts,
    pub(super) new: SideCounts,
    served_legacy: ServedCounts,
    served_new: ServedCounts,
    pairs: PairTally,
    pub(super) unended_legacy: u64,
    pub(super) unended_new: u64,
}

impl Tally {
    /// `timed` says whether the limits held in this tick.
    pub(super) fn of(sums: &[u64; CELLS], timed: bool) -> Self {
        let (at, open) = (|cell| at(sums, cell), Open::of(sums));
        let both = at(Cell::StartedBothLegacy) + at(Cell::StartedBothNew);
        let open_pairs = open.both_legacy + open.both_new;
        let fell_back = at(Cell::FellBack);
        let unended_legacy = open.alone_legacy + open_pairs;
        let unended_new = open.alone_new + open_pairs;
        let legacy = Side {
            started: at(Cell::StartedLegacy) + both + fell_back,
            unended: unended_legacy,
            failed: at(Cell::LegacyFailed),
            timed_out: at(Cell::LegacyTimedOut),
            abandoned: at(Cell::LegacyAbandoned),
            unfinished: at(Cell::LegacyUnfinished),
            slow: at(Cell::LegacySlow),
            slow_for_promotion: at(Cell::LegacySlowForPromotion),
        };
        let new = Side {
            started: at(Cell::StartedNew) + both,
            unended: unended_new,
            failed: at(Cell::NewFailed),
            timed_out: at(Cell::NewTimedOut),
            abandoned: at(Cell::NewAbandoned),
            unfinished: at(Cell::NewUnfinished),
            slow: at(Cell::NewSlow),
            slow_for_promotion: at(Cell::NewSlowForPromotion),
        };
        let unended = open.alone_legacy + open.both_legacy;
        let served_legacy = ServedCounts {
            started: at(Cell::StartedLegacy) + at(Cell::StartedBothLegacy),
            failed: at(Cell::ServedLegacyFailed) + unended,
            overdue: at(Cell::ServedLegacyTimedOut) + unended,
            slow: if timed { at(Cell::ServedLegacySlow) + unended } else { 0 },
        };
        let unended = open.alone_new + open.both_new;
        let served_new = ServedCounts {
            started: at(Cell::StartedNew) + at(Cell::StartedBothNew),
            failed: at(Cell::ServedNewFailed) + unended,
            overdue: at(Cell::ServedNewTimedOut) + unended,
            slow: if timed { at(Cell::ServedNewSlow) + unended } else { 0 },
        };
        let pairs = pairs(sums, both, open_pairs, timed);
        let (legacy, new) = (legacy.counts(timed), new.counts(timed));
        Self { legacy, new, served_legacy, served_new, pairs, unended_legacy, unended_new }
    }

    pub(super) fn add_to(&self, counts: &mut PhaseCounts) {
        counts.legacy += self.legacy;
        counts.new += self.new;
        counts.served_legacy += self.served_legacy;
        counts.served_new += self.served_new;
        counts.pairs += self.pairs;
    }
}

/// What was counted of one side.
struct Side {
    started: u64,
    unended: u64,
    failed: u64,
    timed_out: u64,
    abandoned: u64,
    unfinished: u64,
    slow: u64,
    slow_for_promotion: u64,
}

impl Side {
    fn counts(&self, timed: bool) -> SideCounts {
        let failed = self.failed + self.unended;
        let trials = self.started.saturating_sub(self.abandoned);
        let if_timed = |count| if timed { count } else { 0 };
        SideCounts {
            started: self.started,
            succeeded: trials.saturating_sub(failed),
            failed,
            overdue: self.timed_out + self.unended,
            abandoned: self.abandoned,
            unfinished: self.unfinished,
            slow: if_timed(self.slow + self.unended),
            slow_for_promotion: if_timed(self.slow_for_promotion + self.unended),
            timed: if_timed(trials + self.unfinished),
        }
    }
}

fn pairs(sums: &[u64; CELLS], started: u64, unended: u64, timed: bool) -> PairTally {
    let at = |cell| at(sums, cell);
    let pairs = started.saturating_sub(at(Cell::Unpaired));
    let if_timed = |count| if timed { count } else { 0 };
    PairTally {
        pairs,
        compared: pairs.saturating_sub(at(Cell::Uncompared) + unended),
        mismatched: at(Cell::Mismatched),
        only_new_failed: at(Cell::OnlyNewFailed),
        only_legacy_failed: at(Cell::OnlyLegacyFailed),
        only_new_overdue: at(Cell::OnlyNewTimedOut),
        only_legacy_overdue: at(Cell::OnlyLegacyTimedOut),
        only_new_slow: if_timed(at(Cell::OnlyNewSlow)),
        only_legacy_slow: if_timed(at(Cell::OnlyLegacySlow)),
        timed: if_timed(started),
    }
}
