//! The books of one call: whatever happens to it, it is counted once, in the right column.

use std::ops::Deref;
use std::time::Duration;

use tracing::Span;

use super::shared::{Admitted, Plan, Shared, Ticket};
use super::trace;
use crate::bucket::BucketKey;
use crate::clock::Instant;
use crate::observe::{Event, Sample};
use crate::outcome::{Outcome, Pairing, Side, Verdict};
use crate::route::Route;

/// Opened when a call starts, closed when it has ended. Dropped unclosed, the call was abandoned.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Books<P: Deref<Target = Shared>> {
    pub(super) shared: P,
    pub(super) route: Route,
    stage: Stage,
    fell_back: bool,
    legacy: Option<Noted>,
    new: Option<Noted>,
    /// The moment from which the side that runs is timed.
    started: Instant,
    /// When the call started.
    begun: Instant,
    /// Whether both sides were selected when it started.
    both: bool,
    /// The bucket of its key, if an observer wants it.
    key: Option<u64>,
    /// Whether the shadow's end decides about the breaker.
    probe: bool,
    /// Whether a place among the shadows in flight is to be given back.
    holds_place: bool,
    /// Boxed, so that calls without a listener carry one word.
    span: Option<Box<Span>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// One side runs.
    Alone,
    /// Both sides were selected to run.
    Selected,
    /// Both sides ran because new failed while it served alone; the breaker had no say.
    FellBack,
    Closed,
}

/// How a side ended, and after how many nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Noted {
    nanos: u64,
    outcome: Outcome,
}

impl Noted {
    #[inline]
    fn sample(self, side: Side) -> Sample {
        Sample::new(side, self.outcome, Duration::from_nanos(self.nanos))
    }
}

impl<P: Deref<Target = Shared>> Books<P> {
    /// The call starts: from here on it is counted, whatever happens to it.
    #[inline]
    pub(super) fn open(shared: P, plan: Plan<'_>, key: &BucketKey<'_>) -> Self {
        let key = shared.key_to_tell(key);
        let Plan { route, ticket } = plan;
        Self::open_admitted(shared, route.route(), ticket.map(Ticket::hand_over), key)
    }

    /// As [`open`](Self::open), with a permission that borrows nothing and the key as the observers are told it.
    #[inline]
    pub(super) fn open_admitted(shared: P, route: Route, admitted: Option<Admitted>, key: Option<u64>) -> Self {
        let both = admitted.is_some();
        if both {
            shared.counters.select();
        }
        let stage = if both { Stage::Selected } else { Stage::Alone };
        let Admitted { probe, holds_place } = admitted.unwrap_or(Admitted { probe: false, holds_place: false });
        let span = trace::call(&shared.name, &route, both);
        let started = shared.clock.now();
        shared.tell_start(route, started, both);
        let (fell_back, legacy, new) = (false, None, None);
        Self {
            shared,
            route,
            stage,
            fell_back,
            legacy,
            new,
            started,
            begun: started,
            both,
            key,
            probe,
            holds_place,
            span,
        }
    }

    /// The moment from which both sides are timed.
    #[inline]
    pub(super) const fn started(&self) -> Instant {
        self.started
    }

    /// The next side starts only now: its time counts from here.
    pub(super) fn restart(&mut self) {
        self.started = self.shared.clock.now();
    }

    /// A side that has not started takes no time, whatever becomes of the call.
    #[inline]
    pub(super) fn rest(&mut self, side: Side) {
        *self.noted_mut(side) = Some(Noted { nanos: 0, outcome: Outcome::Abandoned });
    }

    /// A side that rested starts now.
    pub(super) fn start(&mut self, side: Side) {
        self.restart();
        *self.noted_mut(side) = None;
    }

    #[inline]
    const fn noted_mut(&mut self, side: Side) -> &mut Option<Noted> {
        match side {
            Side::Legacy => &mut self.legacy,
            Side::New => &mut self.new,
        }
    }

    /// Notes how a side ended, now, and starts the next side's time.
    #[inline]
    pub(super) fn note_and_go_on(&mut self, side: Side, outcome: Outcome) {
        let now = self.shared.clock.now();
        self.note_at(now, side, outcome);
        self.started = now;
    }

    #[inline]
    pub(super) fn is_selected(&self) -> bool {
        matches!(self.stage, Stage::Selected | Stage::FellBack)
    }

    /// Runs a part of the call inside its span.
    #[inline]
    pub(super) fn in_span<R>(&self, part: impl FnOnce() -> R) -> R {
        match &self.span {
            None => part(),
            Some(span) => span.in_scope(part),
        }
    }

    /// Notes how a side ended, now.
    #[inline]
    pub(super) fn note(&mut self, side: Side, outcome: Outcome) {
        self.note_at(self.shared.clock.now(), side, outcome);
    }

    #[inline]
    fn note_at(&mut self, now: Instant, side: Side, outcome: Outcome) {
        let nanos = now.as_nanos().saturating_sub(self.started.as_nanos());
        *self.noted_mut(side) = Some(Noted { nanos, outcome });
    }

    /// Takes time off a side that has ended, in which it waited for its caller.
    pub(super) fn take_off(&mut self, side: Side, waited: u64) {
        if let Some(noted) = self.noted_mut(side) {
            noted.nanos = noted.nanos.saturating_sub(waited);
        }
    }

    /// Whether a side that has ended took longer than a shadow may.
    #[inline]
    pub(super) fn overran(&self, side: Side) -> bool {
        Duration::from_nanos(self.noted(side).nanos) > self.shared.policy.timeout
    }

    /// The shadow's time was up; when it has ended all the same, its time stays as it was noted.
    pub(super) fn time_out(&mut self, side: Side) {
        let nanos = self.noted(side).nanos;
        *self.noted_mut(side) = Some(Noted { nanos, outcome: Outcome::TimedOut });
    }

    /// New failed while it served, and legacy answers: the call needs both sides after all.
    pub(super) fn fall_back(&mut self) {
        if self.stage == Stage::Alone {
            self.stage = Stage::FellBack;
            self.shared.counters.select();
        }
        self.fell_back = true;
        self.shared.counters.fall_back();
    }

    #[inline]
    pub(super) fn sample(&self, side: Side) -> Sample {
        self.noted(side).sample(side)
    }

    /// How a side ended; one that was not noted was abandoned just now.
    #[inline]
    fn noted(&self, side: Side) -> Noted {
        let noted = match side {
            Side::Legacy => self.legacy,
            Side::New => self.new,
        };
        noted.unwrap_or_else(|| Noted { nanos: self.nanos_so_far(), outcome: Outcome::Abandoned })
    }

    #[inline]
    fn nanos_so_far(&self) -> u64 {
        self.shared.clock.now().as_nanos().saturating_sub(self.started.as_nanos())
    }

    /// One side ran, and it has ended.
    pub(super) fn close_alone(&mut self) {
        self.stage = Stage::Closed;
        let (route, sample) = (self.route, self.sample(self.route.serve));
        let (started, key) = (self.begun, self.key);
        self.shared.tell(|| Event::Served { route, sample, started, key });
    }

    /// Counts the call and tells everybody.
    #[inline]
    pub(super) fn close(&mut self, verdict: Verdict) {
        let admitted = std::mem::replace(&mut self.stage, Stage::Closed) == Stage::Selected;
        let (legacy, new) = (self.noted(Side::Legacy), self.noted(Side::New));
        self.shared.counters.end(verdict, legacy.nanos, new.nanos);
        if admitted {
            self.tell_breaker(if self.route.serve == Side::Legacy { new.outcome } else { legacy.outcome });
        }
        self.shared.tell(|| self.compared(verdict, legacy, new));
        if let Some(span) = &self.span {
            trace::verdict(span, verdict);
        }
    }

    fn compared(&self, verdict: Verdict, legacy: Noted, new: Noted) -> Event {
        let (route, started, both) = (self.route, self.begun, self.both);
        let (key, fell_back) = (self.key, self.fell_back);
        let (legacy, new) = (legacy.sample(Side::Legacy), new.sample(Side::New));
        Event::Compared { route, started, both, key, legacy, new, verdict, fell_back }
    }

    #[inline]
    fn tell_breaker(&self, shadow: Outcome) {
        let (breaker, probe) = (&self.shared.breaker, self.probe);
        let change = match shadow {
            Outcome::Ok | Outcome::Err => breaker.shadow_returned(probe),
            Outcome::Panicked | Outcome::TimedOut => breaker.shadow_faulted(probe, self.shared.clock.now()),
            Outcome::Abandoned => None,
        };
        if let Some(change) = change {
            self.shared.tell_breaker(change);
        }
    }

    /// The call was dropped half way.
    #[cold]
    fn abandon(&mut self) {
        match self.stage {
            Stage::Closed => {}
            Stage::Alone => self.close_alone(),
            Stage::Selected | Stage::FellBack => self.close(self.verdict_of_dropped()),
        }
    }

    /// The verdict on a call that was dropped half way.
    fn verdict_of_dropped(&self) -> Verdict {
        match Pairing::of(self.sample(Side::Legacy).outcome, self.sample(Side::New).outcome) {
            Pairing::Decided(verdict) => verdict,
            Pairing::CompareValues | Pairing::CompareErrors => Verdict::Abandoned,
        }
    }
}

impl<P: Deref<Target = Shared>> Drop for Books<P> {
    #[inline]
    fn drop(&mut self) {
        if self.stage != Stage::Closed {
            self.abandon();
        }
        if self.holds_place {
            self.shared.give_place_back();
        }
    }
}
