//! Recording how long something took, and reading the time.

mod clocks;
mod floor;
mod ours;
mod peers;

use crate::Guarantee::{AllocationFree, Percentiles, SidesAndFailures};
use crate::{Comparison, Entry};

/// One latency is recorded.
#[must_use]
pub fn recording() -> Comparison {
    let entries = vec![
        Entry::floor("one relaxed addition to an array", floor::Array::new).with(&[AllocationFree]),
        Entry::ours("`PerformanceMonitor`, as a runner tells it", ours::Told::new)
            .with(&[AllocationFree, Percentiles, SidesAndFailures])
            .note("two events: the start of a call, and its end"),
        Entry::ours("`PerformanceMonitor::record`", ours::Recorded::new)
            .with(&[AllocationFree, Percentiles, SidesAndFailures])
            .note("one event, for hosts without a runner; reads the clock"),
        Entry::peer("`Mutex<Histogram>`", "hdrhistogram", peers::Locked::new)
            .with(&[AllocationFree, Percentiles])
            .note("3 digits, up to 60 s"),
        Entry::peer("`Recorder` of a `SyncHistogram`", "hdrhistogram", peers::Synchronised::new)
            .with(&[AllocationFree, Percentiles])
            .note("one for each thread; a reader waits until every thread has recorded once more"),
        Entry::peer("`histogram!`", "metrics", peers::Macro::new).with(&[Percentiles]).note(
            "two labels, the recorder of metrics-exporter-prometheus; its upkeep between the rounds is not timed",
        ),
        Entry::peer("`Histogram`, kept", "metrics", peers::Kept::new)
            .with(&[Percentiles])
            .note("as above, looked up once"),
        Entry::peer("`Mutex<DDSketch>`", "sketches-ddsketch", peers::Sketch::new)
            .with(&[AllocationFree, Percentiles])
            .note("default precision, 1 %"),
    ];
    Comparison { id: "latency", title: "Recording one latency", about: ABOUT_RECORDING, entries }
}

const ABOUT_RECORDING: &str = "A latency of about 350 us that is already known. Nobody reads meanwhile. The monitor of cutover files a \
    call under the tick in which it started, the side that served it and its outcome, which histograms do not.";

/// The time is read.
#[must_use]
pub fn clocks() -> Comparison {
    let entries = vec![
        Entry::floor("`quanta::Clock::raw`", clocks::Raw::new).with(&[AllocationFree]),
        Entry::ours("`SystemClock::now`", clocks::Ours::new)
            .with(&[AllocationFree])
            .note("the feature `fast-clock`, a default"),
        Entry::peer("`quanta::Instant::now`", "quanta", || clocks::Quanta).with(&[AllocationFree]),
        Entry::new(crate::Role::Peer, "`std::time::Instant::now`", None, || clocks::Std).with(&[AllocationFree]),
    ];
    Comparison { id: "clock", title: "Reading the clock", about: "One reading.", entries }
}
