//! [`Chance`]: draws that repeat with their seed.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::{Binomial, Distribution, Poisson};

/// A seeded source. The generator and the math of its distributions are the same on all platforms.
#[derive(Debug)]
pub(super) struct Chance(Xoshiro256PlusPlus);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// From 0, below 1.
    pub(super) fn share(&mut self) -> f64 {
        self.0.random()
    }

    /// From 0, below `end`; 0 for an empty range.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.random_range(0..end) }
    }

    pub(super) fn bits(&mut self) -> u128 {
        self.0.random()
    }

    /// How many calls come where `mean` are expected.
    pub(super) fn arrivals(&mut self, mean: f64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of calls")]
        Poisson::new(mean).map_or(0, |poisson| poisson.sample(&mut self.0) as u64)
    }

    /// How many of `trials` are of a share of `probability`.
    pub(super) fn of(&mut self, trials: u64, probability: f64) -> u64 {
        if trials == 0 || probability.is_nan() || probability <= 0.0 {
            return 0;
        }
        Binomial::new(trials, probability.min(1.0)).map_or(trials, |binomial| binomial.sample(&mut self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_with_their_seed_on_every_platform() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            [chance.arrivals(2_000.0), chance.of(1_000_000, 0.01), chance.of(40, 0.2), chance.below(1_000)]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_eq!(draw(1), [2037, 10_191, 10, 184]);
    }

    #[test]
    fn what_cannot_happen_does_not() {
        let mut chance = Chance::new(1);
        assert_eq!([chance.of(9, 0.0), chance.of(9, 1.5), chance.of(0, 0.5), chance.arrivals(0.0)], [0, 9, 0, 0]);
        assert_eq!([chance.of(9, f64::NAN), chance.below(0)], [0, 0]);
    }
}
