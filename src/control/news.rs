//! What observers are told when something is known that was not known before.

use super::known::Known;
use crate::mode::SystemMode;
use crate::observe::Event;
use crate::store::Doubt;

/// What observers care about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outline {
    mode: SystemMode,
    epoch: u64,
    doubt: Option<Doubt>,
    failed: bool,
}

/// Up to one event about each: the mode, the doubt and the store.
pub(super) type News = [Option<Event>; 3];

impl Outline {
    pub(super) fn of(known: &Known) -> Self {
        let (mode, epoch) = (known.effective().mode, known.epoch());
        Self { mode, epoch, doubt: known.doubt(), failed: known.failed }
    }

    pub(super) fn news(self, now: Self) -> News {
        let changed = Event::ModeChanged { from: self.mode, to: now.mode, epoch: now.epoch };
        let doubt = now.doubt.map_or(Event::DoubtSettled, |doubt| Event::DoubtRaised { doubt });
        let store = if now.failed { Event::StoreLost } else { Event::StoreBack };
        [
            (self.mode != now.mode).then_some(changed),
            (self.doubt != now.doubt).then_some(doubt),
            (self.failed != now.failed).then_some(store),
        ]
    }
}
