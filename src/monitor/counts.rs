//! [`PhaseCounts`]: sums of closed ticks.

use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

use crate::mode::SystemMode;

/// Gives a struct of counts its sums and differences, field by field.
macro_rules! add_up {
    ($counts:ident { $($field:ident),* $(,)? }) => {
        impl Add for $counts {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self { $($field: self.$field.saturating_add(other.$field)),* }
            }
        }

        impl AddAssign for $counts {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sub for $counts {
            type Output = Self;

            /// What came since `earlier`; nothing where it had more.
            fn sub(self, earlier: Self) -> Self {
                Self { $($field: self.$field.saturating_sub(earlier.$field)),* }
            }
        }
    };
}

/// What one side did, whether it served or was the shadow.
///
/// `started` counts the calls of closed ticks; each of them is among `succeeded`, `failed` or `abandoned`.
///
/// A run that was *given up* is no failure: a shadow that the runner stopped, since patience or the shadow's timeout was over,
/// and a call that its caller dropped. How it would have ended nobody knows. What is known counts: it is `slow` if it was
/// over that limit by then, and it is no success for who wants to promote new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct SideCounts {
    /// Calls that started.
    pub started: u64,
    /// Calls that ended with a value.
    pub succeeded: u64,
    /// Calls that ended with an error or a panic, timed out while they served, or never ended.
    pub failed: u64,
    /// Those of `failed` that timed out or never ended.
    pub overdue: u64,
    /// Calls that were given up: dropped by their caller, or stopped by the runner while they were the shadow. They are no
    /// trial of a failure.
    pub abandoned: u64,
    /// Those of `abandoned` that are no trial of a rollback and speak against a promotion: shadows that were stopped, and calls
    /// that were dropped when they had taken longer than the limit of promotion. Without a baseline, only the first.
    pub unfinished: u64,
    /// Calls that took longer than the limit of the p95 trigger, or never ended. Of those that were given up, the ones that had
    /// taken longer by then. 0 before there is a baseline.
    pub slow: u64,
    /// Calls that took longer than the limit of promotion, never ended, or are `unfinished`. 0 before there is a baseline.
    pub slow_for_promotion: u64,
    /// Calls that were measured against those two limits: they started after there was a baseline, and ended, never ended, or
    /// are `unfinished`.
    pub timed: u64,
}

add_up!(SideCounts { started, succeeded, failed, overdue, abandoned, unfinished, slow, slow_for_promotion, timed });

impl SideCounts {
    /// The calls that count as trials: all that were not given up.
    #[must_use]
    pub const fn trials(&self) -> u64 {
        self.started.saturating_sub(self.abandoned)
    }
}

/// What one side did in the calls that it served: the events by which the two arms of a rollout are compared.
///
/// A call that new began alone and legacy answered, after a [`Fallback`](crate::dual::Fallback), was served by new and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct ServedCounts {
    /// Calls that started.
    pub started: u64,
    /// Calls that failed, timed out or never ended; only the first of each key where keys are told apart.
    pub failed: u64,
    /// Calls that timed out or never ended; only the first of each key where keys are told apart.
    pub overdue: u64,
    /// Calls over the limit of the p95 trigger, those that their caller dropped after that included; only the first of each key
    /// where keys are told apart.
    pub slow: u64,
}

add_up!(ServedCounts { started, failed, overdue, slow });

/// What the two sides did with the same items. Only calls for which both sides were selected when they started are pairs: what
/// legacy answers because new has failed is no fair comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct PairTally {
    /// Calls in which both sides ran, and neither was given up. Those that never ended are pairs.
    pub pairs: u64,
    /// Pairs whose answers were compared, or of which one side only failed.
    pub compared: u64,
    /// Those of `compared` that disagree.
    pub mismatched: u64,
    /// Pairs in which new failed and legacy did not.
    pub only_new_failed: u64,
    /// Pairs in which legacy failed and new did not.
    pub only_legacy_failed: u64,
    /// Pairs in which new timed out while it served, and legacy did not.
    pub only_new_overdue: u64,
    /// Pairs in which legacy timed out while it served, and new did not.
    pub only_legacy_overdue: u64,
    /// Calls in which new was over the limit of the p95 trigger and legacy was not over its own p95. A side that was given up
    /// counts as far as that is known.
    pub only_new_slow: u64,
    /// Calls in which legacy was over its own p95 and new was not over the limit of the p95 trigger. Where a side was given up,
    /// the doubt speaks for new.
    pub only_legacy_slow: u64,
    /// Calls of both sides that were measured against these limits: they started after there was a baseline.
    pub timed: u64,
}

add_up!(PairTally {
    pairs,
    compared,
    mismatched,
    only_new_failed,
    only_legacy_failed,
    only_new_overdue,
    only_legacy_overdue,
    only_new_slow,
    only_legacy_slow,
    timed,
});

/// All that is counted in one phase: the time of one epoch. Only calls of closed ticks are in it, so that every one of them
/// has ended or is overdue.
///
/// The sums of several processes are added, which must be of one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct PhaseCounts {
    /// The epoch of the routes.
    pub epoch: u64,
    /// The mode of the routes.
    pub mode: SystemMode,
    /// Every run of the legacy side.
    pub legacy: SideCounts,
    /// Every run of the new side.
    pub new: SideCounts,
    /// The runs of the legacy side in which it served.
    pub served_legacy: ServedCounts,
    /// The runs of the new side in which it served.
    pub served_new: ServedCounts,
    /// The calls in which both ran.
    pub pairs: PairTally,
}

impl PhaseCounts {
    /// A phase in which nothing was seen yet.
    #[must_use]
    pub fn empty(epoch: u64, mode: SystemMode) -> Self {
        Self {
            epoch,
            mode,
            legacy: SideCounts::default(),
            new: SideCounts::default(),
            served_legacy: ServedCounts::default(),
            served_new: ServedCounts::default(),
            pairs: PairTally::default(),
        }
    }

    /// These counts and those of another process in the same phase; `None` for another epoch or mode.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Option<Self> {
        ((self.epoch, self.mode) == (other.epoch, other.mode)).then(|| self.plus(other))
    }

    /// The sums, with the epoch and the mode of `self`.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            epoch: self.epoch,
            mode: self.mode,
            legacy: self.legacy + other.legacy,
            new: self.new + other.new,
            served_legacy: self.served_legacy + other.served_legacy,
            served_new: self.served_new + other.served_new,
            pairs: self.pairs + other.pairs,
        }
    }

    /// What came since `earlier`, which was read from the same phase.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            epoch: self.epoch,
            mode: self.mode,
            legacy: self.legacy - earlier.legacy,
            new: self.new - earlier.new,
            served_legacy: self.served_legacy - earlier.served_legacy,
            served_new: self.served_new - earlier.served_new,
            pairs: self.pairs - earlier.pairs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(started: u64) -> PhaseCounts {
        let legacy = SideCounts { started, failed: started / 2, ..SideCounts::default() };
        let pairs = PairTally { pairs: started, mismatched: started / 3, ..PairTally::default() };
        PhaseCounts { legacy, pairs, ..PhaseCounts::empty(7, SystemMode::Parallel) }
    }

    #[test]
    fn sums_are_those_of_the_fields_and_differences_undo_them() {
        let sum = counts(30).merged(&counts(12)).unwrap();
        assert_eq!((sum.legacy.started, sum.legacy.failed, sum.pairs.mismatched), (42, 21, 14));
        assert_eq!(sum.since(&counts(12)), counts(30));
        assert_eq!(counts(1).since(&counts(5)), PhaseCounts::empty(7, SystemMode::Parallel));
    }

    #[test]
    fn counts_of_another_phase_are_not_added() {
        assert_eq!(counts(1).merged(&PhaseCounts { epoch: 8, ..counts(1) }), None);
        assert_eq!(counts(1).merged(&PhaseCounts { mode: SystemMode::NewOnly, ..counts(1) }), None);
    }
}
