//! A place for one side's future: polls it and drops it without letting a panic out.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::mem::{forget, needs_drop};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::depth::RunnerId;
use super::end::End;
use crate::contain::{contain, contain_quietly, discard};
use crate::outcome::Outcome;

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

pin_project! {
    /// A place for one side's future. Dropping it drops the future, contained.
    pub(super) struct Slot<F> {
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Slot<F> {
        fn drop(this: Pin<&mut Self>) {
            this.clear();
        }
    }
}

impl<F> Slot<F> {
    #[inline(always)]
    pub(super) const fn new(future: F) -> Self {
        Self { future: Some(future) }
    }

    #[inline(always)]
    pub(super) const fn empty() -> Self {
        Self { future: None }
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.future.is_none()
    }

    /// Drops the future, if it is still there.
    #[inline]
    pub(super) fn clear(self: Pin<&mut Self>) {
        let mut future = self.project().future;
        let harmless = !needs_drop::<F>() || future.is_none();
        if harmless || contain_quietly(|| future.set(None)).is_err() {
            future.set(None);
        }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> Slot<F> {
    /// Polls the future once, with the thread marked as inside the new side of `new_side_of`; when it has ended, it is
    /// dropped. An empty slot stays pending.
    #[inline]
    pub(super) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, new_side_of: Option<RunnerId>) -> Poll<End<T, E>> {
        let mut end = None;
        ready!(self.poll_into(cx, new_side_of, &mut end));
        Poll::Ready(end.unwrap_or(End::Abandoned))
    }

    /// As [`poll`](Self::poll), but the end is put where it stays: whatever was there.
    #[inline]
    pub(super) fn poll_into(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        new_side_of: Option<RunnerId>,
        end: &mut Option<End<T, E>>,
    ) -> Poll<Outcome> {
        let Some(future) = self.as_mut().project().future.as_pin_mut() else { return Poll::Pending };
        let inside = new_side_of.map(RunnerId::enter);
        let polled = contain(|| future.poll(cx).map(|answer| End::put(answer, end)));
        drop(inside);
        let outcome = match polled {
            Ok(polled) => ready!(polled),
            Err(payload) => {
                *end = Some(End::Panicked(payload));
                Outcome::Panicked
            }
        };
        self.clear();
        Poll::Ready(outcome)
    }

    /// Polls the future as if there were no slot: its panics go on to the caller, and it is gone then.
    ///
    /// # Panics
    /// When the slot is empty, too.
    #[inline(always)]
    pub(super) fn poll_bare(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut side = Unwinding(self);
        let Some(future) = side.0.as_mut().project().future.as_pin_mut() else { ended() };
        let answer = match future.poll(cx) {
            Poll::Ready(answer) => answer,
            Poll::Pending => {
                forget(side);
                return Poll::Pending;
            }
        };
        side.0.as_mut().project().future.set(None);
        Poll::Ready(answer)
    }
}

#[cold]
#[expect(clippy::panic, reason = "as every future that is polled after it has ended")]
pub(super) fn ended() -> ! {
    panic!("`run` was polled after it had ended")
}

/// A slot that is emptied when a panic passes by.
struct Unwinding<'p, F>(Pin<&'p mut Slot<F>>);

impl<F> Drop for Unwinding<'_, F> {
    #[inline]
    fn drop(&mut self) {
        self.0.as_mut().clear();
    }
}
