//! [`SnapshotCell`]: what routing reads, in two atomic loads, without a lock.
//!
//! A word of 64 bits holds everything that one decision needs, so that no decision mixes two records:
//!
//! | bits | |
//! |---|---|
//! | 0–2 | mode |
//! | 3–22 | rollout in ppm |
//! | 23–42 | shadow share in ppm |
//! | 43–63 | the low 21 bits of the epoch |
//!
//! The whole epoch stands beside it and is written first. A reader loads the word first, so the epoch that it then loads
//! is that of the word or a later one; the low bits say how much later.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Percentage;
use crate::mode::SystemMode;

/// What one routing decision needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) mode: SystemMode,
    pub(super) rollout: Percentage,
    pub(super) shadow_share: Percentage,
    pub(super) epoch: u64,
}

/// Holds a [`Snapshot`]. Any number of threads read; one at a time writes.
#[derive(Debug)]
pub(super) struct SnapshotCell {
    word: AtomicU64,
    epoch: AtomicU64,
}

impl SnapshotCell {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self { word: AtomicU64::new(pack(snapshot)), epoch: AtomicU64::new(snapshot.epoch) }
    }

    /// Replaces the snapshot. Writers must exclude each other.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        self.epoch.store(snapshot.epoch, Ordering::Release);
        self.word.store(pack(snapshot), Ordering::Release);
    }

    #[inline]
    pub(super) fn read(&self) -> Snapshot {
        let word = self.word.load(Ordering::Acquire);
        unpack(word, self.epoch.load(Ordering::Acquire))
    }
}

const ROLLOUT: u32 = 3;
const SHARE: u32 = 23;
const EPOCH: u32 = 43;
const PPM: u64 = (1 << 20) - 1;

fn pack(snapshot: Snapshot) -> u64 {
    let rollout = u64::from(snapshot.rollout.ppm()) << ROLLOUT;
    let share = u64::from(snapshot.shadow_share.ppm()) << SHARE;
    snapshot.mode as u64 | rollout | share | snapshot.epoch << EPOCH
}

#[inline]
fn unpack(word: u64, epoch: u64) -> Snapshot {
    Snapshot {
        mode: SystemMode::of_number(word & 7),
        rollout: share_of(word >> ROLLOUT),
        shadow_share: share_of(word >> SHARE),
        epoch: epoch_of(word, epoch),
    }
}

#[inline]
const fn share_of(bits: u64) -> Percentage {
    Percentage::saturating_from_ppm((bits & PPM) as u32)
}

/// The epoch nearest to `later` whose low 21 bits stand in the word.
///
/// Nearest, and not the last before `later`: an epoch goes back when an operator settles a store that lost records.
#[inline]
const fn epoch_of(word: u64, later: u64) -> u64 {
    let ahead = later.wrapping_sub(word >> EPOCH) & LOW;
    if ahead <= LOW / 2 { later.wrapping_sub(ahead) } else { later.wrapping_add(LOW + 1 - ahead) }
}

/// The low 21 bits.
const LOW: u64 = (1 << 21) - 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshots() -> impl Strategy<Value = Snapshot> {
        let mode = prop::sample::select(SystemMode::ALL.to_vec());
        (mode, 0..=1_000_000_u32, 0..=1_000_000_u32, any::<u64>()).prop_map(|(mode, rollout, share, epoch)| Snapshot {
            mode,
            rollout: Percentage::saturating_from_ppm(rollout),
            shadow_share: Percentage::saturating_from_ppm(share),
            epoch,
        })
    }

    proptest! {
        #[test]
        fn what_was_published_is_read(first in snapshots(), second in snapshots()) {
            let cell = SnapshotCell::new(first);
            prop_assert_eq!(cell.read(), first);
            cell.publish(second);
            prop_assert_eq!(cell.read(), second);
        }

        #[test]
        fn an_epoch_read_later_than_its_word_is_led_back(snapshot in snapshots(), later in -1_000_000..1_000_000_i64) {
            let read = unpack(pack(snapshot), snapshot.epoch.wrapping_add_signed(later));
            prop_assert_eq!(read, snapshot);
        }
    }
}
