//! Routers in the middle of a rollout.

use std::hint::black_box;

use cutover::{BucketKey, FeatureFlag, MemoryStore, MigrationController, Percentage, Router, SystemMode};
use futures::executor::block_on;
use siphasher::sip::SipHasher13;

use crate::traffic::{in_turn, key, repeated};
use crate::{Subject, Worker};

const SHARE: f64 = 50.0;

fn half() -> Percentage {
    Percentage::new(SHARE).unwrap()
}

pub(super) struct Hash(SipHasher13, Vec<String>);

impl Hash {
    pub(super) fn new() -> Self {
        Self(SipHasher13::new_with_keys(17, 42), vec![key(0)])
    }
}

impl Subject for Hash {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.1, |key| self.0.hash(key.as_bytes()))
    }
}

pub(super) struct Controlled(MigrationController, String);

impl Controlled {
    pub(super) fn new() -> Self {
        let controller = block_on(async {
            let controller = MigrationController::open("price", MemoryStore::new()).await.unwrap();
            controller.transition(SystemMode::GradualRollout, "peers", "measure").await.unwrap();
            controller.set_rollout(half(), "peers", "measure").await.unwrap();
            controller
        });
        Self(controller, key(0))
    }
}

impl Subject for Controlled {
    fn worker(&self) -> Worker<'_> {
        repeated(|| self.0.route(BucketKey::Str(black_box(&self.1))))
    }
}

pub(super) struct Flagged(FeatureFlag, String);

impl Flagged {
    pub(super) fn new() -> Self {
        Self(FeatureFlag::new("new-search").rollout(half()), key(0))
    }
}

impl Subject for Flagged {
    fn worker(&self) -> Worker<'_> {
        repeated(|| self.0.route(BucketKey::Str(black_box(&self.1))))
    }
}
