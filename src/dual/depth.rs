//! Knows whether this thread is inside the new side of a runner, so that a runner never feeds itself.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// Whose new side is being polled on this thread, innermost.
    static INSIDE: Cell<Option<RunnerId>> = const { Cell::new(None) };
    /// Whose new sides that one is in, outermost first: empty for most calls.
    static OUTER: RefCell<Vec<RunnerId>> = const { RefCell::new(Vec::new()) };
}

/// Tells runners apart; never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunnerId(NonZeroU64);

impl RunnerId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NonZeroU64::MIN.saturating_add(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Whether the caller runs inside this runner's own new side.
    #[inline]
    pub(super) fn is_inside(self) -> bool {
        INSIDE.get().is_some_and(|innermost| innermost == self || self.is_outer())
    }

    #[cold]
    fn is_outer(self) -> bool {
        OUTER.try_with(|outer| outer.borrow().contains(&self)).unwrap_or(false)
    }

    /// Marks the thread until the guard is dropped, which must happen before the poll returns.
    #[inline]
    pub(super) fn enter(self) -> Inside {
        let outer = INSIDE.replace(Some(self));
        if let Some(outer) = outer {
            outer.go_out();
        }
        Inside { outer }
    }

    /// In the destructor of another thread-local there may be no list any more; then nobody is marked.
    #[cold]
    fn go_out(self) {
        OUTER.try_with(|outer| outer.borrow_mut().push(self)).ok();
    }
}

/// While it lives, the thread is inside a new side.
#[derive(Debug)]
pub(super) struct Inside {
    outer: Option<RunnerId>,
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        INSIDE.set(self.outer);
        if self.outer.is_some() {
            come_back();
        }
    }
}

#[cold]
fn come_back() {
    OUTER.try_with(|outer| outer.borrow_mut().pop()).ok();
}
