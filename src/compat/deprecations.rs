//! [`Deprecations`]: counts who uses what is old.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use super::deprecation::{DeclareError, Deprecation};
use super::report::{Caller, DeprecationReport};
use super::sites::{Place, Sites};
use crate::contain::{contain_quietly, discard};
use crate::lock::lock;

/// Counts the uses of what is old, by call site, and warns once for each of them through `tracing`.
///
/// It can be a static. The old function is `#[track_caller]`, so that the site is the one that calls *it*; without that
/// attribute, the old function is its own only caller.
///
/// ```
/// use cutover::Deprecations;
/// use cutover::compat::{Deprecation, Release};
///
/// const PRICE: Deprecation<'_> =
///     Deprecation::new("price").instead("quote").since(Release::new([2, 1])).remove_after(Release::new([2]));
/// static OLD: Deprecations = Deprecations::of(&[PRICE]);
///
/// #[track_caller]
/// fn price(cents: u32) -> u32 {
///     OLD.used(&PRICE);
///     quote(cents)
/// }
///
/// fn quote(cents: u32) -> u32 {
///     cents + cents * 19 / 100
/// }
///
/// for _ in 0..3 {
///     price(100); // warns once: `price` is deprecated, use `quote`
/// }
/// let report = OLD.report();
/// assert_eq!((report.call_sites(), report.uses()), (1, 3));
/// ```
///
/// # What counts as a call site
/// - File, line and column of the call. Calls in generic code, in loops and in recursion are one site, from all threads.
/// - A call through a function pointer or `dyn Trait` has the place at which the old function stands, since the compiler
///   does not know more.
/// - The body of an `async fn` is not where it is called. Count before the future is made, or hand the location over:
///
/// ```
/// # use cutover::{compat::Deprecation, Deprecations};
/// # static OLD: Deprecations = Deprecations::new();
/// #[track_caller]
/// fn fetch(id: u32) -> impl Future<Output = u32> {
///     OLD.used(&Deprecation::new("fetch"));
///     async move { id }
/// }
/// # drop(fetch(1));
/// # assert_eq!(OLD.report().call_sites(), 1);
/// ```
///
/// - What has no caller in code, such as a configuration key, is used in a place with a name, such as the file in which it
///   stands: [`used_in`](Self::used_in).
///
/// # What it costs
/// A site that is known: a hash, a search in a table that is never locked, and one atomic addition; no allocation. A new
/// site takes a lock and allocates. Memory is bounded by the [capacity](Self::capacity): 32 to 64 bytes for each site that
/// may come, allocated as a whole at the first use, and about 100 for each that came, with the names that the host gives.
/// Uses at further sites are counted as [`uncounted`](DeprecationReport::uncounted).
pub struct Deprecations {
    listed: &'static [Deprecation<'static>],
    capacity: usize,
    sites: OnceLock<Sites>,
    /// What is known, without callers; none until the listed ones are in it.
    known: Mutex<Option<DeprecationReport>>,
    uncounted: AtomicU64,
    warned_of_capacity: AtomicBool,
}

/// How many call sites are kept, unless the host says another number.
const CAPACITY: usize = 1_024;

/// The highest capacity: 2 MiB at the first use.
const MOST: usize = 65_536;

impl Deprecations {
    /// None yet: whatever is used is declared by its use.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(&[])
    }

    /// These. What is declared beforehand is in every report, used or not, and can be overdue without a caller.
    #[must_use]
    pub const fn of(listed: &'static [Deprecation<'static>]) -> Self {
        Self {
            listed,
            capacity: CAPACITY,
            sites: OnceLock::new(),
            known: Mutex::new(None),
            uncounted: AtomicU64::new(0),
            warned_of_capacity: AtomicBool::new(false),
        }
    }

    /// How many call sites are kept at most; the default is 1,024, and 65,536 is the limit.
    #[must_use]
    pub const fn capacity(mut self, sites: usize) -> Self {
        self.capacity = if sites < MOST { sites } else { MOST };
        self
    }

    /// Declares something old that has no constant, such as a configuration key. What is known of it may be declared in
    /// parts.
    ///
    /// # Errors
    /// [`DeclareError`] when it has no name, when facts differ from those that are known, or when it is to be gone before
    /// it is deprecated. Nothing has changed then.
    pub fn declare(&self, deprecation: &Deprecation<'_>) -> Result<(), DeclareError> {
        self.with_known(|known| known.learn(deprecation))
    }

    /// Counts a use at the place that called the caller of this.
    ///
    /// It never fails. What differs from known facts is found when a site is new, and stands in the report as a
    /// [problem](DeprecationReport::problems).
    #[track_caller]
    #[inline]
    pub fn used(&self, deprecation: &Deprecation<'_>) {
        self.used_at(deprecation, Location::caller());
    }

    /// As [`used`](Self::used), at a place in code that was found otherwise.
    pub fn used_at(&self, deprecation: &Deprecation<'_>, location: &'static Location<'static>) {
        self.count(deprecation, Place::Code(location));
    }

    /// Counts a use that has no place in code, in one that has a name: the file of a configuration key, the sender of an
    /// event. Names should be few, and the same on every machine; each is a call site.
    pub fn used_in(&self, deprecation: &Deprecation<'_>, place: &str) {
        self.count(deprecation, Place::Named(place));
    }

    /// Who has used what until now.
    ///
    /// Files are named with `/` between folders, and those of published crates from the name of the crate on. Names that
    /// the compiler gives in full stay so until [`DeprecationReport::relative_to`] shortens them.
    #[must_use]
    pub fn report(&self) -> DeprecationReport {
        let mut report = self.with_known(|known| known.clone());
        for (old, callers) in self.callers() {
            report.deprecated.entry(old.to_owned()).or_default().add(callers);
        }
        report.uncounted = self.uncounted.load(Ordering::Relaxed);
        report
    }

    fn callers(&self) -> BTreeMap<&str, Vec<Caller>> {
        let mut callers = BTreeMap::<_, Vec<_>>::new();
        for site in self.sites.get().into_iter().flat_map(Sites::iter) {
            callers.entry(&*site.old).or_default().push(site.to_caller());
        }
        callers
    }

    #[inline]
    fn count(&self, deprecation: &Deprecation<'_>, place: Place<'_>) {
        match self.sites.get().and_then(|sites| sites.find(deprecation.old, place)) {
            Some(site) => site.count(),
            None => self.count_anew(deprecation, place),
        }
    }

    #[cold]
    fn count_anew(&self, deprecation: &Deprecation<'_>, place: Place<'_>) {
        let sites = self.sites.get_or_init(|| Sites::new(self.capacity));
        let is_new = !sites.is_full() && self.admit(sites, deprecation, place);
        match sites.find(deprecation.old, place) {
            Some(site) => site.count(),
            None => self.count_beyond_capacity(),
        }
        if is_new {
            warn(deprecation, place);
        }
    }

    /// Makes a site and says so, unless another thread has made it or there is no room.
    fn admit(&self, sites: &Sites, deprecation: &Deprecation<'_>, place: Place<'_>) -> bool {
        self.with_known(|known| {
            let is_new = sites.find(deprecation.old, place).is_none() && sites.insert(deprecation.old, place);
            if is_new {
                known.learn_or_note(deprecation);
            }
            is_new
        })
    }

    fn count_beyond_capacity(&self) {
        self.uncounted.fetch_add(1, Ordering::Relaxed);
        if !self.warned_of_capacity.swap(true, Ordering::Relaxed) {
            let capacity = self.capacity;
            shielded(|| tracing::warn!(capacity, "uses of deprecated things at further call sites are not told apart"));
        }
    }

    /// One at a time. `look` calls nothing that is foreign.
    fn with_known<R>(&self, look: impl FnOnce(&mut DeprecationReport) -> R) -> R {
        let mut known = lock(&self.known);
        look(known.get_or_insert_with(|| listed(self.listed)))
    }
}

fn listed(deprecations: &[Deprecation<'_>]) -> DeprecationReport {
    let mut known = DeprecationReport::default();
    for deprecation in deprecations {
        known.learn_or_note(deprecation);
    }
    known
}

fn warn(deprecation: &Deprecation<'_>, place: Place<'_>) {
    let site = place.to_caller(0);
    let remove_after = deprecation.remove_after.map(tracing::field::display);
    shielded(|| tracing::warn!(%site, remove_after, "{deprecation}"));
}

/// Whoever listens is foreign: an old function does not break because its warning does.
fn shielded(speak: impl FnOnce()) {
    discard(contain_quietly(speak));
}

impl Default for Deprecations {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Deprecations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report();
        f.debug_struct("Deprecations")
            .field("deprecated", &report.deprecated.len())
            .field("call_sites", &report.call_sites())
            .field("uses", &report.uses())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Deprecation<'_> = Deprecation::new("price");

    #[test]
    fn a_known_site_takes_no_lock() {
        let old = Deprecations::new();
        for held in [false, true] {
            let _held = held.then(|| lock(&old.known));
            for _ in 0..3 {
                old.used(&PRICE);
                old.used_in(&PRICE, "the nightly job");
            }
        }
        assert_eq!((old.report().call_sites(), old.report().uses()), (2, 12));
    }

    #[test]
    fn a_use_beyond_the_capacity_takes_no_lock() {
        let old = Deprecations::new().capacity(1);
        old.used_in(&PRICE, "first");
        let held = lock(&old.known);
        old.used_in(&PRICE, "second");
        drop(held);
        assert_eq!(old.report().uncounted, 1);
    }

    #[test]
    fn a_panic_elsewhere_takes_nothing_away() {
        let old = Deprecations::new();
        let poison = || old.with_known(|_| panic!("elsewhere"));
        std::thread::scope(|scope| scope.spawn(poison).join().unwrap_err());
        old.used(&PRICE);
        assert_eq!(old.report().uses(), 1);
    }
}
