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
    abandoned: bool,
    over_p95: bool,
    slow: bool,
}

#[inline]
const fn nanos_of(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

impl Ledger {
    /// One side ran alone, and has ended.
    #[inline]
    pub(super) fn end_alone(&self, route: &Route, sample: &Sample, started: Instant, key: Option<u64>) {
        let Some(place) = self.place_of_end(route, started) else { return };
        let took = nanos_of(sample.elapsed);
        let may_be_overdue = took >= self.settings.timeout;
        if may_be_overdue && self.is_overdue(&place, started.as_nanos().saturating_add(took)) {
            return;
        }
        self.note(&place, sample, took, Role::Served { key });
        place.row.count(Kind::new(sample.side, false).ended());
    }

    /// Both sides ran, and have ended.
    pub(super) fn end_both(&self, route: &Route, pair: &PairEnd<'_>) {
        let Some(place) = self.place_of_end(route, pair.started) else { return };
        if self.is_overdue(&place, self.clock.now().as_nanos()) {
            return;
        }
        let role = |side| if route.serve == side { Role::Served { key: pair.key } } else { Role::Shadow };
        let legacy = self.note(&place, pair.legacy, nanos_of(pair.legacy.elapsed), role(Side::Legacy));
        let new = self.note(&place, pair.new, nanos_of(pair.new.elapsed), role(Side::New));
        place.row.count_if(!pair.both, Cell::FellBack);
        if legacy.abandoned || new.abandoned {
            place.row.count(Cell::Unpaired);
        } else {
            note_pair(&place, legacy, new, pair.verdict);
        }
        place.row.count(Kind::new(route.serve, pair.both).ended());
    }

    /// Counts what is to be said of one side.
    #[inline]
    fn note(&self, place: &Place<'_>, sample: &Sample, nanos: u64, role: Role) -> Fate {
        if sample.outcome != Outcome::Abandoned {
            place.rows.took(place.stripe, sample.side, nanos);
        }
        if sample.outcome == Outcome::Ok && !self.limits.may_exceed(nanos) {
            return Fate::default();
        }
        self.note_event(place, sample, nanos, role)
    }

    #[cold]
    fn note_event(&self, place: &Place<'_>, sample: &Sample, nanos: u64, role: Role) -> Fate {
        let (row, cells) = (place.row, SideCells::of(sample.side));
        if sample.outcome == Outcome::Abandoned {
            row.count(cells.abandoned);
            return Fate { abandoned: true, ..Fate::default() };
        }
        let timed_out = sample.outcome == Outcome::TimedOut;
        let fate = Fate {
            failed: sample.outcome != Outcome::Ok,
            timed_out,
            abandoned: false,
            over_p95: timed_out || self.limits.may_exceed(nanos),
            slow: timed_out || self.limits.is_slow(nanos),
        };
        row.count_if(fate.failed, cells.failed);
        row.count_if(timed_out, cells.timed_out);
        row.count_if(fate.slow, cells.slow);
        row.count_if(timed_out || self.limits.is_slow_for_promotion(nanos), cells.slow_for_promotion);
        if let Role::Served { key } = role {
            let cells = ServedCells::of(sample.side);
            row.count_if(fate.failed && self.counts_for(key, Once::Failed), cells.failed);
            row.count_if(timed_out && self.counts_for(key, Once::TimedOut), cells.timed_out);
            row.count_if(fate.slow && self.counts_for(key, Once::Slow), cells.slow);
        }
        fate
    }

    /// Whether an event of this key counts for the side that served it.
    fn counts_for(&self, key: Option<u64>, event: Once) -> bool {
        match (&self.firsts, key) {
            (Some(firsts), Some(key)) => firsts.is_first(key, event),
            (None, _) | (_, None) => true,
        }
    }

    /// Nobody told of the start: it is counted now, and no tick is closed any more before its time is up.
    pub(super) fn tell_late(&self, route: &Route, kind: Kind, longest: Duration) -> Instant {
        if !self.is_told_late.load(Ordering::Relaxed) {
            self.is_told_late.store(true, Ordering::Release);
        }
        let started = Instant::from_nanos(self.clock.now().as_nanos().saturating_sub(nanos_of(longest)));
        self.start(route, started, kind);
        started
    }
}

/// Neither side was given up.
fn note_pair(place: &Place<'_>, legacy: Fate, new: Fate, verdict: Verdict) {
    let row = place.row;
    let one_failed = legacy.failed != new.failed;
    let mismatched = one_failed || verdict == Verdict::Mismatched;
    row.count_if(!mismatched && verdict != Verdict::Matched, Cell::Uncompared);
    row.count_if(mismatched, Cell::Mismatched);
    row.count_if(new.failed && !legacy.failed, Cell::OnlyNewFailed);
    row.count_if(legacy.failed && !new.failed, Cell::OnlyLegacyFailed);
    row.count_if(new.timed_out && !legacy.timed_out, Cell::OnlyNewTimedOut);
    row.count_if(legacy.timed_out && !new.timed_out, Cell::OnlyLegacyTimedOut);
    row.count_if(new.slow && !legacy.over_p95, Cell::OnlyNewSlow);
    row.count_if(legacy.over_p95 && !new.slow, Cell::OnlyLegacySlow);
}
