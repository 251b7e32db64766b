//! [`Crowd`] and [`Arm`]: who calls whom, by the real buckets.

use super::chance::Chance;
use super::{Fault, Keys};
use crate::Percentage;
use crate::bucket::{BucketHasher, Domain, ppm_of};

/// Some of the keys, and which share of all calls they make.
#[derive(Debug, Clone, Default)]
pub(super) struct Crowd {
    keys: Vec<u32>,
    /// The calls of the keys up to and with each.
    upto: Vec<f64>,
}

impl Crowd {
    fn of(people: &People, is_in: impl Fn(u32) -> bool) -> Self {
        let mut crowd = Self::default();
        let mut sum = 0.0;
        for (key, weight) in (0_u32..).zip(&people.weights) {
            if is_in(key) {
                sum += weight;
                crowd.keys.push(key);
                crowd.upto.push(sum);
            }
        }
        crowd
    }

    /// The share of all calls that they make.
    pub(super) fn load(&self) -> f64 {
        self.upto.last().copied().unwrap_or_default()
    }

    /// Whose call it is.
    pub(super) fn draw(&self, chance: &mut Chance) -> Option<u32> {
        let at = chance.share() * self.load();
        let place = self.upto.partition_point(|upto| *upto <= at);
        self.keys.get(place).or_else(|| self.keys.last()).copied()
    }
}

/// All keys: how often each calls, and where it falls.
#[derive(Debug)]
pub(super) struct People {
    weights: Vec<f64>,
    ppm: Vec<u32>,
    is_bad: Vec<bool>,
    /// For each fault, the keys that it strikes.
    is_struck: Vec<Vec<bool>>,
}

impl People {
    /// Their buckets are those of a migration whose name no other seed has.
    pub(super) fn new(keys: &Keys, faults: &[Fault], seed: u64) -> Self {
        let numbers = 0..keys.count;
        let weights = numbers.clone().map(|key| libm::pow(f64::from(key) + 1.0, -keys.zipf));
        let sum: f64 = weights.clone().sum();
        let ppm = |salt: &str, domain| {
            let hasher = BucketHasher::new(salt, domain);
            numbers.clone().map(move |key| hasher.bucket(key).map_or(0, ppm_of)).collect::<Vec<_>>()
        };
        let drawn = |salt: String, share: f64| -> Vec<bool> {
            let most = share * 1e6;
            ppm(&salt, Domain::Variants).into_iter().map(|ppm| f64::from(ppm) < most).collect()
        };
        let struck = |(number, fault): (usize, &Fault)| drawn(format!("struck-{number}-{seed}"), fault.keys);
        Self {
            weights: weights.map(|weight| weight / sum).collect(),
            ppm: ppm(&format!("simulated-{seed}"), Domain::Rollout),
            is_bad: drawn(format!("bad-{seed}"), keys.bad),
            is_struck: faults.iter().enumerate().map(struck).collect(),
        }
    }

    /// Who is served by new, and who by legacy.
    pub(super) fn arms(&self, rollout: Percentage) -> Arms {
        let is_new = |key: u32| get(&self.ppm, key).unwrap_or_default() < rollout.ppm();
        Arms { legacy: Arm::of(self, |key| !is_new(key)), new: Arm::of(self, is_new) }
    }
}

fn get<T: Copy>(of: &[T], key: u32) -> Option<T> {
    of.get(usize::try_from(key).ok()?).copied()
}

/// The keys that one side serves.
#[derive(Debug, Clone, Default)]
pub(super) struct Arm {
    /// All but those in `bad`.
    pub(super) good: Crowd,
    /// Those whose calls always fail.
    pub(super) bad: Crowd,
    /// For each fault, those of `good` that it strikes.
    pub(super) struck: Vec<Crowd>,
}

/// Both.
#[derive(Debug, Clone, Default)]
pub(super) struct Arms {
    pub(super) legacy: Arm,
    pub(super) new: Arm,
}

impl Arm {
    fn of(people: &People, is_in: impl Fn(u32) -> bool) -> Self {
        let is_bad = |key: u32| get(&people.is_bad, key).unwrap_or_default();
        let struck = |keys: &Vec<bool>| {
            Crowd::of(people, |key| is_in(key) && !is_bad(key) && get(keys, key).unwrap_or_default())
        };
        Self {
            good: Crowd::of(people, |key| is_in(key) && !is_bad(key)),
            bad: Crowd::of(people, |key| is_in(key) && is_bad(key)),
            struck: people.is_struck.iter().map(struck).collect(),
        }
    }

    /// The share of all calls that this side serves.
    pub(super) fn load(&self) -> f64 {
        self.good.load() + self.bad.load()
    }
}

/// A set of keys that grows.
#[derive(Debug, Clone, Default)]
pub(super) struct KeySet {
    words: Vec<u64>,
    count: u64,
}

impl KeySet {
    /// Whether the key was not in it yet.
    pub(super) fn insert(&mut self, key: u32) -> bool {
        let (place, bit) = (key as usize / 64, 1_u64 << (key % 64));
        if self.words.len() <= place {
            self.words.resize(place + 1, 0);
        }
        let Some(word) = self.words.get_mut(place).filter(|word| **word & bit == 0) else { return false };
        *word |= bit;
        self.count += 1;
        true
    }

    pub(super) const fn len(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_are_cut_by_the_real_buckets() {
        let people = People::new(&Keys { count: 1_000, bad: 0.1, ..Keys::default() }, &[], 3);
        let quarter = Percentage::new(25.0).unwrap();
        let arms = people.arms(quarter);
        let hasher = BucketHasher::new("simulated-3", Domain::Rollout);
        for key in &arms.new.good.keys {
            assert!(ppm_of(hasher.bucket(*key).unwrap()) < quarter.ppm());
        }
        assert!((arms.new.load() + arms.legacy.load() - 1.0).abs() < 1e-9);
        assert!((0.2..0.3).contains(&arms.new.load()), "{}", arms.new.load());
        assert!((0.05..0.15).contains(&(arms.new.bad.load() + arms.legacy.bad.load())));
        assert!(people.arms(Percentage::ZERO).new.load() < f64::EPSILON);
    }

    #[test]
    fn who_calls_more_is_drawn_more() {
        let people = People::new(&Keys { count: 100, zipf: 1.0, ..Keys::default() }, &[], 1);
        let everybody = people.arms(Percentage::HUNDRED).new.good;
        let mut chance = Chance::new(1);
        let firsts = (0..10_000).filter(|_| everybody.draw(&mut chance) == Some(0)).count();
        // 1 / (1 + 1/2 + .. + 1/100) = 0.1928
        assert!((1_850..2_010).contains(&firsts), "{firsts}");
        assert_eq!(Crowd::default().draw(&mut chance), None);
    }

    #[test]
    fn a_key_is_counted_once() {
        let mut set = KeySet::default();
        assert_eq!([set.insert(7), set.insert(70_000), set.insert(7)], [true, true, false]);
        assert_eq!(set.len(), 2);
    }
}
