//! What is counted in a tick, in words that say which tick they belong to: a ring of ticks that nobody has to empty.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::outcome::Side;
use crate::stripe::Stripe;

/// How many ticks the ring has: those of the longest timeout, the present one, and a few to spare for a late closing.
pub(super) const RING: usize = 36;

/// How many counts a tick has.
pub(super) const CELLS: usize = Cell::OnlyLegacySlow as usize + 1;

/// How a call starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Legacy serves alone.
    Legacy,
    /// New serves alone.
    New,
    /// Both run, and legacy serves.
    BothLegacy,
    /// Both run, and new serves.
    BothNew,
}

impl Kind {
    #[inline]
    pub(super) const fn new(serve: Side, both: bool) -> Self {
        match (serve, both) {
            (Side::Legacy, false) => Self::Legacy,
            (Side::New, false) => Self::New,
            (Side::Legacy, true) => Self::BothLegacy,
            (Side::New, true) => Self::BothNew,
        }
    }

    #[inline]
    pub(super) const fn started(self) -> Cell {
        match self {
            Self::Legacy => Cell::StartedLegacy,
            Self::New => Cell::StartedNew,
            Self::BothLegacy => Cell::StartedBothLegacy,
            Self::BothNew => Cell::StartedBothNew,
        }
    }

    #[inline]
    pub(super) const fn ended(self) -> Cell {
        match self {
            Self::Legacy => Cell::EndedLegacy,
            Self::New => Cell::EndedNew,
            Self::BothLegacy => Cell::EndedBothLegacy,
            Self::BothNew => Cell::EndedBothNew,
        }
    }
}

/// One count of a tick. What goes well is counted by its start and its end alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    StartedLegacy,
    StartedNew,
    StartedBothLegacy,
    StartedBothNew,
    EndedLegacy,
    EndedNew,
    EndedBothLegacy,
    EndedBothNew,
    /// New began alone and failed, so that legacy ran too. That is no pair.
    FellBack,
    LegacyFailed,
    LegacyTimedOut,
    LegacyAbandoned,
    LegacyUnfinished,
    LegacySlow,
    LegacySlowForPromotion,
    NewFailed,
    NewTimedOut,
    NewAbandoned,
    NewUnfinished,
    NewSlow,
    NewSlowForPromotion,
    ServedLegacyFailed,
    ServedLegacyTimedOut,
    ServedLegacySlow,
    ServedNewFailed,
    ServedNewTimedOut,
    ServedNewSlow,
    /// One side of a pair was given up.
    Unpaired,
    /// A pair that says nothing about whether the sides agree.
    Uncompared,
    Mismatched,
    OnlyNewFailed,
    OnlyLegacyFailed,
    OnlyNewTimedOut,
    OnlyLegacyTimedOut,
    OnlyNewSlow,
    OnlyLegacySlow,
}

/// The events of one side, whether it served or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct SideCells {
    pub(super) failed: Cell,
    pub(super) timed_out: Cell,
    pub(super) abandoned: Cell,
    pub(super) unfinished: Cell,
    pub(super) slow: Cell,
    pub(super) slow_for_promotion: Cell,
}

impl SideCells {
    pub(super) const fn of(side: Side) -> Self {
        match side {
            Side::Legacy => Self {
                failed: Cell::LegacyFailed,
                timed_out: Cell::LegacyTimedOut,
                abandoned: Cell::LegacyAbandoned,
                unfinished: Cell::LegacyUnfinished,
                slow: Cell::LegacySlow,
                slow_for_promotion: Cell::LegacySlowForPromotion,
            },
            Side::New => Self {
                failed: Cell::NewFailed,
                timed_out: Cell::NewTimedOut,
                abandoned: Cell::NewAbandoned,
                unfinished: Cell::NewUnfinished,
                slow: Cell::NewSlow,
                slow_for_promotion: Cell::NewSlowForPromotion,
            },
        }
    }
}

/// The events of the calls that one side served.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServedCells {
    pub(super) failed: Cell,
    pub(super) timed_out: Cell,
    pub(super) slow: Cell,
}

impl ServedCells {
    pub(super) const fn of(side: Side) -> Self {
        match side {
            Side::Legacy => Self {
                failed: Cell::ServedLegacyFailed,
                timed_out: Cell::ServedLegacyTimedOut,
                slow: Cell::ServedLegacySlow,
            },
            Side::New => {
                Self { failed: Cell::ServedNewFailed, timed_out: Cell::ServedNewTimedOut, slow: Cell::ServedNewSlow }
            }
        }
    }
}

/// The counts of the last ticks of one stripe. The upper half of a word is the tick, the lower half its count.
#[derive(Debug)]
pub(super) struct Ring([[AtomicU64; CELLS]; RING]);

const COUNT: u64 = 0xffff_ffff;

/// Whether a word belongs to a tick.
const fn is_of(word: u64, tick: u64) -> bool {
    word >> 32 == tick & COUNT
}

/// Whether a word belongs to a later tick: whoever counts was held up for a whole ring, but never for this many ticks. Words
/// may be as old as their event is rare.
const fn is_later(word: u64, tick: u64) -> bool {
    word != 0 && (word >> 32).wrapping_sub(tick) & COUNT < 1 << 20
}

/// A word in which one more is counted, unless it is of a later tick.
#[inline]
const fn counted(found: u64, tick: u64) -> Option<u64> {
    match found {
        _ if is_of(found, tick) => Some(found + 1),
        _ if is_later(found, tick) => None,
        _ => Some(tick << 32 | 1),
    }
}

/// The place of a tick in a ring.
#[inline]
pub(super) fn slot(tick: u64) -> usize {
    usize::try_from(tick % RING as u64).unwrap_or(0)
}

impl Ring {
    pub(super) const fn new() -> Self {
        Self([const { [const { AtomicU64::new(0) }; CELLS] }; RING])
    }

    #[inline]
    pub(super) fn row(&self, stripe: Stripe, tick: u64) -> Option<Row<'_>> {
        self.0.get(slot(tick)).map(|cells| Row { cells, stripe, tick })
    }

    /// Adds what this stripe counted in a tick. Ends are read before starts, so that no end is seen without its start.
    pub(super) fn add_ends(&self, tick: u64, sums: &mut [u64; CELLS]) {
        self.add_to(tick, sums, |index| index >= Cell::EndedLegacy as usize);
    }

    /// As [`add_ends`](Self::add_ends), for the starts.
    pub(super) fn add_starts(&self, tick: u64, sums: &mut [u64; CELLS]) {
        self.add_to(tick, sums, |index| index < Cell::EndedLegacy as usize);
    }

    fn add_to(&self, tick: u64, sums: &mut [u64; CELLS], wanted: impl Fn(usize) -> bool) {
        let Some(row) = self.0.get(slot(tick)) else { return };
        for (index, (cell, sum)) in row.iter().zip(sums).enumerate() {
            let word = if wanted(index) { cell.load(Ordering::Acquire) } else { 0 };
            if is_of(word, tick) {
                *sum += word & COUNT;
            }
        }
    }
}

/// One tick of one stripe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    cells: &'a [AtomicU64; CELLS],
    stripe: Stripe,
    pub(super) tick: u64,
}

impl Row<'_> {
    /// Counts one. What comes so late that its place has a later tick is not counted.
    #[inline]
    pub(super) fn count(self, cell: Cell) {
        let Some(place) = self.cells.get(cell as usize) else { return };
        if self.stripe.is_shared() {
            place.fetch_update(Ordering::Release, Ordering::Relaxed, |found| counted(found, self.tick)).ok();
        } else if let Some(word) = counted(place.load(Ordering::Relaxed), self.tick) {
            place.store(word, Ordering::Release);
        }
    }

    #[inline]
    pub(super) fn count_if(self, condition: bool, cell: Cell) {
        if condition {
            self.count(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(ring: &Ring, tick: u64) -> u64 {
        let mut sums = [0; CELLS];
        ring.add_starts(tick, &mut sums);
        ring.add_ends(tick, &mut sums);
        sums.iter().sum()
    }

    #[test]
    fn a_place_is_taken_over_by_a_later_tick_and_never_by_an_earlier_one() {
        let ring = Ring::new();
        let stripe = Stripe::own();
        let count = |tick| ring.row(stripe, tick).unwrap().count(Cell::EndedNew);
        let turns = RING as u64;
        count(3);
        count(3);
        assert_eq!((sums(&ring, 3), sums(&ring, 3 + turns)), (2, 0));
        count(3 + turns);
        count(3);
        assert_eq!((sums(&ring, 3), sums(&ring, 3 + turns)), (0, 1));
        for next in [u64::from(u32::MAX) / turns * turns, 1 << 40] {
            let ticks = (next..).step_by(RING).take(4);
            ticks.for_each(|tick| {
                ring.row(stripe, tick).unwrap().count(Cell::EndedNew);
                assert_eq!(sums(&ring, tick), 1, "numbers of ticks may pass 32 bits, and events be rare");
            });
        }
    }

    #[test]
    fn no_thread_loses_a_count_in_a_stripe_of_many() {
        let rings: [Ring; crate::stripe::STRIPES] = std::array::from_fn(|_| Ring::new());
        let work = || {
            let stripe = Stripe::own();
            let row = rings[stripe.index()].row(stripe, 7).unwrap();
            (0..1_000).for_each(|_| row.count(Cell::FellBack));
        };
        std::thread::scope(|scope| (0..40).for_each(|_| drop(scope.spawn(work))));
        assert_eq!(rings.iter().map(|ring| sums(ring, 7)).sum::<u64>(), 40_000);
    }
}
