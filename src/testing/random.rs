//! [`SeededRandom`]: chance that repeats.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::RandomSource;

/// The same draws for the same seed, on every machine.
///
/// `SplitMix64`, from Steele, Lea and Flood, *Fast splittable pseudorandom number generators* (2014). For tests only.
///
/// ```
/// use cutover::random::RandomSource;
/// use cutover::testing::SeededRandom;
///
/// assert_eq!(SeededRandom::new(7).next_u64(), SeededRandom::new(7).next_u64());
/// assert_ne!(SeededRandom::new(7).next_u64(), SeededRandom::new(8).next_u64());
/// ```
#[derive(Debug)]
pub struct SeededRandom {
    state: AtomicU64,
}

impl SeededRandom {
    /// The sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }
}

impl RandomSource for SeededRandom {
    fn next_u64(&self) -> u64 {
        let state = self.state.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed).wrapping_add(GOLDEN_GAMMA);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
