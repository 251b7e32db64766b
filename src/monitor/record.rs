//! How the end of a call becomes counts.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::cells::{Cell, Kind, ServedCells, SideCells};
use super::firsts::Once;
use super::ledger::{Ledger, Place};
use crate::clock::Instant;
use crate::observe::Sample;
use crate::outcome::{Outcome, Side, Verdict};
use crate::route::Route;

/// A pair that has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairEnd<'a> {
    pub(super) started: Instant,
    pub(super) both: bool,
    pub(super) key: Option<u64>,
    pub(super) legacy: &'a Sample,
    pub(super) new: &'a Sample,
    pub(super) verdict: Verdict,
}

/// What a side ran for.
#[derive(Debug, Clone, Copy)]
enum Role {
    Served { key: Option<u64> },
    Shadow,
}

/// What one run was.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Fate {
    failed: bool,
    timed_out: bool,
    /// Dropped by its caller, or stopped by the runner: nobody knows how it would have ended.
    given_up: bool,
    /// Dropped by its caller.
    abandoned: bool,
    over_p95: bool,
    slow: bool,
}

impl Role {
    /// Whether the runner stopped this run: it does that to shadows alone.
    fn was_stopped(self, outcome: Outcome) -> bool {
        outcome == Outcome::TimedOut && matches!(self, Self::Shadow)
    }
}

#[inline]
pub(super) const fn nanos_of(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

impl Ledger {
    /// One side ran alone, and has ended.
    pub(super) fn end_alone(&self, route: &Route, sample: &Sample, started: Instant, key: Option<u64>) {
        let Some(place) = self.place_of_end(route, started, &[sample]) else { return };
        let took = nanos_of(sample.elapsed);
        let may_be_overdue = took >= self.settings.timeout;
        if may_be_overdue && self.is_overdue(&place, started.as_nanos().saturating_add(took), &[sample]) {
            return;
        }
        self.note(&place, sample, took, Role::Served { key });
        place.row.count(Kind::new(sample.side, false).ended());
    }

    /// Both sides ran, and have ended.
    pub(super) fn end_both(&self, route: &Route, pair: &PairEnd<'_>) {
        let runs = [pair.legacy, pair.new];
        let Some(place) = self.place_of_end(route, pair.started, &runs) else { return };
        if self.is_overdue(&place, self.clock.now().as_nanos(), &runs) {
            return;
        }
        let role = |side| if route.serve == side { Role::Served { key: pair.key } } else { Role::Shadow };
        let legacy = self.note(&place, pair.legacy, nanos_of(pair.legacy.elapsed), role(Side::Legacy));
        let new = self.note(&place, pair.new, nanos_of(pair.new.elapsed), role(Side::New));
        if pair.both {
            note_pair(&place, legacy, new, pair.verdict);
        } else {
            place.row.count(Cell::FellBack);
        }
        place.row.count(Kind::new(route.serve, pair.both).ended());
    }

    /// Counts what is to be said of one side.
    #[inline]
    fn note(&self, place: &Place<'_>, sample: &Sample, nanos: u64, role: Role) -> Fate {
        if sample.outcome == Outcome::Abandoned || role.was_stopped(sample.outcome) {
            return self.note_given_up(place, sample, nanos, role);
        }
        place.rows.took(place.stripe, sample.side, nanos);
        if sample.outcome == Outcome::Ok && !self.limits.may_exceed(nanos) {
            return Fate::default();
        }
        self.note_event(place, sample, nanos, role)
    }

    #[cold]
    fn note_event(&self, place: &Place<'_>, sample: &Sample, nanos: u64, role: Role) -> Fate {
        let (row, cells) = (place.row, SideCells::of(sample.side));
        let timed_out = sample.outcome == Outcome::TimedOut;
        let fate = Fate {
            failed: sample.outcome != Outcome::Ok,
            timed_out,
            over_p95: timed_out || self.limits.may_exceed(nanos),
            slow: timed_out || self.limits.is_slow(nanos),
            ..Fate::default()
        };
        row.count_if(fate.failed, cells.failed);
        row.count_if(timed_out, cells.timed_out);
        row.count_if(fate.slow, cells.slow);
        row.count_if(timed_out || self.limits.is_slow_for_promotion(nanos), cells.slow_for_promotion);
        if let Role::Served { key } = role {
            let cells = ServedCells::of(sample.side);
            row.count_if(fate.failed && self.counts_for(key, Once::Failed), cells.failed);
            row.count_if(timed_out && self.counts_for(key, Once::TimedOut), cells.timed_out);
            row.count_if(fate.slow && self.is_first_slow(place, key), cells.slow);
        }
        fate
    }

    /// A run that has not ended. It took at least so long.
    #[cold]
    fn note_given_up(&self, place: &Place<'_>, sample: &Sample, nanos: u64, role: Role) -> Fate {
        let (row, cells) = (place.row, SideCells::of(sample.side));
        if sample.side == Side::Legacy {
            self.given_up.add_shared(nanos);
        }
        let stopped = role.was_stopped(sample.outcome);
        let slow = self.limits.is_slow(nanos);
        let unfinished = stopped || slow || self.limits.is_slow_for_promotion(nanos);
        row.count(cells.abandoned);
        row.count_if(unfinished, cells.unfinished);
        row.count_if(slow, cells.slow);
        row.count_if(unfinished, cells.slow_for_promotion);
        if let Role::Served { key } = role {
            row.count_if(slow && self.is_first_slow(place, key), ServedCells::of(sample.side).slow);
        }
        let over_p95 = stopped || self.limits.may_exceed(nanos);
        Fate { given_up: true, abandoned: !stopped, over_p95, slow, ..Fate::default() }
    }

    /// Whether a slow call of this key counts. Where nothing is measured, none does.
    fn is_first_slow(&self, place: &Place<'_>, key: Option<u64>) -> bool {
        self.limits.hold_in(place.row.tick) && self.counts_for(key, Once::Slow)
    }

    /// Whether an event of this key counts for the side that served it.
    fn counts_for(&self, key: Option<u64>, event: Once) -> bool {
        match (&self.firsts, key) {
            (Some(firsts), Some(key)) => firsts.is_first(key, event),
            (None, _) | (_, None) => true,
        }
    }

    /// When a call started of which nobody tells before it ends: no tick is closed any more before its time is up.
    #[inline]
    pub(super) fn start_of_late(&self, longest: Duration) -> Instant {
        if !self.is_told_late.load(Ordering::Relaxed) {
            self.is_told_late.store(true, Ordering::Release);
        }
        Instant::from_nanos(self.clock.now().as_nanos().saturating_sub(nanos_of(longest)))
    }
}

/// Both sides were selected to run. Of a side that was given up only what is known speaks against new, and what is not
/// known speaks for it: the side that serves is never stopped, so that no comparison of what was seen would be fair.
fn note_pair(place: &Place<'_>, legacy: Fate, new: Fate, verdict: Verdict) {
    let row = place.row;
    row.count_if(new.slow && !legacy.over_p95 && !legacy.abandoned, Cell::OnlyNewSlow);
    row.count_if(legacy.over_p95 && !new.slow, Cell::OnlyLegacySlow);
    if legacy.given_up || new.given_up {
        row.count(Cell::Unpaired);
        return;
    }
    let one_failed = legacy.failed != new.failed;
    let mismatched = one_failed || verdict == Verdict::Mismatched;
    row.count_if(!mismatched && verdict != Verdict::Matched, Cell::Uncompared);
    row.count_if(mismatched, Cell::Mismatched);
    row.count_if(new.failed && !legacy.failed, Cell::OnlyNewFailed);
    row.count_if(legacy.failed && !new.failed, Cell::OnlyLegacyFailed);
    row.count_if(new.timed_out && !legacy.timed_out, Cell::OnlyNewTimedOut);
    row.count_if(legacy.timed_out && !new.timed_out, Cell::OnlyLegacyTimedOut);
}
