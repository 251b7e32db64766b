//! Looks of a guard at a phase that goes on.

use cutover::clock::Instant;
use cutover::guard::{Guard, Present};
use cutover::monitor::{
    Baseline, Evidence, LatencyFactors, MeanDurations, PairTally, PhaseCounts, ServedCounts, SideCounts, SideFailures,
};
use cutover::store::Settings;
use cutover::{Percentage, SystemMode};

use crate::traffic::repeated;
use crate::{Subject, Worker};

pub(super) struct Looks {
    mode: SystemMode,
    rollout: f64,
}

impl Looks {
    pub(super) const fn in_parallel() -> Self {
        Self { mode: SystemMode::Parallel, rollout: 0.0 }
    }

    pub(super) const fn in_rollout() -> Self {
        Self { mode: SystemMode::GradualRollout, rollout: 10.0 }
    }

    pub(super) const fn in_new_only() -> Self {
        Self { mode: SystemMode::NewOnly, rollout: 100.0 }
    }
}

impl Subject for Looks {
    fn worker(&self) -> Worker<'_> {
        let rollout = Percentage::new(self.rollout).unwrap();
        let present = Present { epoch: 1, settings: Settings { mode: self.mode, rollout, shadow_share: None } };
        let (mut guard, news) = (Guard::default(), news(self.mode));
        let mut sums = Sums(news);
        repeated(move || {
            sums.0 = sums.0.plus(&news);
            guard.look(&sums, present, Instant::default())
        })
    }
}

struct Sums(PhaseCounts);

impl Evidence for Sums {
    fn counts(&self) -> PhaseCounts {
        self.0
    }

    fn health_failures(&self) -> SideFailures {
        SideFailures::default()
    }

    fn mean_durations(&self) -> MeanDurations {
        MeanDurations::default()
    }

    fn baseline(&self) -> Option<Baseline> {
        None
    }

    fn latency_factors(&self) -> LatencyFactors {
        LatencyFactors::default()
    }
}

/// What comes in a second: every stream of evidence gets something new.
fn news(mode: SystemMode) -> PhaseCounts {
    let side = SideCounts {
        started: 1_000,
        succeeded: 989,
        failed: 11,
        overdue: 1,
        abandoned: 0,
        unfinished: 0,
        slow: 7,
        slow_for_promotion: 30,
        timed: 1_000,
    };
    let served = ServedCounts { started: 1_000, failed: 11, overdue: 1, slow: 7 };
    let pairs = PairTally {
        pairs: 1_000,
        compared: 1_000,
        mismatched: 3,
        only_new_failed: 4,
        only_legacy_failed: 4,
        only_new_overdue: 1,
        only_legacy_overdue: 1,
        only_new_slow: 3,
        only_legacy_slow: 4,
        timed: 1_000,
    };
    let empty = PhaseCounts::empty(1, mode);
    PhaseCounts { legacy: side, new: side, served_legacy: served, served_new: served, pairs, ..empty }
}
