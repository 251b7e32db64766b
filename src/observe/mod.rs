//! [`Observer`]: hears everything, decides nothing.

mod control;
mod health;
mod list;
mod queue;

pub use control::{ClaimEnd, ClaimRefusal, PlanEvent, Refusal};
pub use health::CheckOutcome;
pub use list::Observers;
pub use queue::ObserverQueue;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::clock::Instant;
use crate::handover::FlushTimeout;
use crate::mode::SystemMode;
use crate::outcome::{Outcome, Side, Verdict};
use crate::route::Route;
use crate::store::Doubt;

/// Hears what happens, for monitors, metrics and logs. No answer depends on it.
///
/// An observer that [never blocks](Self::never_blocks) is called where things happen; any other is called from a
/// thread of its own behind a bounded queue, and what does not fit is dropped and counted. Panics are contained and
/// counted.
///
/// Closures over `(source, event)` are observers too.
///
/// ```
/// use cutover::observe::Event;
/// use cutover::{DualRunner, Equality, Observer, Route, Side, SystemMode};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// /// Counts the calls in which one side ran alone.
/// #[derive(Default)]
/// struct ServedAlone {
///     legacy: AtomicU64,
///     new: AtomicU64,
/// }
///
/// impl Observer for ServedAlone {
///     fn observe(&self, _source: &str, event: &Event) {
///         // `Event` will grow: take what is of interest, and leave the rest.
///         if let Event::Served { sample, .. } = event {
///             let count = match sample.side {
///                 Side::Legacy => &self.legacy,
///                 Side::New => &self.new,
///             };
///             count.fetch_add(1, Ordering::Relaxed);
///         }
///     }
///
///     fn never_blocks(&self) -> bool {
///         true
///     }
/// }
///
/// let served = Arc::new(ServedAlone::default());
/// let legacy_only = Route::new(SystemMode::LegacyOnly, Side::Legacy);
/// let price = DualRunner::builder("price", legacy_only).comparator(Equality).observe(Arc::clone(&served)).build();
/// price.run_sync("order-17", || Ok::<_, String>(100), || Ok(99))?;
/// assert_eq!((served.legacy.load(Ordering::Relaxed), served.new.load(Ordering::Relaxed)), (1, 0));
/// # Ok::<(), String>(())
/// ```
pub trait Observer: Send + Sync {
    /// Something happened. `source` is the name of the runner, flag set or migration that tells.
    fn observe(&self, source: &str, event: &Event);

    /// Whether [`observe`](Self::observe) returns without waiting for anything: no I/O, no lock that others hold long.
    /// The default is `false`.
    fn never_blocks(&self) -> bool {
        false
    }

    /// Whether this observer wants [`Event::Started`]; others are not told. Asked once, when the observer is handed over.
    /// The default is `false`.
    fn hears_starts(&self) -> bool {
        false
    }

    /// Whether this observer wants the [`key`](Event::Served::key) of calls; without one that does, no key is hashed for
    /// them. Asked once, when the observer is handed over. The default is `false`.
    fn hears_keys(&self) -> bool {
        false
    }

    /// Blocks until what was told before is heard, for at most `deadline` of real time: for shutting down. Asked of
    /// observers that never block, because they may have a queue of their own. The default has nothing to wait for.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how many events still wait.
    fn flush(&self, _deadline: Duration) -> Result<(), FlushTimeout> {
        Ok(())
    }
}

impl<F: Fn(&str, &Event) + Send + Sync> Observer for F {
    fn observe(&self, source: &str, event: &Event) {
        self(source, event);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, source: &str, event: &Event) {
        (**self).observe(source, event);
    }

    fn never_blocks(&self) -> bool {
        (**self).never_blocks()
    }

    fn hears_starts(&self) -> bool {
        (**self).hears_starts()
    }

    fn hears_keys(&self) -> bool {
        (**self).hears_keys()
    }

    fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        (**self).flush(deadline)
    }
}

/// What happened. Small, `Copy`, and free of the host's values. [`Observer`] has an example that counts them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A call starts. Told only to those who [hear starts](Observer::hears_starts), and followed by exactly one
    /// [`Served`](Self::Served) or [`Compared`](Self::Compared) with the same moment, however the call ends: one that is
    /// dropped is told as abandoned. Only a call that never ends is never told of again.
    Started {
        /// How the call is routed.
        route: Route,
        /// When it started, by the clock of the runner.
        started: Instant,
        /// Whether both sides were selected to run.
        both: bool,
    },
    /// One side ran, and it served.
    Served {
        /// How the call was routed.
        route: Route,
        /// How the side ended and how long it took.
        sample: Sample,
        /// When the call started, by the clock of the runner.
        started: Instant,
        /// The bucket of the call's key, by a salt of the runner; `None` without a key, or if no observer
        /// [hears keys](Observer::hears_keys).
        key: Option<u64>,
    },
    /// Both sides were to run; this is how the pair ended.
    Compared {
        /// How the call was routed.
        route: Route,
        /// When the call started, by the clock of the runner.
        started: Instant,
        /// Whether both sides were selected when it started. Otherwise new began alone, failed, and legacy answered instead.
        both: bool,
        /// As in [`Served`](Self::Served).
        key: Option<u64>,
        /// The legacy side.
        legacy: Sample,
        /// The new side.
        new: Sample,
        /// What the two say together.
        verdict: Verdict,
        /// Whether new was to serve, failed, and legacy answered instead.
        fell_back: bool,
    },
    /// A routed shadow did not run.
    Skipped {
        /// How the call was routed.
        route: Route,
        /// Why it did not run.
        reason: SkipReason,
    },
    /// A part of the host's configuration failed; the served answer is not affected.
    Fault {
        /// Which part.
        part: Part,
    },
    /// The breaker opened after too many shadow faults in a row; shadows are skipped until it closes.
    BreakerOpened {
        /// How long it stays open.
        cool_down: Duration,
    },
    /// The breaker closed again after a shadow that went well.
    BreakerClosed,
    /// A mode was changed, by this process or another one.
    ModeChanged {
        /// The mode before.
        from: SystemMode,
        /// The mode now.
        to: SystemMode,
        /// The epoch of the record that says so.
        epoch: u64,
    },
    /// The store failed: what is known goes on to hold, and others may have changed it.
    StoreLost,
    /// The store answered again.
    StoreBack,
    /// The store cannot be believed: an operator has to [reconcile](crate::MigrationController::reconcile).
    DoubtRaised {
        /// Why not.
        doubt: Doubt,
    },
    /// The store is believed again.
    DoubtSettled,
    /// A health check of one side ended.
    HealthChecked {
        /// Which side was checked.
        side: Side,
        /// How the check ended.
        outcome: CheckOutcome,
        /// How many checks of this side have not succeeded in a row; 0 after a success.
        consecutive_failures: u32,
    },
    /// A change that this process asked for was not made. An emergency is never refused.
    ChangeRefused {
        /// Why not.
        why: Refusal,
    },
    /// The audit got an entry about a plan from this process. Whoever hears all processes hears of a step once; of a rollback
    /// from each that called it before the others had.
    PlanMoved {
        /// What it came to, or what was said to it.
        event: PlanEvent,
        /// The place of the step that it is about, from 0; `None` if it is about none.
        step: Option<usize>,
    },
    /// This process claimed an item, and holds it. A [`ClaimEnded`](Self::ClaimEnded) follows, unless the process ends first.
    Claimed {
        /// The side that is to process it.
        side: Side,
    },
    /// This process did not get an item that it wanted to claim.
    NotClaimed {
        /// For whom it was to be claimed.
        side: Side,
        /// Why not.
        why: ClaimRefusal,
    },
    /// A claim of this process ended.
    ClaimEnded {
        /// The side for which it was held.
        side: Side,
        /// How it ended.
        end: ClaimEnd,
    },
}

/// How one side of one call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sample {
    /// Which side.
    pub side: Side,
    /// How it ended.
    pub outcome: Outcome,
    /// From the moment it was started until it ended or was given up.
    pub elapsed: Duration,
}

impl Sample {
    /// How `side` ended after `elapsed`.
    #[must_use]
    pub const fn new(side: Side, outcome: Outcome, elapsed: Duration) -> Self {
        Self { side, outcome, elapsed }
    }
}

/// Why a routed shadow did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "counts are kept per reason, over all of them")]
pub enum SkipReason {
    /// The key is not in the shadow share of the router or of the shadow policy.
    NotSampled,
    /// As many shadows as allowed are in flight.
    InFlight,
    /// The breaker is open.
    BreakerOpen,
    /// The call came from inside the runner's own new side, on the same thread; a task that the new side spawns is not
    /// recognised.
    Nested,
}

impl SkipReason {
    /// All reasons, in the order in which counts list them.
    pub const ALL: [Self; 4] = [Self::NotSampled, Self::InFlight, Self::BreakerOpen, Self::Nested];

    /// The wire name, such as `not_sampled`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSampled => "not_sampled",
            Self::InFlight => "in_flight",
            Self::BreakerOpen => "breaker_open",
            Self::Nested => "nested",
        }
    }
}

/// A part that the host gave and that can fail without touching the served answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "faults are counted per part, over all of them")]
pub enum Part {
    /// The router panicked: the call ran legacy only.
    Router,
    /// The comparator, or the one for errors, failed or panicked: the call counts as ignored.
    Comparator,
    /// A capture function or the context failed or panicked: its value is missing in the discrepancy.
    Capture,
    /// The recorder failed or panicked.
    Recorder,
    /// The observer panicked, or its queue was full.
    Observer,
    /// The runtime panicked, or cannot sleep here: shadows are not waited for.
    Runtime,
}

impl Part {
    /// All parts, in the order in which counts list them.
    pub const ALL: [Self; 6] =
        [Self::Router, Self::Comparator, Self::Capture, Self::Recorder, Self::Observer, Self::Runtime];

    /// The wire name, such as `comparator`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Comparator => "comparator",
            Self::Capture => "capture",
            Self::Recorder => "recorder",
            Self::Observer => "observer",
            Self::Runtime => "runtime",
        }
    }
}
