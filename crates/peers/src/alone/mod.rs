//! What no peer does, above its own floors.

mod detached;
mod documents;
mod look;
mod routes;

use crate::Guarantee::{AllocationFree, ComparatorPanics, DroppedCalls, RecorderPanics, Send, ShadowPanics, Timing};
use crate::{Comparison, Entry};

/// A router decides in the middle of a rollout.
#[must_use]
pub fn routing() -> Comparison {
    let entries = vec![
        Entry::floor("bare SipHash-1-3", routes::Hash::new).with(&[AllocationFree]),
        Entry::ours("`MigrationController::route`", routes::Controlled::new).with(&[AllocationFree]),
        Entry::ours("`FeatureFlag::route`", routes::Flagged::new).with(&[AllocationFree]),
    ];
    Comparison { id: "route", title: "Routing in a rollout", about: ABOUT_ROUTING, entries }
}

const ABOUT_ROUTING: &str = "At 50 %, one key of 16 bytes. The floor is one keyed SipHash-1-3 of the key.";

/// The answer first, and then the shadow.
#[must_use]
pub fn detached() -> Comparison {
    let entries = vec![
        Entry::floor("awaiting one side and spawning the other", || detached::Spawn),
        Entry::ours("`DualRunner::run_detached`", detached::Detached::new)
            .with(&[ShadowPanics, ComparatorPanics, RecorderPanics, Timing, DroppedCalls, Send])
            .note("in `Parallel`, by a fixed route"),
    ];
    Comparison { id: "detached", title: "Dual run, the answer first", about: ABOUT_DETACHED, entries }
}

const ABOUT_DETACHED: &str = "The whole of a call: the answer, and the shadow that runs after it on the same thread, with its comparison \
    and its counts. Each thread has a Tokio runtime; 32 calls are made before their shadows run.";

/// Two documents are compared.
#[must_use]
pub fn comparing() -> Comparison {
    let entries = vec![
        Entry::floor("serialising both to `Value`", documents::Serialised::new),
        Entry::ours("`Structural`", || documents::Compared::new(documents::no_rules())).note("no rules"),
        Entry::ours("`Structural`, with rules", || documents::Compared::new(documents::rules()))
            .note("two ignored paths and a tolerance in each of 120 lines"),
    ];
    Comparison { id: "structural", title: "Comparing two equal documents of 10 kB", about: ABOUT_COMPARING, entries }
}

const ABOUT_COMPARING: &str = "Two equal structures, which are 10 kB as JSON.";

/// A guard looks at what happened.
#[must_use]
pub fn looking() -> Comparison {
    let entries = vec![
        Entry::ours("`Guard::look` in `Parallel`", look::Looks::in_parallel),
        Entry::ours("`Guard::look` in `GradualRollout`", look::Looks::in_rollout),
        Entry::ours("`Guard::look` in `NewOnly`", look::Looks::in_new_only),
    ];
    Comparison { id: "look", title: "One look of a guard", about: ABOUT_LOOKING, entries }
}

const ABOUT_LOOKING: &str = "With news of every kind since the last look, 1,000 calls of them. A host looks every second or so; with 2 \
    threads, each has a guard of its own.";
