//! `run_detached`: the answer first, then the shadow on the runner's runtime.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::books::Books;
use super::call::Call;
use super::end::{End, ErrorTraces, View};
use super::judge::Judge;
use super::report::{Finding, Pair, key_text};
use super::run::Run;
use super::runner::Owner;
use super::shared::{Plan, Shared};
use super::sides::Ends;
use super::slot::{Contained, Slot};
use super::timer::Timer;
use crate::contain::{contain_quietly, discard};
use crate::observe::Part;
use crate::outcome::{Outcome, Side};
use crate::record::Capture;

/// How many detached shadows may run at a time when the policy says nothing.
pub(super) const DEFAULT_IN_FLIGHT: usize = 1_024;

impl<'r, T, E, C, W> Call<'r, '_, T, E, C, W>
where
    T: Clone + Send + 'static,
    E: Send + 'static,
    C: FnOnce(&mut Capture) -> fmt::Result + Send + 'static,
    W: Future<Output = Result<T, E>>,
{
    /// As [`DualRunner::run_detached`](super::DualRunner::run_detached). A twin is dropped.
    ///
    /// # Errors
    /// The error of the side that serves.
    ///
    /// # Panics
    /// When the side that serves panics.
    #[inline]
    pub fn run_detached<L, N>(self, legacy: L, new: N) -> impl Future<Output = Result<T, E>>
    where
        L: Future<Output = Result<T, E>> + Send + 'static,
        N: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.run_planned_detached(Slot::new(legacy), Slot::new(new))
    }

    async fn run_planned_detached<L, N>(self, legacy: Slot<L>, new: Slot<N>) -> Result<T, E>
    where
        L: Future<Output = Result<T, E>> + Send + 'static,
        N: Future<Output = Result<T, E>> + Send + 'static,
    {
        let shared = &self.runner.core.shared;
        let plan = shared.plan(&self.key, Some(shared.policy.max_in_flight.unwrap_or(DEFAULT_IN_FLIGHT)));
        match plan.route.serve() {
            _ if plan.ticket.is_none() => Run::new(self, Some(plan.route), legacy, new).await,
            Side::Legacy => self.detach(plan, legacy, new).await,
            Side::New => self.detach(plan, new, legacy).await,
        }
    }

    async fn detach<S, H>(self, plan: Plan<'r>, served: Slot<S>, shadow: Slot<H>) -> Result<T, E>
    where
        S: Future<Output = Result<T, E>>,
        H: Future<Output = Result<T, E>> + Send + 'static,
    {
        let shared = &self.runner.core.shared;
        let serve = plan.route.serve();
        let mut books = Books::open(Owner(Arc::clone(&self.runner.core)), plan, &self.key);
        books.rest(serve.other());
        let served = alone(&mut books, serve, served).await;
        if shared.falls_back(serve, served.outcome()) {
            books.fall_back();
            books.start(Side::Legacy);
            let mut ends = Ends { legacy: None, new: Some(served), twin: None };
            ends.legacy = Some(alone(&mut books, Side::Legacy, shadow).await);
            return self.settle(books, ends, Side::Legacy);
        }
        if served.outcome() == Outcome::Panicked {
            let mut ends = Ends::none();
            ends.set(serve, served);
            return self.settle(books, ends, serve);
        }
        self.spawn(books, &served, shadow);
        served.into_answer()
    }

    fn settle(self, mut books: Books<Owner<T, E>>, mut ends: Ends<T, E>, answers: Side) -> Result<T, E> {
        let found = self.runner.settle(&mut books, &self.key, Some(self.context), &ends);
        let answer = ends.take(answers);
        drop((books, ends));
        Finding::raise_any(found);
        answer.into_answer()
    }

    /// Hands the shadow and what it needs of the answer to the runtime.
    fn spawn<H>(self, books: Books<Owner<T, E>>, served: &End<T, E>, shadow: Slot<H>)
    where
        H: Future<Output = Result<T, E>> + Send + 'static,
    {
        let shared = &self.runner.core.shared;
        let Some(left) = self.runner.core.judge.leave(shared, served) else { return };
        let key =
            shared.recorder.as_ref().and_then(|_| key_text(self.key, shared, self.runner.core.judge.captures.key));
        Detached { books, left, key, context: self.context }.spawn(shadow, None::<Contained<Ready<()>>>);
    }
}

/// What the shadow's task needs of the answer that has left.
pub(super) enum Left<T> {
    Ok(T),
    Err(ErrorTraces),
}

impl<T, E> Judge<T, E> {
    /// Keeps a copy of the answer; none when the host's `clone` panics.
    pub(super) fn leave(&self, shared: &Shared, served: &End<T, E>) -> Option<Contained<Left<T>>>
    where
        T: Clone,
    {
        let left = match served {
            End::Ok(value) => contain_quietly(|| value.clone()).map(Left::Ok),
            End::Err(error) => Ok(Left::Err(self.trace_error(shared, error))),
            End::Panicked(_) | End::TimedOut | End::Abandoned => return None,
        };
        left.inspect_err(|_| shared.fault(Part::Capture)).ok().map(Contained::new)
    }
}

/// A shadow on its own, with the books of its call.
pub(super) struct Detached<T, E, C> {
    pub(super) books: Books<Owner<T, E>>,
    pub(super) left: Contained<Left<T>>,
    pub(super) key: Option<String>,
    pub(super) context: C,
}

impl<T, E, C> Detached<T, E, C>
where
    T: Send + 'static,
    E: Send + 'static,
    C: FnOnce(&mut Capture) -> fmt::Result + Send + 'static,
{
    /// Hands the shadow to the runtime.
    pub(super) fn spawn<H, G>(self, shadow: Slot<H>, gather: Option<Contained<G>>)
    where
        H: Future<Output = Result<T, E>> + Send + 'static,
        G: Future<Output = ()> + Send + 'static,
    {
        let core = Arc::clone(&self.books.shared.0);
        let task = self.run(shadow, gather);
        if contain_quietly(|| core.shared.runtime.spawn(Box::pin(task))).is_err() {
            core.shared.fault(Part::Runtime);
        }
    }
}

impl<T, E, C: FnOnce(&mut Capture) -> fmt::Result> Detached<T, E, C> {
    async fn run<H, G>(mut self, shadow: Slot<H>, gather: Option<Contained<G>>)
    where
        H: Future<Output = Result<T, E>>,
        G: Future<Output = ()>,
    {
        self.books.start(self.books.route.serve.other());
        let shadow = within_timeout(&mut self.books, shadow).await;
        let both_returned = matches!((&shadow, self.left.get()), (End::Ok(_), Some(Left::Ok(_))));
        if let Some(gather) = gather.filter(|_| both_returned) {
            gathered(&self.books, gather.into_inner()).await;
        }
        Finding::raise_any(self.settle(shadow));
    }

    fn settle(self, shadow: End<T, E>) -> Option<Finding> {
        let Self { mut books, left, key, context } = self;
        let core = Arc::clone(&books.shared.0);
        let left = left.into_inner();
        let served = match &left {
            Left::Ok(value) => View::Ok(value),
            Left::Err(traces) => View::ErrLeft(traces),
        };
        let pair = match books.route.serve {
            Side::Legacy => Pair { legacy: served, new: shadow.view(), twin: None },
            Side::New => Pair { legacy: shadow.view(), new: served, twin: None },
        };
        let finding = core.judge.settle(&mut books, &pair, |_| key, context);
        discard(left);
        discard(shadow);
        finding
    }
}

/// Runs one side to its end.
pub(super) async fn alone<T, E>(
    books: &mut Books<Owner<T, E>>,
    side: Side,
    future: Slot<impl Future<Output = Result<T, E>>>,
) -> End<T, E> {
    let mut future = pin!(future);
    let mark = books.shared.mark_of(side);
    let end = poll_fn(|cx| books.in_span(|| future.as_mut().poll(cx, mark))).await;
    books.note(side, end.outcome());
    end
}

/// Runs the shadow to its end or to its timeout.
async fn within_timeout<T, E>(
    books: &mut Books<Owner<T, E>>,
    shadow: Slot<impl Future<Output = Result<T, E>>>,
) -> End<T, E> {
    let side = books.route.serve.other();
    let mut shadow = pin!(shadow);
    let mark = books.shared.mark_of(side);
    let mut timer = Timer::new(books.shared.policy.timeout);
    let end = poll_fn(|cx| match books.in_span(|| shadow.as_mut().poll(cx, mark)) {
        Poll::Ready(end) => Poll::Ready(end),
        Poll::Pending => timer.poll(cx, &books.shared).map(|()| End::TimedOut),
    })
    .await;
    books.note(side, end.outcome());
    if books.overran(side) {
        books.time_out(side);
        discard(end);
        return End::TimedOut;
    }
    end
}

/// Runs what has to happen before two answers can be compared, in what is left of the shadow's time.
async fn gathered<T, E>(books: &Books<Owner<T, E>>, gather: impl Future<Output = ()>) {
    let side = books.route.serve.other();
    let mut gather = pin!(Slot::new(async {
        gather.await;
        Ok::<_, Infallible>(())
    }));
    let mark = books.shared.mark_of(side);
    let mut timer = Timer::new(books.shared.policy.timeout.saturating_sub(books.sample(side).elapsed));
    let end = poll_fn(|cx| match books.in_span(|| gather.as_mut().poll(cx, mark)) {
        Poll::Ready(end) => Poll::Ready(end),
        Poll::Pending => timer.poll(cx, &books.shared).map(|()| End::TimedOut),
    });
    if let End::Panicked(payload) = end.await {
        books.shared.fault(Part::Capture);
        discard(payload);
    }
}
