//! What one look of a guard costs.
#![expect(clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use cutover::clock::Instant;
use cutover::guard::{Guard, Present};
use cutover::monitor::{
    Baseline, Evidence, LatencyFactors, MeanDurations, PairTally, PhaseCounts, ServedCounts, SideCounts, SideFailures,
};
use cutover::store::Settings;
use cutover::{Percentage, SystemMode};

criterion_group!(benches, looks);
criterion_main!(benches);

fn looks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("guard");
    for (name, mode, rollout) in [
        ("parallel", SystemMode::Parallel, 0.0),
        ("gradual_rollout", SystemMode::GradualRollout, 10.0),
        ("new_only", SystemMode::NewOnly, 100.0),
    ] {
        let settings = Settings { mode, rollout: Percentage::new(rollout).unwrap(), shadow_share: None };
        let present = Present { epoch: 1, settings };
        let mut watched = (Guard::default(), Sums(tick(mode)));
        group.bench_function(format!("look_with_news_in_{name}"), |b| {
            b.iter(|| {
                let (guard, sums) = &mut watched;
                sums.0 = sums.0.plus(&tick(mode));
                black_box(guard.look(&*sums, present, Instant::default()))
            });
        });
        group.bench_function(format!("look_without_news_in_{name}"), |b| {
            let (guard, sums) = &mut watched;
            b.iter(|| black_box(guard.look(&*sums, present, Instant::default())));
        });
    }
    group.finish();
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
fn tick(mode: SystemMode) -> PhaseCounts {
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
