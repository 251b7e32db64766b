//! `run_sync`: both sides as closures on the caller's thread.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::fmt;

use super::books::Books;
use super::call::Call;
use super::depth::RunnerId;
use super::end::End;
use super::policy::Order;
use super::report::Finding;
use super::shared::Shared;
use super::sides::Ends;
use super::slot::Contained;
use crate::contain::contain;
use crate::outcome::{Outcome, Side};
use crate::record::Capture;

impl<T, E> End<T, E> {
    /// Runs a side that is a closure, contained.
    #[inline]
    pub(super) fn of_call(side: impl FnOnce() -> Result<T, E>, mark: Option<RunnerId>) -> Self {
        let inside = mark.map(RunnerId::enter);
        let ended = contain(side);
        drop(inside);
        Self::of(ended)
    }
}

impl<T, E, C: FnOnce(&mut Capture) -> fmt::Result, W> Call<'_, '_, T, E, C, W> {
    /// As [`DualRunner::run_sync`](super::DualRunner::run_sync). A twin is dropped.
    ///
    /// # Errors
    /// The error of the side that serves.
    ///
    /// # Panics
    /// When the side that serves panics.
    #[inline(always)]
    pub fn run_sync(self, legacy: impl FnOnce() -> Result<T, E>, new: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let new = Contained::new(new);
        let shared = &self.runner.core.shared;
        let plan = shared.plan(&self.key, shared.policy.max_in_flight);
        if plan.ticket.is_none() && plan.route.serve() == Side::Legacy && shared.is_quiet(Side::Legacy) {
            drop(new);
            return legacy();
        }
        let mut books = Books::open(shared, plan, &self.key);
        books.rest(Side::Legacy);
        books.rest(Side::New);
        let mut sides = Closures { legacy: Contained::new(legacy), new, ends: Ends::none() };
        let answers = sides.run(&mut books);
        let found = self.runner.settle(&mut books, &self.key, Some(self.context), &sides.ends);
        let answer = sides.ends.take(answers);
        drop((books, sides));
        Finding::raise_any(found);
        answer.into_answer()
    }
}

/// Both sides of a call that is not async.
struct Closures<T, E, L, N> {
    legacy: Contained<L>,
    new: Contained<N>,
    ends: Ends<T, E>,
}

impl<T, E, L, N> Closures<T, E, L, N>
where
    L: FnOnce() -> Result<T, E>,
    N: FnOnce() -> Result<T, E>,
{
    /// Runs what the call needs, and says which side answers.
    fn run(&mut self, books: &mut Books<&Shared>) -> Side {
        let serve = books.route.serve;
        let shadow_first = books.is_selected() && books.shared.shadow_first();
        if shadow_first {
            self.call(serve.other(), books);
        }
        let served = self.call(serve, books);
        if books.shared.falls_back(serve, served) {
            books.fall_back();
            self.call(Side::Legacy, books);
            return Side::Legacy;
        }
        if books.is_selected() && served != Outcome::Panicked {
            self.call(serve.other(), books);
        }
        serve
    }

    /// Runs one side from start to end, unless it has already run.
    fn call(&mut self, side: Side, books: &mut Books<&Shared>) -> Outcome {
        let end = match side {
            Side::Legacy => self.legacy.take().map(|legacy| books.call(side, legacy)),
            Side::New => self.new.take().map(|new| books.call(side, new)),
        };
        end.map_or(Outcome::Abandoned, |end| {
            let outcome = end.outcome();
            self.ends.set(side, end);
            outcome
        })
    }
}

impl Books<&Shared> {
    /// Runs one side from start to end and notes how it ended.
    #[inline]
    fn call<T, E>(&mut self, side: Side, run: impl FnOnce() -> Result<T, E>) -> End<T, E> {
        let mark = self.shared.mark_of(side);
        let end = self.in_span(|| End::of_call(run, mark));
        self.note_and_go_on(side, end.outcome());
        end
    }
}

impl Shared {
    fn shadow_first(&self) -> bool {
        self.policy.order == Order::Random && self.random.next_u64() & 1 == 1
    }
}
