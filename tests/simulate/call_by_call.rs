//! Drawn numbers are like those of single calls through a real runner and a real monitor.
#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::sync::Arc;
use std::time::Duration;

use cutover::guard::{Action, Guard, Present};
use cutover::plan::Step;
use cutover::random::RandomSource;
use cutover::simulate::{Fault, Keys, Model, SideModel, Simulation};
use cutover::testing::{ManualClock, SeededRandom};
use cutover::{
    Clock, DualRunner, Equality, MemoryStore, MigrationController, Percentage, PerformanceMonitor, RolloutPlan,
    SystemMode,
};
use futures::executor::block_on;

const KEYS: u32 = 500;
const BREAKS: f64 = 0.15;
const FAILS: f64 = 0.01;
const RUNS: u64 = 200;
/// Calls a second.
const RATE: f64 = 20.0;

/// A share from 0 to 1.
fn share(random: &SeededRandom) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The delay in seconds until the guard asks for a rollback, and how many calls new had by then, call by call.
fn call_by_call(mode: SystemMode, seed: u64) -> (f64, f64) {
    let (clock, random) = (ManualClock::new(), SeededRandom::new(seed));
    let monitor = PerformanceMonitor::builder().clock(clock.clone()).first_event_per_key(true).build().unwrap();
    let monitor = Arc::new(monitor);
    let store = MemoryStore::new();
    let controller = block_on(MigrationController::open(&format!("run-{seed}"), store)).unwrap();
    block_on(async {
        controller.transition(mode, "test", "begin").await.unwrap();
        if mode == SystemMode::GradualRollout {
            controller.set_rollout(Percentage::new(25.0).unwrap(), "test", "a quarter").await.unwrap();
        }
    });
    let runner = DualRunner::builder("runs", controller.clone())
        .comparator(Equality)
        .clock(clock.clone())
        .observe(Arc::clone(&monitor))
        .build();
    let mut guard = Guard::default();
    let (mut next_look, mut calls_of_new) = (1_000_000_000, 0_u64);
    let (rate, new_rate) = (FAILS, FAILS + (1.0 - FAILS) * BREAKS);
    loop {
        // Exponential times between calls.
        clock.advance(Duration::from_secs_f64(-share(&random).max(1e-12).ln() / RATE));
        while clock.now().as_nanos() >= next_look {
            next_look += 1_000_000_000;
            let report = guard.look(&*monitor, Present::of(&controller.status()), clock.now());
            if report.action == Some(Action::Rollback) {
                return ((next_look / 1_000_000_000 - 1) as f64, calls_of_new as f64);
            }
            assert!(next_look < 3_600_000_000_000, "nothing found in an hour of seed {seed}");
        }
        let key = random.next_u64() % u64::from(KEYS);
        let (legacy_fails, new_fails) = (share(&random) < rate, share(&random) < new_rate);
        let answer = |fails| if fails { Err(()) } else { Ok(1) };
        let mut new_ran = false;
        let new = || {
            new_ran = true;
            answer(new_fails)
        };
        let served = runner.run_sync(key, || answer(legacy_fails), new);
        assert!(served.is_ok() || legacy_fails || new_fails);
        calls_of_new += u64::from(new_ran);
    }
}

/// The same, drawn.
fn drawn(mode: SystemMode, seed: u64) -> (f64, f64) {
    let side = SideModel { failure_rate: FAILS, median: Duration::from_micros(1), sigma: 0.1 };
    let fault = Fault { failure_rate: BREAKS, ..Fault::after(Duration::ZERO) };
    let model = Model {
        calls_per_second: RATE,
        keys: Keys { count: KEYS, ..Keys::default() },
        legacy: side,
        new: side,
        mismatch_rate: 0.0,
        faults: vec![fault],
        ..Model::default()
    };
    let hour = Duration::from_secs(3_600);
    let is_parallel = mode == SystemMode::Parallel;
    let quarter = Percentage::new(25.0).unwrap();
    let step = if is_parallel { Step::parallel("only") } else { Step::gradual("only", quarter) };
    let plan = RolloutPlan::builder("one-step").step(step.hold(hour)).build().unwrap();
    let simulation = Simulation::new(plan, model).unwrap().look_every(Duration::from_secs(1)).unwrap();
    let run = simulation.run(seed);
    let breach = run.breach.as_ref().unwrap();
    let share = if is_parallel { 1.0 } else { 0.25 };
    (breach.delay.as_secs_f64(), breach.delay.as_secs_f64() * RATE * share)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    *values.get(values.len() / 2).unwrap()
}

/// The largest distance between two distributions (Kolmogorov and Smirnov).
fn distance(one: &[f64], other: &[f64]) -> f64 {
    let below = |values: &[f64], limit: f64| {
        values.iter().filter(|value| **value <= limit).count() as f64 / values.len() as f64
    };
    one.iter().chain(other).map(|limit| (below(one, *limit) - below(other, *limit)).abs()).fold(0.0, f64::max)
}

#[test]
fn delays_are_those_of_single_calls_through_a_real_runner() {
    for mode in [SystemMode::GradualRollout, SystemMode::Parallel] {
        let (real, real_calls): (Vec<f64>, Vec<f64>) = (0..RUNS).map(|seed| call_by_call(mode, seed)).unzip();
        let (drawn, drawn_calls): (Vec<f64>, Vec<f64>) = (0..2 * RUNS).map(|seed| drawn(mode, seed)).unzip();
        // With 200 and 400 runs, equal distributions are farther apart than 0.17 once in a thousand times.
        let apart = distance(&real, &drawn);
        let medians = (median(real), median(drawn), median(real_calls), median(drawn_calls));
        assert!(apart < 0.17, "{mode}: seconds, and calls of new, {medians:?}, {apart} apart");
    }
}
