//! [`DualRunnerBuilder`]: what a runner is made of.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use serde::Serialize;

use super::breaker::Breaker;
use super::capture::Captures;
use super::counts::Counters;
use super::depth::RunnerId;
use super::errors::Projected;
use super::judge::Judge;
use super::policy::{Fallback, ShadowPolicy};
use super::recorder::RecorderSlot;
use super::runner::{Core, DualRunner};
use super::shared::Shared;
use crate::bucket::{BucketHasher, Domain};
use crate::clock::{Clock, SystemClock};
use crate::compare::{Comparator, Noise};
use crate::observe::Observers;
use crate::random::{RandomSource, SystemRandom};
use crate::record::Capture;
use crate::route::{ContainedRouter, Router};
use crate::runtime::{HostRuntime, Runtime};
use crate::{Observer, Recorder};

/// A runner that still needs its comparator, because nothing is equal by default.
#[must_use = "a runner is made by naming its comparator and calling `build`"]
pub struct NeedsComparator<T, E> {
    name: Arc<str>,
    router: Box<dyn ContainedRouter>,
    types: PhantomData<fn() -> (T, E)>,
}

impl<T, E> NeedsComparator<T, E> {
    pub(super) fn new(name: &str, router: impl Router + 'static) -> Self {
        Self { name: name.into(), router: Box::new(router), types: PhantomData }
    }

    /// What decides whether two answers are the same. It always receives `(legacy, new)`.
    ///
    /// A closure wants its types written: `|legacy: &Hits, new: &Hits| legacy.ids == new.ids`.
    pub fn comparator(self, comparator: impl Comparator<T> + 'static) -> DualRunnerBuilder<T, E> {
        DualRunnerBuilder {
            name: self.name,
            router: self.router,
            judge: Judge {
                comparator: Box::new(comparator),
                errors: None,
                noise: Noise::new(),
                captures: Captures::default(),
            },
            policy: ShadowPolicy::new(),
            patience: DEFAULT_PATIENCE,
            fallback: Fallback::Never,
            clock: None,
            random: Arc::new(SystemRandom),
            runtime: None,
            observers: Observers::new(),
            recorder: None,
            panics_on_discrepancy: false,
        }
    }
}

/// How long `run` waits for the shadow after the served side has answered.
const DEFAULT_PATIENCE: Duration = Duration::from_millis(100);

/// What a runner is made of; every part but the comparator has a default.
#[must_use = "call `build` to get the runner"]
pub struct DualRunnerBuilder<T, E> {
    name: Arc<str>,
    router: Box<dyn ContainedRouter>,
    judge: Judge<T, E>,
    policy: ShadowPolicy,
    patience: Duration,
    fallback: Fallback,
    clock: Option<Arc<dyn Clock>>,
    random: Arc<dyn RandomSource>,
    runtime: Option<Arc<dyn Runtime>>,
    observers: Observers,
    recorder: Option<RecorderSlot>,
    panics_on_discrepancy: bool,
}

impl<T, E> DualRunnerBuilder<T, E> {
    /// Compares what `project` keeps of two errors. Default: two errors count as `both_failed`, whatever they say.
    ///
    /// The projection makes the comparison independent of the error itself, which the caller may take away before the
    /// shadow has ended: a code, a kind or the text.
    ///
    /// ```
    /// # use cutover::{DualRunner, Equality, Route, Side, SystemMode};
    /// # let route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    /// let runner = DualRunner::<u32, std::io::Error>::builder("read", route)
    ///     .comparator(Equality)
    ///     .error_comparator(std::io::Error::kind, Equality)
    ///     .build();
    /// ```
    pub fn error_comparator<K: Send + 'static>(
        mut self,
        project: impl Fn(&E) -> K + Send + Sync + 'static,
        comparator: impl Comparator<K> + 'static,
    ) -> Self {
        self.judge.errors = Some(Box::new(Projected::new(project, comparator)));
        self
    }

    /// What shadows may cost. Default: [`ShadowPolicy::new`].
    pub fn shadow_policy(mut self, policy: ShadowPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How long `run` waits for the shadow after the served side has answered. Default: 100 ms.
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What happens when new serves and fails. Default: [`Fallback::Never`].
    pub const fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// Who keeps discrepancies. Default: nobody; they are only counted.
    ///
    /// Pass an [`Arc`] of the recorder to go on reading it. A recorder that may block gets a queue and a thread of its own; see [`Recorder`].
    pub fn record_to(mut self, recorder: impl Recorder + 'static) -> Self {
        self.recorder = Some(RecorderSlot::new(recorder));
        self
    }

    /// Who hears what happens; may be called several times. Default: nobody.
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observers = self.observers.with(observer);
        self
    }

    /// How noise is learnt from twins. Default: [`Noise::new`].
    pub fn noise(mut self, noise: Noise) -> Self {
        self.judge.noise = noise;
        self
    }

    /// Shows values in discrepancies as this function writes them. Default: they are not shown.
    pub fn capture(mut self, write: impl Fn(&T, &mut Capture) -> fmt::Result + Send + Sync + 'static) -> Self {
        self.judge.captures.value = Some(Box::new(write));
        self
    }

    /// Shows values in discrepancies as compact JSON.
    pub fn capture_json(self) -> Self
    where
        T: Serialize,
    {
        self.capture(|value, out| out.json(value))
    }

    /// Shows errors in discrepancies as this function writes them. Default: they are not shown.
    pub fn capture_errors(mut self, write: impl Fn(&E, &mut Capture) -> fmt::Result + Send + Sync + 'static) -> Self {
        self.judge.captures.error = Some(Box::new(write));
        self
    }

    /// Shows the values of differences that the comparator found. Default: only their paths and kinds.
    pub const fn capture_differences(mut self) -> Self {
        self.judge.captures.differences = true;
        self
    }

    /// Shows the texts of panics in discrepancies. Default: they are not shown, because they may quote values.
    pub const fn capture_panics(mut self) -> Self {
        self.judge.captures.panics = true;
        self
    }

    /// Shows the key itself in discrepancies. Default: its hash.
    pub const fn capture_keys(mut self) -> Self {
        self.judge.captures.key = true;
        self
    }

    /// The limit of each captured text, in bytes. Default: 8 KiB. Formatting stops there.
    pub const fn capture_limit(mut self, bytes: usize) -> Self {
        self.judge.captures.limit = bytes;
        self
    }

    /// Where time comes from. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Where chance comes from. Default: [`SystemRandom`].
    pub fn random(mut self, random: impl RandomSource + 'static) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Who runs detached shadows and measures out time. Default: [`HostRuntime`].
    ///
    /// Give the runner a runtime of its own when shadows may block their thread: then those of `run_detached` cannot
    /// slow served sides. `run` and `run_sync` run the shadow where the caller is, whatever the runtime.
    pub fn runtime(mut self, runtime: impl Runtime + 'static) -> Self {
        self.runtime = Some(Arc::new(runtime));
        self
    }

    /// Refuses to go on in a program that aborts on panic, where no panic can be contained.
    ///
    /// # Errors
    /// [`PanicAborts`] when the program is compiled with `panic = "abort"`.
    pub fn require_unwinding(self) -> Result<Self, PanicAborts> {
        if cfg!(panic = "unwind") { Ok(self) } else { Err(PanicAborts) }
    }

    /// Panics in the caller's place after a discrepancy, with a readable diff: for tests. A comparator
    /// that fails, on a bad rule for example, panics too: nothing was compared.
    ///
    /// Two errors are no discrepancy without an [`error_comparator`](Self::error_comparator). The panic of a detached
    /// call happens in its shadow's task.
    ///
    /// ```should_panic
    /// # use cutover::{DualRunner, Equality, Route, Side, SystemMode};
    /// # let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    /// let price = DualRunner::<u32, ()>::builder("price", parallel).comparator(Equality).panic_on_discrepancy().build();
    /// price.run_sync("order-17", || Ok(100), || Ok(99)).ok();
    /// ```
    #[cfg(feature = "testing")]
    pub const fn panic_on_discrepancy(mut self) -> Self {
        self.panics_on_discrepancy = true;
        self
    }

    /// The runner.
    #[must_use]
    pub fn build(self) -> DualRunner<T, E> {
        let shared = Shared {
            id: RunnerId::next(),
            sampler: BucketHasher::new(&format!("runner/{}", self.name), Domain::Shadow),
            name: self.name,
            router: self.router,
            breaker: Breaker::new(self.policy.breaker),
            policy: self.policy,
            patience: self.patience,
            fallback: self.fallback,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            random: self.random,
            runtime: self.runtime.unwrap_or_else(|| Arc::new(HostRuntime)),
            observers: self.observers,
            recorder: self.recorder,
            counters: Counters::default(),
            in_flight: AtomicUsize::new(0),
            panics_on_discrepancy: self.panics_on_discrepancy,
        };
        DualRunner { core: Arc::new(Core { shared, judge: self.judge }) }
    }
}

/// The program aborts on panic, so that a panic of the new side would end the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this program is compiled with panic = \"abort\": a panic of a shadow would end it; compile with \"unwind\"")]
#[expect(clippy::exhaustive_structs, reason = "a unit struct has nothing to add")]
pub struct PanicAborts;

impl<T, E> fmt::Debug for NeedsComparator<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeedsComparator").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T, E> fmt::Debug for DualRunnerBuilder<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DualRunnerBuilder")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
