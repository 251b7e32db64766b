//! Which keys have had an event before, in a fixed amount of memory.

use std::sync::atomic::{AtomicU64, Ordering};

/// An event that each key may have once in a phase.
#[derive(Debug, Clone, Copy)]
pub(super) enum Once {
    Failed = 1,
    TimedOut = 2,
    Slow = 3,
}

const WORDS: usize = 2_048;
/// How many bits of its word an event sets.
const BITS: u32 = 4;

/// A Bloom filter of 16 KiB, each entry in one word, so that one exchange decides who is first. An event may be taken for one that has been before, which is as likely on either side: at most 1 % with 3,000 keys, a half with 20,000. Bad news is plenty by then.
#[derive(Debug)]
pub(super) struct Firsts(Box<[AtomicU64]>);

impl Firsts {
    pub(super) fn new() -> Self {
        Self((0..WORDS).map(|_| AtomicU64::new(0)).collect())
    }

    /// Whether this key has not had this event since the last clearing.
    pub(super) fn is_first(&self, key: u64, event: Once) -> bool {
        let mut hash = scramble(key ^ (event as u64) << 60);
        let index = usize::try_from(hash % WORDS as u64).unwrap_or(0);
        let Some(word) = self.0.get(index) else { return true };
        let mut bits = 0;
        for _ in 0..BITS {
            hash = hash.rotate_right(13);
            bits |= 1 << (hash >> 58);
        }
        word.fetch_or(bits, Ordering::Relaxed) & bits != bits
    }

    pub(super) fn clear(&self) {
        for word in &self.0 {
            word.store(0, Ordering::Relaxed);
        }
    }
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood, 2014).
const fn scramble(key: u64) -> u64 {
    let key = (key ^ key >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ key >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ key >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_of_a_key_is_first_once() {
        let firsts = Firsts::new();
        assert!(firsts.is_first(17, Once::Failed) && !firsts.is_first(17, Once::Failed));
        assert!(
            firsts.is_first(17, Once::TimedOut) && firsts.is_first(17, Once::Slow) && firsts.is_first(18, Once::Slow)
        );
        firsts.clear();
        assert!(firsts.is_first(17, Once::Failed));
    }

    #[test]
    fn few_keys_are_taken_for_others() {
        let firsts = Firsts::new();
        let missed = |keys: std::ops::Range<u64>| {
            let taken = |key: &u64| !firsts.is_first(scramble(*key), Once::Failed);
            keys.filter(taken).count()
        };
        let (few, more) = (missed(0..3_000), missed(3_000..20_000));
        assert!(few <= 30, "{few} of 3000");
        assert!(more <= 8_500, "{more} of 17000");
    }
}
