//! What is broken is found soon: the median number of calls until the evidence suffices.
//!
//! `CUTOVER_LONG=10` makes ten times as many runs; `--nocapture` shows the figures.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that shows what it measured"
)]

use cutover::stats::{Bernoulli, Labels, PairCounts, Paired, Relative};
use fastrand::Rng;

mod evidence_common;
use evidence_common::{Watch, each_run, gap, runs};

const SEED: u64 = 0xde_1a75;
const ALPHA: f64 = 0.01;

/// What takes longer is given up, and fails.
const LONGEST: u64 = 500_000;

/// Asserts that the median is within these limits, and shows it.
fn assert_median(name: &str, within: std::ops::RangeInclusive<u64>, run: impl Fn(&mut Rng, f64) -> u64 + Sync) {
    let mut delays = each_run(SEED, runs(600), |rng| run(rng, -ALPHA.ln()));
    delays.sort_unstable();
    let (median, late) = (delays[delays.len() / 2], delays[delays.len() * 19 / 20]);
    println!("{name:<60} median {median}, 95 % within {late}");
    assert!(within.contains(&median), "{name}: the median is {median}, not {within:?}, seed {SEED:#x}");
}

fn until_above(test: &Bernoulli, truth: f64, rng: &mut Rng, act: f64) -> u64 {
    let (mut events, mut trials, mut watch) = (0, 0, Watch::default());
    loop {
        trials += gap(rng, truth) + 1;
        events += 1;
        if trials > LONGEST || watch.sees(1, |more| test.exceeds(events + more, trials + more, act)) {
            return trials;
        }
    }
}

fn until_below(test: &Bernoulli, truth: f64, rng: &mut Rng, act: f64) -> u64 {
    let (mut events, mut trials) = (0, 0);
    loop {
        trials += 1;
        events += u64::from(rng.f64() < truth);
        if trials > LONGEST || test.exceeds(events, trials, act) {
            return trials;
        }
    }
}

#[test]
fn a_rate_over_its_limit_is_found() {
    let test = Bernoulli::at_most(0.05).unwrap();
    let figures = [(0.06, 15_000), (0.08, 1_100), (0.1, 400), (0.2, 60), (0.5, 10), (1.0, 4)];
    for (truth, most) in figures {
        assert_median(&format!("T1, limit 0.05, rate {truth}, calls"), 1..=most, |rng, act| {
            until_above(&test, truth, rng, act)
        });
    }
}

#[test]
fn mismatches_over_their_limit_are_found() {
    let test = Bernoulli::at_most(0.3).unwrap();
    for (truth, most) in [(0.5, 90), (1.0, 6)] {
        assert_median(&format!("T1, limit 0.3, rate {truth}, comparisons"), 1..=most, |rng, act| {
            until_above(&test, truth, rng, act)
        });
    }
}

/// Durations are lognormal with sigma 1 around a baseline whose p95 is known; the limit is twice that.
#[test]
fn a_slower_new_side_is_found_by_its_p95() {
    let test = Bernoulli::at_most(0.05).unwrap();
    let (p95, limit) = (1.644_853_6, f64::ln(2.0));
    for (times, most) in [(2.5_f64, 1_300), (3.0, 300), (4.0, 80), (6.0, 25), (10.0, 10)] {
        assert_median(&format!("T1, p95 {times} times the baseline, limit 2, calls"), 1..=most, |rng, act| {
            let (mut slow, mut calls) = (0, 0);
            while calls < LONGEST && !test.exceeds(slow, calls, act) {
                calls += 1;
                slow += u64::from(normal(rng) + times.ln() > p95 + limit);
            }
            calls
        });
    }
}

/// A standard normal value, by the polar method of Marsaglia.
fn normal(rng: &mut Rng) -> f64 {
    loop {
        let (x, y) = (2.0 * rng.f64() - 1.0, 2.0 * rng.f64() - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * square.ln() / square).sqrt();
        }
    }
}

#[test]
fn a_worse_arm_is_found_by_its_labels() {
    let test = Relative::at_most(1.0).unwrap();
    let base = 0.01;
    for (share, times, most) in [(0.01, 5.0, 220), (0.1, 2.0, 2_500), (0.1, 5.0, 220), (0.1, 20.0, 25), (0.5, 5.0, 420)]
    {
        let labels = test.in_phase(share).unwrap();
        assert_median(
            &format!("T2, share {share}, {times} times a base of 0.01, calls of new"),
            1..=most,
            |rng, act| {
                let rates = (share * times * base, (1.0 - share) * base);
                let (mut new, mut events, mut calls, mut watch) = (0, 0, 0, Watch::default());
                loop {
                    let others = gap(rng, rates.0 + rates.1);
                    // Of the calls without an event, each was one of new with this chance.
                    let quiet = share * (1.0 - times * base) / (1.0 - rates.0 - rates.1);
                    calls += (0..others).filter(|_| rng.f64() < quiet).count() as u64;
                    events += 1;
                    if rng.f64() * (rates.0 + rates.1) < rates.0 {
                        (new, calls) = (new + 1, calls + 1);
                        if calls > LONGEST || watch.sees(1, |more| labels.exceeds(new + more, events + more, act)) {
                            let phase = Labels { share, new, legacy: events - new };
                            assert!(calls > LONGEST || test.ln_e(&[phase]) >= act - 1e-9);
                            return calls;
                        }
                    }
                }
            },
        );
    }
}

#[test]
fn a_loss_of_throughput_is_found_by_the_labels_of_completions() {
    let test = Relative::at_least(0.5).unwrap();
    let labels = test.in_phase(0.1).unwrap();
    for (ratio, most) in [(0.25, 800), (0.1, 200), (0.0, 130)] {
        let truth = 0.1 * ratio / (0.1 * ratio + 0.9);
        assert_median(&format!("T2, completions at {ratio} of the share 0.1, limit 0.5"), 1..=most, |rng, act| {
            until_below(&labels, truth, rng, act)
        });
    }
}

#[test]
fn pairs_tell_at_once_which_side_is_worse() {
    let test = Bernoulli::at_most(0.5).unwrap();
    let legacy = 0.002;
    for (new, most) in [(0.01, 2_100), (0.05, 215), (0.2, 50)] {
        assert_median(&format!("T3a, only legacy fails 0.002, only new {new}, pairs"), 1..=most, |rng, act| {
            let (mut against, mut discordant, mut pairs) = (0, 0, 0);
            while pairs < LONGEST && !test.exceeds(against, discordant, act) {
                pairs += gap(rng, new + legacy) + 1;
                discordant += 1;
                against += u64::from(rng.f64() * (new + legacy) < new);
            }
            pairs
        });
    }
}

#[test]
fn pairs_tell_soon_that_a_margin_is_passed() {
    let test = Paired::at_most(0.005).unwrap();
    for (legacy, new, most) in
        [(0.005, 0.02, 3_500), (0.005, 0.05, 525), (0.005, 0.2, 80), (0.0, 0.05, 320), (0.0, 1.0, 14)]
    {
        assert_median(
            &format!("T3b, margin 0.005, only legacy fails {legacy}, only new {new}, pairs"),
            1..=most,
            |rng, act| {
                let mut pairs = PairCounts::default();
                while pairs.both_or_neither < LONGEST && test.ln_e(pairs) < act {
                    pairs.both_or_neither += gap(rng, new + legacy);
                    let against = rng.f64() * (new + legacy) < new;
                    *(if against { &mut pairs.only_new } else { &mut pairs.only_legacy }) += 1;
                }
                pairs.only_new + pairs.only_legacy + pairs.both_or_neither
            },
        );
    }
}

#[test]
fn what_is_good_is_promoted_soon() {
    let promote = f64::ln(20.0);
    for (limit, none, half) in [(0.2, 20, 100), (0.05, 85, 480), (0.01, 420, 2_500), (0.001, 4_200, 25_000)] {
        let test = Bernoulli::at_least(limit).unwrap();
        let first = promoted_from(&test, 0, 1, promote);
        println!("{:<60} {first} samples", format!("T6, limit {limit}, no events"));
        assert!(first <= none, "{limit}: {first}");
        let name = format!("T6, limit {limit}, rate half of it, samples");
        assert_median(&name, none..=half, |rng, _| promoted_at(&test, limit / 2.0, promote, rng));
    }
}

fn promoted_at(test: &Bernoulli, truth: f64, promote: f64, rng: &mut Rng) -> u64 {
    let (mut events, mut trials, mut watch) = (0, 0, Watch::default());
    loop {
        let others = gap(rng, truth);
        if trials > LONGEST {
            return trials;
        }
        if watch.sees(others, |more| test.exceeds(events, trials + others + more, promote)) {
            return promoted_from(test, events, trials, promote);
        }
        trials += others + 1;
        events += 1;
    }
}

/// The number of trials at which this many events suffice, searched from `trials` on.
fn promoted_from(test: &Bernoulli, events: u64, mut trials: u64, promote: f64) -> u64 {
    while trials < LONGEST && !test.exceeds(events, trials, promote) {
        trials += 1;
    }
    trials
}
