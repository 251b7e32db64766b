//! [`RandomSource`]: where chance comes from, for keyless calls, random order, jitter and identifiers.

use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::sync::Arc;

/// Where chance comes from. A test injects its own, so that every draw can be repeated.
///
/// Laws: it never blocks and never panics; its panic is not contained.
pub trait RandomSource: Debug + Send + Sync {
    /// Sixty-four uniform bits.
    fn next_u64(&self) -> u64;

    /// One hundred and twenty-eight uniform bits.
    fn next_u128(&self) -> u128 {
        u128::from(self.next_u64()) << 64 | u128::from(self.next_u64())
    }
}

impl<R: RandomSource + ?Sized> RandomSource for Arc<R> {
    fn next_u64(&self) -> u64 {
        (**self).next_u64()
    }

    fn next_u128(&self) -> u128 {
        (**self).next_u128()
    }
}

/// Draws from the standard library's `RandomState`: a keyed hash whose key comes from the operating system.
///
/// ```
/// use cutover::random::{RandomSource, SystemRandom};
/// assert_ne!(SystemRandom.next_u128(), SystemRandom.next_u128());
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct has nothing to add")]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn next_u64(&self) -> u64 {
        RandomState::new().hash_one(())
    }
}
