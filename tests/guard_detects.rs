//! What is wrong with new is found within so many calls, in each mode, after any history, and what is wrong with both sides is
//! not taken for it.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "figures are printed; numbers are small")]

mod guard_common;

use cutover::guard::{Action, Guard, Note, Trigger};
use cutover::monitor::PhaseCounts;
use cutover::stats::Bernoulli;
use guard_common::{Chance, SEED, Watched, at_most, longer, median_and_p95};

/// Adds failures up to a number of calls of new, from one of new's failures to the next.
type Step = fn(&mut Watched, &mut Chance, rate: f64, legacy: f64) -> u64;

fn events_until(chance: &mut Chance, calls: u64, rate: f64) -> u64 {
    let (mut at, mut events) = (chance.next_event(rate), 0);
    while at <= calls {
        events += 1;
        at += chance.next_event(rate);
    }
    events
}

fn in_parallel(watched: &mut Watched, chance: &mut Chance, rate: f64, legacy: f64) -> u64 {
    let calls = chance.next_event(rate);
    let both = u64::from(chance.is(legacy));
    let only_legacy = events_until(chance, calls, legacy * (1.0 - rate));
    watched.pairs(calls, 1 - both, only_legacy.min(calls));
    watched.fed.counts.new.failed += both;
    calls
}

/// With 9 calls of legacy for each of new.
fn in_rollout(watched: &mut Watched, chance: &mut Chance, rate: f64, legacy: f64) -> u64 {
    let calls = chance.next_event(rate);
    let failed = events_until(chance, 9 * calls, legacy);
    watched.calls_of_new(calls, 1);
    let PhaseCounts { legacy, served_legacy, served_new, .. } = &mut watched.fed.counts;
    legacy.started += 9 * calls;
    served_legacy.started += 9 * calls;
    served_new.started += calls;
    legacy.failed += failed;
    served_legacy.failed += failed;
    served_new.failed += 1;
    calls
}

fn alone(watched: &mut Watched, chance: &mut Chance, rate: f64, _: f64) -> u64 {
    let calls = chance.next_event(rate);
    watched.calls_of_new(calls, 1);
    calls
}

/// Calls of new until the guard acts.
fn delay(watched: &Watched, step: Step, rate: f64, seed: u64) -> u64 {
    let (mut watched, mut chance, mut calls) = (watched.clone(), Chance::new(seed), 0);
    while watched.glance().is_none() && calls < 200_000 {
        calls += step(&mut watched, &mut chance, rate, 0.01);
    }
    calls
}

fn delays(watched: &Watched, step: Step, rate: f64, runs: u64) -> (u64, u64) {
    median_and_p95((0..runs * longer()).map(|run| delay(watched, step, rate, run)).collect())
}

fn modes() -> [(&'static str, Watched, Step); 3] {
    [
        ("Parallel", Watched::parallel(Guard::default()), in_parallel),
        ("GradualRollout 10 %", Watched::gradual(Guard::default(), 10.0), in_rollout),
        ("NewOnly", Watched::new_only(Guard::default()), alone),
    ]
}

#[test]
fn failures_are_found_soon_in_every_mode() {
    println!("calls of new until it acts, median and p95; legacy fails in 1 %, the limit is 5 %");
    for (mode, watched, step) in modes() {
        let found = [0.08, 0.1, 0.2, 0.5, 1.0].map(|rate| delays(&watched, step, rate, 200));
        println!("{mode:<20} 8 %, 10 %, 20 %, 50 %, 100 %: {found:?}");
        let most = [2_500, 900, 150, 30, 15];
        for ((median, _), most) in found.into_iter().zip(most) {
            assert!(median <= most, "{mode}: {found:?}, medians at most {most:?}; seed {SEED}");
        }
    }
}

/// Durations are lognormal with a sigma of 1, so that of the calls of a side whose p95 is 2.5 times that of legacy, 7.8 % take
/// longer than 2 times the p95 of legacy, and so on.
const SLOW: [(f64, f64); 5] = [(2.5, 0.0776), (3.0, 0.1076), (4.0, 0.1706), (6.0, 0.2925), (10.0, 0.4859)];

/// Legacy beyond its own p95, and beyond 2 times that.
const LEGACY_SLOW: (f64, f64) = (0.05, 0.0097);

fn slow_of_new(watched: &mut Watched, calls: u64) {
    let new = &mut watched.fed.counts.new;
    (new.started, new.succeeded, new.timed) = (new.started + calls, new.succeeded + calls, new.timed + calls);
    new.slow += 1;
}

fn slow_in_parallel(watched: &mut Watched, chance: &mut Chance, rate: f64, _: f64) -> u64 {
    let calls = chance.next_event(rate);
    slow_of_new(watched, calls);
    let pairs = &mut watched.fed.counts.pairs;
    pairs.only_new_slow += u64::from(!chance.is(LEGACY_SLOW.0));
    pairs.only_legacy_slow += events_until(chance, calls - 1, LEGACY_SLOW.0);
    calls
}

fn slow_in_rollout(watched: &mut Watched, chance: &mut Chance, rate: f64, _: f64) -> u64 {
    let calls = chance.next_event(rate);
    slow_of_new(watched, calls);
    let PhaseCounts { served_legacy, served_new, .. } = &mut watched.fed.counts;
    served_legacy.started += 9 * calls;
    served_legacy.slow += events_until(chance, 9 * calls, LEGACY_SLOW.1);
    served_new.started += calls;
    served_new.slow += 1;
    calls
}

fn slow_alone(watched: &mut Watched, chance: &mut Chance, rate: f64, _: f64) -> u64 {
    let calls = chance.next_event(rate);
    slow_of_new(watched, calls);
    calls
}

#[test]
fn slow_calls_are_found_soon_in_every_mode() {
    println!(
        "calls of new until it acts, median and p95; p95 of new 2.5, 3, 4, 6 and 10 times that of legacy, the limit is 2"
    );
    let steps: [Step; 3] = [slow_in_parallel, slow_in_rollout, slow_alone];
    let most = [[3_300, 850, 240, 82, 34], [1_600, 400, 110, 35, 15], [2_900, 760, 210, 66, 27]];
    for (((mode, watched, _), step), most) in modes().into_iter().zip(steps).zip(most) {
        let found = SLOW.map(|(_, rate)| delays(&watched, step, rate, 300));
        println!("{mode:<20} {found:?}");
        for ((median, _), most) in found.into_iter().zip(most) {
            assert!(median <= most, "{mode}: {found:?}, medians at most {most:?}; seed {SEED}");
        }
    }
}

/// Both sides fail in 1 % of a million calls, then new fails in 20 %.
#[test]
fn a_long_healthy_time_makes_nobody_blind() {
    for ((mode, mut watched, step), factor) in modes().into_iter().zip([6, 6, 2]) {
        let (fresh, _) = delays(&watched, step, 0.2, 100);
        for _ in 0..2_000 {
            watched.pairs(500, 5, 5);
            let PhaseCounts { served_legacy, served_new, .. } = &mut watched.fed.counts;
            served_legacy.started += 4_500;
            served_legacy.failed += 45;
            served_new.started += 500;
            served_new.failed += 5;
            assert_eq!(watched.glance(), None, "{mode}");
        }
        let (late, late_p95) = delays(&watched, step, 0.2, 100);
        println!("{mode}: {fresh} calls when fresh, {late} ({late_p95}) after a million healthy ones");
        assert!(late <= factor * fresh, "{mode}: {late} after {fresh}, seed {SEED}");
    }
}

/// Both sides fail in 1 % to 9 % of the calls, up and down. The limit is 5 %.
#[test]
fn what_strikes_both_sides_is_no_reason() {
    const CALLS: u32 = 20_000;
    let runs = 60 * longer();
    let (mut by_limit, mut by_guard) = (0, [0, 0]);
    let limit = Bernoulli::at_most(0.05).unwrap();
    for run in 0..runs {
        let mut chance = Chance::new(run);
        let (mut parallel, mut rollout) =
            (Watched::parallel(Guard::default()), Watched::gradual(Guard::default(), 10.0));
        let (mut failed, mut limit_acts, mut acts) = (0, false, [false, false]);
        for call in 0..CALLS {
            let rate = 0.05 + 0.04 * (f64::from(call) / 1_000.0).sin();
            let (new, legacy) = (chance.is(rate), chance.is(rate));
            failed += u64::from(new);
            parallel.pairs(1, u64::from(new && !legacy), u64::from(legacy && !new));
            parallel.fed.counts.new.failed += u64::from(new && legacy);
            for _ in 0..10 {
                rollout.served(chance.is(0.1), chance.is(rate));
            }
            if new {
                limit_acts |= limit.exceeds(failed, u64::from(call) + 1, 100.0_f64.ln());
                acts[0] |= parallel.glance().is_some();
            }
            if call % 20 == 0 {
                acts[1] |= rollout.glance().is_some();
            }
        }
        by_limit += u64::from(limit_acts);
        for (count, acts) in by_guard.iter_mut().zip(acts) {
            *count += u64::from(acts);
        }
    }
    println!("of {runs} runs a limit alone was wrong in {by_limit}, the guard in {by_guard:?}");
    assert!(by_limit > runs / 4, "{by_limit} of {runs}");
    assert!(by_guard.iter().all(|count| *count <= at_most(0.01, runs)), "{by_guard:?} of {runs}, seed {SEED}");
}

/// A few keys call very often, and every tenth key fails always, on either side. Which keys are new's is chance.
#[test]
fn keys_that_call_often_are_counted_once() {
    const KEYS: usize = 1_000;
    let runs = 400 * longer();
    let weights: Vec<f64> = (1..=KEYS).map(|rank| (rank as f64).powf(-1.1)).collect();
    let whole: f64 = weights.iter().sum();
    let mut wrong = [0, 0];
    for run in 0..runs {
        let mut chance = Chance::new(run + 5_000);
        let keys: Vec<(bool, bool)> = (0..KEYS).map(|_| (chance.is(0.1), chance.is(0.1))).collect();
        for (count, once) in wrong.iter_mut().zip([false, true]) {
            let mut watched = Watched::gradual(Guard::default(), 10.0);
            let (mut seen, mut acts) = ([false; KEYS], false);
            for _ in 0..1_500 {
                let mut at = chance.unit() * whole;
                let past = |weight: &f64| {
                    at -= weight;
                    at <= 0.0
                };
                let key = weights.iter().position(past).unwrap_or(KEYS - 1);
                let (by_new, bad) = keys[key];
                watched.served(by_new, bad);
                if bad && once && std::mem::replace(&mut seen[key], true) {
                    let PhaseCounts { served_legacy, served_new, .. } = &mut watched.fed.counts;
                    let served = if by_new { served_new } else { served_legacy };
                    served.failed -= 1;
                }
                acts |= bad && by_new && watched.glance().is_some();
            }
            *count += u64::from(acts);
        }
    }
    println!("of {runs} runs: each call counted {}, each key once {}", wrong[0], wrong[1]);
    assert!(wrong[0] > runs / 50, "{wrong:?} of {runs}");
    assert!(wrong[1] <= at_most(0.01, runs), "{wrong:?} of {runs}, seed {SEED}");
}

/// Most calls have no key and go to legacy: of half of the keys, new gets every twentieth call.
#[test]
fn a_wrong_split_is_said_and_hides_nothing() {
    let (mut watched, mut chance) = (Watched::gradual(Guard::default(), 50.0), Chance::new(1));
    let mut calls = 0;
    while watched.glance().is_none() {
        let by_new = chance.is(0.05);
        let failed = chance.is(if by_new { 0.2 } else { 0.01 });
        watched.served(by_new, failed);
        calls += u64::from(by_new);
        assert!(calls < 1_000, "seed {SEED}");
    }
    let report = watched.look();
    println!("{calls} calls of new\n{report}");
    assert!(report.notes.iter().any(|note| matches!(note, Note::WrongSplit { expected, seen } if expected > seen)));

    let mut watched = Watched::gradual(Guard::default(), 10.0);
    for _ in 0..20_000 {
        watched.served(chance.is(0.2), chance.is(0.02));
    }
    let report = watched.look();
    assert_eq!(report.action, None, "{report}");
    assert!(report.notes.iter().any(|note| matches!(note, Note::WrongSplit { expected, seen } if expected < seen)));

    let mut watched = Watched::gradual(Guard::default(), 10.0);
    for _ in 0..20_000 {
        watched.served(chance.is(0.11), chance.is(0.02));
    }
    assert_eq!(watched.look().notes, [], "some keys call more often than others");
}

/// The same share of the calls of both sides fails, and new gets more calls than it should.
#[test]
fn more_bad_calls_of_new_because_it_gets_more_calls_prove_nothing() {
    for (rollout, share) in [(10.0, 0.2), (10.0, 0.5), (50.0, 0.7), (1.0, 0.04)] {
        let (mut watched, mut chance) = (Watched::gradual(Guard::default(), rollout), Chance::new(11));
        for call in 0..100_000 {
            watched.served(chance.is(share), chance.is(0.08));
            if call % 100 == 0 {
                let acts = watched.glance();
                assert_eq!(acts, None, "{share} instead of {rollout} %, call {call}, seed {SEED}\n{}", watched.look());
            }
        }
        let report = watched.look();
        let errors = report.trigger(Trigger::ErrorRate).unwrap();
        let relative = errors.relative.unwrap();
        assert!((relative.expected_share - share).abs() < 0.01, "{report}");
        assert!(errors.events * 20 > errors.trials, "over the limit: {report}");
    }
}

/// As above, and new is worse, or gets so many calls that nobody can say.
#[test]
fn what_is_wrong_is_found_although_new_gets_more_calls_than_it_should() {
    for (share, rate, most) in [(0.2, 0.2, 300), (0.5, 0.2, 400), (1.0, 0.2, 200)] {
        let mut late = Watched::gradual(Guard::default(), 10.0);
        let mut chance = Chance::new(12);
        for _ in 0..2_000 {
            for _ in 0..50 {
                late.served(chance.is(share), chance.is(0.01));
            }
            assert_eq!(late.glance(), None, "seed {SEED}");
        }
        for mut watched in [Watched::gradual(Guard::default(), 10.0), late] {
            let mut calls = 0;
            while watched.glance().is_none() && calls < 5_000 {
                let by_new = chance.is(share);
                watched.served(by_new, chance.is(if by_new { rate } else { 0.01 }));
                calls += u64::from(by_new);
            }
            println!("{share} instead of 10 %: {calls} calls of new");
            assert!(calls < most, "{calls}, seed {SEED}\n{}", watched.look());
        }
    }
}

#[test]
fn all_that_is_wrong_is_named() {
    let mut watched = Watched::new_only(Guard::default());
    watched.calls_of_new(100, 100);
    watched.fed.counts.new.overdue = 100;
    watched.fed.counts.new.timed = 100;
    watched.fed.counts.new.slow = 100;
    watched.fed.health.new = 9;
    let report = watched.look();
    let named: Vec<_> = report.regressed().map(|regressed| regressed.trigger).collect();
    assert_eq!(named, [Trigger::ErrorRate, Trigger::P95, Trigger::Throughput, Trigger::Health]);
    assert_eq!(
        report.reason(),
        "error rate by the latest calls; in all: 100 of 100 calls of new failed (100.0 %); the limit is 5 %; \
         p95 by the latest calls; in all: 100 of 100 calls of new took longer than 2 times the p95 of legacy \
         (100.0 %); 5 % may; \
         throughput by the latest calls; in all: 100 of 100 calls of new did not end in time (100.0 %); \
         at least 50 % have to end; \
         health: 9 health checks of new in a row did not succeed; the limit is 3"
    );
}

#[test]
fn comparisons_that_disagree_are_found_by_the_limit_alone() {
    let (mut watched, mut chance, mut compared) = (Watched::parallel(Guard::default()), Chance::new(3), 0);
    while watched.glance().is_none() {
        watched.comparisons(1, u64::from(chance.is(0.6)));
        compared += 1;
    }
    println!("{compared} comparisons of which 60 % disagree");
    assert!(compared < 120, "{compared}, seed {SEED}");
    assert_eq!(watched.look().action, Some(Action::Rollback));
}
