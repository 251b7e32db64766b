//! [`PlannedCall`]: a call whose way is decided before its sides are made.

use std::fmt;
use std::future::{Ready, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use serde::Serialize;

use super::books::Books;
use super::call::Silent;
use super::detached::{Detached, alone};
use super::report::key_text;
use super::runner::{DualRunner, Owner};
use super::shared::{Admitted, Plan, Ticket};
use super::sides::Ends;
use super::slot::{Contained, Slot};
use super::waits::Waits;
use crate::bucket::BucketKey;
use crate::outcome::{Outcome, Side};
use crate::record::Capture;
use crate::route::Route;

/// A call whose route and shadow are decided, made by [`Call::plan`](super::Call::plan). It owns all that it needs.
///
/// It is [`run_detached`](DualRunner::run_detached) in steps, for call sites that make a side only when they know that it
/// runs: look, [serve](Self::serve), then start the shadow that `serve` hands out, or drop it. A runner's
/// [`Fallback`](super::Fallback) does not apply: there is one future, and it answers.
///
/// The decision is made once. Serve at once: what is left lying would run by a mode that may be over.
///
/// ```
/// use cutover::{DualRunner, Equality, Route, Side, SystemMode};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
/// let upload = DualRunner::<usize, String>::builder("upload", parallel).comparator(Equality).build();
///
/// let body = vec![1, 2, 3];
/// let planned = upload.call("user-17").plan();
/// let copy = planned.has_shadow().then(|| body.clone()); // no copy where nobody needs one
/// let (answer, shadow) = planned.serve(async { Ok(body.into_iter().sum()) }).await;
/// if let (Some(shadow), Some(copy)) = (shadow, copy) {
///     shadow.start(async move { Ok(copy.len()) });
/// }
/// assert_eq!(answer, Ok(6));
/// # tokio::task::yield_now().await;
/// assert_eq!(upload.counts().mismatched, 1);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a planned call does nothing until it is served"]
pub struct PlannedCall<T, E, C = Silent> {
    route: Route,
    permit: Permit<T, E>,
    /// The bucket of the key, if an observer wants it.
    key: Option<u64>,
    /// The key as a discrepancy would show it.
    key_text: Option<String>,
    /// What is taken off the time of the side that serves.
    waits: Option<Waits>,
    context: C,
}

/// A shadow's permission to run. Dropping it makes room for the next.
struct Permit<T, E> {
    owner: Owner<T, E>,
    admitted: Option<Admitted>,
}

impl<T, E> Permit<T, E> {
    /// Opens the books, which give the place back.
    fn open(mut self, route: Route, key: Option<u64>) -> Books<Owner<T, E>> {
        let owner = Owner(Arc::clone(&self.owner.0));
        Books::open_admitted(owner, route, self.admitted.take(), key)
    }
}

impl<T, E> Drop for Permit<T, E> {
    fn drop(&mut self) {
        if self.admitted.is_some_and(|admitted| admitted.holds_place) {
            self.owner.give_place_back();
        }
    }
}

impl<T, E, C> PlannedCall<T, E, C> {
    pub(super) fn new(runner: &DualRunner<T, E>, plan: Plan<'_>, key: &BucketKey<'_>, context: C) -> Self {
        let core = &runner.core;
        let Plan { route, ticket } = plan;
        let permit = Permit { owner: Owner(Arc::clone(core)), admitted: ticket.map(Ticket::hand_over) };
        let shows_key = permit.admitted.is_some() && core.shared.recorder.is_some();
        let key_text = if shows_key { key_text(*key, &core.shared, core.judge.captures.key) } else { None };
        let route = route.route();
        Self { route, permit, key: core.shared.key_to_tell(key), key_text, waits: None, context }
    }

    /// How the call is routed.
    pub const fn route(&self) -> Route {
        self.route
    }

    /// Whether the side that does not serve is to run as the shadow: routed, and let in by the policy.
    pub const fn has_shadow(&self) -> bool {
        self.permit.admitted.is_some()
    }

    /// Takes off the time of the side that serves what it waits for its caller: tell the handle when it does. `None` when
    /// nobody is told how long the call takes, so that there is nothing to take off.
    ///
    /// The shadow has all that the caller sent when it starts, and without this only the other side's time would hold the
    /// sending. A call that is dropped half way keeps its waits in its time. And waits move no deadline: a
    /// [monitor](crate::PerformanceMonitor) takes a call for timed out when its timeout is over, whoever was waited for.
    ///
    /// ```
    /// # use cutover::{DualRunner, Equality, Route, Side, SystemMode};
    /// # futures::executor::block_on(async {
    /// # async fn next_part() -> Vec<u8> { vec![1, 2, 3] }
    /// # let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    /// # let upload = DualRunner::<usize, String>::builder("upload", parallel).comparator(Equality).build();
    /// let mut planned = upload.call("user-17").plan();
    /// let waits = planned.waits();
    /// let served = async {
    ///     waits.iter().for_each(|waits| waits.begin());
    ///     let part = next_part().await; // the client's time
    ///     waits.iter().for_each(|waits| waits.end());
    ///     Ok(part.len())
    /// };
    /// assert_eq!(planned.serve(served).await.0, Ok(3));
    /// # });
    /// ```
    pub fn waits(&mut self) -> Option<Waits> {
        let owner = &self.permit.owner;
        if self.has_shadow() || owner.is_heard() {
            return Some(self.waits.get_or_insert_with(|| Waits::new(&owner.clock)).clone());
        }
        None
    }

    /// As [`Call::context`](super::Call::context), for what is worth preparing only when a shadow runs.
    pub fn context<V: Serialize, F: FnOnce() -> V>(
        self,
        context: F,
    ) -> PlannedCall<T, E, impl FnOnce(&mut Capture) -> fmt::Result + use<T, E, C, V, F>> {
        let Self { route, permit, key, key_text, waits, context: _ } = self;
        let context = Contained::new(context);
        let context = move |out: &mut Capture| out.json(&context.into_inner()());
        PlannedCall { route, permit, key, key_text, waits, context }
    }
}

impl<T, E, C> PlannedCall<T, E, C>
where
    T: Clone,
    C: FnOnce(&mut Capture) -> fmt::Result,
{
    /// Runs the side that serves. Beside its answer comes the shadow to start, if one is to run: none after a panic.
    ///
    /// The call is counted from the first poll on. Dropped half way it counts as abandoned.
    ///
    /// # Panics
    /// When the future panics.
    pub async fn serve<S>(self, served: S) -> (Result<T, E>, Option<DetachedShadow<T, E, C>>)
    where
        S: Future<Output = Result<T, E>>,
    {
        if self.has_shadow() {
            return self.serve_first(served).await;
        }
        (self.serve_alone(served).await, None)
    }

    async fn serve_alone(self, served: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let Self { route, permit, key, waits, .. } = self;
        if permit.owner.is_heard() {
            let mut books = permit.open(route, key);
            let end = alone(&mut books, route.serve, Slot::new(served)).await;
            take_off(&mut books, waits.as_ref());
            books.close_alone();
            return end.into_answer();
        }
        let Some(new_side_of) = permit.owner.mark_of(route.serve) else { return served.await };
        let mut served = pin!(Slot::new(served));
        poll_fn(|cx| served.as_mut().poll(cx, Some(new_side_of))).await.into_answer()
    }

    async fn serve_first<S>(self, served: S) -> (Result<T, E>, Option<DetachedShadow<T, E, C>>)
    where
        S: Future<Output = Result<T, E>>,
    {
        let Self { route, permit, key, key_text, waits, context } = self;
        let core = Arc::clone(&permit.owner.0);
        let mut books = permit.open(route, key);
        books.rest(route.serve.other());
        let end = alone(&mut books, route.serve, Slot::new(served)).await;
        take_off(&mut books, waits.as_ref());
        if end.outcome() == Outcome::Panicked {
            let mut ends = Ends::none();
            ends.set(route.serve, end);
            core.judge.settle(&mut books, &ends.pair(), |_| key_text, context);
            return (ends.take(route.serve).into_answer(), None);
        }
        let left = core.judge.leave(&core.shared, &end);
        let shadow = left.map(|left| DetachedShadow { call: Detached { books, left, key: key_text, context } });
        (end.into_answer(), shadow)
    }
}

/// Takes off the time of the side that served what it waited for its caller.
fn take_off<T, E>(books: &mut Books<Owner<T, E>>, waits: Option<&Waits>) {
    books.take_off(books.route.serve, waits.map_or(0, Waits::nanos));
}

/// The shadow of a call that has been answered, still to be started.
///
/// Dropped, the shadow does not run, and the call counts as abandoned: for what turns out to be impossible only when the
/// answer is there.
#[must_use = "dropping a shadow abandons it"]
pub struct DetachedShadow<T, E, C = Silent> {
    call: Detached<T, E, C>,
}

impl<T, E, C> DetachedShadow<T, E, C> {
    /// The side that runs as the shadow.
    pub fn side(&self) -> Side {
        self.call.books.route.serve.other()
    }
}

impl<T, E, C> DetachedShadow<T, E, C>
where
    T: Send + 'static,
    E: Send + 'static,
    C: FnOnce(&mut Capture) -> fmt::Result + Send + 'static,
{
    /// Starts the shadow on the runner's runtime. It is compared and counted there.
    pub fn start<H>(self, shadow: H)
    where
        H: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.call.spawn(Slot::new(shadow), None::<Contained<Ready<()>>>);
    }

    /// As [`start`](Self::start). When both sides have returned a value, `gather` runs to its end before the two are
    /// compared.
    ///
    /// For values that are there before they are whole, such as a response whose body still streams: sides are timed
    /// to their first answer, and `gather` waits for the rest. It belongs to no side's time. When the rest of the
    /// shadow's [timeout](super::ShadowPolicy::timeout) is over, it is dropped, and the values are compared as they are.
    /// Its panic is contained, and counted as a fault of a [capture](crate::observe::Part::Capture).
    pub fn start_and_gather<H, G>(self, shadow: H, gather: G)
    where
        H: Future<Output = Result<T, E>> + Send + 'static,
        G: Future<Output = ()> + Send + 'static,
    {
        self.call.spawn(Slot::new(shadow), Some(Contained::new(gather)));
    }
}

impl<T, E, C> fmt::Debug for PlannedCall<T, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedCall")
            .field("runner", &self.permit.owner.name)
            .field("route", &self.route)
            .field("has_shadow", &self.has_shadow())
            .finish_non_exhaustive()
    }
}

impl<T, E, C> fmt::Debug for DetachedShadow<T, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedShadow")
            .field("runner", &self.call.books.shared.name)
            .field("side", &self.side())
            .finish_non_exhaustive()
    }
}
