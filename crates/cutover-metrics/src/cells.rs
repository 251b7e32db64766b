//! [`Cells`]: counts of a few things, side by side.

use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::metrics::AsyncInstrument;

/// What a metric is told to when it is asked for.
pub(crate) type Out<'a> = &'a dyn AsyncInstrument<u64>;

/// A count for each of `N` things.
pub(crate) struct Cells<const N: usize>([AtomicU64; N]);

impl<const N: usize> Cells<N> {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; N])
    }

    #[inline]
    pub(crate) fn count(&self, index: usize) {
        if let Some(cell) = self.0.get(index) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts beside what they count, in the same order.
    pub(crate) fn each<'a, K: 'a>(
        &'a self,
        keys: impl IntoIterator<Item = K> + 'a,
    ) -> impl Iterator<Item = (K, u64)> + 'a {
        keys.into_iter().zip(&self.0).map(|(key, cell)| (key, cell.load(Ordering::Relaxed)))
    }

    /// As [`each`](Self::each), for whole groups of `size` in which something was counted. A group is told with its zeros, so
    /// that the first of a kind is seen to be one more.
    pub(crate) fn told_groups<K: Copy>(&self, keys: impl IntoIterator<Item = K>, size: usize) -> Vec<(K, u64)> {
        let counts: Vec<_> = self.each(keys).collect();
        let is_told = |group: &&[(K, u64)]| group.iter().any(|(_, count)| *count > 0);
        counts.chunks(size).filter(is_told).flatten().copied().collect()
    }
}
