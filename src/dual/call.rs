//! [`Call`]: one call of a runner, with what the call site adds to it.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::fmt;
use std::future::{Pending, poll_fn};
use std::ops::Deref;
use std::pin::pin;

use serde::Serialize;

use super::books::Books;
use super::detached::DEFAULT_IN_FLIGHT;
use super::planned::PlannedCall;
use super::report::key_text;
use super::runner::DualRunner;
use super::shared::{Plan, Shared};
use super::sides::{Ends, Sides};
use super::slot::{Contained, Slot};
use crate::bucket::BucketKey;
use crate::outcome::Side;
use crate::record::Capture;

/// One call of a [`DualRunner`], made by [`DualRunner::call`].
///
/// ```
/// use cutover::{DualRunner, Equality, Route, Side, SystemMode};
/// use cutover::record::MemoryRecorder;
///
/// # futures::executor::block_on(async {
/// let recorder = std::sync::Arc::new(MemoryRecorder::new());
/// let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
/// let price = DualRunner::builder("price", parallel).comparator(Equality).record_to(recorder.clone()).build();
///
/// let answer = price
///     .call("order-17")
///     .context(|| serde_json::json!({ "items": 3 }))
///     .run(async { Ok::<_, String>(100) }, async { Ok(99) })
///     .await;
/// assert_eq!(answer, Ok(100));
/// assert_eq!(recorder.discrepancies()[0].context.as_ref().unwrap().text, r#"{"items":3}"#);
/// # });
/// ```
#[must_use = "a call does nothing until one of its `run` methods is called"]
pub struct Call<'r, 'k, T, E, C = Silent, W = Pending<Result<T, E>>> {
    pub(super) runner: &'r DualRunner<T, E>,
    pub(super) key: BucketKey<'k>,
    pub(super) context: C,
    twin: Option<Contained<W>>,
}

/// A call site that says nothing about its calls.
pub(super) type Silent = fn(&mut Capture) -> fmt::Result;

impl<'r, 'k, T, E> Call<'r, 'k, T, E> {
    #[inline(always)]
    pub(super) fn new(runner: &'r DualRunner<T, E>, key: BucketKey<'k>) -> Self {
        Self { runner, key, context: |_| Ok(()), twin: None }
    }
}

impl<'r, 'k, T, E, C, W> Call<'r, 'k, T, E, C, W> {
    /// What a discrepancy shall say about this call. The closure runs only when there is something to record; its
    /// value is kept as JSON, cut at the runner's capture limit.
    pub fn context<V: Serialize, F: FnOnce() -> V>(
        self,
        context: F,
    ) -> Call<'r, 'k, T, E, impl FnOnce(&mut Capture) -> fmt::Result + use<T, E, C, W, V, F>, W> {
        let context = Contained::new(context);
        let write = move |out: &mut Capture| out.json(&context.into_inner()());
        Call { runner: self.runner, key: self.key, context: write, twin: self.twin }
    }

    /// For [`run`](Self::run) only: a second future of the legacy side, run beside the shadow. What differs between legacy and legacy is noise.
    ///
    /// The runner learns per path how often that happens and reports a path that is known to be noisy only when new
    /// differs significantly more often; see [`Noise`](crate::compare::Noise). The other entry points drop the twin.
    ///
    /// ```
    /// # use cutover::{DualRunner, Route, Side, Structural, SystemMode};
    /// # use serde_json::json;
    /// # use std::future::ready;
    /// # let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    /// let search = DualRunner::<_, String>::builder("search", parallel).comparator(Structural::new()).build();
    /// let answer = |request, hits| ready(Ok(json!({ "request": request, "hits": hits })));
    ///
    /// let call = search.call("user-17").twin(answer(2, 10)).run(answer(1, 10), answer(3, 10));
    /// futures::executor::block_on(call)?;
    /// assert_eq!((search.counts().mismatched, search.counts().ignored), (0, 1));
    /// # Ok::<(), String>(())
    /// ```
    pub fn twin<W2: Future<Output = Result<T, E>>>(self, twin: W2) -> Call<'r, 'k, T, E, C, W2> {
        Call { runner: self.runner, key: self.key, context: self.context, twin: Some(Contained::new(twin)) }
    }
}

impl<T, E, C, W> Call<'_, '_, T, E, C, W> {
    /// Decides now how the call runs, so that the sides can be made accordingly. A twin is dropped.
    ///
    /// For call sites that have to prepare a shadow, such as by keeping a copy of what the served side consumes.
    pub fn plan(self) -> PlannedCall<T, E, C> {
        let shared = &self.runner.core.shared;
        let plan = shared.plan(self.key, Some(shared.policy.max_in_flight.unwrap_or(DEFAULT_IN_FLIGHT)));
        PlannedCall::new(self.runner, plan, self.key, self.context)
    }

    /// As [`plan`](Self::plan), but only the side that serves will run: nothing is asked of the policy, and nothing is
    /// counted as skipped.
    pub fn plan_alone(self) -> PlannedCall<T, E, C> {
        let plan = self.runner.core.shared.plan_alone(self.key);
        PlannedCall::new(self.runner, plan, self.key, self.context)
    }
}

impl<'r, T, E, C, W> Call<'r, '_, T, E, C, W>
where
    C: FnOnce(&mut Capture) -> fmt::Result,
    W: Future<Output = Result<T, E>>,
{
    /// As [`DualRunner::run`].
    ///
    /// # Errors
    /// The error of the side that serves.
    ///
    /// # Panics
    /// When the side that serves panics.
    #[inline(always)]
    pub fn run<L, N>(self, legacy: L, new: N) -> impl Future<Output = Result<T, E>>
    where
        L: Future<Output = Result<T, E>>,
        N: Future<Output = Result<T, E>>,
    {
        let limit = self.runner.core.shared.policy.max_in_flight;
        self.run_as_planned(move |shared, key| shared.plan(key, limit), legacy, Contained::new(new))
    }

    /// Makes the plan when the future is first polled, and no earlier: what is made and left lying shall not run by a
    /// mode that is over.
    #[inline(always)]
    pub(super) fn run_as_planned<L, N>(
        self,
        plan: impl FnOnce(&'r Shared, BucketKey<'_>) -> Plan<'r>,
        legacy: L,
        new: Contained<N>,
    ) -> impl Future<Output = Result<T, E>>
    where
        L: Future<Output = Result<T, E>>,
        N: Future<Output = Result<T, E>>,
    {
        let Self { runner, key, context, twin } = self;
        let legacy = Contained::new(legacy);
        async move {
            let shared = &runner.core.shared;
            let plan = plan(shared, key);
            if plan.is_quiet(shared) {
                return match plan.route.serve {
                    Side::Legacy => after_dropping(new, legacy).await,
                    Side::New => new_alone(shared, legacy, new).await,
                };
            }
            let (legacy, new) = (pin!(Some(legacy.into_inner())), pin!(Some(new.into_inner())));
            let twin = pin!(twin.map(Contained::into_inner));
            let mut sides = Sides::new(legacy, new, twin);
            let mut books = Books::open(shared, plan, key);
            let answers = poll_fn(|cx| sides.poll(cx, &mut books)).await;
            runner.finish(books, key, context, sides.into_ends(), answers)
        }
    }
}

/// Legacy as if the runner were not there.
#[inline(always)]
fn after_dropping<N, L>(new: Contained<N>, legacy: Contained<L>) -> L {
    drop(new);
    legacy.into_inner()
}

/// New as if the runner were not there, but for the mark on its thread.
#[inline]
async fn new_alone<T, E, L, N>(shared: &Shared, legacy: Contained<L>, new: Contained<N>) -> Result<T, E>
where
    N: Future<Output = Result<T, E>>,
{
    drop(legacy);
    let new = pin!(Some(new.into_inner()));
    let mut new = Slot::new(new);
    poll_fn(|cx| new.poll(cx, shared.mark_of(Side::New))).await.into_answer()
}

impl<T, E> DualRunner<T, E> {
    /// Settles the call and gives the caller the answer of the side that `answers`.
    #[inline]
    pub(super) fn finish<P: Deref<Target = Shared>>(
        &self,
        books: Books<P>,
        key: BucketKey<'_>,
        context: impl FnOnce(&mut Capture) -> fmt::Result,
        mut ends: Ends<T, E>,
        answers: Side,
    ) -> Result<T, E> {
        let mut finding = None;
        if books.is_selected() {
            let key = |shared: &Shared| key_text(key, shared, self.core.judge.captures.key);
            finding = self.core.judge.settle(books, &ends.pair(), key, context);
        } else {
            books.close_alone();
        }
        let answer = ends.take(answers);
        drop(ends);
        if let Some(finding) = finding {
            finding.raise();
        }
        answer.into_answer()
    }
}

impl<T, E, C, W> fmt::Debug for Call<'_, '_, T, E, C, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("runner", &self.runner.name()).finish_non_exhaustive()
    }
}
