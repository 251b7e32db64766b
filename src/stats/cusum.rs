//! [`Cusum`]: did a rate change, after however long a time?

use super::Bernoulli;
use super::mixture::{GRID, ln_of_size, ln_sum, sum_reaches};

/// The e-CUSUM: [`Bernoulli`] that forgets what spoke for the hypothesis.
///
/// The e-value of a phase goes stale: a million healthy calls are as much evidence that a break has to outweigh. Here each
/// bet begins anew whenever it has lost more than it began with, so that a break is found as soon as if it had come first.
/// The price is the guarantee.
///
/// Hypothesis, to be refuted: that of the [`Bernoulli`] it is made from, throughout.
///
/// Guarantee: while the hypothesis holds, and if an alarm is given when `ln_value() >= A.ln()`, the mean number of folds
/// until the first alarm is at least `A`. Folds without trials are none. As each fold has a trial, the mean number of
/// trials is at least `A`, too; with many trials in a fold it is larger by about that factor.
///
/// Form: with `J` bets, `M_j <- max(M_j, 1/J) L_j`, where `L_j` is the likelihood ratio of the counts of one fold. The
/// value is the sum of `M_j`. Unlike all else here it depends on the order of folds: one evaluator folds the sums of all
/// processes, tick by tick, and ticks are cut by time and never by outcome.
///
/// Source: Shin, Ramdas and Rinaldo, *E-detectors: a nonparametric framework for sequential change detection* (2024).
///
/// ```
/// use cutover::stats::{Bernoulli, Cusum};
///
/// let limit = Bernoulli::at_most(0.05)?;
/// let mut changed = Cusum::new(&limit);
/// for _ in 0..10_000 {
///     changed.fold(1, 100); // a long time at 1 %
/// }
/// for _ in 0..3 {
///     changed.fold(20, 100); // then 20 %
/// }
/// assert!(changed.ln_value() >= f64::ln(1e6));
/// assert!(limit.ln_e(10_060, 1_000_300) < 0.0);
/// # Ok::<(), cutover::stats::RateError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cusum {
    bets: Bernoulli,
    ln_values: [f64; GRID],
}

impl Cusum {
    /// Watches for the end of the hypothesis of `test`.
    #[must_use]
    pub fn new(test: &Bernoulli) -> Self {
        Self { bets: test.clone(), ln_values: [-ln_of_size::<GRID>(); GRID] }
    }

    /// Takes in the counts of the next tick. Nothing happens without trials; more events than trials count as that many
    /// trials.
    pub fn fold(&mut self, events: u64, trials: u64) {
        if events.max(trials) == 0 {
            return;
        }
        let least = -ln_of_size::<GRID>();
        for (value, gain) in self.ln_values.iter_mut().zip(self.bets.terms(events, trials)) {
            *value = value.max(least) + gain;
        }
    }

    /// The logarithm of the value: 0 at first, always finite.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        ln_sum(&self.ln_values)
    }

    /// Whether [`ln_value`](Self::ln_value) is at least `ln_threshold`, mostly without any `exp`.
    #[must_use]
    pub fn exceeds(&self, ln_threshold: f64) -> bool {
        sum_reaches(&self.ln_values, ln_threshold)
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.ln_values = [-ln_of_size::<GRID>(); GRID];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_it_exceeds_is_what_its_value_says() {
        let mut cusum = Cusum::new(&Bernoulli::at_most(0.05).unwrap());
        for tick in 0..400_u64 {
            cusum.fold(tick % 7 % 3, 10);
            let value = cusum.ln_value();
            for (threshold, exceeds) in [(value - 1e-9, true), (value, true), (value + 1e-9, false)] {
                assert_eq!(cusum.exceeds(threshold), exceeds, "{value} {threshold}");
            }
        }
    }
}
