//! A place for one side's future: polls it and drops it without letting a panic out.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::mem::needs_drop;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::depth::RunnerId;
use super::end::End;
use crate::contain::{contain, contain_quietly, discard};

/// A foreign value on its way to where it is used. If it never gets there, its destructor's panic ends here.
pub(super) struct Contained<V>(Option<V>);

impl<V> Contained<V> {
    #[inline(always)]
    pub(super) const fn new(value: V) -> Self {
        Self(Some(value))
    }

    pub(super) const fn get(&self) -> Option<&V> {
        self.0.as_ref()
    }

    #[inline]
    pub(super) fn take(&mut self) -> Option<V> {
        self.0.take()
    }

    #[inline(always)]
    pub(super) fn into_inner(mut self) -> V {
        self.0.take().unwrap_or_else(|| unreachable!("a value is taken out once"))
    }
}

impl<V> Drop for Contained<V> {
    #[inline]
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            discard(value);
        }
    }
}

/// One side on its way, pinned by its owner. Dropping the slot drops the future, contained.
pub(super) struct Slot<'p, F> {
    future: Pin<&'p mut Option<F>>,
}

impl<'p, F> Slot<'p, F> {
    #[inline(always)]
    pub(super) const fn new(future: Pin<&'p mut Option<F>>) -> Self {
        Self { future }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.future.is_none()
    }

    /// Drops the future, if it is still there.
    #[inline]
    pub(super) fn clear(&mut self) {
        let harmless = !needs_drop::<F>() || self.future.is_none();
        if harmless || contain_quietly(|| self.future.set(None)).is_err() {
            self.future.set(None);
        }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> Slot<'_, F> {
    /// Polls the future once, with the thread marked as inside the new side of `new_side_of`; when it has ended, it is
    /// dropped. An empty slot stays pending.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, new_side_of: Option<RunnerId>) -> Poll<End<T, E>> {
        let Some(future) = self.future.as_mut().as_pin_mut() else { return Poll::Pending };
        let inside = new_side_of.map(RunnerId::enter);
        let polled = contain(|| future.poll(cx));
        drop(inside);
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(answer)) => Ok(answer),
            Err(payload) => Err(payload),
        };
        self.clear();
        Poll::Ready(End::of(ended))
    }
}

impl<F> Drop for Slot<'_, F> {
    #[inline]
    fn drop(&mut self) {
        self.clear();
    }
}
