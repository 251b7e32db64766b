//! Dual runs: both implementations run, one answers.

mod faults;
mod floor;
mod launchdarkly;
mod ours;
mod request_shadow;
mod scientisto;
pub(crate) mod sides;
mod thesis;

pub use faults::{Books, Fault, Faulty, Seen, all as all_faulty, observe};

use crate::Guarantee::{
    AllocationFree, BoundedWait, ComparatorPanics, DroppedCalls, RecorderPanics, Send, ShadowPanics, Timing,
};
use crate::{Comparison, Entry, Guarantee};

const OURS: &[Guarantee] =
    &[BoundedWait, ShadowPanics, ComparatorPanics, RecorderPanics, Timing, DroppedCalls, Send, AllocationFree];
const JOIN: &str = "`futures::join!` and `==`";
const TIMED_JOIN: &str = "the same and three clock reads";

/// Both sides run and agree.
#[must_use]
pub fn both_sides() -> Comparison {
    let entries = vec![
        Entry::floor(JOIN, || floor::Join).with(&[Send, AllocationFree]),
        Entry::floor(TIMED_JOIN, floor::TimedJoin::new).with(&[Send, AllocationFree, Timing]),
        Entry::ours("`DualRunner::run`", ours::Both::new).with(OURS).above(TIMED_JOIN).note("in `Parallel`, by a controller"),
        Entry::peer("`Migrator::read`", "launchdarkly-server-sdk", || launchdarkly::Reads::new("shadow"))
            .with(&[])
            .above(TIMED_JOIN)
            .note("stage `shadow`, concurrent; no event processor, which its times are for; a migrator for each thread, since it cannot be shared"),
        Entry::peer("`AsyncExperiment`", "scientisto", || scientisto::Async { runs: true })
            .with(&[Send, AllocationFree])
            .note("its publisher compares and counts"),
        Entry::peer("`Experiment::run_result`", "thesis", || thesis::Experiments { percent: 100.0 })
            .with(&[Send])
            .above(TIMED_JOIN)
            .note("no recorder of metrics, which its times and counts are for"),
        Entry::peer("`Shadower::call`", "request-shadow", || request_shadow::Shadowed::new(100))
            .with(&[BoundedWait, Send])
            .note("takes and returns bytes; the caller waits up to its timeout, 2 s by default"),
    ];
    Comparison { id: "dual-both", title: "Dual run, both sides run and agree", about: ABOUT_BOTH, entries }
}

const ABOUT_BOTH: &str = "Both sides answer at once with the same value, so that what is left is what the library adds. All calls \
    are awaited in one task of a Tokio runtime of one thread. Allocations include those that an interface forces on its caller.";

/// The migration has not begun, or has ended: only one side runs.
#[must_use]
pub fn one_side() -> Comparison {
    let entries = vec![
        Entry::floor("awaiting the one side", || floor::Await).with(&[Send, AllocationFree]),
        Entry::ours("`DualRunner::run`", ours::One::new).with(OURS).note("in `LegacyOnly`, by a controller"),
        Entry::ours("`DualRunner::run`, not sampled", ours::NotSampled::new)
            .with(OURS)
            .note("in `Parallel`, with a policy that lets no shadow in and counts that"),
        Entry::peer("`Migrator::read`", "launchdarkly-server-sdk", || launchdarkly::Reads::new("off"))
            .note("stage `off`"),
        Entry::peer("`AsyncExperiment`", "scientisto", || scientisto::Async { runs: false })
            .with(&[Send, AllocationFree])
            .note("`run_if` says no"),
        Entry::peer("`Experiment::run_result`", "thesis", || thesis::Experiments { percent: 0.0 })
            .with(&[Send])
            .note("at 0 %"),
        Entry::peer("`Shadower::call`", "request-shadow", || request_shadow::Shadowed::new(0))
            .with(&[BoundedWait, Send])
            .note("samples 0 %"),
    ];
    Comparison { id: "dual-one", title: "Dual run, only one side runs", about: ABOUT_ONE, entries }
}

const ABOUT_ONE: &str =
    "What it costs to leave the call site wrapped. The guarantees are those of the same call once both sides run.";

/// Both sides are closures.
#[must_use]
pub fn without_async() -> Comparison {
    let entries = vec![
        Entry::floor("both closures and `==`", || floor::Closures).with(&[Send, AllocationFree]),
        Entry::floor(TIMED_JOIN, floor::TimedClosures::new).with(&[Send, AllocationFree, Timing]),
        Entry::ours("`DualRunner::run_sync`", ours::Sync::new)
            .with(OURS_SYNC)
            .above(TIMED_JOIN)
            .note("in `Parallel`, by a controller"),
        Entry::peer("`Experiment::run`", "scientisto", || scientisto::Sync)
            .with(&[ShadowPanics, Send, AllocationFree])
            .note("its publisher compares and counts"),
    ];
    Comparison { id: "dual-sync", title: "Dual run of closures, both run and agree", about: ABOUT_SYNC, entries }
}

const OURS_SYNC: &[Guarantee] = &[ShadowPanics, ComparatorPanics, RecorderPanics, Timing, Send, AllocationFree];
const ABOUT_SYNC: &str = "As above, without async. A closure cannot be stopped: nobody bounds the wait.";
