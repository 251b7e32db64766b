//! The hot path: from a key to a [`Route`], from one snapshot, without lock, allocation or I/O.

use std::sync::Arc;

use super::snapshot::{Snapshot, SnapshotCell};
use crate::Percentage;
use crate::bucket::{BucketHasher, BucketKey, Domain, MissingKey};
use crate::mode::SystemMode;
use crate::random::RandomSource;
use crate::route::{Route, Shadow};

/// Everything that routing reads.
pub(super) struct Routing {
    pub(super) cell: SnapshotCell,
    rollout: BucketHasher,
    shadow: BucketHasher,
    missing: MissingKey,
    random: Arc<dyn RandomSource>,
}

impl Routing {
    pub(super) fn new(salt: &str, missing: MissingKey, random: Arc<dyn RandomSource>, start: Snapshot) -> Self {
        Self {
            cell: SnapshotCell::new(start),
            rollout: BucketHasher::new(salt, Domain::Rollout),
            shadow: BucketHasher::new(salt, Domain::Shadow),
            missing,
            random,
        }
    }

    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub(super) fn route(&self, key: BucketKey<'_>) -> Route {
        self.decide(key).0
    }

    /// The route, with the rollout and the bucket that decided it.
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub(super) fn decide(&self, key: BucketKey<'_>) -> (Route, Percentage, Option<u64>) {
        let Snapshot { mode, rollout, shadow_share, epoch } = self.cell.read();
        let bucket = if mode == SystemMode::GradualRollout { self.bucket(&self.rollout, key) } else { None };
        let row = mode.routing(bucket.is_some_and(|bucket| rollout.contains(bucket)));
        let shadow = if row.shadow.is_some() { self.shadow(shadow_share, key) } else { Shadow::Never };
        (Route { serve: row.serves, shadow, mode, epoch }, rollout, bucket)
    }

    #[inline]
    fn shadow(&self, share: Percentage, key: BucketKey<'_>) -> Shadow {
        if share == Percentage::ZERO {
            return Shadow::Never;
        }
        let sampled =
            share == Percentage::HUNDRED || self.bucket(&self.shadow, key).is_some_and(|bucket| share.contains(bucket));
        if sampled { Shadow::Run } else { Shadow::NotSampled }
    }

    /// The key's bucket; `None` when it is missing and the policy is legacy.
    #[inline]
    fn bucket(&self, hasher: &BucketHasher, key: BucketKey<'_>) -> Option<u64> {
        hasher.bucket(key).or_else(|| self.missing_bucket())
    }

    #[cold]
    fn missing_bucket(&self) -> Option<u64> {
        match self.missing {
            MissingKey::Legacy => None,
            MissingKey::Random => Some(self.random.next_u64()),
        }
    }
}
