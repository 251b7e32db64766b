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

/// How far both sides and the twin of legacy have got.
pub(super) struct Sides<T, E> {
    pub(super) ends: Ends<T, E>,
    phase: Phase,
    timer: Timer,
}

/// The futures of both sides and of the twin, each empty when it has ended or is not there.
pub(super) struct Futures<'p, L, N, W> {
    pub(super) legacy: Pin<&'p mut Slot<L>>,
    pub(super) new: Pin<&'p mut Slot<N>>,
    pub(super) twin: Pin<&'p mut Slot<W>>,
}

impl<L, N, W> Futures<'_, L, N, W> {
    /// Drops what still runs.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.legacy.as_mut().clear();
        self.new.as_mut().clear();
        self.twin.as_mut().clear();
    }
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

impl<T, E> Sides<T, E> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { ends: Ends::none(), phase: Phase::Serve, timer: Timer::new(Duration::ZERO) }
    }
}

/// One poll of a call: how far it has got, its futures and its books.
pub(super) struct Turn<'a, 'p, 'r, T, E, L, N, W> {
    pub(super) sides: &'a mut Sides<T, E>,
    pub(super) futures: Futures<'p, L, N, W>,
    pub(super) books: &'a mut Books<&'r Shared>,
}

impl<T, E, L, N, W> Turn<'_, '_, '_, T, E, L, N, W>
where
    L: Future<Output = Result<T, E>>,
    N: Future<Output = Result<T, E>>,
    W: Future<Output = Result<T, E>>,
{
    /// Runs what the call needs, and says which side answers.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Side> {
        match self.sides.phase {
            Phase::Serve => self.poll_serving(cx),
            Phase::Wait => self.poll_waiting(cx),
            Phase::FallBack => self.poll_falling_back(cx),
        }
    }

    /// Both sides run until the one that serves has ended.
    #[inline]
    fn poll_serving(&mut self, cx: &mut Context<'_>) -> Poll<Side> {
        let serve = self.books.route.serve;
        self.poll_side(serve, cx);
        if self.books.is_selected() {
            self.poll_others(cx);
        }
        match self.sides.ends.of(serve).map(End::outcome) {
            None => Poll::Pending,
            Some(served) if self.books.shared.falls_back(serve, served) => self.fall_back(cx),
            Some(Outcome::Panicked) => Poll::Ready(serve),
            Some(_) if !self.books.is_selected() => Poll::Ready(serve),
            Some(_) => self.wait(cx),
        }
    }

    /// The side that serves has ended: from here on the others have the caller's patience.
    #[inline]
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Side> {
        self.sides.phase = Phase::Wait;
        if !self.others_are_out() {
            self.sides.timer = Timer::new(time_left(self.books));
        }
        self.wait_or_stop(cx)
    }

    /// The shadow and the twin may end, for as long as patience and the shadow's timeout allow.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Side> {
        self.poll_others(cx);
        self.wait_or_stop(cx)
    }

    #[inline]
    fn wait_or_stop(&mut self, cx: &mut Context<'_>) -> Poll<Side> {
        if !self.others_are_out() && self.sides.timer.poll(cx, self.books.shared).is_pending() {
            return Poll::Pending;
        }
        self.stop_late_ones();
        Poll::Ready(self.books.route.serve)
    }

    /// New has failed: legacy answers, and has all the time it needs.
    fn fall_back(&mut self, cx: &mut Context<'_>) -> Poll<Side> {
        if !self.books.is_selected() {
            self.books.restart();
        }
        self.books.fall_back();
        self.sides.phase = Phase::FallBack;
        self.poll_falling_back(cx)
    }

    fn poll_falling_back(&mut self, cx: &mut Context<'_>) -> Poll<Side> {
        self.poll_side(Side::Legacy, cx);
        self.sides.ends.of(Side::Legacy).map_or(Poll::Pending, |_| Poll::Ready(Side::Legacy))
    }

    /// A shadow that has not ended, or that ended after its time, has timed out.
    #[inline]
    fn stop_late_ones(&mut self) {
        let shadow = self.shadow();
        self.futures.twin.as_mut().clear();
        if self.sides.ends.of(shadow).is_none() || self.books.overran(shadow) {
            self.drop_side(shadow);
            self.books.time_out(shadow);
            self.sides.ends.set(shadow, End::TimedOut);
        }
    }

    #[inline]
    fn poll_others(&mut self, cx: &mut Context<'_>) {
        self.poll_side(self.shadow(), cx);
        if !self.futures.twin.is_empty() {
            let _pending_or_not = self.futures.twin.as_mut().poll_into(cx, None, &mut self.sides.ends.twin);
        }
    }

    #[inline]
    fn poll_side(&mut self, side: Side, cx: &mut Context<'_>) {
        if self.sides.ends.of(side).is_some() {
            return;
        }
        let mark = self.books.shared.mark_of(side);
        let ends = &mut self.sides.ends;
        let polled = self.books.in_span(|| match side {
            Side::Legacy => self.futures.legacy.as_mut().poll_into(cx, mark, &mut ends.legacy),
            Side::New => self.futures.new.as_mut().poll_into(cx, mark, &mut ends.new),
        });
        if let Poll::Ready(outcome) = polled {
            self.books.note(side, outcome);
        }
    }

    /// The side that does not serve.
    #[inline]
    const fn shadow(&self) -> Side {
        self.books.route.serve.other()
    }

    #[inline]
    fn others_are_out(&self) -> bool {
        self.futures.twin.is_empty() && self.sides.ends.of(self.shadow()).is_some()
    }

    /// Drops a side that shall not run on.
    fn drop_side(&mut self, side: Side) {
        match side {
            Side::Legacy => self.futures.legacy.as_mut().clear(),
            Side::New => self.futures.new.as_mut().clear(),
        }
    }
}

/// The caller's patience, or less when the shadow has used up its time.
fn time_left(books: &Books<&Shared>) -> Duration {
    let shared = books.shared;
    let used = shared.clock.now().since(books.started());
    shared.patience.min(shared.policy.timeout.saturating_sub(used))
}
