//! [`Bernoulli`]: is a rate above, or below, what it is allowed to be?

use super::RateError;
use super::mixture::{Bet, FARTHEST, GRID, ln_mean, mean_reaches, odds_factors};

/// Tests the rate of events among trials, such as failures among calls, against a fixed one.
///
/// Hypothesis, to be refuted: given all that came before, the next trial is an event with a probability
/// - of at most `rate`, for [`at_most`](Self::at_most): a large value says that the rate is above;
/// - of at least `rate`, for [`at_least`](Self::at_least): a large value says that the rate is below.
///
/// Guarantee: while the hypothesis holds, the value ever reaches `1 / alpha` with a probability of at most `alpha`,
/// however often it is looked at, for ever. The trials may depend on each other, and their rate may vary; only the rate
/// of the hypothesis has to be fixed before the data that it judges.
///
/// Form: the mean, over 24 alternatives `theta` whose odds are evenly spaced in their logarithm, of the likelihood ratio
/// `(theta / rate)^events ((1 - theta) / (1 - rate))^(trials - events)`. One trial with the true rate `p` multiplies it by
/// `p theta / rate + (1 - p) (1 - theta) / (1 - rate)` on average. This is 1 for `p = rate`; it grows with `p` for a `theta`
/// above the rate and falls for one below. So it is at most 1 under either hypothesis, and depends on the counts alone:
/// the order in which they came does not matter, and those of several processes can be added.
///
/// Only events raise the value of `at_most`, and only other trials that of `at_least`. A true rate whose odds differ from
/// those of `rate` by less than about a twentieth is never found by either.
///
/// Sources: Ville, *Étude critique de la notion de collectif* (1939), for the guarantee; Robbins, *Statistical methods
/// related to the law of the iterated logarithm* (1970), for mixtures.
///
/// ```
/// use cutover::stats::Bernoulli;
///
/// let act = f64::ln(1.0 / 0.01);
/// let too_many = Bernoulli::at_most(0.05)?;
/// assert!(too_many.ln_e(20, 200) < act); // 10 % of 200 calls: not beyond doubt
/// assert!(too_many.ln_e(40, 400) >= act);
///
/// let few = Bernoulli::at_least(0.2)?;
/// assert!(few.ln_e(0, 10) < f64::ln(1.0 / 0.05)); // no event among 10 does not prove a rate below 20 %
/// assert!(few.ln_e(0, 20) >= f64::ln(1.0 / 0.05));
/// # Ok::<(), cutover::stats::RateError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bernoulli {
    bets: [Bet; GRID],
}

impl Bernoulli {
    /// Tests that the rate is at most `rate`. The alternatives go from odds that are larger by a tenth up to 999 to 1.
    ///
    /// # Errors
    /// [`RateError::Rate`] if `rate` is not strictly between 0 and 1.
    pub fn at_most(rate: f64) -> Result<Self, RateError> {
        let rate = checked(rate)?;
        let to_the_top = 999.0 * ((1.0 - rate) / rate);
        Ok(Self::new(rate, odds_factors(to_the_top.clamp(LEAST_REACH, MOST_REACH))))
    }

    /// Tests that the rate is at least `rate`. The alternatives have odds that are smaller by a factor of 1.1 to 1000.
    ///
    /// # Errors
    /// [`RateError::Rate`] if `rate` is not strictly between 0 and 1.
    pub fn at_least(rate: f64) -> Result<Self, RateError> {
        Ok(Self::new(checked(rate)?, odds_factors(FARTHEST).map(f64::recip)))
    }

    pub(super) fn new(rate: f64, odds_factors: [f64; GRID]) -> Self {
        Self { bets: odds_factors.map(|factor| Bet::new(rate, factor)) }
    }

    /// The logarithm of the e-value of `events` among `trials`: 0 without trials, always finite. More events than trials
    /// count as that many trials.
    #[must_use]
    pub fn ln_e(&self, events: u64, trials: u64) -> f64 {
        ln_mean(&self.terms(events, trials))
    }

    /// Whether [`ln_e`](Self::ln_e) is at least `ln_threshold`, mostly without any `exp`.
    #[must_use]
    pub fn exceeds(&self, events: u64, trials: u64, ln_threshold: f64) -> bool {
        mean_reaches(&self.terms(events, trials), ln_threshold)
    }

    /// The logarithm of the wealth of each bet.
    pub(super) fn terms(&self, events: u64, trials: u64) -> [f64; GRID] {
        let rest = super::to_float(trials.saturating_sub(events));
        let events = super::to_float(events);
        self.bets.map(|bet| bet.ln_wealth(events, rest))
    }
}

/// The alternatives reach this far also where the rate itself is at the top.
const LEAST_REACH: f64 = 11.0;

/// And no farther than this for the smallest rates, so that all numbers stay finite.
const MOST_REACH: f64 = 1e300;

fn checked(rate: f64) -> Result<f64, RateError> {
    if rate > 0.0 && rate < 1.0 { Ok(rate) } else { Err(RateError::Rate(rate)) }
}
