//! Grids of alternatives, and the mean of the bets on them.

use super::to_float;

/// How many alternatives are betted on.
pub(super) const GRID: usize = 24;

/// The alternative next to the hypothesis: odds that are larger, or smaller, by this factor.
const NEAREST: f64 = 1.1;

/// The farthest alternative, where the hypothesis itself sets no other.
pub(super) const FARTHEST: f64 = 1000.0;

/// Factors of odds from [`NEAREST`] to `farthest`, evenly spaced in their logarithm.
pub(super) fn odds_factors(farthest: f64) -> [f64; GRID] {
    let (from, to) = (NEAREST.ln(), farthest.ln());
    each(|at| (from + (to - from) * at / (to_float(GRID as u64) - 1.0)).exp())
}

/// A bet for one alternative: what the logarithm of the wealth gains with an event, and with a trial without one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bet {
    event: f64,
    rest: f64,
}

impl Bet {
    /// The likelihood ratio of the rate whose odds are those of `rate` times `odds_factor`, to `rate`.
    ///
    /// With odds `o` of the hypothesis and `o f` of the alternative, `(1 - theta) / (1 - rate) = (1 + o) / (1 + o f)`, which
    /// is `1 / (1 + rate (f - 1))`, and `theta / rate` is `f` times that, or `1 / (1 + (1 - rate) (1 / f - 1))`. Of the two
    /// forms the one is taken in which nothing cancels.
    pub(super) fn new(rate: f64, odds_factor: f64) -> Self {
        let rest = -(rate * (odds_factor - 1.0)).ln_1p();
        let event =
            if rate < 0.5 { odds_factor.ln() + rest } else { -((1.0 - rate) * (odds_factor.recip() - 1.0)).ln_1p() };
        Self { event, rest }
    }

    pub(super) fn ln_wealth(self, events: f64, rest: f64) -> f64 {
        events * self.event + rest * self.rest
    }
}

/// An array by its index.
pub(super) fn each<const N: usize>(of: impl Fn(f64) -> f64) -> [f64; N] {
    let mut at = 0.0;
    [(); N].map(|()| {
        let value = of(at);
        at += 1.0;
        value
    })
}

/// `ln` of the sum of `exp(term)`.
pub(super) fn ln_sum<const N: usize>(terms: &[f64; N]) -> f64 {
    let most = largest(terms);
    let sum: f64 = terms.iter().map(|term| term - most).filter(|less| *less > NOTHING).map(f64::exp).sum();
    most + sum.ln()
}

/// What is smaller by this factor, as a logarithm, adds nothing to a sum of two dozen terms that a float could hold.
const NOTHING: f64 = -42.0;

/// `ln` of the mean of `exp(term)`.
pub(super) fn ln_mean<const N: usize>(terms: &[f64; N]) -> f64 {
    ln_sum(terms) - ln_of_size::<N>()
}

/// Whether [`ln_mean`] is at least `threshold`. The mean lies between the largest term and its share, which mostly decides.
pub(super) fn mean_reaches<const N: usize>(terms: &[f64; N], threshold: f64) -> bool {
    largest(terms) >= threshold && ln_mean(terms) >= threshold
}

/// Whether [`ln_sum`] is at least `threshold`. No term is larger than the sum, and the largest has its share of it.
pub(super) fn sum_reaches<const N: usize>(terms: &[f64; N], threshold: f64) -> bool {
    largest(terms) >= threshold - ln_of_size::<N>() && ln_sum(terms) >= threshold
}

pub(super) fn ln_of_size<const N: usize>() -> f64 {
    to_float(N as u64).ln()
}

fn largest<const N: usize>(terms: &[f64; N]) -> f64 {
    terms.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
