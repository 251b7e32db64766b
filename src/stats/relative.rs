//! [`Relative`]: is new worse than legacy, when chance decides which of them serves a call?

use serde::{Deserialize, Serialize};

use super::mixture::{FARTHEST, GRID, ln_mean, odds_factors};
use super::{Bernoulli, RateError};

/// The events of one phase of a rollout, by the side that served the call: failures, slow calls, completions, starts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host that counts by itself makes its own")]
pub struct Labels {
    /// The share of calls that new served, as a fraction: 0.1 for 10 %.
    pub share: f64,
    /// Events of calls that new served.
    pub new: u64,
    /// Events of calls that legacy served.
    pub legacy: u64,
}

/// Tests the ratio of the rates of two arms of a random split, from the labels of events alone.
///
/// Hypothesis, to be refuted: given all that came before, `P(event | new) / P(event | legacy)` is
/// - at most `ratio`, for [`at_most`](Self::at_most): a large value says that new has more events than that;
/// - at least `ratio`, for [`at_least`](Self::at_least): a large value says that new has fewer.
///
/// Under the first, and with a share `w` of new, an event comes from new with a probability of at most
/// `w ratio / (w ratio + 1 - w)`, whatever the rates are. So each label is a trial of [`Bernoulli`]. How many calls there
/// were does not matter, and what strikes both arms alike (load, the time of day) cancels.
///
/// Guarantee: while the hypothesis holds, the value ever reaches `1 / alpha` with a probability of at most `alpha`,
/// however often it is looked at, for ever, and through all phases. It needs that calls are split by chance, with the
/// share that is said. Where all calls of one key go to one side, count the first event of each key and phase.
///
/// Form: for each of 24 factors of relative odds, the same in all phases, the wealth is multiplied through the phases;
/// the value is the mean. The order of phases does not matter.
///
/// Sources: Lindon and Malek, *Anytime-valid inference for multinomial count data* (2022); Ville (1939) and Robbins (1970)
/// as for [`Bernoulli`].
///
/// ```
/// use cutover::stats::{Labels, Relative};
///
/// let worse = Relative::at_most(1.0)?;
/// let phases = [Labels { share: 0.01, new: 3, legacy: 120 }, Labels { share: 0.1, new: 15, legacy: 30 }];
/// assert!(worse.ln_e(&phases) >= f64::ln(1.0 / 0.01));
/// # Ok::<(), cutover::stats::RateError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Relative {
    ratio: f64,
    odds_factors: [f64; GRID],
}

impl Relative {
    /// Tests that events are at most `ratio` times as likely on new as on legacy.
    ///
    /// # Errors
    /// [`RateError::Ratio`] if `ratio` is not above 0 and finite.
    pub fn at_most(ratio: f64) -> Result<Self, RateError> {
        Ok(Self::above(checked(ratio)?))
    }

    /// Tests that events are at least `ratio` times as likely on new as on legacy: completions, for throughput.
    ///
    /// # Errors
    /// [`RateError::Ratio`] if `ratio` is not above 0 and finite.
    pub fn at_least(ratio: f64) -> Result<Self, RateError> {
        Ok(Self::below(checked(ratio)?))
    }

    fn above(ratio: f64) -> Self {
        Self { ratio, odds_factors: odds_factors(FARTHEST) }
    }

    fn below(ratio: f64) -> Self {
        Self { ratio, odds_factors: odds_factors(FARTHEST).map(f64::recip) }
    }

    /// The logarithm of the e-value of all phases together: 0 without events, always finite.
    ///
    /// A phase whose share is not strictly between 0 and 1 has no two arms, and is left out.
    #[must_use]
    pub fn ln_e(&self, phases: &[Labels]) -> f64 {
        let mut sums = [0.0; GRID];
        for phase in phases {
            let Some(labels) = self.in_phase(phase.share) else { continue };
            let terms = labels.terms(phase.new, phase.new.saturating_add(phase.legacy));
            for (sum, term) in sums.iter_mut().zip(terms) {
                *sum += term;
            }
        }
        ln_mean(&sums)
    }

    /// The test of the labels of one phase, in which the events of new are the events among all as trials; for a
    /// [`Cusum`](super::Cusum). `None` if `share` is not strictly between 0 and 1.
    #[must_use]
    pub fn in_phase(&self, share: f64) -> Option<Bernoulli> {
        let odds = self.ratio * (share / (1.0 - share));
        let rate = (1.0 + odds.recip()).recip();
        (share > 0.0 && share < 1.0).then(|| Bernoulli::new(rate, self.odds_factors))
    }
}

/// The logarithm of the e-value against the hypothesis that starts are split as the shares say: 0 without starts, always
/// finite.
///
/// Guarantee: while each call starts on new with just the probability that the share of its phase says, given all that
/// came before, the value ever reaches `1 / alpha` with a probability of at most `alpha`.
///
/// Form: the mean of [`Relative::at_most`] and [`Relative::at_least`] with the ratio 1. A mean of e-values is one.
///
/// ```
/// use cutover::stats::{Labels, split_ln_e};
///
/// let act = f64::ln(1.0 / 0.001);
/// assert!(split_ln_e(&[Labels { share: 0.5, new: 5_050, legacy: 4_950 }]) < act);
/// assert!(split_ln_e(&[Labels { share: 0.5, new: 5_300, legacy: 4_700 }]) >= act);
/// ```
#[must_use]
pub fn split_ln_e(starts: &[Labels]) -> f64 {
    ln_mean(&[Relative::above(1.0).ln_e(starts), Relative::below(1.0).ln_e(starts)])
}

fn checked(ratio: f64) -> Result<f64, RateError> {
    if ratio > 0.0 && ratio.is_finite() { Ok(ratio) } else { Err(RateError::Ratio(ratio)) }
}
