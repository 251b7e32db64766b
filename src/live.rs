//! [`Live`]: a shared value that is replaced as a whole while readers go on without a lock.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::LocalKey;

use crate::lock::lock;

/// A value that many threads read and few replace.
///
/// Every thread keeps the value it read last. A read is one atomic load and a look into the thread's own cache: no lock
/// and no allocation. After a swap each thread takes the lock once. A thread that stops reading keeps its last value
/// until it ends or reads another `Live` of this type anew after this one is gone.
pub(crate) struct Live<T> {
    /// Never used twice in a process, so that equal stamps mean the same value of the same `Live`.
    stamp: AtomicU64,
    current: Mutex<Arc<T>>,
    writer: Mutex<()>,
    slot: usize,
    alive: Arc<()>,
}

/// A type of values that threads cache. A thread-local variable cannot be generic, so each type brings its own:
///
/// ```text
/// thread_local!(static CACHE: Cache<Snapshot> = const { Cache::new() });
/// ```
pub(crate) trait Cacheable: Send + Sync + Sized + 'static {
    fn cache() -> &'static LocalKey<Cache<Self>>;
}

/// The values of one type that a thread has read.
pub(crate) struct Cache<T>(RefCell<[Option<Cached<T>>; SLOTS]>);

impl<T> Cache<T> {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new([const { None }; SLOTS]))
    }
}

impl<T: Cacheable> Live<T> {
    pub(crate) fn new(value: T) -> Self {
        let stamp = next_stamp();
        Self {
            stamp: AtomicU64::new(stamp),
            current: Mutex::new(Arc::new(value)),
            writer: Mutex::new(()),
            slot: NEXT_SLOT.fetch_add(1, Ordering::Relaxed) % SLOTS,
            alive: Arc::new(()),
        }
    }

    /// Runs `look` on the current value. `look` may read this or another `Live` again.
    #[inline]
    pub(crate) fn read<R>(&self, look: impl Fn(&T) -> R) -> R {
        self.peek(&look).unwrap_or_else(|| look(&self.read_anew()))
    }

    /// As [`read`](Self::read), when this thread has the current value at hand.
    #[expect(clippy::inline_always, reason = "what `look` does is known where this is called, and nowhere else")]
    #[inline(always)]
    pub(crate) fn peek<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let stamp = self.stamp.load(Ordering::Acquire);
        let peek = |cache: &Cache<T>| {
            let slots = cache.0.try_borrow().ok()?;
            let entry = slots.get(self.slot)?.as_ref().filter(|entry| entry.stamp == stamp)?;
            Some(look(&entry.value))
        };
        T::cache().try_with(peek).ok().flatten()
    }

    /// The current value, to keep.
    pub(crate) fn get(&self) -> Arc<T> {
        Arc::clone(&lock(&self.current))
    }

    /// Replaces the value by what `change` makes of it. Changes run one after the other, so that none is lost; a
    /// refused one leaves everything as it was. `change` must not change this value again.
    pub(crate) fn update<E>(&self, change: impl FnOnce(&T) -> Result<T, E>) -> Result<(), E> {
        let _one_at_a_time = lock(&self.writer);
        let before = self.get();
        let after = Arc::new(change(&before)?);
        let mut current = lock(&self.current);
        *current = after;
        self.stamp.store(next_stamp(), Ordering::Release);
        drop(current);
        Ok(())
    }

    #[cold]
    fn read_anew(&self) -> Arc<T> {
        let current = lock(&self.current);
        let (value, stamp) = (Arc::clone(&current), self.stamp.load(Ordering::Acquire));
        drop(current);
        self.remember(Arc::clone(&value), stamp);
        value
    }

    /// Caches the value unless this thread is ending or in the middle of another read. What it displaces is dropped
    /// last, when the cache can be used again.
    fn remember(&self, value: Arc<T>, stamp: u64) {
        let entry = Cached { stamp, value, owner: Arc::downgrade(&self.alive) };
        let displaced = T::cache().try_with(|cache| {
            let mut slots = cache.0.try_borrow_mut().ok()?;
            let mut displaced = take_orphans(&mut *slots);
            displaced.extend(slots.get_mut(self.slot).and_then(|slot| slot.replace(entry)));
            Some(displaced)
        });
        drop(displaced);
    }
}

/// Takes out the values whose `Live` is gone.
fn take_orphans<T>(slots: &mut [Option<Cached<T>>]) -> Vec<Cached<T>> {
    let orphaned = |entry: &mut Cached<T>| entry.owner.strong_count() == 0;
    slots.iter_mut().filter_map(|slot| slot.take_if(orphaned)).collect()
}

struct Cached<T> {
    stamp: u64,
    value: Arc<T>,
    owner: Weak<()>,
}

fn next_stamp() -> u64 {
    NEXT_STAMP.fetch_add(1, Ordering::Relaxed)
}

/// How many values a thread keeps at most. Two `Live`s that share a slot stay correct; they displace each other.
const SLOTS: usize = 128;

static NEXT_STAMP: AtomicU64 = AtomicU64::new(1);
static NEXT_SLOT: AtomicUsize = AtomicUsize::new(0);

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;
    use std::convert::Infallible;
    use std::thread;

    use super::*;

    macro_rules! cacheable {
        ($($kind:ty),*) => {$(
            impl Cacheable for $kind {
                fn cache() -> &'static LocalKey<Cache<Self>> {
                    thread_local!(static CACHE: Cache<$kind> = const { Cache::new() });
                    &CACHE
                }
            }
        )*};
    }

    cacheable!(i32, u32, u64, Arc<()>);

    fn set<T: Cacheable>(live: &Live<T>, value: T) {
        live.update(|_| Ok::<_, Infallible>(value)).unwrap();
    }

    #[test]
    fn a_read_sees_the_last_swap() {
        let live = Live::new(1);
        assert_eq!(live.read(|n| *n), 1);
        set(&live, 2);
        assert_eq!(live.read(|n| *n), 2);
        thread::scope(|scope| scope.spawn(|| set(&live, 3)).join().unwrap());
        assert_eq!(live.read(|n| *n), 3);
    }

    #[test]
    fn a_refused_change_leaves_the_value() {
        let live = Live::new(1);
        assert_eq!(live.update(|_| Err::<i32, _>("no")), Err("no"));
        assert_eq!(live.read(|n| *n), 1);
    }

    #[test]
    fn no_change_is_lost_between_writers() {
        let live = Live::new(0_u32);
        let slow_count = |n: &u32| {
            thread::yield_now();
            Ok::<_, Infallible>(n + 1)
        };
        let count = || (0..200).for_each(|_| live.update(slow_count).unwrap());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(count);
            }
        });
        assert_eq!(live.read(|n| *n), 800);
    }

    #[test]
    fn a_steady_reader_takes_no_lock() {
        let live = Live::new(7);
        assert_eq!(live.read(|n| *n), 7);
        let _held = lock(&live.current);
        assert_eq!(live.read(|n| *n), 7);
    }

    #[test]
    fn a_read_inside_a_read_sees_a_swap_made_there() {
        let (outer, inner) = (Live::new(1), Live::new(10));
        let seen = outer.read(|a| {
            set(&outer, 2);
            set(&inner, 20);
            (*a, outer.read(|n| *n), inner.read(|n| *n))
        });
        assert_eq!(seen, (1, 2, 20));
        assert_eq!(outer.read(|n| *n), 2);
    }

    #[test]
    fn values_of_dropped_lives_are_let_go_when_anything_is_read_anew() {
        let value = Arc::new(());
        let gone = Live::new(Arc::clone(&value));
        gone.read(|_| ());
        drop(gone);
        assert_eq!(Arc::strong_count(&value), 2);
        Live::new(Arc::new(())).read(|_| ());
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn lives_that_share_a_slot_never_mix() {
        let lives: Vec<Live<u64>> = (0..1_000).map(Live::new).collect();
        for _ in 0..2 {
            for (expected, live) in (0..).zip(&lives) {
                assert_eq!(live.read(|n| *n), expected);
            }
        }
    }

    #[test]
    fn a_value_whose_drop_reads_again_is_no_trouble() {
        struct ReadsOnDrop(Arc<Live<u32>>);
        impl Drop for ReadsOnDrop {
            fn drop(&mut self) {
                assert_eq!(self.0.read(|n| *n), 5);
            }
        }
        cacheable!(ReadsOnDrop);
        let other = Arc::new(Live::new(5));
        let live = Live::new(ReadsOnDrop(Arc::clone(&other)));
        live.read(|_| ());
        set(&live, ReadsOnDrop(other));
        live.read(|_| ());
    }

    #[test]
    fn reading_works_while_the_thread_is_ending() {
        struct AtTheEnd(Arc<Live<u32>>, Arc<AtomicU64>);
        impl Drop for AtTheEnd {
            fn drop(&mut self) {
                self.1.store(self.0.read(|n| u64::from(*n)), Ordering::SeqCst);
            }
        }
        thread_local!(static END: OnceCell<AtTheEnd> = const { OnceCell::new() });
        let (live, seen) = (Arc::new(Live::new(9)), Arc::new(AtomicU64::new(0)));
        for cache_first in [true, false] {
            let end = AtTheEnd(Arc::clone(&live), Arc::clone(&seen));
            let run = move || {
                let reader = Arc::clone(&end.0);
                cache_first.then(|| reader.read(|_| ()));
                END.with(|slot| slot.set(end).map_err(drop).unwrap());
                reader.read(|_| ());
            };
            thread::spawn(run).join().unwrap();
            assert_eq!(seen.swap(0, Ordering::SeqCst), 9);
        }
    }
}
