//! The usual events, in few instructions: a call of one side goes well, and belongs to the last tick of a stripe with an owner.
//! Nothing is decided here: what is not certain at a glance is left to those who look closely, and counted alike.

use std::sync::atomic::Ordering;

use super::super::cells::{Kind, RING};
use super::super::record::nanos_of;
use super::{Ledger, Place, phase_of};
use crate::clock::Instant;
use crate::observe::{Event, Sample};
use crate::outcome::{Outcome, Side};
use crate::route::Route;
use crate::stripe::Stripe;

impl Ledger {
    /// Counts an event if it is a usual one. Says whether it did.
    #[inline]
    pub(in super::super) fn count_usual(&self, event: &Event) -> bool {
        if let Event::Started { ref route, started, both } = *event {
            self.start_usual(route, started, both).is_some()
        } else if let Event::Served { ref route, ref sample, started, .. } = *event {
            self.end_usual(route, sample, started).is_some()
        } else {
            false
        }
    }

    #[inline]
    fn start_usual(&self, route: &Route, started: Instant, both: bool) -> Option<()> {
        self.usual_place(route, started)?.row.count(Kind::new(route.serve, both).started());
        Some(())
    }

    #[inline]
    fn end_usual(&self, route: &Route, sample: &Sample, started: Instant) -> Option<()> {
        let took = self.took_if_well(sample)?;
        self.usual_place(route, started)?.end_well(sample.side, took);
        Some(())
    }

    /// As [`count_usual`](Self::count_usual), for the start and the end of a call at once.
    #[inline]
    pub(in super::super) fn record_usual(&self, route: &Route, sample: &Sample, started: Instant) -> Option<()> {
        let took = self.took_if_well(sample)?;
        let place = self.usual_place(route, started)?;
        place.row.count(Kind::new(sample.side, false).started());
        place.end_well(sample.side, took);
        Some(())
    }

    /// Where calls of the present phase are counted that started in the last tick of the thread's own stripe.
    #[inline]
    fn usual_place(&self, route: &Route, started: Instant) -> Option<Place<'_>> {
        let stripe = Stripe::owned()?;
        let rows = self.stripes.get(stripe.index())?.get()?;
        let (tick, length) = (rows.newest.load(Ordering::Relaxed).wrapping_sub(1), self.settings.tick);
        let is_usual = started.as_nanos().wrapping_sub(tick.wrapping_mul(length)) < length
            && self.phase.load(Ordering::Acquire) == phase_of(route.epoch, route.mode)
            && tick.wrapping_sub(self.open_from.load(Ordering::Acquire)) < RING as u64;
        if is_usual { Some(Place { stripe, rows, row: rows.ring.row(stripe, tick)? }) } else { None }
    }

    /// How long a run took of which there is nothing else to be said.
    #[inline]
    fn took_if_well(&self, sample: &Sample) -> Option<u64> {
        let took = nanos_of(sample.elapsed);
        let is_well = sample.outcome == Outcome::Ok && took < self.settings.timeout && !self.limits.may_exceed(took);
        is_well.then_some(took)
    }
}

impl Place<'_> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "inlined, a place is in registers")]
    fn end_well(self, side: Side, took: u64) {
        self.rows.took(self.stripe, side, took);
        self.row.count(Kind::new(side, false).ended());
    }
}
