//! Each e-value is the formula that its documentation says, a fair bet where the hypothesis ends, and a losing one inside.
#![expect(clippy::float_cmp, reason = "the same computation gives the same bits")]

use cutover::stats::quantile::interval;
use cutover::stats::{Bernoulli, Cusum, Labels, PairCounts, Paired, RateError, Relative, spend, split_ln_e};
use proptest::prelude::*;

fn near(value: f64, expected: f64, relative: f64) -> bool {
    (value - expected).abs() <= relative * expected.abs().max(1.0)
}

/// From 60-digit decimals, by the textbook form of each mixture.
mod known_values {
    use super::*;

    #[test]
    fn of_a_rate_that_is_too_high() {
        let known = [
            (0.05, 0, 0, 0.0),
            (0.05, 2, 2, 5.482_505_338_008_41),
            (0.05, 40, 400, 4.976_224_135_215_656),
            (0.05, 0, 1_000, -8.165_595_341_386_6),
            (0.05, 50_200, 1_000_000, -206.148_538_692_313_6),
            (0.05, 500_200_000, 10_000_000_000, -2_201_266.350_321_271_4),
            (0.5, 20, 20, 13.161_437_441_697_698),
            (0.999, 1_000, 1_000, 0.665_461_012_171_574_3),
            (1e-6, 5, 10_000, 23.174_865_290_730_21),
        ];
        for (rate, events, trials, expected) in known {
            let value = Bernoulli::at_most(rate).unwrap().ln_e(events, trials);
            assert!(near(value, expected, 1e-9), "{rate} {events}/{trials}: {value} is not {expected}");
        }
    }

    #[test]
    fn of_a_rate_that_is_low_enough() {
        let known = [
            (0.2, 0, 0, 0.0),
            (0.2, 0, 17, 3.453_662_100_753_707),
            (0.2, 10, 100, 1.535_573_109_641_517_6),
            (0.01, 0, 377, 3.465_212_339_247_246_3),
            (0.05, 49_000, 1_000_000, -117.560_328_381_549_08),
            (0.05, 100, 100, -12.253_490_157_193_915),
            (0.999, 990, 1_000, 11.886_205_491_161_458),
        ];
        for (rate, events, trials, expected) in known {
            let value = Bernoulli::at_least(rate).unwrap().ln_e(events, trials);
            assert!(near(value, expected, 1e-9), "{rate} {events}/{trials}: {value} is not {expected}");
        }
    }

    #[test]
    fn of_labels_in_five_phases() {
        let phases = [(0.01, 5, 95), (0.05, 20, 160), (0.1, 30, 120), (0.25, 60, 90), (0.5, 200, 150)]
            .map(|(share, new, legacy)| Labels { share, new, legacy });
        let known = [
            (Relative::at_most(1.0).unwrap().ln_e(&phases), 16.749_263_566_201_85),
            (Relative::at_most(1.2).unwrap().ln_e(&phases), 5.782_371_480_017_447),
            (Relative::at_least(0.5).unwrap().ln_e(&phases), -19.284_678_260_300_87),
            (Relative::at_least(1.0).unwrap().ln_e(&phases), -11.189_457_313_562_945),
            (split_ln_e(&phases), 16.749_263_566_201_85 - f64::ln(2.0)),
        ];
        for (at, (value, expected)) in known.into_iter().enumerate() {
            assert!(near(value, expected, 1e-9), "{at}: {value} is not {expected}");
        }
    }

    #[test]
    fn of_pairs() {
        let known = [
            (0.0, 10, 2, 1_000, 0.784_609_447_502_004_3),
            (0.005, 30, 2, 400, 8.105_222_617_689_39),
            (0.01, 0, 50, 100_000, -1.224_005_486_885_858_5),
            (0.005, 5_300, 100, 1_000_000, 0.908_522_908_137_309_6),
            (0.005, 11, 0, 0, 4.746_191_398_981_753),
        ];
        for (margin, only_new, only_legacy, both_or_neither, expected) in known {
            let value = Paired::at_most(margin).unwrap().ln_e(PairCounts { only_new, only_legacy, both_or_neither });
            assert!(near(value, expected, 1e-9), "{margin} {only_new} {only_legacy}: {value} is not {expected}");
        }
    }

    #[test]
    fn of_the_interval_of_a_quantile() {
        // Theorem 1 for p = 0.95, n = 3500, alpha = 1 %, by hand: l = 0.0028482.
        let (lower, upper) = interval(0.95, 3_500, 0.01).unwrap();
        assert!(near(lower, 0.930_274, 1e-5) && near(upper, 0.969_726, 1e-5), "{lower} {upper}");
        for outside in
            [(0.0, 100, 0.01), (1.0, 100, 0.01), (0.5, 0, 0.01), (0.5, 9, 0.0), (0.5, 9, f64::NAN), (0.5, 2, 0.1)]
        {
            assert_eq!(interval(outside.0, outside.1, outside.2), None, "{outside:?}");
        }
        assert!(interval(0.5, u64::MAX, 0.01).is_some());
        let first = (1..).take(10_000).find(|&n| interval(0.95, n, 0.01).is_some());
        assert_eq!(first, Some(690));
    }

    #[test]
    fn of_what_a_phase_may_spend() {
        assert_eq!((spend(0.01, 0), spend(0.0, 3)), (0.0, 0.0));
        assert!(near(spend(1.0, 3) * 9.0, 0.607_927_101_854_026_7, 1e-12) && spend(0.01, u64::MAX) > 0.0);
        let spent: f64 = (1..=1_000_000).map(|phase| spend(0.01, phase)).sum();
        assert!(spent < 0.01 && spent > 0.009_999_99, "{spent}");
    }
}

#[test]
fn a_number_that_is_none_of_those_allowed_is_named() {
    for rate in [0.0, 1.0, -0.1, 1.5, f64::INFINITY] {
        assert_eq!(Bernoulli::at_most(rate), Err(RateError::Rate(rate)));
        assert_eq!(Bernoulli::at_least(rate), Err(RateError::Rate(rate)));
    }
    for ratio in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(Relative::at_most(ratio), Err(RateError::Ratio(ratio)));
        assert_eq!(Relative::at_least(ratio), Err(RateError::Ratio(ratio)));
    }
    for margin in [-0.1, 1.0, f64::INFINITY] {
        assert_eq!(Paired::at_most(margin), Err(RateError::Margin(margin)));
    }
    let not_a_number =
        [Bernoulli::at_most(f64::NAN).err(), Relative::at_most(f64::NAN).err(), Paired::at_most(f64::NAN).err()];
    assert!(not_a_number.iter().all(|error| error.is_some_and(|error| error.to_string().contains("NaN"))));
    assert_eq!(RateError::Rate(1.5).to_string(), "the rate is 1.5, and has to be above 0 and below 1");
}

#[test]
fn a_phase_without_two_arms_is_no_evidence() {
    let worse = Relative::at_most(1.0).unwrap();
    let phase = Labels { share: 0.1, new: 30, legacy: 60 };
    for share in [0.0, 1.0, -0.5, 2.0, f64::NAN, f64::INFINITY] {
        assert!(worse.in_phase(share).is_none());
        assert_eq!(worse.ln_e(&[phase, Labels { share, new: 1_000, legacy: 0 }]), worse.ln_e(&[phase]));
    }
    assert_eq!((worse.ln_e(&[]), split_ln_e(&[])), (0.0, 0.0));
}

/// The mean of `next` over the two outcomes of a trial, as a factor of what was before.
fn mean_factor(rate: f64, with_event: f64, without: f64, before: f64) -> f64 {
    rate * (with_event - before).exp() + (1.0 - rate) * (without - before).exp()
}

/// Counts up to some thousands, at which a rounding of the logarithm is far below the tolerance.
fn counts() -> impl Strategy<Value = (u64, u64)> {
    (0_u64..3_000, 0_u64..3_000).prop_map(|(events, rest)| (events, events + rest))
}

proptest! {
    #[test]
    fn a_trial_at_the_limit_is_a_fair_bet(rate in 0.000_1..0.999_f64, (events, trials) in counts()) {
        for test in [Bernoulli::at_most(rate).unwrap(), Bernoulli::at_least(rate).unwrap()] {
            let next = (test.ln_e(events + 1, trials + 1), test.ln_e(events, trials + 1));
            let factor = mean_factor(rate, next.0, next.1, test.ln_e(events, trials));
            prop_assert!(near(factor, 1.0, 1e-9), "{}", factor);
        }
    }

    #[test]
    fn a_trial_inside_the_hypothesis_loses_on_average(
        rate in 0.000_1..0.999_f64, part in 0.0..1.0_f64, (events, trials) in counts(),
    ) {
        let (above, below) = (Bernoulli::at_most(rate).unwrap(), Bernoulli::at_least(rate).unwrap());
        for (test, truth) in [(above, rate * part), (below, 1.0 - (1.0 - rate) * part)] {
            let next = (test.ln_e(events + 1, trials + 1), test.ln_e(events, trials + 1));
            let factor = mean_factor(truth, next.0, next.1, test.ln_e(events, trials));
            prop_assert!(factor <= 1.0 + 1e-9, "{}", factor);
        }
    }

    #[test]
    fn a_label_at_the_ratio_is_a_fair_bet(
        ratio in 0.05..20.0_f64, share in 0.001..0.999_f64, earlier in 0.001..0.999_f64, new in 0_u64..500, legacy in 0_u64..500,
    ) {
        let phases = |new, legacy| [Labels { share: earlier, new: 7, legacy: 90 }, Labels { share, new, legacy }];
        let from_new = share * ratio / (share * ratio + 1.0 - share);
        for test in [Relative::at_most(ratio).unwrap(), Relative::at_least(ratio).unwrap()] {
            let next = (test.ln_e(&phases(new + 1, legacy)), test.ln_e(&phases(new, legacy + 1)));
            let factor = mean_factor(from_new, next.0, next.1, test.ln_e(&phases(new, legacy)));
            prop_assert!(near(factor, 1.0, 1e-9), "{}", factor);
        }
        let next = (split_ln_e(&phases(new + 1, legacy)), split_ln_e(&phases(new, legacy + 1)));
        prop_assert!(near(mean_factor(share, next.0, next.1, split_ln_e(&phases(new, legacy))), 1.0, 1e-9));
    }

    #[test]
    fn a_pair_at_the_margin_is_a_fair_bet_and_a_losing_one_below(
        margin in 0.0..0.9_f64, legacy in 0.0..1.0_f64, below in 0.0..1.0_f64, before in (0_u64..500, 0_u64..500, 0_u64..5_000),
    ) {
        let test = Paired::at_most(margin).unwrap();
        let ln_e = |new, legacy, other| test.ln_e(PairCounts {
            only_new: before.0 + new, only_legacy: before.1 + legacy, both_or_neither: before.2 + other,
        });
        let only_legacy = legacy * (1.0 - margin) / 2.0;
        let factor = |only_new: f64| {
            let ways = [(only_new, ln_e(1, 0, 0)), (only_legacy, ln_e(0, 1, 0)), (1.0 - only_new - only_legacy, ln_e(0, 0, 1))];
            ways.iter().map(|(chance, next)| chance * (next - ln_e(0, 0, 0)).exp()).sum::<f64>()
        };
        prop_assert!(near(factor(only_legacy + margin), 1.0, 1e-9));
        prop_assert!(factor(below * (only_legacy + margin)) <= 1.0 + 1e-9);
    }

    /// From this follows that the mean time to a false alarm at `A` is at least `A`: the value less the number of folds is
    /// a supermartingale.
    #[test]
    fn a_fold_at_the_limit_raises_the_cusum_by_at_most_one_on_average(
        rate in 0.001..0.999_f64, part in 0.0..1.0_f64, folds in prop::collection::vec((0_u64..20, 0_u64..200), 0..10),
    ) {
        let mut cusum = Cusum::new(&Bernoulli::at_most(rate).unwrap());
        for (events, rest) in folds {
            cusum.fold(events, events + rest);
        }
        let after = |events| {
            let mut next = cusum.clone();
            next.fold(events, 1);
            next.ln_value()
        };
        let mean = mean_factor(rate * part, after(1), after(0), 0.0);
        prop_assert!(mean <= (cusum.ln_value().exp() + 1.0) * (1.0 + 1e-9), "{} {}", mean, cusum.ln_value().exp());
    }

    /// The definition, trial by trial: 24 players who bet constant shares, and their mean wealth.
    #[test]
    fn the_order_of_trials_does_not_matter(rate in 0.01..0.99_f64, trials in prop::collection::vec(any::<bool>(), 0..60)) {
        let players: Vec<f64> = (0..24).map(|at| {
            let (from, to) = (f64::ln(1.1), f64::ln((999.0 * (1.0 - rate) / rate).max(11.0)));
            let odds = rate / (1.0 - rate) * (from + (to - from) * f64::from(at) / 23.0).exp();
            odds / (1.0 + odds)
        }).collect();
        let wealth = |theta: f64| trials.iter().fold(1.0, |wealth: f64, &event| {
            wealth * if event { theta / rate } else { (1.0 - theta) / (1.0 - rate) }
        });
        let naive = players.iter().map(|&theta| wealth(theta)).sum::<f64>() / 24.0;
        let events = trials.iter().filter(|&&event| event).count() as u64;
        let value = Bernoulli::at_most(rate).unwrap().ln_e(events, trials.len() as u64);
        prop_assert!(near(value, naive.ln(), 1e-9), "{} {}", value, naive.ln());
    }

    #[test]
    fn phases_of_one_share_are_one_phase_in_whatever_order(
        counts in prop::collection::vec((0_u64..200, 0_u64..200), 1..6), share in 0.01..0.99_f64, ratio in 0.1..10.0_f64,
    ) {
        let mut phases: Vec<Labels> = counts.iter().map(|&(new, legacy)| Labels { share, new, legacy }).collect();
        phases.push(Labels { share: 0.5, new: 3, legacy: 4 });
        let sum = |of: fn(&(u64, u64)) -> u64| counts.iter().map(of).sum();
        let one = [Labels { share: 0.5, new: 3, legacy: 4 }, Labels { share, new: sum(|c| c.0), legacy: sum(|c| c.1) }];
        let back: Vec<Labels> = phases.iter().rev().copied().collect();
        for test in [Relative::at_most(ratio).unwrap(), Relative::at_least(ratio).unwrap()] {
            prop_assert!(near(test.ln_e(&phases), test.ln_e(&one), 1e-9) && near(test.ln_e(&back), test.ln_e(&one), 1e-9));
            let alone = test.in_phase(share).unwrap().ln_e(one[1].new, one[1].new + one[1].legacy);
            prop_assert!(near(test.ln_e(&one[1..]), alone, 1e-12));
        }
    }

    #[test]
    fn every_count_gives_a_finite_value(
        rate in prop_oneof![Just(5e-324), Just(1e-300), Just(1.0 - f64::EPSILON / 2.0), 1e-9..1.0_f64],
        ratio in prop_oneof![Just(5e-324), Just(f64::MAX), 1e-9..1e9_f64],
        share in prop_oneof![Just(5e-324), Just(1.0 - f64::EPSILON / 2.0), 1e-9..1.0_f64],
        counts in [any::<u64>(), any::<u64>(), any::<u64>()], shift in 0..64_u32,
    ) {
        let [a, b, c] = counts.map(|count| count >> shift);
        let labels = [Labels { share, new: a, legacy: b }, Labels { share: 0.5, new: b, legacy: c }];
        let pairs = PairCounts { only_new: a, only_legacy: b, both_or_neither: c };
        let mut cusum = Cusum::new(&Bernoulli::at_most(rate).unwrap());
        for (events, trials) in [(a, b), (b, c), (u64::MAX, u64::MAX), (0, u64::MAX), (0, 0)] {
            cusum.fold(events, trials);
            prop_assert!(cusum.ln_value().is_finite());
        }
        for value in [
            Bernoulli::at_most(rate).unwrap().ln_e(a, b),
            Bernoulli::at_least(rate).unwrap().ln_e(a, b),
            Relative::at_most(ratio).unwrap().ln_e(&labels),
            Relative::at_least(ratio).unwrap().ln_e(&labels),
            split_ln_e(&labels),
            Paired::at_most(rate).unwrap().ln_e(pairs),
        ] {
            prop_assert!(value.is_finite());
        }
    }

    #[test]
    fn exceeds_is_the_comparison((events, trials) in counts(), rate in 0.001..0.999_f64, threshold in -5.0..20.0_f64) {
        for test in [Bernoulli::at_most(rate).unwrap(), Bernoulli::at_least(rate).unwrap()] {
            let value = test.ln_e(events, trials);
            prop_assert_eq!(test.exceeds(events, trials, threshold), value >= threshold);
            prop_assert!(test.exceeds(events, trials, value) && !test.exceeds(events, trials, f64::NAN));
        }
    }

    #[test]
    fn only_events_raise_one_and_only_other_trials_the_other((events, trials) in counts(), rate in 0.001..0.999_f64) {
        let (above, below) = (Bernoulli::at_most(rate).unwrap(), Bernoulli::at_least(rate).unwrap());
        prop_assert!(above.ln_e(events, trials + 1) < above.ln_e(events, trials));
        prop_assert!(above.ln_e(events + 1, trials + 1) > above.ln_e(events, trials));
        prop_assert!(below.ln_e(events, trials + 1) > below.ln_e(events, trials));
        prop_assert!(below.ln_e(events + 1, trials + 1) < below.ln_e(events, trials));
        prop_assert_eq!(above.ln_e(trials + 9, trials), above.ln_e(trials + 9, trials + 9));
    }

    #[test]
    fn a_cusum_is_above_every_e_value_that_began_later(folds in prop::collection::vec((0_u64..5, 1_u64..50), 1..20)) {
        let test = Bernoulli::at_most(0.05).unwrap();
        let mut cusum = Cusum::new(&test);
        for &(events, rest) in &folds {
            cusum.fold(events, events + rest);
        }
        for from in 0..folds.len() {
            let events = folds[from..].iter().map(|fold| fold.0).sum::<u64>();
            let rest = folds[from..].iter().map(|fold| fold.1).sum::<u64>();
            prop_assert!(cusum.ln_value() >= test.ln_e(events, events + rest) - 1e-9);
        }
        cusum.reset();
        prop_assert_eq!(cusum, Cusum::new(&test));
    }
}

#[test]
fn folds_without_trials_are_none() {
    let mut cusum = Cusum::new(&Bernoulli::at_most(0.05).unwrap());
    assert!(cusum.ln_value().abs() < 1e-12);
    cusum.fold(3, 200);
    let before = cusum.clone();
    cusum.fold(0, 0);
    assert_eq!(cusum, before);
}
