//! What a runner has whatever its types: policy, books and the parts that the host gave.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::breaker::{Admission, Breaker, Change};
use super::counts::Counters;
use super::depth::RunnerId;
use super::policy::{Fallback, ShadowPolicy};
use super::recorder::RecorderSlot;
use super::trace;
use crate::Observer;
use crate::bucket::{BucketHasher, BucketKey};
use crate::clock::{Clock, Instant};
use crate::mode::SystemMode;
use crate::observe::{Event, Observers, Part, SkipReason};
use crate::outcome::{Outcome, Side};
use crate::random::RandomSource;
use crate::route::{ContainedRouter, Route, RouteWords, Shadow};
use crate::runtime::Runtime;

pub(super) struct Shared {
    pub(super) name: Arc<str>,
    pub(super) id: RunnerId,
    pub(super) router: Box<dyn ContainedRouter>,
    pub(super) policy: ShadowPolicy,
    pub(super) patience: Duration,
    pub(super) fallback: Fallback,
    /// Samples shadows for the policy, and hashes keys for discrepancies.
    pub(super) sampler: BucketHasher,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn RandomSource>,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) observers: Observers,
    pub(super) recorder: Option<RecorderSlot>,
    pub(super) counters: Counters,
    pub(super) breaker: Breaker,
    pub(super) in_flight: AtomicUsize,
    pub(super) panics_on_discrepancy: bool,
}

/// How a call runs, and what its shadow was allowed.
pub(super) struct Plan<'a> {
    pub(super) route: RouteWords,
    /// There when the shadow runs.
    pub(super) ticket: Option<Ticket<'a>>,
}

/// A shadow's permission to run. Dropping it makes room for the next.
pub(super) struct Ticket<'a> {
    probe: bool,
    place: Option<&'a Shared>,
}

impl Ticket<'_> {
    /// Hands the permission over to somebody who [gives its place back](Shared::give_place_back).
    #[inline]
    pub(super) fn hand_over(mut self) -> Admitted {
        Admitted { probe: self.probe, holds_place: self.place.take().is_some() }
    }
}

/// A permission that borrows nothing: whoever has it gives the place back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted {
    /// Whether the shadow's end decides about the breaker.
    pub(super) probe: bool,
    /// Whether there is a place among the shadows in flight to give back.
    pub(super) holds_place: bool,
}

impl Drop for Ticket<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.place {
            shared.give_place_back();
        }
    }
}

impl Shared {
    /// Decides how the call runs, once.
    #[inline(always)]
    pub(super) fn plan(&self, key: &BucketKey<'_>, limit: Option<usize>) -> Plan<'_> {
        if self.id.is_inside() {
            return self.plan_nested();
        }
        self.plan_for(self.route(key), key, limit)
    }

    /// Lets the shadow of a route in, or says why it does not run.
    #[inline]
    pub(super) fn plan_for(&self, route: RouteWords, key: &BucketKey<'_>, limit: Option<usize>) -> Plan<'_> {
        let ticket = match route.shadow() {
            Shadow::Never => None,
            Shadow::NotSampled => self.skip(route, SkipReason::NotSampled),
            Shadow::Run => self.admit(route, key, limit),
        };
        Plan { route, ticket }
    }

    /// As [`plan`](Self::plan), for a call whose shadow shall not run.
    pub(super) fn plan_alone(&self, key: &BucketKey<'_>) -> Plan<'_> {
        let route = if self.id.is_inside() { RouteWords::of(LEGACY_ONLY) } else { self.route(key) };
        Plan { route, ticket: None }
    }

    /// Whether nothing but the answer can come of a side that serves alone: nobody listens, and nothing falls back.
    #[inline(always)]
    pub(super) fn is_quiet(&self, serve: Side) -> bool {
        (serve == Side::Legacy || self.fallback == Fallback::Never) && !self.is_heard()
    }

    #[cold]
    pub(super) fn plan_nested(&self) -> Plan<'_> {
        let route = RouteWords::of(LEGACY_ONLY);
        Plan { route, ticket: self.skip(route, SkipReason::Nested) }
    }

    #[inline(always)]
    pub(super) fn route(&self, key: &BucketKey<'_>) -> RouteWords {
        self.router.route_contained(key).unwrap_or_else(|| self.without_router())
    }

    #[cold]
    fn without_router(&self) -> RouteWords {
        self.fault(Part::Router);
        RouteWords::of(LEGACY_ONLY)
    }

    /// Sample, then room, then breaker: the first that says no is the reason. The breaker is asked last, because its one
    /// probe is not to be had twice.
    #[inline(always)]
    fn admit(&self, route: RouteWords, key: &BucketKey<'_>, limit: Option<usize>) -> Option<Ticket<'_>> {
        if !self.is_sampled(key) {
            return self.skip(route, SkipReason::NotSampled);
        }
        let mut ticket = match limit {
            None => Ticket { probe: false, place: None },
            Some(limit) => match self.take_place(limit) {
                None => return self.skip(route, SkipReason::InFlight),
                Some(ticket) => ticket,
            },
        };
        match self.breaker.admit(|| self.clock.now()) {
            Admission::Closed => Some(ticket),
            Admission::Open => self.skip(route, SkipReason::BreakerOpen),
            Admission::Probe => {
                ticket.probe = true;
                Some(ticket)
            }
        }
    }

    #[inline]
    fn is_sampled(&self, key: &BucketKey<'_>) -> bool {
        let share = self.policy.sample;
        share.ppm() == 1_000_000 || share.contains(self.sampler.bucket(*key).unwrap_or_else(|| self.random.next_u64()))
    }

    fn take_place(&self, limit: usize) -> Option<Ticket<'_>> {
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let ticket = Ticket { probe: false, place: Some(self) };
        (before < limit).then_some(ticket)
    }

    #[inline]
    pub(super) fn give_place_back(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    #[inline]
    fn skip(&self, route: RouteWords, reason: SkipReason) -> Option<Ticket<'_>> {
        self.counters.skip(reason);
        let route = route.route();
        self.tell(|| Event::Skipped { route, reason });
        trace::skipped(&self.name, &route, reason);
        None
    }

    /// Whose new side a thread is in while it polls `side`.
    #[inline(always)]
    pub(super) const fn mark_of(&self, side: Side) -> Option<RunnerId> {
        match side {
            Side::Legacy => None,
            Side::New => Some(self.id),
        }
    }

    /// Whether legacy answers because new served and failed.
    #[inline]
    pub(super) fn falls_back(&self, serve: Side, served: Outcome) -> bool {
        self.fallback == Fallback::ToLegacy && serve == Side::New && matches!(served, Outcome::Err | Outcome::Panicked)
    }

    /// Whether an observer or a span wants to know about calls of one side.
    #[inline(always)]
    pub(super) fn is_heard(&self) -> bool {
        !self.observers.is_empty() || trace::is_on()
    }

    /// Counts a contained fault of a part that the host gave.
    #[cold]
    pub(super) fn fault(&self, part: Part) {
        self.counters.fault(part);
        trace::fault(&self.name, part);
        self.tell(|| Event::Fault { part });
    }

    /// Tells the observers, if there are any. They contain each other's faults.
    #[inline]
    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        if !self.observers.is_empty() {
            self.observers.observe(&self.name, &event());
        }
    }

    /// Tells those who want to know that a call starts.
    #[inline]
    pub(super) fn tell_start(&self, route: Route, started: Instant, both: bool) {
        if self.observers.hears_starts() {
            self.observers.observe(&self.name, &Event::Started { route, started, both });
        }
    }

    /// The bucket of a key, if an observer wants it.
    #[inline]
    pub(super) fn key_to_tell(&self, key: &BucketKey<'_>) -> Option<u64> {
        if self.observers.hears_keys() { self.sampler.bucket(*key) } else { None }
    }

    #[cold]
    pub(super) fn tell_breaker(&self, change: Change) {
        match change {
            Change::Closed => self.tell(|| Event::BreakerClosed),
            Change::Opened => {
                let cool_down = self.policy.breaker.map_or(Duration::ZERO, |breaker| breaker.cool_down);
                self.tell(|| Event::BreakerOpened { cool_down });
            }
        }
    }
}

const LEGACY_ONLY: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
