//! What breaks tests in the field, each shown to break them, and what keeps them right.
//!
//! `CUTOVER_LONG=10` makes ten times as many runs; `--nocapture` shows the figures.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that shows what it measured"
)]

use cutover::stats::{Bernoulli, Cusum, Labels, Relative, spend, split_ln_e};
use fastrand::Rng;

mod evidence_common;
#[path = "evidence_common/figures.rs"]
mod figures;

use evidence_common::{Watch, each_run, gap, runs};
use figures::{alarms, share};

const SEED: u64 = 0x7_2a95;
const ALPHA: f64 = 0.01;

/// A delay that is longer is given up.
const LONGEST: u64 = 500_000;

fn act() -> f64 {
    -ALPHA.ln()
}

/// Asserts that alarms are no more than alpha allows.
fn assert_held(name: &str, of: &[bool]) {
    let (rate, allowed) = alarms(name, ALPHA, of);
    assert!(rate <= allowed, "{name}: {rate} is above {allowed}, seed {SEED:#x}");
}

/// Asserts that the trap is one: alarms are far more than alpha.
fn assert_broken(name: &str, at_least: f64, of: &[bool]) {
    let (rate, _) = alarms(name, ALPHA, of);
    assert!(rate >= at_least, "{name}: {rate} is below {at_least}, seed {SEED:#x}");
}

fn column<const N: usize>(runs: &[[bool; N]], at: usize) -> Vec<bool> {
    runs.iter().map(|run| run[at]).collect()
}

/// Trials that are looked at after each event, until the first alarm.
struct Stream<'a> {
    test: &'a Bernoulli,
    events: u64,
    trials: u64,
    watch: Watch,
    alarm: bool,
}

impl<'a> Stream<'a> {
    fn of(test: &'a Bernoulli) -> Self {
        Self { test, events: 0, trials: 0, watch: Watch::default(), alarm: false }
    }

    fn quiet(&mut self, trials: u64) {
        self.trials += trials;
    }

    fn trial(&mut self, event: bool, act: f64) {
        self.trials += 1;
        if event && !self.alarm {
            self.events += 1;
            self.alarm = self.watch.sees(1, |more| self.test.exceeds(self.events + more, self.trials + more, act));
        }
    }
}

/// A call every 10 ms, of which 3 % fail after 5 ms; the others succeed after 2 s. The limit is 5 %.
///
/// The same happens when one process reports its failures sooner than its successes.
#[test]
fn failures_that_return_first_are_counted_by_the_start_of_their_calls() {
    let test = Bernoulli::at_most(0.05).unwrap();
    let of = each_run(SEED, runs(2_000), |rng| {
        let calls: Vec<bool> = (0..3_000).map(|_| rng.f64() < 0.03).collect();
        let mut failed = vec![0_u64];
        failed.extend(calls.iter().scan(0, |sum, &fails| {
            *sum += u64::from(fails);
            Some(*sum)
        }));
        let ended = (1..=calls.len()).filter(|&at| calls[at - 1]).any(|at| {
            let succeeded_from = at.saturating_sub(200);
            test.exceeds(failed[at], failed[at] + succeeded_from as u64 - failed[succeeded_from], act())
        });
        let closed = (1..=calls.len()).filter(|&at| calls[at - 1]).any(|at| test.exceeds(failed[at], at as u64, act()));
        [ended, closed]
    });
    assert_broken("failures first, counted when they end", 0.9, &column(&of, 0));
    assert_held("  counted by start, closed ticks only", &column(&of, 1));
}

/// Zipf's law with 1.1 for 10,000 keys of which 3 % are bad: half of their calls fail, on either side. New has 10 %, by key.
#[test]
fn keys_with_many_calls_count_once_or_in_pairs() {
    let (label, pair) = (Relative::at_most(1.0).unwrap().in_phase(0.1).unwrap(), Bernoulli::at_most(0.5).unwrap());
    let of = each_run(SEED, runs(2_000), |rng| whales(&label, &pair, rng));
    assert_broken("sticky keys, every failure counts", 0.08, &column(&of, 0));
    assert_held("  only the first of each key", &column(&of, 1));
    assert_held("  both sides run each call, in pairs", &column(&of, 2));
}

fn whales(label: &Bernoulli, pair: &Bernoulli, rng: &mut Rng) -> [bool; 3] {
    let (mut bad, mut rank, mut sum) = (Vec::new(), gap(rng, 0.03), 0.0);
    while rank < 10_000 {
        sum += share(rank + 1, 1).powf(-1.1);
        bad.push((sum, rng.f64() < 0.1, false));
        rank += gap(rng, 0.03) + 1;
    }
    let (mut every, mut first, mut pairs) = (Stream::of(label), Stream::of(label), Stream::of(pair));
    for _ in 0..4_000 {
        let drawn = rng.f64() * sum;
        let at = bad.partition_point(|key| key.0 <= drawn);
        let (_, on_new, seen) = &mut bad[at];
        let (legacy_fails, new_fails) = (rng.bool(), rng.bool());
        if legacy_fails != new_fails {
            pairs.trial(new_fails, act());
        }
        if if *on_new { new_fails } else { legacy_fails } {
            every.trial(*on_new, act());
            if !std::mem::replace(seen, true) {
                first.trial(*on_new, act());
            }
        }
    }
    [every.alarm, first.alarm, pairs.alarm]
}

/// Both sides fail in 1 % to 9 % of calls, up and down within 20,000 of them. The limit is the mean, 5 %.
#[test]
fn what_strikes_both_sides_cancels_where_they_are_compared() {
    let limit = Bernoulli::at_most(0.05).unwrap();
    let (label, pair) = (Relative::at_most(1.0).unwrap().in_phase(0.1).unwrap(), Bernoulli::at_most(0.5).unwrap());
    let of = each_run(SEED, runs(1_000), |rng| {
        let began = rng.f64();
        let rate = |call: u64| 0.05 + 0.04 * (std::f64::consts::TAU * (began + share(call, 20_000))).sin();
        let (mut absolute, mut labels, mut pairs) = (Stream::of(&limit), Stream::of(&label), Stream::of(&pair));
        let (mut call, most) = (0, 0.18);
        while call < 60_000 {
            let others = gap(rng, most);
            absolute.quiet(others);
            call += others + 1;
            // One of the two fails, or both: thinned out to the rates of the moment.
            let (drawn, rate) = (rng.f64() * most, rate(call));
            let (new, legacy) = (drawn < rate, drawn >= rate * (1.0 - rate) && drawn < rate * (2.0 - rate));
            absolute.trial(new, act());
            if new != legacy {
                pairs.trial(new, act());
            }
            let on_new = rng.f64() < 0.1;
            if if on_new { new } else { legacy } {
                labels.trial(on_new, act());
            }
        }
        [absolute.alarm, labels.alarm, pairs.alarm, absolute.alarm && labels.alarm]
    });
    assert_broken("drift of both sides, a limit at its mean", 0.3, &column(&of, 0));
    assert_held("  labels of the split", &column(&of, 1));
    assert_held("  pairs", &column(&of, 2));
    assert_held("  the limit and the labels together", &column(&of, 3));
}

/// After a million calls with 1 % failures there are 20 %. The limit is 5 %.
#[test]
fn a_long_healthy_time_delays_the_e_value_and_not_the_cusum() {
    let test = Bernoulli::at_most(0.05).unwrap();
    let median = |name: &str, healthy: u64, delay: &(dyn Fn(&mut Rng) -> u64 + Sync)| {
        let mut delays = each_run(SEED, runs(100), delay);
        delays.sort_unstable();
        let (median, late) = (delays[delays.len() / 2], delays[delays.len() * 19 / 20]);
        println!("{:<60} median {median}, 95 % within {late}", format!("{name} after {healthy} healthy calls"));
        median
    };
    let [cusum_fresh, cusum_stale] =
        [0, 1_000_000].map(|healthy| median("T7, A 10^6,", healthy, &|rng| cusum_delay(&test, healthy, rng)));
    let [fresh, stale] =
        [0, 1_000_000].map(|healthy| median("T1,", healthy, &|rng| e_value_delay(&test, healthy, rng)));
    assert!(cusum_stale <= 2 * cusum_fresh && cusum_fresh <= 150, "{cusum_fresh} {cusum_stale}, seed {SEED:#x}");
    assert!(fresh <= 60 && stale > 1_000 * fresh, "{fresh} {stale}, seed {SEED:#x}");
}

fn cusum_delay(test: &Bernoulli, healthy: u64, rng: &mut Rng) -> u64 {
    let mut cusum = Cusum::new(test);
    for _ in 0..healthy / 1_000 {
        cusum.fold(events_of(1_000, 0.01, rng), 1_000);
    }
    let mut calls = 0;
    while calls < LONGEST / 100 && cusum.ln_value() < f64::ln(1e6) {
        calls += 1;
        cusum.fold(u64::from(rng.f64() < 0.2), 1);
    }
    calls
}

fn e_value_delay(test: &Bernoulli, healthy: u64, rng: &mut Rng) -> u64 {
    let mut stream = Stream::of(test);
    stream.events = events_of(healthy, 0.01, rng);
    stream.trials = healthy;
    while !stream.alarm && stream.trials < healthy + LONGEST {
        stream.quiet(gap(rng, 0.2));
        stream.trial(true, act());
    }
    stream.trials - healthy
}

fn events_of(trials: u64, rate: f64, rng: &mut Rng) -> u64 {
    let (mut events, mut at) = (0, gap(rng, rate));
    while at < trials {
        events += 1;
        at += gap(rng, rate) + 1;
    }
    events
}

/// Whether a stream of 1,500 trials, with the truth at the limit, has an alarm.
fn alarms_at_the_limit(test: &Bernoulli, rng: &mut Rng, act: f64) -> bool {
    let mut stream = Stream::of(test);
    while stream.trials < 1_500 && !stream.alarm {
        stream.quiet(gap(rng, 0.5));
        stream.trial(true, act);
    }
    stream.alarm
}

#[test]
fn several_triggers_share_one_budget() {
    let test = Bernoulli::at_most(0.5).unwrap();
    let of = each_run(SEED, runs(2_000), |rng| {
        let any = |rng: &mut Rng, alpha: f64| (0..10).any(|_| alarms_at_the_limit(&test, rng, -alpha.ln()));
        [any(rng, ALPHA), any(rng, ALPHA / 10.0)]
    });
    assert_broken("ten triggers, each with the whole of alpha", 0.03, &column(&of, 0));
    assert_held("  each with a tenth of it", &column(&of, 1));
}

#[test]
fn phases_that_begin_anew_share_one_budget() {
    let test = Bernoulli::at_most(0.5).unwrap();
    let of = each_run(SEED, runs(2_000), |rng| {
        let any = |rng: &mut Rng, alpha: &dyn Fn(u64) -> f64| {
            (1..=20).any(|k| alarms_at_the_limit(&test, rng, -alpha(k).ln()))
        };
        [any(rng, &|_| ALPHA), any(rng, &|k| spend(ALPHA, k))]
    });
    assert_broken("twenty phases, each with the whole of alpha", 0.05, &column(&of, 0));
    assert_held("  each with what it may spend", &column(&of, 1));
}

/// New is said to get 10 % and gets 13 %; both sides fail alike, in 10 % of calls.
#[test]
fn a_wrong_split_makes_labels_lie_and_is_found_first() {
    let labels = Relative::at_most(1.0).unwrap().in_phase(0.1).unwrap();
    let of = each_run(SEED, runs(200), |rng| {
        let (mut starts, mut failures, mut found) =
            (Labels { share: 0.1, new: 0, legacy: 0 }, Stream::of(&labels), false);
        for call in 0..100_000_u64 {
            let on_new = rng.f64() < 0.13;
            *(if on_new { &mut starts.new } else { &mut starts.legacy }) += 1;
            if rng.f64() < 0.1 {
                failures.trial(on_new, act());
            }
            if failures.alarm {
                break;
            }
            found = found || call % 100 == 99 && split_ln_e(&[starts]) >= f64::ln(1_000.0);
        }
        [failures.alarm, failures.alarm && !found]
    });
    assert_broken("a wrong split: labels alarm without a reason", 0.8, &column(&of, 0));
    let (missed, _) = alarms("  and the split was not yet found to be wrong", ALPHA, &column(&of, 1));
    assert!(missed <= 0.05, "{missed}, seed {SEED:#x}");
}

/// The z-test of two rates at one-sided 1 %, looked at every 100 calls of an even split with 1 % failures.
#[test]
fn a_test_for_one_look_does_not_stand_many() {
    let labels = Relative::at_most(1.0).unwrap().in_phase(0.5).unwrap();
    let of = each_run(SEED, runs(1_000), |rng| {
        let (mut new, mut legacy, mut z_alarm, mut stream) = (0, 0, false, Stream::of(&labels));
        for calls in (100..=100_000).step_by(100) {
            for _ in 0..events_of(100, 0.01, rng) {
                let on_new = rng.bool();
                *(if on_new { &mut new } else { &mut legacy }) += 1;
                stream.trial(on_new, act());
            }
            let pooled = share(new + legacy, calls);
            let difference = 2.0 * (share(new, calls) - share(legacy, calls));
            z_alarm = z_alarm || difference > 2.326 * (4.0 * pooled * (1.0 - pooled) / share(calls, 1)).sqrt();
        }
        [z_alarm, stream.alarm]
    });
    assert_broken("z-test of two rates, looked at 1000 times", 0.1, &column(&of, 0));
    assert_held("  T2 on the same labels, after every failure", &column(&of, 1));
}
