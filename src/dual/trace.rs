//! Spans and events for `tracing`. Names and numbers only: no values, no keys.

use tracing::{Level, Span, debug, debug_span, enabled, warn};

use crate::observe::{Part, SkipReason};
use crate::outcome::Verdict;
use crate::record::Discrepancy;
use crate::route::Route;

/// Whether anybody listens to the span of a call.
#[inline]
pub(super) fn is_on() -> bool {
    enabled!(Level::DEBUG)
}

/// The span of one call, if somebody listens.
#[inline]
pub(super) fn call(runner: &str, route: &Route, selected: bool) -> Option<Box<Span>> {
    is_on().then(|| Box::new(enabled_call(runner, route, selected)))
}

#[cold]
fn enabled_call(runner: &str, route: &Route, selected: bool) -> Span {
    debug_span!(
        "cutover.call",
        runner,
        mode = route.mode.name(),
        serves = route.serve.name(),
        shadow = selected.then(|| route.serve.other().name()),
        epoch = route.epoch,
        verdict = tracing::field::Empty,
    )
}

#[inline]
pub(super) fn verdict(span: &Span, verdict: Verdict) {
    span.record("verdict", verdict.name());
}

#[inline]
pub(super) fn skipped(runner: &str, route: &Route, reason: SkipReason) {
    debug!(runner, mode = route.mode.name(), epoch = route.epoch, reason = reason.name(), "shadow skipped");
}

pub(super) fn discrepancy(found: &Discrepancy) {
    warn!(
        runner = &*found.runner,
        mode = found.mode.name(),
        epoch = found.epoch,
        serves = found.served.name(),
        kind = found.kind.name(),
        legacy = found.legacy.outcome.name(),
        new = found.new.outcome.name(),
        differences = found.differences.len(),
        fingerprint = %found.fingerprint,
        "discrepancy"
    );
}

pub(super) fn fault(runner: &str, part: Part) {
    warn!(runner, part = part.name(), "a part failed; the served answer is not affected");
}
