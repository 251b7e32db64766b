//! The answer first, and the shadow in a task of its own.

use std::hint::black_box;

use cutover::{DualRunner, Equality, Route, Side, SystemMode};

use crate::dual::sides::{KEY, side};
use crate::traffic::runtime;
use crate::{Subject, Worker};

/// How many calls are made before their shadows run; Tokio runs more than so many tasks in one go.
const BATCH: u64 = 32;

/// Makes calls in batches, each of which lets run what it has spawned.
fn in_batches<'a, T>(mut call: impl AsyncFnMut() -> T + 'a) -> Worker<'a> {
    let runtime = runtime();
    Box::new(move |calls| {
        runtime.block_on(async {
            for batch in 0..calls.div_ceil(BATCH) {
                for _ in 0..BATCH.min(calls - batch * BATCH) {
                    black_box(call().await);
                }
                tokio::task::yield_now().await;
            }
        });
    })
}

pub(super) struct Spawn;

impl Subject for Spawn {
    fn worker(&self) -> Worker<'_> {
        in_batches(async || {
            let answer = side(black_box(7)).await;
            tokio::spawn(async { black_box(side(black_box(7)).await) });
            answer
        })
    }
}

pub(super) struct Detached(DualRunner<u64, String>);

impl Detached {
    pub(super) fn new() -> Self {
        let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
        Self(DualRunner::builder("price", parallel).comparator(Equality).build())
    }
}

impl Subject for Detached {
    fn worker(&self) -> Worker<'_> {
        in_batches(async || self.0.run_detached(black_box(KEY), side(black_box(7)), side(black_box(7))).await)
    }

    fn rest(&self) {
        let counts = self.0.counts();
        assert_eq!((counts.in_flight(), counts.skipped.in_flight), (0, 0), "every shadow has run");
    }
}
