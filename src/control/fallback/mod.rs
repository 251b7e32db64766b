//! [`AutoFallback`]: pulls the emergency when new fails too often while it serves.

mod limits;
mod window;

pub use limits::{AutoFallbackBuilder, AutoFallbackError};

use std::fmt;
use std::sync::{Arc, Weak};

use serde_json::json;

use super::MigrationController;
use super::inner::Inner;
use crate::clock::Clock;
use crate::observe::{Event, Observer, Sample};
use crate::outcome::{Outcome, Side};
use crate::route::Route;
use crate::store::Author;
use limits::Limits;
use window::{Tally, Window};

/// Hears the calls of runners, and calls [`emergency_rollback`](MigrationController::emergency_rollback) when too many
/// fail that new *serves*.
///
/// It trips when, within the last 60 s, at least 10 calls that new served failed, *and* they are at least half of the calls
/// that new served. [`builder`](Self::builder) has other limits. It is a fuse for a side that is broken, which needs no
/// statistics: even where every twentieth call fails, ten failures among twenty calls or fewer come about by chance once in
/// tens of millions of windows. It is not a monitor: it does not see that new is slower, or fails a little more than legacy.
///
/// What counts is how a call ended that new served: `Err`, a panic and a time-out are failures, also where a
/// [`Fallback`](crate::dual::Fallback) let legacy answer; an abandoned call does not count at all, and one that never ends is
/// never heard of. Calls that legacy served do not count, whatever their shadow did.
///
/// - One error never trips it: the least count of failures is 2.
/// - It trips once. Then nothing is served by new any more, and calls that were on their way do not count. The counts begin
///   anew with every change of the stored record, so also when somebody promotes again.
/// - Where new serves so little that 10 calls take longer than the window, it never trips: give it a longer one.
/// - The audit says the numbers, in the reason and as evidence: `guard`, `source`, `failures`, `calls`, `window_ms`, `epoch`,
///   and `limits` with `failures` and `share` in percent.
/// - Each process counts its own calls. Detectors that trip in many processes make one emergency.
/// - It never blocks, and allocates nothing before it trips. It holds its controller weakly: once that is gone, it does nothing.
///
/// One detector may hear several runners of the same migration, behind an `Arc`. The runners have to route by the controller.
///
/// ```
/// use cutover::{AutoFallback, DualRunner, Equality, MemoryStore, MigrationController, SystemMode};
///
/// # futures::executor::block_on(async {
/// let prices = MigrationController::open("prices", MemoryStore::new()).await?;
/// prices.transition(SystemMode::Parallel, "ana", "compare").await?;
/// prices.transition(SystemMode::NewOnly, "ana", "they agree").await?;
///
/// let price = DualRunner::builder("price", prices.clone())
///     .comparator(Equality)
///     .observe(AutoFallback::new(&prices))
///     .build();
/// for order in 0..10_u64 {
///     assert_eq!(prices.mode(), SystemMode::NewOnly);
///     let _ = price.run(order, async { Ok(100) }, async { Err("no connection") }).await;
/// }
/// assert_eq!(prices.mode(), SystemMode::EmergencyRollback);
/// assert_eq!(
///     prices.status().reason.unwrap().as_str(),
///     "EMERGENCY: 10 of 10 calls that new served failed within 60s (limits: 10, and 50%)",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct AutoFallback {
    controller: Weak<Inner>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    window: Window,
}

impl AutoFallback {
    /// With the default limits.
    #[must_use]
    pub fn new(controller: &MigrationController) -> Self {
        Self::with(controller, Limits::default())
    }

    /// With other limits.
    pub fn builder(controller: &MigrationController) -> AutoFallbackBuilder<'_> {
        AutoFallbackBuilder::new(controller)
    }

    fn with(controller: &MigrationController, limits: Limits) -> Self {
        let inner = &controller.inner;
        Self {
            controller: Arc::downgrade(inner),
            clock: Arc::clone(&inner.clock),
            window: Window::new(limits.window, inner.routing.cell.read().epoch),
            limits,
        }
    }

    /// A call ended that new served.
    #[inline]
    fn served(&self, source: &str, route: &Route, failed: bool) {
        if self.window.is_of(route.epoch) || self.begin(route.epoch) {
            let now = self.clock.now();
            self.window.call(now);
            if failed {
                self.failed(source, route.epoch, self.window.failure(now));
            }
        }
    }

    /// Begins to count the calls of another epoch, if it is the present one.
    #[cold]
    fn begin(&self, epoch: u64) -> bool {
        let Some(controller) = self.controller.upgrade() else { return false };
        controller.routing.cell.read().epoch == epoch && self.window.begin(epoch)
    }

    #[cold]
    fn failed(&self, source: &str, epoch: u64, tally: Tally) {
        let Some(controller) = self.controller.upgrade().filter(|_| self.limits.are_reached(tally)) else { return };
        let present = controller.routing.cell.read();
        let new_serves = present.mode.routing(true).serves == Side::New;
        if new_serves && present.epoch == epoch && self.window.trip(epoch) {
            self.trip(&controller, source, epoch, tally);
        }
    }

    fn trip(&self, controller: &Arc<Inner>, source: &str, epoch: u64, tally: Tally) {
        let Limits { failures, share, window, ref actor } = self.limits;
        let counted = format!("{} of {} calls that new served failed within {window:?}", tally.failures, tally.calls);
        let author = Author::for_emergency(actor, &format!("{counted} (limits: {failures}, and {share})"));
        let evidence = json!({
            "guard": "auto_fallback",
            // However long a name is, the entry fits into every store.
            "source": source.chars().take(MAX_SOURCE).collect::<String>(),
            "failures": tally.failures,
            "calls": tally.calls,
            "window_ms": u64::try_from(window.as_millis()).unwrap_or(u64::MAX),
            "epoch": epoch,
            "limits": { "failures": failures, "share": share },
        });
        drop(controller.emergency(author, Some(evidence)));
    }
}

/// How many characters of a source become evidence.
const MAX_SOURCE: usize = 200;

impl Observer for AutoFallback {
    #[inline]
    fn observe(&self, source: &str, event: &Event) {
        let (Event::Served { route, sample: new, .. } | Event::Compared { route, new, .. }) = event else { return };
        if route.serve == Side::New {
            if let Some(failed) = failed(new) {
                self.served(source, route, failed);
            }
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// Whether the call failed; `None` if it did not end.
const fn failed(new: &Sample) -> Option<bool> {
    match new.outcome {
        Outcome::Ok => Some(false),
        Outcome::Err | Outcome::Panicked | Outcome::TimedOut => Some(true),
        Outcome::Abandoned => None,
    }
}

impl fmt::Debug for AutoFallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutoFallback").field("limits", &self.limits).finish_non_exhaustive()
    }
}
