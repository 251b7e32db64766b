//! [`Paired`]: is new worse than legacy by more than a margin, when both run the same items?

use serde::{Deserialize, Serialize};

use super::mixture::{each, ln_mean};
use super::{RateError, to_float};

/// What came of items that both sides ran, such as which of them failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct PairCounts {
    /// Pairs in which new did it and legacy did not.
    pub only_new: u64,
    /// Pairs in which legacy did it and new did not.
    pub only_legacy: u64,
    /// All other pairs.
    pub both_or_neither: u64,
}

/// Tests by how much the rate of new is above that of legacy, from pairs.
///
/// Hypothesis, to be refuted: given all that came before, `P(only new) - P(only legacy)` of the next pair, which is the
/// difference of the two rates, is at most `margin`.
///
/// Guarantee: while the hypothesis holds, the value ever reaches `1 / alpha` with a probability of at most `alpha`,
/// however often it is looked at, for ever. Pairs may depend on each other, and both rates may drift.
///
/// Form: with `D` = 1 for a pair that counts against new, -1 for one against legacy, and else 0, the mean of the wealths
/// `product of 1 + lambda (D - margin)` over 16 bets `lambda = 0.98 / (2^i (1 + margin))`. One pair multiplies each by
/// `1 + lambda (E[D] - margin)` on average, which is at most 1 under the hypothesis. It depends on three counts alone.
///
/// Without a margin, [`Bernoulli::at_most(0.5)`](super::Bernoulli::at_most) on the discordant pairs is sharper, with
/// `only_new` as events.
///
/// Source: Waudby-Smith and Ramdas, *Estimating means of bounded random variables by betting* (2024).
///
/// ```
/// use cutover::stats::{PairCounts, Paired};
///
/// let worse = Paired::at_most(0.005)?;
/// let pairs = PairCounts { only_new: 30, only_legacy: 2, both_or_neither: 400 };
/// assert!(worse.ln_e(pairs) >= f64::ln(1.0 / 0.01));
/// # Ok::<(), cutover::stats::RateError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    only_new: [f64; BETS],
    only_legacy: [f64; BETS],
    both_or_neither: [f64; BETS],
}

impl Paired {
    /// Tests that the rate of new is above that of legacy by at most `margin`, as a fraction: 0.005 for 0.5 points.
    ///
    /// # Errors
    /// [`RateError::Margin`] if `margin` is negative, or 1 or more.
    pub fn at_most(margin: f64) -> Result<Self, RateError> {
        if !(0.0..1.0).contains(&margin) {
            return Err(RateError::Margin(margin));
        }
        let gains =
            |difference: f64| each(|at| (LARGEST / (1.0 + margin) * (-at).exp2() * (difference - margin)).ln_1p());
        Ok(Self { only_new: gains(1.0), only_legacy: gains(-1.0), both_or_neither: gains(0.0) })
    }

    /// The logarithm of the e-value of these pairs: 0 without pairs, always finite.
    #[must_use]
    pub fn ln_e(&self, pairs: PairCounts) -> f64 {
        let [new, legacy, other] = [pairs.only_new, pairs.only_legacy, pairs.both_or_neither].map(to_float);
        let mut terms = self.only_new.map(|gain| new * gain);
        let others = self.only_legacy.iter().zip(&self.both_or_neither);
        for (term, (legacy_gain, other_gain)) in terms.iter_mut().zip(others) {
            *term += legacy * legacy_gain + other * other_gain;
        }
        ln_mean(&terms)
    }
}

/// How many bets are mixed.
const BETS: usize = 16;

/// The largest bet, as a share of what would risk everything.
const LARGEST: f64 = 0.98;
