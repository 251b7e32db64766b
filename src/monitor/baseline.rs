//! When enough is known of legacy to judge new by it.

use super::histogram::Totals;
use super::settings::Settings;
use super::{Baseline, SideCounts};
use crate::stats::quantile;

/// What legacy did since the monitor was made.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) legacy: SideCounts,
    /// Runs that were still going on when their tick was closed.
    pub(super) unended: u64,
    pub(super) ticks: u64,
    /// How many calls there have to be before it is worth while to look again.
    look_at: u64,
}

/// The confidence of the interval is 1 less this.
const ALPHA: f64 = 0.05;

/// The upper end of the interval of the p95 has to be at most this quantile: half of the way to the slowest call.
const HIGHEST: f64 = 0.975;

/// Fewer calls are never enough.
const FEWEST: u64 = 1_000;

impl Seen {
    pub(super) fn new() -> Self {
        Self { legacy: SideCounts::default(), unended: 0, ticks: 0, look_at: FEWEST }
    }

    /// Whether there are a tenth more calls than at the last look.
    pub(super) const fn is_worth_a_look(&mut self) -> bool {
        let calls = self.legacy.trials();
        let worth = calls >= self.look_at;
        if worth {
            self.look_at = calls + calls / 10;
        }
        worth
    }
}

/// The baseline, if the interval of legacy's p95 is narrow enough. Besides the runs that ended, there are some that were given
/// up, and `open` ones of which nobody knows how long they will take: the upper end must not lie among those.
#[expect(clippy::cast_precision_loss, reason = "rates need no 53 bits")]
pub(super) fn of(
    durations: &Totals,
    (given_up, open): (&Totals, u64),
    seen: &Seen,
    settings: &Settings,
) -> Option<Baseline> {
    let (_, highest) = quantile::interval(0.95, durations.len() + open, ALPHA)?;
    let p95 = durations.upper_quantile(highest, given_up, open).filter(|_| highest <= HIGHEST)?;
    let (calls, seconds) = (seen.legacy.trials(), settings.span(seen.ticks).as_secs_f64());
    let calls_per_second = if seconds > 0.0 { calls as f64 / seconds } else { 0.0 };
    let error_rate = if calls > 0 { seen.legacy.failed as f64 / calls as f64 } else { 0.0 };
    Some(Baseline { p95, calls, calls_per_second, error_rate })
}
