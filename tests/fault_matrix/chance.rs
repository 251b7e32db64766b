//! Calls drawn by chance: any route, policy, delays, several broken parts, and callers who leave.

use std::time::Duration;

use cutover::dual::{Fallback, Order};
use cutover::random::RandomSource;
use cutover::testing::SeededRandom;
use cutover::{Route, Shadow, Side, SystemMode};

use crate::entry::Entry;
use crate::scenario::Scenario;
use crate::sides::Behaviour;
use crate::table::TABLE;
use crate::world::{Fault, Part};

pub(crate) struct Chance(SeededRandom);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    pub(crate) fn scenario(&self) -> Scenario {
        let serve = self.one_of([Side::Legacy, Side::New]);
        let entry = self.one_of(Entry::ALL);
        let twin = Behaviour { part: Part::Twin, ..self.behaviour(Side::Legacy, serve) };
        Scenario {
            entry,
            route: self.route(serve),
            fallback: self.one_of([Fallback::Never, Fallback::ToLegacy]),
            sampled: !self.one_in(8),
            places: self.one_of([None, Some(0), Some(1), Some(1), Some(1), Some(1)]),
            timeout: self.one_of([0, 50, 1000, 1000].map(Duration::from_millis)),
            order: self.one_of([Order::ServedFirst, Order::Random]),
            patience: self.one_of([0, 20, 100].map(Duration::from_millis)),
            legacy: self.behaviour(Side::Legacy, serve),
            new: self.behaviour(Side::New, serve),
            twin: self.one_in(4).then_some(twin),
            broken: self.broken(entry),
            polls: if self.one_in(3) { self.below(9) } else { u32::MAX },
            shuts_down: self.one_in(5),
            seed: self.0.next_u64(),
        }
    }

    fn route(&self, serve: Side) -> Route {
        let mut route = Route::new(self.one_of(SystemMode::ALL), serve).with_shadow();
        if self.one_in(6) {
            route.shadow = self.one_of([Shadow::Never, Shadow::NotSampled]);
        }
        route
    }

    fn behaviour(&self, side: Side, serve: Side) -> Behaviour {
        Behaviour {
            part: if side == serve { Part::Served } else { Part::Shadow },
            side,
            yields: self.below(3),
            delay: self.one_of([0, 0, 5, 10, 30, 200, 2000].map(Duration::from_millis)),
            content: self.one_of([1, 1, 2]),
            fails: self.one_in(5),
        }
    }

    fn broken(&self, entry: Entry) -> Vec<(Part, Fault)> {
        let mut broken: Vec<(Part, Fault)> = Vec::new();
        for _ in 0..self.below(5) {
            let (part, fault, cells) = TABLE[self.index(TABLE.len())];
            let is_new = broken.iter().all(|&(other, _)| other != part);
            if is_new && cells[entry as usize].is_ok() && (!needs_thread(part) || self.one_in(16)) {
                broken.push((part, fault));
            }
        }
        broken
    }

    fn one_of<T: Copy, const N: usize>(&self, all: [T; N]) -> T {
        all[self.index(N)]
    }

    fn one_in(&self, many: u32) -> bool {
        self.below(many) == 0
    }

    fn below(&self, limit: u32) -> u32 {
        u32::try_from(((self.0.next_u64() >> 32) * u64::from(limit)) >> 32).unwrap()
    }

    fn index(&self, len: usize) -> usize {
        self.below(u32::try_from(len).unwrap()) as usize
    }
}

/// Starting real threads takes longer than all the rest.
fn needs_thread(part: Part) -> bool {
    matches!(part, Part::QueuedRecorder | Part::QueuedObserver)
}
