//! [`Call`]: one call of a runner, with what the call site adds to it.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::fmt;
use std::future::Pending;
use std::ops::Deref;

use serde::Serialize;

use super::books::Books;
use super::detached::DEFAULT_IN_FLIGHT;
use super::planned::PlannedCall;
use super::report::{Finding, key_text};
use super::run::Run;
use super::runner::DualRunner;
use super::shared::Shared;
use super::sides::Ends;
use super::slot::{Contained, Slot};
use crate::bucket::BucketKey;
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
    pub(super) twin: Slot<W>,
}

/// A call site that says nothing about its calls.
pub(super) type Silent = fn(&mut Capture) -> fmt::Result;

impl<'r, 'k, T, E> Call<'r, 'k, T, E> {
    #[inline(always)]
    pub(super) fn new(runner: &'r DualRunner<T, E>, key: BucketKey<'k>) -> Self {
        Self { runner, key, context: |_| Ok(()), twin: Slot::empty() }
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
        Call { runner: self.runner, key: self.key, context: self.context, twin: Slot::new(twin) }
    }
}

impl<T, E, C, W> Call<'_, '_, T, E, C, W> {
    /// Decides now how the call runs, so that the sides can be made accordingly. A twin is dropped.
    ///
    /// For call sites that have to prepare a shadow, such as by keeping a copy of what the served side consumes.
    pub fn plan(self) -> PlannedCall<T, E, C> {
        let shared = &self.runner.core.shared;
        let plan = shared.plan(&self.key, Some(shared.policy.max_in_flight.unwrap_or(DEFAULT_IN_FLIGHT)));
        PlannedCall::new(self.runner, plan, &self.key, self.context)
    }

    /// As [`plan`](Self::plan), but only the side that serves will run: nothing is asked of the policy, and nothing is
    /// counted as skipped.
    pub fn plan_alone(self) -> PlannedCall<T, E, C> {
        let plan = self.runner.core.shared.plan_alone(&self.key);
        PlannedCall::new(self.runner, plan, &self.key, self.context)
    }
}

impl<T, E, C, W> Call<'_, '_, T, E, C, W>
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
        Run::new(self, None, Slot::new(legacy), Slot::new(new))
    }
}

impl<T, E> DualRunner<T, E> {
    /// Counts and tells how the call ended. What it found, if it shall panic with it, is for when all else is dropped.
    #[inline]
    pub(super) fn settle<P: Deref<Target = Shared>>(
        &self,
        books: &mut Books<P>,
        key: &BucketKey<'_>,
        context: Option<impl FnOnce(&mut Capture) -> fmt::Result>,
        ends: &Ends<T, E>,
    ) -> Option<Finding> {
        if !books.is_selected() {
            books.close_alone();
            return None;
        }
        let key = |shared: &Shared| key_text(*key, shared, self.core.judge.captures.key);
        let context = |out: &mut Capture| context.map_or(Ok(()), |write| write(out));
        self.core.judge.settle(books, &ends.pair(), key, context)
    }
}

impl<T, E, C, W> fmt::Debug for Call<'_, '_, T, E, C, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("runner", &self.runner.name()).finish_non_exhaustive()
    }
}
