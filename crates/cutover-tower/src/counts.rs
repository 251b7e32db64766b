//! [`RequestCounts`]: why requests with a routed shadow ran the serving side alone.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why requests of which both sides were to run had no shadow, beside the reasons that the runner itself
/// [counts](cutover::dual::Skipped); and faults of the functions that the host gave.
///
/// Requests that are routed to one side are in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RequestCounts {
    /// The rule for shadows left them out: by default, every method that is not safe.
    pub not_allowed: u64,
    /// They carried the [header of shadows](crate::SHADOW_HEADER).
    pub already_shadow: u64,
    /// They asked for an upgrade or a tunnel, such as a WebSocket.
    pub upgrade: u64,
    /// Their body is larger than the limit. One whose size was not known before counts as abandoned in the runner, too.
    pub too_large: u64,
    /// The serving side answered before it had read their body to its end, or the body failed. They count as abandoned in
    /// the runner, too.
    pub not_read: u64,
    /// A function of the host panicked: for a key, for a rule, or for cloning a side. The serving side answered all the same.
    pub faults: u64,
}

/// What [`RequestCounts`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    NotAllowed,
    AlreadyShadow,
    Upgrade,
    TooLarge,
    NotRead,
    Fault,
}

#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicU64; 6]);

impl Counters {
    pub(crate) fn count(&self, reason: Reason) {
        if let Some(counter) = self.0.get(reason as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn sum(&self) -> RequestCounts {
        let of = |reason: Reason| self.0.get(reason as usize).map_or(0, |counter| counter.load(Ordering::Relaxed));
        RequestCounts {
            not_allowed: of(Reason::NotAllowed),
            already_shadow: of(Reason::AlreadyShadow),
            upgrade: of(Reason::Upgrade),
            too_large: of(Reason::TooLarge),
            not_read: of(Reason::NotRead),
            faults: of(Reason::Fault),
        }
    }
}
