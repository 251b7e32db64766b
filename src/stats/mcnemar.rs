//! `McNemar`'s test for pairs: does new differ more often than legacy differs from itself?
//!
//! Both sides run the same items. A pair is *discordant* when exactly one of the two did something, such as to fail;
//! the concordant pairs say nothing about which is worse. Of the discordant pairs, `b` count against new and `c`
//! against legacy.
//!
//! Hypothesis of both functions, to be refuted: given all that came before, a discordant pair counts against new with
//! a probability of at most 1/2.
//!
//! - [`p_value`] is for one look at data whose size did not depend on what they showed.
//! - [`anytime_p_value`] may be looked at after every pair, and acted upon at any of them.

use super::to_float;

/// The exact one-sided p-value: `P(X >= b)` for `X` binomial with `b + c` trials at 1/2.
///
/// Guarantee: under the hypothesis, a value of `alpha` or less comes with a probability of at most `alpha`, for one
/// look. Without discordant pairs it is 1.
///
/// Up to 10^9 discordant pairs it is exact to about nine digits, in time that grows with the square root of their
/// number (below a millisecond). Beyond, Chernoff's bound `exp(-n KL(b/n, 1/2))` stands in: it is larger, so that the
/// guarantee holds. Values below 1e-308 are 0.
///
/// Sources: `McNemar`, *Note on the sampling error of the difference between correlated proportions or percentages*,
/// Psychometrika 12 (1947), in its exact form; the binomial terms after Loader, *Fast and accurate computation of
/// binomial probabilities* (2000); Chernoff (1952).
///
/// ```
/// use cutover::stats::mcnemar::p_value;
/// assert!((p_value(5, 0) - 1.0 / 32.0).abs() < 1e-12);
/// assert!((p_value(1, 1) - 3.0 / 4.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn p_value(b: u64, c: u64) -> f64 {
    let (b, c) = (to_float(b), to_float(c));
    if b > c {
        upper_tail(b + c, b)
    } else if b + c > EXACT_LIMIT {
        1.0
    } else {
        1.0 - upper_tail(b + c, c + 1.0)
    }
}

/// A p-value that holds at all times: `1 / E`, at most 1, where `E` is the likelihood ratio of the hypothesis that is
/// mixed uniformly over all probabilities from 1/2 to 1, `E = 2^(n+1) * integral of t^b (1-t)^c`.
///
/// Guarantee: under the hypothesis, the probability that it ever falls to `alpha` or below is at most `alpha`, however
/// often it is looked at, for ever.
///
/// The integral has a closed form, `E = 2 P(Y <= b) / ((n+1) P(X = b))` with `X` and `Y` binomial at 1/2 with `n` and
/// `n + 1` trials; the cost is that of [`p_value`].
///
/// Sources: Ville, *Étude critique de la notion de collectif* (1939), for the guarantee; Robbins, *Statistical methods
/// related to the law of the iterated logarithm* (1970), for mixtures.
///
/// ```
/// use cutover::stats::mcnemar::{anytime_p_value, p_value};
/// assert!(anytime_p_value(8, 0) > 0.01 && p_value(8, 0) < 0.01);
/// assert!(anytime_p_value(9, 0) <= 0.01);
/// ```
#[must_use]
pub fn anytime_p_value(b: u64, c: u64) -> f64 {
    if b <= c {
        return 1.0;
    }
    let (b, c) = (to_float(b), to_float(c));
    let below = (1.0 - upper_tail(b + c + 1.0, b + 1.0)).max(0.5);
    let ln_e = (2.0 * below / (b + c + 1.0)).ln() - ln_probability(b + c, b);
    (-ln_e).exp().min(1.0)
}

/// `P(X >= k)` for `k` above the middle: the first term, times the sum of the ratios to it, which only fall.
fn upper_tail(trials: f64, k: f64) -> f64 {
    if k > trials {
        return 0.0;
    }
    if trials > EXACT_LIMIT {
        return (-deviance(trials, k)).exp();
    }
    let (mut sum, mut term, mut at) = (1.0, 1.0, k);
    while term > sum * 1e-17 {
        term *= (trials - at) / (at + 1.0);
        sum += term;
        at += 1.0;
    }
    (ln_probability(trials, k).exp() * sum).min(1.0)
}

/// The most trials whose tail is summed.
const EXACT_LIMIT: f64 = 1e9;

/// `ln P(X = k)` at 1/2 by Loader's saddle point, which has no large terms that cancel.
fn ln_probability(trials: f64, k: f64) -> f64 {
    let rest = trials - k;
    if k <= 0.0 || rest <= 0.0 {
        return -trials * std::f64::consts::LN_2;
    }
    let correction = stirling_error(trials) - stirling_error(k) - stirling_error(rest);
    let scale = (std::f64::consts::TAU * k * (rest / trials)).ln() / 2.0;
    correction - scale - deviance(trials, k)
}

/// `n KL(k/n, 1/2)`.
fn deviance(trials: f64, k: f64) -> f64 {
    let rest = trials - k;
    let excess = (k - rest) / trials;
    let square = excess * excess;
    if square < 1e-6 {
        return trials * square * (0.5 + square / 12.0 + square * square / 30.0);
    }
    let part = |count: f64, excess: f64| if count > 0.0 { count * excess.ln_1p() } else { 0.0 };
    part(k, excess) + part(rest, -excess)
}

/// `ln n!` minus Stirling's formula for it.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let (mut ln_factorial, mut at) = (0.0, 2.0);
        while at <= n {
            ln_factorial += f64::ln(at);
            at += 1.0;
        }
        return ln_factorial - ((n + 0.5) * n.ln() - n + std::f64::consts::TAU.ln() / 2.0);
    }
    let square = n * n;
    let tail = 1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square;
    (1.0 / 12.0 - (1.0 / 360.0 - tail / square) / square) / n
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pascal's row, halved at each step: every entry is exact but for rounding.
    fn row(trials: usize) -> Vec<f64> {
        (0..trials).fold(vec![1.0], |row, _| {
            let entry = |at: usize| (row.get(at).unwrap_or(&0.0) + at.checked_sub(1).map_or(0.0, |at| row[at])) / 2.0;
            (0..=row.len()).map(entry).collect()
        })
    }

    fn naive(b: u16, c: u16) -> f64 {
        row(usize::from(b + c)).iter().skip(usize::from(b)).sum()
    }

    /// The mixture by Simpson's rule.
    fn naive_e(b: u16, c: u16) -> f64 {
        let density = |t: f64| 2.0 * (2.0 * t).powi(i32::from(b)) * (2.0 * (1.0 - t)).powi(i32::from(c));
        let at = |step: u32| density(0.5 + f64::from(step) / 20_000.0);
        let inner: f64 = (1..10_000).map(|step| at(step) * if step % 2 == 1 { 4.0 } else { 2.0 }).sum();
        (at(0) + inner + at(10_000)) / 60_000.0
    }

    fn near(value: f64, expected: f64, relative: f64) -> bool {
        (value - expected).abs() <= expected * relative
    }

    #[test]
    fn known_values() {
        // Exact sums, those with large counts in 60-digit decimals.
        let known = [
            (0, 0, 1.0),
            (1, 0, 0.5),
            (0, 1, 1.0),
            (10, 2, 79.0 / 4096.0),
            (2, 10, 4083.0 / 4096.0),
            (1_000, 900, 1.155_442_255_445_054e-2),
            (501_000, 499_000, 2.280_414_993_269_104e-2),
            (504_000, 496_000, 6.269_548_031_240_336e-16),
            (1_000_000, 996_000, 2.323_381_929_619_198e-3),
            (1_000_000, 1_000_000, 5.002_820_947_565_12e-1),
            (550_000, 450_000, 0.0),
        ];
        for (b, c, expected) in known {
            assert!(near(p_value(b, c), expected, 1e-9), "{b} {c}: {} is not {expected}", p_value(b, c));
        }
    }

    proptest! {
        #[test]
        fn it_is_the_naive_sum(b in 0_u16..300, c in 0_u16..300) {
            let (value, expected) = (p_value(b.into(), c.into()), naive(b, c));
            prop_assert!(near(value, expected, 1e-10), "{} is not {}", value, expected);
        }

        #[test]
        fn the_anytime_value_is_the_naive_mixture(b in 0_u16..60, c in 0_u16..60) {
            let (value, expected) = (anytime_p_value(b.into(), c.into()), naive_e(b, c).recip().min(1.0));
            prop_assert!(near(value, expected, 1e-7), "{} is not {}", value, expected);
        }

        #[test]
        fn the_mixture_is_a_fair_bet(b in 1_u64..200, c in 0_u64..200) {
            prop_assume!(b > c + 1 && anytime_p_value(b, c + 1) < 1.0);
            let wealth = |b, c| anytime_p_value(b, c).recip();
            prop_assert!(near(f64::midpoint(wealth(b + 1, c), wealth(b, c + 1)), wealth(b, c), 1e-9));
        }

        #[test]
        fn both_are_probabilities_that_fall_with_b_and_grow_with_c(b in any::<u64>(), c in any::<u64>(), shift in 0..64_u32) {
            let (b, c) = (b >> shift, c >> shift);
            for value in [p_value, anytime_p_value] {
                prop_assert!((0.0..=1.0).contains(&value(b, c)));
                prop_assert!(value(b.saturating_add(1), c) <= value(b, c) * (1.0 + 1e-9));
                prop_assert!(value(b, c.saturating_add(1)) >= value(b, c) * (1.0 - 1e-9));
            }
        }
    }

    #[test]
    fn beyond_the_limit_it_is_a_bound() {
        let exact = p_value(500_040_000, 499_960_000);
        let bound = p_value(500_040_001, 499_960_001);
        assert!(exact < bound && bound < 20.0 * exact, "{exact} {bound}");
    }
}
