//! [`Run`]: a call in the caller's task.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::fmt;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::books::Books;
use super::call::Call;
use super::end::End;
use super::report::Finding;
use super::runner::DualRunner;
use super::shared::{Plan, Shared};
use super::sides::{Futures, Sides, Turn};
use super::slot::{Slot, ended};
use crate::bucket::BucketKey;
use crate::outcome::Side;
use crate::record::Capture;
use crate::route::{RouteWords, Shadow};

pin_project! {
    /// The future of a call. It is written out, and not an `async` block, so that the sides stay where they are first put, and
    /// so that a call which ends in its first poll has its books on the stack.
    #[project = Parts]
    pub(super) struct Run<'r, 'k, T, E, C, L, N, W> {
        runner: &'r DualRunner<T, E>,
        key: BucketKey<'k>,
        stage: Stage<'r, T, E>,
        #[pin]
        legacy: Slot<L>,
        #[pin]
        new: Slot<N>,
        #[pin]
        twin: Slot<W>,
        context: Option<C>,
        #[pin]
        pinned: PhantomPinned,
    }
}

/// How far a call has got.
enum Stage<'r, T, E> {
    /// It was made, and its way is decided when it is first polled, and no earlier: what is made and left lying shall not
    /// run by a mode that is over.
    Made,
    /// It was made, and the side that the route serves is to run alone.
    Routed(RouteWords),
    /// One side runs, and nobody listens.
    Quiet(Side),
    Heard(Heard<'r, T, E>),
    Ended,
}

impl<'r, 'k, T, E, C, L, N, W> Run<'r, 'k, T, E, C, L, N, W> {
    #[inline(always)]
    pub(super) fn new(
        call: Call<'r, 'k, T, E, C, W>,
        alone: Option<RouteWords>,
        legacy: Slot<L>,
        new: Slot<N>,
    ) -> Self {
        let Call { runner, key, context, twin } = call;
        let stage = alone.map_or(Stage::Made, Stage::Routed);
        Self { runner, key, stage, legacy, new, twin, context: Some(context), pinned: PhantomPinned }
    }
}

impl<T, E, C, L, N, W> Future for Run<'_, '_, T, E, C, L, N, W>
where
    C: FnOnce(&mut Capture) -> fmt::Result,
    L: Future<Output = Result<T, E>>,
    N: Future<Output = Result<T, E>>,
    W: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        match *this.stage {
            Stage::Made => this.begin(cx),
            Stage::Routed(route) => this.begin_planned(Plan { route, ticket: None }, cx),
            Stage::Quiet(side) => this.poll_quiet(side, cx),
            Stage::Heard(..) => this.poll_heard(cx),
            Stage::Ended => ended(),
        }
    }
}

impl<'r, T, E, C, L, N, W> Parts<'_, 'r, '_, T, E, C, L, N, W>
where
    C: FnOnce(&mut Capture) -> fmt::Result,
    L: Future<Output = Result<T, E>>,
    N: Future<Output = Result<T, E>>,
    W: Future<Output = Result<T, E>>,
{
    #[inline(always)]
    fn begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let shared = &self.runner.core.shared;
        if shared.id.is_inside() {
            return self.begin_planned(shared.plan_nested(), cx);
        }
        let route = shared.route(self.key);
        if route.shadow() == Shadow::Never && shared.is_quiet(route.serve()) {
            return self.begin_quiet(route.serve(), cx);
        }
        self.begin_routed(route, cx)
    }

    #[inline(never)]
    fn begin_routed(&mut self, route: RouteWords, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let shared = &self.runner.core.shared;
        let plan = shared.plan_for(route, self.key, shared.policy.max_in_flight);
        self.begin_planned(plan, cx)
    }

    #[inline]
    fn begin_planned(&mut self, plan: Plan<'r>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let shared = &self.runner.core.shared;
        if plan.ticket.is_none() && shared.is_quiet(plan.route.serve()) {
            return self.begin_quiet(plan.route.serve(), cx);
        }
        self.begin_heard(plan, cx)
    }

    #[inline(always)]
    fn begin_quiet(&mut self, side: Side, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        match side {
            Side::Legacy => self.new.as_mut().clear(),
            Side::New => self.legacy.as_mut().clear(),
        }
        self.twin.as_mut().clear();
        *self.context = None;
        *self.stage = Stage::Quiet(side);
        self.poll_quiet(side, cx)
    }

    /// The side as if the runner were not there, but for the mark on the thread of new. Should it panic, it has ended.
    #[inline(always)]
    fn poll_quiet(&mut self, side: Side, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        match side {
            Side::Legacy => self.poll_legacy(cx),
            Side::New => self.poll_new(cx),
        }
    }

    #[inline(always)]
    fn poll_legacy(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let answer = ready!(self.legacy.as_mut().poll_bare(cx));
        *self.stage = Stage::Ended;
        Poll::Ready(answer)
    }

    #[inline]
    fn poll_new(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mark = self.runner.core.shared.mark_of(Side::New);
        let end = ready!(self.new.as_mut().poll(cx, mark));
        *self.stage = Stage::Ended;
        Poll::Ready(end.into_answer())
    }

    #[inline(always)]
    fn begin_heard(&mut self, plan: Plan<'r>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let settled = ready!(self.first_turn(plan, cx));
        self.end(settled)
    }

    /// The books are put where they stay only when the call has to wait: most have no need to.
    #[inline(always)]
    fn first_turn(&mut self, plan: Plan<'r>, cx: &mut Context<'_>) -> Poll<Settled<T, E>> {
        let books = Books::open(&self.runner.core.shared, plan, self.key);
        let mut heard = Heard { books, sides: Sides::new() };
        let futures = Futures { legacy: self.legacy.as_mut(), new: self.new.as_mut(), twin: self.twin.as_mut() };
        if let Poll::Ready(answers) = heard.poll(futures, cx) {
            return Poll::Ready(heard.settle(self.runner, self.key, self.context.take(), answers));
        }
        *self.stage = Stage::Heard(heard);
        Poll::Pending
    }

    #[inline(never)]
    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let Stage::Heard(heard) = &mut *self.stage else { ended() };
        let futures = Futures { legacy: self.legacy.as_mut(), new: self.new.as_mut(), twin: self.twin.as_mut() };
        let answers = ready!(heard.poll(futures, cx));
        let settled = heard.settle(self.runner, self.key, self.context.take(), answers);
        self.end(settled)
    }

    /// Drops everything, and gives the caller the answer.
    #[inline(always)]
    fn end(&mut self, (found, answer): Settled<T, E>) -> Poll<Result<T, E>> {
        *self.stage = Stage::Ended;
        Finding::raise_any(found);
        Poll::Ready(answer.into_answer())
    }
}

/// What the runner shall panic with, if it shall, and how the side ended that answers.
type Settled<T, E> = (Option<Finding>, End<T, E>);

/// A call of which both sides run, or somebody hears.
struct Heard<'r, T, E> {
    books: Books<&'r Shared>,
    sides: Sides<T, E>,
}

impl<T, E> Heard<'_, T, E> {
    /// Says which side answers. No side lives on then: what it holds, those who are told may want.
    #[inline]
    fn poll<L, N, W>(&mut self, futures: Futures<'_, L, N, W>, cx: &mut Context<'_>) -> Poll<Side>
    where
        L: Future<Output = Result<T, E>>,
        N: Future<Output = Result<T, E>>,
        W: Future<Output = Result<T, E>>,
    {
        let mut turn = Turn { sides: &mut self.sides, futures, books: &mut self.books };
        let answers = ready!(turn.poll(cx));
        turn.futures.clear();
        Poll::Ready(answers)
    }

    #[inline(always)]
    fn settle<C: FnOnce(&mut Capture) -> fmt::Result>(
        &mut self,
        runner: &DualRunner<T, E>,
        key: &BucketKey<'_>,
        context: Option<C>,
        answers: Side,
    ) -> Settled<T, E> {
        let found = runner.settle(&mut self.books, key, context, &self.sides.ends);
        (found, self.sides.ends.take(answers))
    }
}
