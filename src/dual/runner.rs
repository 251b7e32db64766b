//! [`DualRunner`] and its entry points.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::builder::NeedsComparator;
use super::call::Call;
use super::counts::Counts;
use super::judge::Judge;
use super::recorder::RecorderSlot;
use super::shared::Shared;
use crate::bucket::BucketKey;
use crate::compare::Noise;
use crate::handover::FlushTimeout;
use crate::route::Router;

/// Runs the legacy and the new side of a call, answers with one of them, and reports on the pair.
///
/// Both sides return `Result<T, E>`. A runner is cheap to clone, and its clones count together. Make one per call site
/// and keep it.
///
/// ```
/// use cutover::{DualRunner, Equality, Route, Side, SystemMode};
///
/// # futures::executor::block_on(async {
/// let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
/// let price = DualRunner::builder("price", parallel).comparator(Equality).build();
///
/// let answer = price.run("order-17", async { Ok::<_, String>(100) }, async { Ok(99) }).await;
/// assert_eq!(answer, Ok(100));
/// assert_eq!(price.counts().mismatched, 1);
/// # });
/// ```
pub struct DualRunner<T, E> {
    pub(super) core: Arc<Core<T, E>>,
}

/// What the clones of a runner share.
pub(super) struct Core<T, E> {
    pub(super) shared: Shared,
    pub(super) judge: Judge<T, E>,
}

/// A runner's core, held by a task of its own.
pub(super) struct Owner<T, E>(pub(super) Arc<Core<T, E>>);

impl<T, E> Deref for Owner<T, E> {
    type Target = Shared;

    #[inline]
    fn deref(&self) -> &Shared {
        &self.0.shared
    }
}

impl<T, E> DualRunner<T, E> {
    /// Starts a runner. `name` stands in counts, spans and discrepancies; `router` decides how each call runs: a
    /// controller, a flag, a closure or a fixed [`Route`](crate::Route).
    pub fn builder(name: &str, router: impl Router + 'static) -> NeedsComparator<T, E> {
        NeedsComparator::new(name, router)
    }

    /// A call for `key`, to which a context or a twin can be added before it runs.
    #[inline(always)]
    pub fn call<'r, 'k>(&'r self, key: impl Into<BucketKey<'k>>) -> Call<'r, 'k, T, E> {
        Call::new(self, key.into())
    }

    /// Runs the call in the caller's task; the futures may borrow.
    ///
    /// The side that is not routed is never polled. When both run, they run concurrently; after the served side has
    /// ended, the shadow gets at most the runner's patience (100 ms by default).
    ///
    /// # Errors
    /// The error of the side that serves.
    ///
    /// # Panics
    /// When the side that serves panics.
    #[inline(always)]
    pub fn run<'k, L, N>(&self, key: impl Into<BucketKey<'k>>, legacy: L, new: N) -> impl Future<Output = Result<T, E>>
    where
        L: Future<Output = Result<T, E>>,
        N: Future<Output = Result<T, E>>,
    {
        self.call(key).run(legacy, new)
    }

    /// Runs the served side in the caller's task and answers; only then starts the shadow, on the runner's runtime.
    ///
    /// Both futures are `'static`: write `async move`. The comparison, the recording and their faults happen there too: the caller pays for one spawn, for `T::clone`,
    /// and for what an error leaves behind. Dropping the call before it answers never starts the shadow.
    ///
    /// # Errors
    /// The error of the side that serves.
    ///
    /// # Panics
    /// When the side that serves panics.
    #[inline]
    pub fn run_detached<'k, L, N>(
        &self,
        key: impl Into<BucketKey<'k>>,
        legacy: L,
        new: N,
    ) -> impl Future<Output = Result<T, E>>
    where
        T: Clone + Send + 'static,
        E: Send + 'static,
        L: Future<Output = Result<T, E>> + Send + 'static,
        N: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.call(key).run_detached(legacy, new)
    }

    /// Runs the call on the caller's thread, for call sites that are not async; the closures may borrow.
    ///
    /// The shadow runs after the served side, or in random order if the [policy](super::ShadowPolicy::order) says so.
    /// The caller waits for both: a closure cannot be stopped.
    ///
    /// # Errors
    /// The error of the side that serves.
    ///
    /// # Panics
    /// When the side that serves panics.
    #[inline(always)]
    pub fn run_sync<'k>(
        &self,
        key: impl Into<BucketKey<'k>>,
        legacy: impl FnOnce() -> Result<T, E>,
        new: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.call(key).run_sync(legacy, new)
    }

    /// How the calls ended so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = self.core.shared.counters.sum();
        counts.faults.observer += self.core.shared.observers.faults();
        counts.faults.recorder += self.core.shared.recorder.as_ref().map_or(0, RecorderSlot::late_faults);
        counts
    }

    /// Blocks until recorder and observers have got everything so far, for at most `deadline` of real time each: for
    /// shutting down. Detached shadows that still run are not waited for.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how much still waits.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        let shared = &self.core.shared;
        let recorder = shared.recorder.as_ref().map_or(Ok(()), |recorder| recorder.flush(deadline));
        let late = [recorder, shared.observers.flush(deadline)].into_iter().filter_map(Result::err);
        match late.map(|late| late.pending).sum() {
            0 => Ok(()),
            pending => Err(FlushTimeout { pending }),
        }
    }

    /// The runner's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.shared.name
    }

    /// What the twins taught about noise.
    #[must_use]
    pub fn noise(&self) -> &Noise {
        &self.core.judge.noise
    }
}

impl<T, E> Clone for DualRunner<T, E> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<T, E> fmt::Debug for DualRunner<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DualRunner")
            .field("name", &self.core.shared.name)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
