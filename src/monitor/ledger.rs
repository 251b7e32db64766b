//! [`Ledger`]: the counts of open ticks, which every call writes and none waits for.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, TryLockError};

use super::cells::{Kind, RING, Ring, Row, slot};
use super::closing::Closing;
use super::firsts::Firsts;
use super::histogram::{Durations, Totals};
use super::late::LateEnds;
use super::quality::Qualities;
use super::settings::{Limits, Settings};
use crate::clock::{Clock, Instant};
use crate::lock::lock;
use crate::mode::SystemMode;
use crate::observe::Sample;
use crate::outcome::Side;
use crate::route::Route;
use crate::stripe::{STRIPES, Stripe};

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) firsts: Option<Firsts>,
    pub(super) qualities: Qualities,
    stripes: [OnceLock<Box<Rows>>; STRIPES],
    /// The present phase as [`phase_of`] writes it; 0 before the first.
    phase: AtomicU64,
    /// The first tick of the phase.
    pub(super) begins: AtomicU64,
    /// The first tick that is not closed. Earlier ones are not counted in.
    pub(super) open_from: AtomicU64,
    /// 1 above the last tick in which a call started.
    pub(super) newest: AtomicU64,
    /// By place in the ring: 1 above the tick that is lost.
    lost: [AtomicU64; RING],
    pub(super) late_ends: LateEnds,
    /// After how long runs of legacy were given up. One for all stripes: that is rare.
    pub(super) given_up: Box<Durations>,
    /// Whether calls are told of only after they have ended.
    pub(super) is_told_late: AtomicBool,
    /// Held by whoever closes ticks or reads; who records only ever tries.
    closing: Mutex<Closing>,
}

/// What the threads of one stripe count. Two cache lines apart, because processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Rows {
    /// 1 above the last tick in which a call started.
    newest: AtomicU64,
    late: AtomicU64,
    ring: Ring,
    durations: [Durations; 2],
}

impl Rows {
    const fn new() -> Self {
        Self {
            newest: AtomicU64::new(0),
            late: AtomicU64::new(0),
            ring: Ring::new(),
            durations: [const { Durations::new() }; 2],
        }
    }

    #[inline]
    pub(super) fn took(&self, stripe: Stripe, side: Side, nanos: u64) {
        if let Some(durations) = self.durations.get(side as usize) {
            durations.add(stripe, nanos);
        }
    }

    pub(super) const fn ring(&self) -> &Ring {
        &self.ring
    }
}

/// Where one thread counts one call.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) stripe: Stripe,
    pub(super) rows: &'a Rows,
    pub(super) row: Row<'a>,
}

/// A phase as a number that grows: its epoch, and whether it is an emergency that is not stored yet; 0 is none.
#[inline]
const fn phase_of(epoch: u64, mode: SystemMode) -> u64 {
    (epoch << 1 | matches!(mode, SystemMode::EmergencyRollback) as u64).wrapping_add(1)
}

impl Ledger {
    pub(super) fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        first_event_per_key: bool,
        qualities: Qualities,
    ) -> Self {
        let closing = Mutex::new(Closing::new(qualities.len()));
        let ledger = Self {
            settings,
            clock,
            limits: Limits::none(),
            firsts: first_event_per_key.then(Firsts::new),
            qualities,
            stripes: [const { OnceLock::new() }; STRIPES],
            phase: AtomicU64::new(0),
            begins: AtomicU64::new(0),
            open_from: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            lost: [const { AtomicU64::new(0) }; RING],
            late_ends: LateEnds::default(),
            given_up: Box::new(Durations::new()),
            is_told_late: AtomicBool::new(false),
            closing,
        };
        // Many threads share the first stripe: none of them is to wait for another that makes it.
        ledger.stripes.first().map(|first| first.get_or_init(|| Box::new(Rows::new())));
        ledger
    }

    /// What the calling thread writes. Its first call makes it, if it has a stripe of its own.
    #[inline]
    fn rows(&self, stripe: Stripe) -> Option<&Rows> {
        let place = self.stripes.get(stripe.index())?;
        Some(place.get().unwrap_or_else(|| place.get_or_init(|| Box::new(Rows::new()))))
    }

    pub(super) fn all_rows(&self) -> impl Iterator<Item = &Rows> {
        self.stripes.iter().filter_map(OnceLock::get).map(|rows| &**rows)
    }

    /// The tick of a moment; without a division if it is the last one.
    #[inline]
    fn tick_of(&self, rows: &Rows, moment: Instant) -> u64 {
        let last = rows.newest.load(Ordering::Relaxed).wrapping_sub(1);
        let since = moment.as_nanos().wrapping_sub(last.wrapping_mul(self.settings.tick));
        if since < self.settings.tick { last } else { self.settings.tick_of(moment) }
    }

    /// Counts a call that starts.
    pub(super) fn start(&self, route: &Route, started: Instant, kind: Kind) {
        let stripe = Stripe::own();
        let Some(rows) = self.rows(stripe) else { return };
        let tick = self.tick_of(rows, started);
        let is_present = self.phase.load(Ordering::Acquire) == phase_of(route.epoch, route.mode);
        if is_present && tick < self.open_from.load(Ordering::Acquire) {
            return;
        }
        let is_known = is_present && rows.newest.load(Ordering::Relaxed) == tick + 1;
        if is_known || self.enter(rows, route, tick, started) {
            if let Some(row) = rows.ring.row(stripe, tick) {
                row.count(kind.started());
            }
        }
    }

    /// The first call of this stripe in a tick. Says whether the call counts.
    #[cold]
    fn enter(&self, rows: &Rows, route: &Route, tick: u64, now: Instant) -> bool {
        let phase = phase_of(route.epoch, route.mode);
        if self.phase.load(Ordering::Acquire) != phase && !self.begin(phase, route, tick, now) {
            return false;
        }
        if rows.newest.load(Ordering::Relaxed) <= tick {
            self.try_closing(|closing| self.close(closing, now));
            if tick >= self.open_from.load(Ordering::Acquire) + RING as u64 {
                self.lose(tick);
                return false;
            }
            rows.newest.fetch_max(tick + 1, Ordering::Relaxed);
            self.newest.fetch_max(tick + 1, Ordering::AcqRel);
        }
        tick >= self.open_from.load(Ordering::Acquire)
    }

    /// Another phase begins with the next tick, unless it is one that is over. The present tick is of two phases. Says whether
    /// the phase is the present one now: somebody else may have begun it a while ago.
    fn begin(&self, phase: u64, route: &Route, tick: u64, now: Instant) -> bool {
        if phase > self.phase.load(Ordering::Acquire) || self.is_forsaken(tick) {
            let begun = self.try_closing(|closing| self.begin_locked(closing, phase, route, tick, now));
            if begun.is_none() {
                self.lose(tick);
            }
        }
        self.phase.load(Ordering::Acquire) == phase
    }

    fn begin_locked(&self, closing: &mut Closing, phase: u64, route: &Route, tick: u64, now: Instant) {
        if self.phase.load(Ordering::Acquire) == phase {
            return;
        }
        self.close(closing, now);
        let begins = self.newest.load(Ordering::Acquire).max(tick + 1);
        closing.begin(self, route.epoch, route.mode, begins);
        self.begins.store(begins, Ordering::Release);
        self.open_from.store(begins, Ordering::Release);
        self.newest.fetch_max(tick + 1, Ordering::AcqRel);
        self.phase.store(phase, Ordering::Release);
    }

    pub(super) fn has_a_phase(&self) -> bool {
        self.phase.load(Ordering::Acquire) != 0
    }

    /// Whether no call of the present phase has started for so long that an earlier epoch is to be believed: a store
    /// that lost records comes by an epoch twice.
    fn is_forsaken(&self, tick: u64) -> bool {
        let last = self.newest.load(Ordering::Acquire);
        tick > last + 2 * (self.settings.timeout / self.settings.tick + 1)
    }

    /// The store has another epoch than the calls of the present phase, and it is an earlier one. No call waits for this, and
    /// nobody says it twice: it is worth waiting for who reads.
    #[cold]
    pub(super) fn go_back(&self, epoch: u64, mode: SystemMode) {
        let (phase, now) = (phase_of(epoch, mode), self.clock.now());
        if phase < self.phase.load(Ordering::Acquire) {
            let mut route = Route::new(mode, Side::Legacy);
            route.epoch = epoch;
            self.with_closing(|closing| {
                self.begin_locked(closing, phase, &route, self.settings.tick_of(now), now);
            });
        }
    }

    /// Where a call that ends is counted; `None` if it is not, because its tick is closed or of another phase.
    #[inline]
    pub(super) fn place_of_end(&self, route: &Route, started: Instant, runs: &[&Sample]) -> Option<Place<'_>> {
        let stripe = Stripe::own();
        let rows = self.rows(stripe)?;
        if self.phase.load(Ordering::Acquire) != phase_of(route.epoch, route.mode) {
            return None;
        }
        let tick = self.tick_of(rows, started);
        let open_from = self.open_from.load(Ordering::Acquire);
        if tick.wrapping_sub(open_from) >= RING as u64 {
            self.count_late((stripe, rows), tick, open_from, runs);
            return None;
        }
        Some(Place { stripe, rows, row: rows.ring.row(stripe, tick)? })
    }

    /// Whether what has ended by `now` in an open tick is overdue: then it is left open, and closed as such.
    #[inline]
    pub(super) fn is_overdue(&self, place: &Place<'_>, now: u64, runs: &[&Sample]) -> bool {
        let overdue = now >= self.settings.deadline(place.row.tick);
        if overdue {
            self.count_late((place.stripe, place.rows), place.row.tick, u64::MAX, runs);
        }
        overdue
    }

    /// Unless its tick is of another phase, or lost because there is no room for it before others are closed.
    #[cold]
    fn count_late(&self, (stripe, rows): (Stripe, &Rows), tick: u64, open_from: u64, runs: &[&Sample]) {
        if tick < open_from && tick >= self.begins.load(Ordering::Acquire) {
            stripe.add(&rows.late, 1);
            for run in runs {
                self.late_ends.add(run);
            }
        }
    }

    /// No call of this tick will be evidence: there was no room for all of them.
    fn lose(&self, tick: u64) {
        if let Some(place) = self.lost.get(slot(tick)) {
            place.fetch_max(tick + 1, Ordering::AcqRel);
        }
        self.newest.fetch_max(tick + 1, Ordering::AcqRel);
    }

    pub(super) fn is_lost(&self, tick: u64) -> bool {
        self.lost.get(slot(tick)).is_some_and(|place| place.load(Ordering::Acquire) == tick + 1)
    }

    /// How many calls ended after their tick was closed, since the monitor was made.
    pub(super) fn late(&self) -> u64 {
        self.all_rows().map(|rows| rows.late.load(Ordering::Relaxed)).sum()
    }

    /// How long the calls of a side took, since the monitor was made.
    pub(super) fn add_durations(&self, side: Side, totals: &mut Totals) {
        for durations in self.all_rows().filter_map(|rows| rows.durations.get(side as usize)) {
            durations.add_to(totals);
        }
    }

    /// Closes what can be closed by now, and reads.
    pub(super) fn read<R>(&self, read: impl FnOnce(&mut Closing) -> R) -> R {
        let now = self.clock.now();
        let mut closing = lock(&self.closing);
        self.close(&mut closing, now);
        read(&mut closing)
    }

    pub(super) fn with_closing<R>(&self, change: impl FnOnce(&mut Closing) -> R) -> R {
        change(&mut lock(&self.closing))
    }

    /// For who records: whoever has the lock closes for everybody.
    fn try_closing<R>(&self, close: impl FnOnce(&mut Closing) -> R) -> Option<R> {
        match self.closing.try_lock() {
            Ok(mut closing) => Some(close(&mut closing)),
            Err(TryLockError::Poisoned(poisoned)) => Some(close(&mut poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

mod usual;

#[cfg(test)]
mod tests;
