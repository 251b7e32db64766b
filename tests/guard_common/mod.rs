//! What the tests of the guard share: counts that are fed by hand, chance with a seed, and a plain clock.
#![allow(clippy::allow_attributes, reason = "each test uses a part of this")]
#![allow(dead_code, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Duration;

use cutover::clock::Instant;
use cutover::guard::{Action, CallsToFalseAlarm, Guard, GuardReport, Present, RollbackTriggers, Trigger};
use cutover::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideFailures};
use cutover::store::Settings;
use cutover::{Percentage, PromotionCriteria, SystemMode};

/// The seed of all chance in these tests. A failing test prints it.
pub(crate) const SEED: u64 = 0x5eed_2026;

/// How many times longer than usual to run, from `CUTOVER_LONG`.
pub(crate) fn longer() -> u64 {
    std::env::var("CUTOVER_LONG").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// Chance that comes again: `SplitMix64`.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SEED ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn is(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// The number of the trial with the next event, from 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of calls")]
    pub(crate) fn next_event(&mut self, rate: f64) -> u64 {
        if rate <= 0.0 {
            return u64::MAX / 4;
        }
        (f64::ln(1.0 - self.unit()) / (-rate).ln_1p()).floor() as u64 + 1
    }
}

/// Counts as a host has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fed {
    pub(crate) counts: PhaseCounts,
    pub(crate) health: SideFailures,
    pub(crate) average: Option<Duration>,
    pub(crate) baseline: Option<Baseline>,
    pub(crate) factors: LatencyFactors,
}

impl Evidence for Fed {
    fn counts(&self) -> PhaseCounts {
        self.counts
    }

    fn health_failures(&self) -> SideFailures {
        self.health
    }

    fn mean_durations(&self) -> MeanDurations {
        MeanDurations { new: self.average, ..MeanDurations::default() }
    }

    fn baseline(&self) -> Option<Baseline> {
        self.baseline
    }

    fn latency_factors(&self) -> LatencyFactors {
        self.factors
    }
}

/// A guard, what it is fed with, and what holds.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) guard: Guard,
    pub(crate) fed: Fed,
    pub(crate) present: Present,
    pub(crate) now: Instant,
}

impl Watched {
    pub(crate) fn new(guard: Guard, mode: SystemMode, rollout: f64) -> Self {
        let present = present(1, mode, rollout);
        let p95 = Duration::from_millis(200);
        let baseline = Baseline { p95, calls: 10_000, calls_per_second: 100.0, error_rate: 0.01 };
        let fed = Fed {
            counts: PhaseCounts::empty(1, mode),
            health: SideFailures::default(),
            average: None,
            baseline: Some(baseline),
            factors: LatencyFactors::default(),
        };
        Self { guard, fed, present, now: Instant::from_nanos(1) }
    }

    pub(crate) fn parallel(guard: Guard) -> Self {
        Self::new(guard, SystemMode::Parallel, 0.0)
    }

    pub(crate) fn gradual(guard: Guard, percent: f64) -> Self {
        Self::new(guard, SystemMode::GradualRollout, percent)
    }

    pub(crate) fn new_only(guard: Guard) -> Self {
        Self::new(guard, SystemMode::NewOnly, 100.0)
    }

    pub(crate) fn look(&mut self) -> GuardReport {
        self.guard.look(&self.fed, self.present, self.now)
    }

    pub(crate) fn glance(&mut self) -> Option<Action> {
        self.guard.glance(&self.fed, self.present, self.now)
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.now = self.now.plus(duration);
    }

    /// Other settings, which begin another epoch without counts.
    pub(crate) fn change(&mut self, mode: SystemMode, rollout: f64) {
        self.present = present(self.present.epoch + 1, mode, rollout);
        self.fed.counts = PhaseCounts::empty(self.present.epoch, mode);
    }

    /// Calls of new, of which so many fail, alone: no pair and no label.
    pub(crate) fn calls_of_new(&mut self, calls: u64, failed: u64) {
        let new = &mut self.fed.counts.new;
        new.started += calls;
        new.failed += failed;
        new.succeeded += calls - failed;
    }

    /// Items that both sides ran, and on so many of which only new, or only legacy, failed.
    pub(crate) fn pairs(&mut self, items: u64, only_new: u64, only_legacy: u64) {
        self.calls_of_new(items, only_new);
        let PhaseCounts { legacy, pairs, .. } = &mut self.fed.counts;
        legacy.started += items;
        legacy.failed += only_legacy;
        legacy.succeeded += items - only_legacy;
        pairs.pairs += items;
        pairs.only_new_failed += only_new;
        pairs.only_legacy_failed += only_legacy;
    }

    /// Comparisons, of which so many disagree.
    pub(crate) fn comparisons(&mut self, compared: u64, mismatched: u64) {
        self.fed.counts.pairs.compared += compared;
        self.fed.counts.pairs.mismatched += mismatched;
    }

    /// A call that is served by new or by legacy.
    pub(crate) fn served(&mut self, by_new: bool, failed: bool) {
        let PhaseCounts { legacy, new, served_legacy, served_new, .. } = &mut self.fed.counts;
        let (side, served) = if by_new { (new, served_new) } else { (legacy, served_legacy) };
        side.started += 1;
        side.failed += u64::from(failed);
        side.succeeded += u64::from(!failed);
        served.started += 1;
        served.failed += u64::from(failed);
    }
}

pub(crate) fn present(epoch: u64, mode: SystemMode, rollout: f64) -> Present {
    let rollout = Percentage::new(rollout).expect("a percentage");
    Present { epoch, settings: Settings { mode, rollout, shadow_share: None } }
}

/// A guard with the default triggers, and other numbers of calls to a false alarm.
pub(crate) fn alarming_after(with_control: f64, without_control: f64) -> Guard {
    let calls = CallsToFalseAlarm { with_control, without_control };
    let triggers = RollbackTriggers::builder().calls_to_false_alarm(calls).build().expect("allowed");
    Guard::new(triggers, PromotionCriteria::default())
}

/// The largest number of hits among `runs` that a probability of at most `alpha` explains: three standard deviations.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
pub(crate) fn at_most(alpha: f64, runs: u64) -> u64 {
    let runs = runs as f64;
    (runs * alpha + 3.0 * (runs * alpha * (1.0 - alpha)).sqrt()).floor() as u64
}

/// The number in the middle, and that below which 95 % are.
pub(crate) fn median_and_p95(mut numbers: Vec<u64>) -> (u64, u64) {
    numbers.sort_unstable();
    (numbers[numbers.len() / 2], numbers[numbers.len() * 95 / 100])
}

pub(crate) const STATISTICAL: [Trigger; 4] =
    [Trigger::Validation, Trigger::ErrorRate, Trigger::P95, Trigger::Throughput];
