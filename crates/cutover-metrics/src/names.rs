//! [`Names`]: what is counted for each name, of which there are at most so many.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The name of all that came too late or whose name is too long.
pub(crate) const OTHER: &str = "other";

/// The longest name, in bytes: twice that of a migration id.
pub(crate) const LONGEST: usize = 128;

/// What is counted for each pair of a migration and a runner. Nothing is ever taken out.
///
/// Looking up a name that is there takes no lock and allocates nothing. A new name takes a lock once; those beyond the limit
/// take none.
pub(crate) struct Names<T> {
    /// Open addressing, at most half full.
    slots: Box<[OnceLock<Box<Entry<T>>>]>,
    taken: AtomicUsize,
    most: usize,
    adding: Mutex<()>,
    other: OnceLock<Box<Entry<T>>>,
    unnamed: AtomicU64,
}

/// What is counted for a name. It is made once for each.
pub(crate) trait Series {
    fn new(labels: &Labels) -> Self;
}

/// Under which names something is told.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    pub(crate) migration: Arc<str>,
    pub(crate) runner: Arc<str>,
}

struct Entry<T> {
    hash: u64,
    labels: Labels,
    series: T,
}

impl<T: Series> Names<T> {
    /// Room for `most` names.
    pub(crate) fn new(most: usize) -> Self {
        let slots = (2 * most).next_power_of_two();
        Self {
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            taken: AtomicUsize::new(0),
            most,
            adding: Mutex::new(()),
            other: OnceLock::new(),
            unnamed: AtomicU64::new(0),
        }
    }

    /// What is counted for this pair, or for all others.
    #[inline]
    pub(crate) fn get(&self, migration: &str, runner: &str) -> &T {
        self.named(migration, runner).unwrap_or_else(|| {
            self.unnamed.fetch_add(1, Ordering::Relaxed);
            &self.other.get_or_init(|| Box::new(Entry::new(0, OTHER, OTHER))).series
        })
    }

    /// What is counted for this pair; `None` if it counts among the others.
    #[inline]
    pub(crate) fn named(&self, migration: &str, runner: &str) -> Option<&T> {
        let hash = hash(migration, runner);
        self.find(hash, migration, runner).or_else(|| self.add(hash, migration, runner)).map(|entry| &entry.series)
    }

    /// Everything that is counted, the others last.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().chain([&self.other]).filter_map(OnceLock::get).map(|entry| &entry.series)
    }

    /// How often the others were asked for.
    pub(crate) fn unnamed(&self) -> u64 {
        self.unnamed.load(Ordering::Relaxed)
    }

    #[inline]
    fn find(&self, hash: u64, migration: &str, runner: &str) -> Option<&Entry<T>> {
        let is_it = |entry: &&Entry<T>| entry.is(hash, migration, runner);
        self.probe(hash).map_while(|slot| slot.get().map(|entry| &**entry)).find(is_it)
    }

    #[cold]
    fn add(&self, hash: u64, migration: &str, runner: &str) -> Option<&Entry<T>> {
        let fits = |name: &str| (1..=LONGEST).contains(&name.len());
        if !fits(migration) || !fits(runner) {
            return None;
        }
        if self.is_full() {
            // It may have come in as the last one since it was looked for.
            return self.find(hash, migration, runner);
        }
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = self.find(hash, migration, runner) {
            return Some(entry);
        }
        let free = self.probe(hash).find(|slot| slot.get().is_none()).filter(|_| !self.is_full())?;
        let entry = free.get_or_init(|| Box::new(Entry::new(hash, migration, runner)));
        self.taken.fetch_add(1, Ordering::Release);
        Some(entry)
    }

    /// Whoever reads `true` here finds every name that was taken in.
    fn is_full(&self) -> bool {
        self.taken.load(Ordering::Acquire) >= self.most
    }

    /// The slots in the order in which a name of this hash is looked for.
    #[inline]
    fn probe(&self, hash: u64) -> impl Iterator<Item = &OnceLock<Box<Entry<T>>>> {
        let mask = self.slots.len() - 1;
        let first = usize::try_from(hash >> 32).unwrap_or_default() & mask;
        let (before, from) = self.slots.split_at_checked(first).unwrap_or_default();
        from.iter().chain(before)
    }
}

impl<T: Series> Entry<T> {
    fn new(hash: u64, migration: &str, runner: &str) -> Self {
        let migration: Arc<str> = migration.into();
        let runner = if *migration == *runner { Arc::clone(&migration) } else { runner.into() };
        let labels = Labels { migration, runner };
        Self { hash, series: T::new(&labels), labels }
    }

    #[inline]
    fn is(&self, hash: u64, migration: &str, runner: &str) -> bool {
        self.hash == hash && *self.labels.runner == *runner && *self.labels.migration == *migration
    }
}

/// FNV-1a of both, mixed. Names come from the host's code, so nobody makes them collide.
#[inline]
fn hash(migration: &str, runner: &str) -> u64 {
    let of = |name: &str| {
        name.bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let runners = of(runner);
    let migrations = if std::ptr::eq(migration, runner) { runners } else { of(migration) };
    (runners ^ migrations.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair(String, AtomicU64);

    impl Series for Pair {
        fn new(labels: &Labels) -> Self {
            Self(format!("{}/{}", labels.migration, labels.runner), AtomicU64::new(0))
        }
    }

    fn count(names: &Names<Pair>, migration: &str, runner: &str) {
        names.get(migration, runner).1.fetch_add(1, Ordering::Relaxed);
    }

    fn counts(names: &Names<Pair>) -> Vec<(&str, u64)> {
        let mut counts: Vec<_> = names.all().map(|pair| (pair.0.as_str(), pair.1.load(Ordering::Relaxed))).collect();
        counts.sort_unstable();
        counts
    }

    #[test]
    fn each_pair_has_its_own_and_later_ones_share_one() {
        let names = Names::new(3);
        for (migration, runner) in [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b"), ("c", "c"), ("a", "b")] {
            count(&names, migration, runner);
        }
        assert_eq!(counts(&names), [("a/a", 1), ("a/b", 2), ("b/a", 1), ("other/other", 2)]);
        assert_eq!(names.unnamed(), 2);
    }

    #[test]
    fn a_name_is_found_by_its_text_wherever_it_stands() {
        let names = Names::new(8);
        let (one, two) = (String::from("price"), String::from("price"));
        count(&names, &one, &one);
        count(&names, &one, &two);
        assert_eq!(counts(&names), [("price/price", 2)]);
    }

    #[test]
    fn names_that_are_empty_or_too_long_are_others() {
        let names = Names::new(8);
        let (longest, longer) = ("x".repeat(LONGEST), "x".repeat(LONGEST + 1));
        for name in ["", &longest, &longer] {
            count(&names, name, name);
        }
        assert_eq!(names.unnamed(), 2);
        assert!(names.named(&longest, &longest).is_some());
    }

    #[test]
    fn threads_that_bring_the_same_names_at_once_lose_no_count() {
        for _ in 0..50 {
            let names = Names::new(40);
            let bring = || (0..60).for_each(|i| count(&names, "m", &format!("runner {i}")));
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(bring);
                }
            });
            let counts = counts(&names);
            assert_eq!(counts.len(), 41);
            assert!(
                counts.iter().all(|(name, count)| *count == if *name == "other/other" { names.unnamed() } else { 4 })
            );
            assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 240);
        }
    }

    #[test]
    fn threads_that_bring_the_last_name_at_once_all_count_under_it() {
        for round in 0..1_000 {
            let (names, start) = (Names::new(1), std::sync::Barrier::new(4));
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        start.wait();
                        count(&names, "m", "last");
                    });
                }
            });
            assert_eq!(counts(&names), [("m/last", 4)], "round {round}");
        }
    }

    #[test]
    fn one_place_is_enough_to_be_found_again() {
        let names = Names::new(1);
        count(&names, "a", "a");
        count(&names, "b", "b");
        count(&names, "a", "a");
        assert_eq!(counts(&names), [("a/a", 2), ("other/other", 1)]);
    }
}
