//! The table of flags by name.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use super::feature::FeatureFlag;
use crate::bucket::remainder;

/// Flags by name.
pub(super) type ByName = HashMap<String, FeatureFlag, NameHash>;

/// A quick hash of names. It needs no key: only the operator, never a caller, puts names into the table.
#[derive(Clone, Copy)]
pub(super) struct NameHash;

impl BuildHasher for NameHash {
    type Hasher = NameHasher;

    #[inline]
    fn build_hasher(&self) -> NameHasher {
        NameHasher(0)
    }
}

pub(super) struct NameHasher(u64);

impl Hasher for NameHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.0 = fold(self.0 ^ <[u8; 8]>::try_from(word).map_or(0, u64::from_le_bytes));
        }
        let left = words.remainder().len();
        self.0 = fold(self.0 ^ remainder(bytes, left) ^ (bytes.len() as u64) << 56);
    }

    /// The end mark of a text, which tells nothing where each table entry is one text.
    #[inline]
    fn write_u8(&mut self, _end: u8) {}

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Both halves of a product with an odd constant (the golden ratio), so that every bit of `number` reaches every bit.
#[inline]
fn fold(number: u64) -> u64 {
    let product = u128::from(number) * 0x9e37_79b9_7f4a_7c15;
    #[expect(clippy::cast_possible_truncation, reason = "the halves")]
    let halves = (product as u64, (product >> 64) as u64);
    halves.0 ^ halves.1
}
