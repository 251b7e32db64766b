//! With the truth exactly where the hypothesis ends, and a look after every call, false alarms are no more than promised.
//!
//! `CUTOVER_LONG=10` makes ten times as many runs; `--nocapture` shows the figures.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that shows what it measured"
)]

use std::collections::VecDeque;

use cutover::stats::quantile::interval;
use cutover::stats::{Bernoulli, Cusum, Labels, PairCounts, Paired, Relative, split_ln_e};
use fastrand::Rng;

mod evidence_common;
#[path = "evidence_common/figures.rs"]
mod figures;

use evidence_common::{Watch, each_run, gap, runs};
use figures::{alarms, share};

const SEED: u64 = 0x1e_7e15;

fn assert_level(name: &str, alpha: f64, run: impl Fn(&mut Rng, f64) -> bool + Sync) {
    assert_level_in(10_000, name, alpha, run);
}

fn assert_level_in(usual: u64, name: &str, alpha: f64, run: impl Fn(&mut Rng, f64) -> bool + Sync) {
    let of = each_run(SEED, runs(usual), |rng| run(rng, -alpha.ln()));
    let (rate, allowed) = alarms(name, alpha, &of);
    assert!(rate <= allowed, "{name}: {rate} is above {allowed}, seed {SEED:#x}");
    assert!(rate > alpha / 20.0, "{name}: {rate} is too low for a test at the limit, seed {SEED:#x}");
}

/// Trials with events at `truth`, until an alarm or the horizon.
fn above_its_limit(test: &Bernoulli, truth: f64, horizon: u64, rng: &mut Rng, act: f64) -> bool {
    let (mut events, mut trials, mut watch) = (0, 0, Watch::default());
    loop {
        trials += gap(rng, truth) + 1;
        events += 1;
        if trials > horizon {
            return false;
        }
        if watch.sees(1, |more| test.exceeds(events + more, trials + more, act)) {
            return true;
        }
    }
}

/// The same for evidence that the rate is below: looked at where it is largest, at the end of each gap between events.
fn below_its_limit(test: &Bernoulli, truth: f64, horizon: u64, rng: &mut Rng, act: f64) -> bool {
    let (mut events, mut trials, mut watch) = (0, 0, Watch::default());
    while trials < horizon {
        let others = gap(rng, truth);
        trials += others;
        if watch.sees(others, |more| test.exceeds(events, trials + more, act)) {
            return true;
        }
        trials += 1;
        events += 1;
    }
    false
}

#[test]
fn passing_over_outcomes_that_cannot_matter_changes_nothing() {
    let (above, below) = (Bernoulli::at_most(0.05).unwrap(), Bernoulli::at_least(0.05).unwrap());
    let every = |rng: &mut Rng, down: bool| {
        let (mut events, mut trials) = (0, 0);
        while trials < 5_000 {
            let others = gap(rng, 0.05);
            if down && (1..=others).any(|more| below.exceeds(events, trials + more, 2.0)) {
                return true;
            }
            (events, trials) = (events + 1, trials + others + 1);
            if !down && trials <= 5_000 && above.exceeds(events, trials, 2.0) {
                return true;
            }
        }
        false
    };
    let up =
        each_run(SEED, 300, |rng| (every(&mut rng.clone(), false), above_its_limit(&above, 0.05, 5_000, rng, 2.0)));
    let down =
        each_run(SEED, 300, |rng| (every(&mut rng.clone(), true), below_its_limit(&below, 0.05, 5_000, rng, 2.0)));
    for of in [up, down] {
        let alarms = of.iter().filter(|(every, _)| *every).count();
        assert!(
            of.iter().all(|(every, passing_over)| every == passing_over) && (10..200).contains(&alarms),
            "{alarms}"
        );
    }
}

#[test]
fn a_rate_at_its_limit_is_rarely_called_too_high() {
    for (limit, alpha, horizon) in [(0.05, 0.01, 100_000), (0.05, 0.001, 50_000), (0.3, 0.01, 10_000)] {
        let test = Bernoulli::at_most(limit).unwrap();
        assert_level(&format!("T1, rate = limit = {limit}, {horizon} calls"), alpha, |rng, act| {
            above_its_limit(&test, limit, horizon, rng, act)
        });
    }
}

/// "Error rate > 5 %" on the last 100 calls, looked at after every call, beside the test of that limit.
#[test]
fn the_window_rule_fails_where_the_test_holds() {
    let test = Bernoulli::at_most(0.05).unwrap();
    for (truth, horizon) in [(0.01, 100_000), (0.02, 100_000), (0.05, 20_000)] {
        let of = each_run(SEED, runs(2_000), |rng| {
            (window(truth, horizon, &mut rng.clone()), above_its_limit(&test, truth, horizon, rng, f64::ln(100.0)))
        });
        let (window, test): (Vec<bool>, Vec<bool>) = of.into_iter().unzip();
        let (window, _) = alarms(&format!("window of 100, rate {truth}, limit 0.05, {horizon} calls"), 0.01, &window);
        let (rate, allowed) = alarms("  T1 on the same calls", 0.01, &test);
        assert!(window >= 0.5 && rate <= allowed, "rate {truth}: {window} and {rate}, seed {SEED:#x}");
    }
}

fn window(truth: f64, horizon: u64, rng: &mut Rng) -> bool {
    let (mut last, mut trials) = (VecDeque::new(), 0);
    while trials < horizon {
        trials += gap(rng, truth) + 1;
        last.push_back(trials);
        if last.len() == 6 && trials - last.pop_front().unwrap() < 100 {
            return true;
        }
    }
    false
}

/// Bad events whose labels come as two equal rates, or rates in just the allowed ratio, give them.
fn labels_at_the_limit(test: &Relative, ratio: f64, shares: &[f64], events: u64, rng: &mut Rng, act: f64) -> bool {
    let mut phases: Vec<Labels> = Vec::new();
    for &share in shares {
        phases.push(Labels { share, new: 0, legacy: 0 });
        let (at, mut watch) = (phases.len() - 1, Watch::default());
        loop {
            phases[at].legacy += gap(rng, share * ratio / (share * ratio + 1.0 - share));
            phases[at].new += 1;
            if phases[at].legacy + phases[at].new > events {
                break;
            }
            let with = |more| {
                let mut phases = phases.clone();
                phases[at].new += more;
                test.ln_e(&phases) >= act
            };
            if watch.sees(1, with) {
                return true;
            }
        }
    }
    false
}

#[test]
fn two_equal_arms_are_rarely_told_apart() {
    let five = [0.01, 0.05, 0.1, 0.25, 0.5];
    let plans: [(&[f64], f64); 3] = [(&[0.1], 1.0), (&five, 1.0), (&five, 1.2)];
    for (shares, ratio) in plans {
        let test = Relative::at_most(ratio).unwrap();
        assert_level(&format!("T2, ratio = limit = {ratio}, shares {shares:?}"), 0.01, |rng, act| {
            labels_at_the_limit(&test, ratio, shares, 600, rng, act)
        });
    }
}

#[test]
fn a_new_side_that_completes_just_enough_rarely_fails_for_throughput() {
    let test = Relative::at_least(0.5).unwrap();
    for share in [0.1, 0.5] {
        let labels = test.in_phase(share).unwrap();
        let truth = share * 0.5 / (share * 0.5 + 1.0 - share);
        assert_level(&format!("T2, completions at half the share, share {share}"), 0.01, |rng, act| {
            below_its_limit(&labels, truth, 20_000, rng, act)
        });
    }
}

#[test]
fn a_right_split_is_rarely_called_wrong() {
    assert_level_in(1_000, "split in two, share 0.1, 2000 starts", 0.01, |rng, act| {
        let (mut starts, mut watch) = (Labels { share: 0.1, new: 0, legacy: 0 }, Watch::default());
        (0..2_000).any(|_| {
            *(if rng.f64() < starts.share { &mut starts.new } else { &mut starts.legacy }) += 1;
            // The e-values of both directions are at most what `more` starts of one label make them.
            watch.sees(1, |more| {
                let new = split_ln_e(&[Labels { new: starts.new + more, ..starts }]);
                let legacy = split_ln_e(&[Labels { legacy: starts.legacy + more, ..starts }]);
                if more == 0 { new >= act } else { new.exp() + legacy.exp() >= act.exp() }
            })
        })
    });
}

#[test]
fn pairs_that_are_alike_are_rarely_told_apart() {
    let test = Bernoulli::at_most(0.5).unwrap();
    assert_level("T3a, 20000 discordant pairs", 0.01, |rng, act| above_its_limit(&test, 0.5, 20_000, rng, act));
}

#[test]
fn pairs_that_differ_by_the_margin_are_rarely_told_apart() {
    for margin in [0.0, 0.005, 0.01] {
        let test = Paired::at_most(margin).unwrap();
        let only_legacy = 0.01;
        assert_level(&format!("T3b, difference = margin = {margin}, 50000 pairs"), 0.01, |rng, act| {
            pairs_at_the_margin(&test, only_legacy + margin, only_legacy, rng, act)
        });
    }
}

fn pairs_at_the_margin(test: &Paired, only_new: f64, only_legacy: f64, rng: &mut Rng, act: f64) -> bool {
    let (mut pairs, mut watch) = (PairCounts::default(), Watch::default());
    while pairs.both_or_neither < 50_000 {
        pairs.both_or_neither += gap(rng, only_new + only_legacy);
        if rng.f64() * (only_new + only_legacy) < only_legacy {
            pairs.only_legacy += 1;
            continue;
        }
        pairs.only_new += 1;
        if watch.sees(1, |more| test.ln_e(PairCounts { only_new: pairs.only_new + more, ..pairs }) >= act) {
            return true;
        }
    }
    false
}

#[test]
fn what_is_just_too_bad_is_rarely_promoted() {
    for (limit, horizon) in [(0.2, 20_000), (0.05, 50_000), (0.01, 100_000)] {
        let test = Bernoulli::at_least(limit).unwrap();
        assert_level(&format!("T6, rate = limit = {limit}, {horizon} samples"), 0.05, |rng, act| {
            below_its_limit(&test, limit, horizon, rng, act)
        });
    }
}

/// The quantile lies outside just when the share of values below it lies outside of the two probabilities.
#[test]
fn the_interval_of_a_quantile_rarely_loses_it() {
    let lost = |rng: &mut Rng, reach: f64| {
        let mut below = 0;
        (1..=5_000_u64).any(|n| {
            below += u64::from(rng.f64() < 0.95);
            let ends = if n < 200 { None } else { interval(0.95, n, 0.05) };
            ends.is_some_and(|(lower, upper)| {
                let (share, middle) = (share(below, n), f64::midpoint(lower, upper));
                share < middle - (middle - lower) * reach || share > middle + (upper - middle) * reach
            })
        })
    };
    let of = each_run(SEED, runs(1_000), |rng| lost(rng, 1.0));
    let (rate, allowed) = alarms("p95 outside of its interval at any of 5000 values", 0.05, &of);
    assert!(rate <= allowed, "{rate}, seed {SEED:#x}");
    let of = each_run(SEED, runs(1_000), |rng| lost(rng, 0.25));
    let (rate, _) = alarms("  the same, were the interval a quarter as wide", 0.05, &of);
    assert!(rate > allowed, "{rate}, seed {SEED:#x}");
}

/// Where ten matches of ten, or eight, are taken for proof that 80 % match.
#[test]
fn a_few_samples_never_promote_and_none_never() {
    for limit in [0.000_1, 0.01, 0.05, 0.2, 0.5, 0.9] {
        assert!(!Bernoulli::at_least(limit).unwrap().exceeds(0, 0, f64::ln(20.0)));
        assert!(!Bernoulli::at_most(limit).unwrap().exceeds(0, 0, f64::ln(1.000_1)));
    }
    let test = Bernoulli::at_least(0.2).unwrap();
    assert!((0..=10).all(|mismatches| !test.exceeds(mismatches, 10, f64::ln(20.0))));
    let of = each_run(SEED, runs(10_000), |rng| (0..10).filter(|_| rng.f64() < 0.3).count() <= 2);
    assert!(alarms("8 of 10 match, though 70 % do: promoted", 0.05, &of).0 > 0.3, "seed {SEED:#x}");
}

/// Folds that say the same as one for each call, and are fewer: of a gap, only the last trial has to be alone.
fn calls_until_alarm(cusum: &mut Cusum, truth: f64, act: f64, rng: &mut Rng) -> u64 {
    let mut calls = 0;
    loop {
        let others = gap(rng, truth);
        cusum.fold(0, others.saturating_sub(1));
        cusum.fold(0, others.min(1));
        cusum.fold(1, 1);
        calls += others + 1;
        if cusum.ln_value() >= act {
            return calls;
        }
    }
}

fn folds_until_alarm(cusum: &mut Cusum, truth: f64, act: f64, rng: &mut Rng) -> u64 {
    let mut folds = 0;
    while cusum.ln_value() < act {
        let events = (0..20).filter(|_| rng.f64() < truth).count();
        cusum.fold(events as u64, 20);
        folds += 1;
    }
    folds
}

#[test]
fn a_false_alarm_of_the_cusum_takes_the_promised_time_on_average() {
    let fresh = Cusum::new(&Bernoulli::at_most(0.05).unwrap());
    let mean = |name: &str, least: f64, of: Vec<u64>| {
        let mean = share(of.iter().sum(), of.len() as u64);
        println!("{name:<60} mean {mean:.0} until a false alarm, A {least}");
        assert!(mean >= least, "{name}: {mean}, seed {SEED:#x}");
    };
    let calls = |rng: &mut Rng| calls_until_alarm(&mut fresh.clone(), 0.05, f64::ln(1_000.0), rng);
    mean("T7, rate = limit = 0.05, calls", 1_000.0, each_run(SEED, runs(500), calls));
    let folds = |rng: &mut Rng| folds_until_alarm(&mut fresh.clone(), 0.05, f64::ln(30.0), rng);
    mean("T7, the same, folds of 20 calls", 30.0, each_run(SEED, runs(500), folds));
}

#[test]
fn a_gap_may_be_folded_at_once_but_for_its_last_trial() {
    let mut single = Cusum::new(&Bernoulli::at_most(0.05).unwrap());
    let mut few = single.clone();
    for others in [0, 1, 2, 7, 100, 3] {
        (0..others).for_each(|_| single.fold(0, 1));
        single.fold(1, 1);
        few.fold(0, u64::saturating_sub(others, 1));
        few.fold(0, others.min(1));
        few.fold(1, 1);
        assert!((single.ln_value() - few.ln_value()).abs() < 1e-9, "{others}");
    }
}
