//! [`Figures`]: how the calls of one runner ended, taken from the runner's own events.

use std::sync::{Mutex, PoisonError};

use cutover::observe::{Event, Sample};
use cutover::{Observer, Outcome, Verdict};
use serde::Serialize;

/// How many documents ended how. `total` is the sum of all others but `panicked`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Figures {
    pub(crate) total: u64,
    pub(crate) matched: u64,
    pub(crate) mismatched: u64,
    /// Only legacy failed.
    pub(crate) legacy_failed: u64,
    /// Only new failed.
    pub(crate) new_failed: u64,
    pub(crate) both_failed: u64,
    /// In how many of the failures a side panicked.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) panicked: u64,
}

impl Figures {
    /// What new refused, legacy too or not.
    pub(crate) const fn refused(&self) -> u64 {
        self.new_failed + self.both_failed
    }

    fn add(&mut self, legacy: Outcome, new: Outcome, verdict: Verdict) {
        let column = match (legacy, new) {
            (Outcome::Ok, Outcome::Ok) if verdict == Verdict::Matched => &mut self.matched,
            (Outcome::Ok, Outcome::Ok) => &mut self.mismatched,
            (Outcome::Ok, _) => &mut self.new_failed,
            // Abandoned: legacy served and panicked, so that new was not run.
            (_, Outcome::Ok | Outcome::Abandoned) => &mut self.legacy_failed,
            (_, _) => &mut self.both_failed,
        };
        *column += 1;
        self.panicked += u64::from(verdict == Verdict::Panicked);
    }
}

/// Listens to a runner and keeps its figures.
#[derive(Debug, Default)]
pub(crate) struct Scoreboard(Mutex<Figures>);

impl Scoreboard {
    /// The figures so far; `total` is the runner's own count.
    pub(crate) fn figures(&self, total: u64) -> Figures {
        Figures { total, ..*self.0.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// As [`Figures::refused`], so far.
    pub(crate) fn refused(&self) -> u64 {
        self.figures(0).refused()
    }
}

impl Observer for Scoreboard {
    fn observe(&self, _: &str, event: &Event) {
        if let Event::Compared { legacy: Sample { outcome: legacy, .. }, new, verdict, .. } = *event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).add(legacy, new.outcome, verdict);
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
