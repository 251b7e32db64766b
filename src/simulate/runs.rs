//! [`Runs`] and [`Pairs`]: what some calls came to.

use super::chance::Chance;
use super::rates::{Rates, Strike, Weather};
use crate::monitor::{PairTally, SideCounts};

/// Which calls of a side these are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// Of keys whose calls always fail.
    Bad,
    /// Of keys that are well.
    Good,
    /// Of keys that a fault strikes.
    Struck(Strike),
}

/// What the calls of one part came to on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Runs {
    pub(super) calls: u64,
    /// With those of `overdue`.
    pub(super) failed: u64,
    pub(super) overdue: u64,
    /// With those of `overdue`.
    pub(super) slow: u64,
    /// With those of `slow`.
    pub(super) promotion: u64,
    /// Answered wrongly because of a fault.
    pub(super) wrong: u64,
    /// What would have gone well without a fault.
    pub(super) hurt: u64,
}

impl Runs {
    pub(super) fn draw(calls: u64, rates: &Rates, part: Part, chance: &mut Chance) -> Self {
        match part {
            Part::Bad => Self::healthy(calls, &Rates { failure: 1.0, ..*rates }, chance),
            Part::Good => Self::healthy(calls, rates, chance),
            Part::Struck(strike) => Self::struck(calls, rates, &strike, chance),
        }
    }

    fn healthy(calls: u64, rates: &Rates, chance: &mut Chance) -> Self {
        let overdue = chance.of(calls, rates.overdue);
        let rest = calls - overdue;
        let failed = overdue + chance.of(rest, rates.failure);
        let slow = overdue + chance.of(rest, rates.slow);
        let runs = Self { calls, failed, overdue, slow, ..Self::default() };
        runs.with_promotion(rates, chance)
    }

    fn struck(calls: u64, before: &Rates, strike: &Strike, chance: &mut Chance) -> Self {
        let rates = &strike.rates;
        let overdue_rate = strike.hang + (1.0 - strike.hang) * rates.overdue;
        let overdue = chance.of(calls, overdue_rate);
        let rest = calls - overdue;
        let failed_anyway = chance.of(rest, rates.failure);
        let broken = chance.of(rest - failed_anyway, strike.failure);
        let answered = rest - failed_anyway - broken;
        let wrong = chance.of(answered, strike.wrong);
        let slow_and_right = chance.of(answered - wrong, rates.slow);
        let slow = overdue + slow_and_right + chance.of(rest - (answered - wrong), rates.slow);
        let hurt = broken
            + wrong
            + chance.of(overdue, 1.0 - before.overdue / overdue_rate)
            + chance.of(slow_and_right, 1.0 - before.slow / rates.slow);
        let failed = overdue + failed_anyway + broken;
        let runs = Self { calls, failed, overdue, slow, wrong, hurt, promotion: 0 };
        runs.with_promotion(rates, chance)
    }

    fn with_promotion(self, rates: &Rates, chance: &mut Chance) -> Self {
        let more = chance.of(self.calls - self.slow, beyond(rates.promotion, rates.slow));
        Self { promotion: self.slow + more, ..self }
    }

    pub(super) const fn counts(&self) -> SideCounts {
        SideCounts {
            started: self.calls,
            succeeded: self.calls - self.failed,
            failed: self.failed,
            overdue: self.overdue,
            abandoned: 0,
            unfinished: 0,
            slow: self.slow,
            slow_for_promotion: self.promotion,
            timed: self.calls,
        }
    }
}

/// The probability of `outer` for what is not in `inner`, which is a part of it.
fn beyond(outer: f64, inner: f64) -> f64 {
    (outer - inner) / (1.0 - inner)
}

/// What legacy came to with items of which it is known what new came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pairs {
    pub(super) legacy: Runs,
    pub(super) tally: PairTally,
}

impl Pairs {
    pub(super) fn draw(new: &Runs, part: Part, weather: &Weather, chance: &mut Chance) -> Self {
        let rates = &weather.legacy;
        let rate = match part {
            Part::Bad => 1.0,
            Part::Good | Part::Struck(_) => rates.overdue + (1.0 - rates.overdue) * rates.failure,
        };
        let both_failed = chance.of(new.failed, rate);
        let only_legacy_failed = chance.of(new.calls - new.failed, rate);
        let legacy_failed = both_failed + only_legacy_failed;
        let both_answered = new.calls - new.failed - only_legacy_failed;
        let wrong = chance.of(new.wrong, 1.0 - rate).min(both_answered);
        let only_new_failed = new.failed - both_failed;
        let differ = wrong + chance.of(both_answered - wrong, weather.mismatch);

        let both_slow = chance.of(new.slow, rates.baseline);
        let only_legacy_slow = chance.of(new.calls - new.slow, rates.baseline);
        let overdue = chance.of(legacy_failed, rates.overdue / rate);
        let over_baseline = both_slow + only_legacy_slow;
        let slow = chance.of(over_baseline, rates.slow / rates.baseline).max(overdue);
        let promotion = slow + chance.of(over_baseline.saturating_sub(slow), beyond(rates.promotion, rates.slow));
        let legacy = Runs { calls: new.calls, failed: legacy_failed, overdue, slow, promotion, ..Runs::default() };
        let tally = PairTally {
            pairs: new.calls,
            compared: new.calls - both_failed,
            mismatched: only_new_failed + only_legacy_failed + differ,
            only_new_failed,
            only_legacy_failed,
            only_new_overdue: new.overdue,
            only_legacy_overdue: overdue,
            only_new_slow: new.slow - both_slow,
            only_legacy_slow,
            timed: new.calls,
        };
        Self { legacy, tally }
    }
}
