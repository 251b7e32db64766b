//! Both sides of one call in the caller's task: polled together, waited for with patience.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::books::Books;
use super::end::{End, View};
use super::report::Pair;
use super::shared::Shared;
use super::slot::Slot;
use super::timer::Timer;
use crate::contain::discard;
use crate::outcome::{Outcome, Side};

/// Both sides and the twin of legacy, as far as they have got.
pub(super) struct Sides<'p, T, E, L, N, W> {
    legacy: Slot<'p, L>,
    new: Slot<'p, N>,
    /// Empty when the call has no twin.
    twin: Slot<'p, W>,
    ends: Ends<T, E>,
    phase: Phase,
    timer: Timer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The side that serves runs, and the others beside it.
    Serve,
    /// It has ended; the others may still end.
    Wait,
    /// It has failed; legacy answers.
    FallBack,
}

/// How the sides ended; none while they have not.
pub(super) struct Ends<T, E> {
    pub(super) legacy: Option<End<T, E>>,
    pub(super) new: Option<End<T, E>>,
    pub(super) twin: Option<End<T, E>>,
}

impl<T, E> Ends<T, E> {
    pub(super) const fn none() -> Self {
        Self { legacy: None, new: None, twin: None }
    }

    /// The side's end; a side that never ended was abandoned.
    #[inline]
    pub(super) fn take(&mut self, side: Side) -> End<T, E> {
        let end = match side {
            Side::Legacy => self.legacy.take(),
            Side::New => self.new.take(),
        };
        end.unwrap_or(End::Abandoned)
    }

    #[inline]
    pub(super) fn pair(&self) -> Pair<'_, T, E> {
        Pair {
            legacy: self.legacy.as_ref().map_or(View::Abandoned, End::view),
            new: self.new.as_ref().map_or(View::Abandoned, End::view),
            twin: self.twin.as_ref().and_then(End::value),
        }
    }

    #[inline]
    const fn of(&self, side: Side) -> Option<&End<T, E>> {
        match side {
            Side::Legacy => self.legacy.as_ref(),
            Side::New => self.new.as_ref(),
        }
    }

    #[inline]
    pub(super) fn set(&mut self, side: Side, end: End<T, E>) {
        let before = match side {
            Side::Legacy => self.legacy.replace(end),
            Side::New => self.new.replace(end),
        };
        if let Some(late) = before {
            discard(late);
        }
    }
}

/// What the sides left is dropped one by one: two destructors that panic at once would end the process.
impl<T, E> Drop for Ends<T, E> {
    #[inline]
    fn drop(&mut self) {
        for end in [&mut self.legacy, &mut self.new, &mut self.twin] {
            if let Some(end) = end.take() {
                discard(end);
            }
        }
    }
}

impl<'p, T, E, L, N, W> Sides<'p, T, E, L, N, W>
where
    L: Future<Output = Result<T, E>>,
    N: Future<Output = Result<T, E>>,
    W: Future<Output = Result<T, E>>,
{
    #[inline]
    pub(super) const fn new(
        legacy: Pin<&'p mut Option<L>>,
        new: Pin<&'p mut Option<N>>,
        twin: Pin<&'p mut Option<W>>,
    ) -> Self {
        Self {
            legacy: Slot::new(legacy),
            new: Slot::new(new),
            twin: Slot::new(twin),
            ends: Ends::none(),
            phase: Phase::Serve,
            timer: Timer::new(Duration::ZERO),
        }
    }

    /// Runs what the call needs, and says which side answers.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, books: &mut Books<&Shared>) -> Poll<Side> {
        match self.phase {
            Phase::Serve => self.poll_serving(cx, books),
            Phase::Wait => self.poll_waiting(cx, books),
            Phase::FallBack => self.poll_falling_back(cx, books),
        }
    }

    /// Both sides run until the one that serves has ended.
    #[inline]
    fn poll_serving(&mut self, cx: &mut Context<'_>, books: &mut Books<&Shared>) -> Poll<Side> {
        let serve = books.route.serve;
        self.poll_side(serve, cx, books);
        if books.is_selected() {
            self.poll_others(serve.other(), cx, books);
        }
        match self.ends.of(serve).map(End::outcome) {
            None => Poll::Pending,
            Some(served) if books.shared.falls_back(serve, served) => self.fall_back(cx, books),
            Some(Outcome::Panicked) => Poll::Ready(serve),
            Some(_) if !books.is_selected() => Poll::Ready(serve),
            Some(_) => {
                self.phase = Phase::Wait;
                if !self.others_are_out(serve.other()) {
                    self.timer = Timer::new(time_left(books));
                }
                self.wait_or_stop(cx, books)
            }
        }
    }

    /// The shadow and the twin may end, for as long as patience and the shadow's timeout allow.
    fn poll_waiting(&mut self, cx: &mut Context<'_>, books: &mut Books<&Shared>) -> Poll<Side> {
        self.poll_others(books.route.serve.other(), cx, books);
        self.wait_or_stop(cx, books)
    }

    #[inline]
    fn wait_or_stop(&mut self, cx: &mut Context<'_>, books: &mut Books<&Shared>) -> Poll<Side> {
        let serve = books.route.serve;
        if !self.others_are_out(serve.other()) && self.timer.poll(cx, books.shared).is_pending() {
            return Poll::Pending;
        }
        self.stop_late_ones(serve.other(), books);
        Poll::Ready(serve)
    }

    /// New has failed: legacy answers, and has all the time it needs.
    fn fall_back(&mut self, cx: &mut Context<'_>, books: &mut Books<&Shared>) -> Poll<Side> {
        if !books.is_selected() {
            books.restart();
        }
        books.fall_back();
        self.phase = Phase::FallBack;
        self.poll_falling_back(cx, books)
    }

    fn poll_falling_back(&mut self, cx: &mut Context<'_>, books: &mut Books<&Shared>) -> Poll<Side> {
        self.poll_side(Side::Legacy, cx, books);
        self.ends.of(Side::Legacy).map_or(Poll::Pending, |_| Poll::Ready(Side::Legacy))
    }

    /// A shadow that has not ended, or that ended after its time, has timed out.
    #[inline]
    fn stop_late_ones(&mut self, shadow: Side, books: &mut Books<&Shared>) {
        self.twin.clear();
        if self.ends.of(shadow).is_none() || books.overran(shadow) {
            self.drop_side(shadow);
            books.time_out(shadow);
            self.ends.set(shadow, End::TimedOut);
        }
    }

    #[inline]
    fn poll_others(&mut self, shadow: Side, cx: &mut Context<'_>, books: &mut Books<&Shared>) {
        self.poll_side(shadow, cx, books);
        if !self.twin.is_empty() {
            if let Poll::Ready(end) = self.twin.poll(cx, None) {
                self.ends.twin = Some(end);
            }
        }
    }

    #[inline]
    fn poll_side(&mut self, side: Side, cx: &mut Context<'_>, books: &mut Books<&Shared>) {
        if self.ends.of(side).is_some() {
            return;
        }
        let mark = books.shared.mark_of(side);
        let polled = books.in_span(|| match side {
            Side::Legacy => self.legacy.poll(cx, mark),
            Side::New => self.new.poll(cx, mark),
        });
        if let Poll::Ready(end) = polled {
            books.note(side, end.outcome());
            self.ends.set(side, end);
        }
    }

    #[inline]
    fn others_are_out(&self, shadow: Side) -> bool {
        self.twin.is_empty() && self.ends.of(shadow).is_some()
    }

    /// Drops a side that shall not run on.
    fn drop_side(&mut self, side: Side) {
        match side {
            Side::Legacy => self.legacy.clear(),
            Side::New => self.new.clear(),
        }
    }

    #[inline]
    pub(super) fn into_ends(self) -> Ends<T, E> {
        self.ends
    }
}

/// The caller's patience, or less when the shadow has used up its time.
fn time_left(books: &Books<&Shared>) -> Duration {
    let shared = books.shared;
    let used = shared.clock.now().since(books.started());
    shared.patience.min(shared.policy.timeout.saturating_sub(used))
}
