//! [`HoldClock`]: how long a step has held.

use std::time::Duration;

use crate::clock::{Clock, Instant};
use crate::plan::progress::Entered;

/// How long a step has held: by the time of day until this process saw it first, and by a clock that never jumps from then on.
#[derive(Debug, Default)]
pub(super) struct HoldClock {
    seen: Option<Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    of: (u64, u128),
    before: Duration,
    since: Instant,
}

impl HoldClock {
    pub(super) fn held(&mut self, entered: Option<Entered>, clock: &dyn Clock) -> Duration {
        let Some(entered) = entered else { return Duration::ZERO };
        let of = (entered.epoch, entered.etag);
        let first = || {
            // A time of day before the entry says nothing.
            let before = clock.wall().duration_since(entered.at).unwrap_or_default();
            Seen { of, before, since: clock.now() }
        };
        let seen = self.seen.filter(|seen| seen.of == of).unwrap_or_else(first);
        self.seen = Some(seen);
        seen.before.saturating_add(clock.now().since(seen.since))
    }
}
