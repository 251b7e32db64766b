//! Knows whether this thread is inside the new side of a runner, so that a runner never feeds itself.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// How many new sides are being polled on this thread, one inside the other: the quick answer for most calls.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Whose new sides they are, outermost first.
    static INSIDE: RefCell<Vec<RunnerId>> = const { RefCell::new(Vec::new()) };
}

/// Tells runners apart; never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunnerId(u64);

impl RunnerId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether the caller runs inside this runner's own new side.
    #[inline]
    pub(super) fn is_inside(self) -> bool {
        DEPTH.with(Cell::get) > 0 && INSIDE.try_with(|inside| inside.borrow().contains(&self)).unwrap_or(false)
    }

    /// Marks the thread until the guard is dropped, which must happen before the poll returns.
    #[inline]
    pub(super) fn enter(self) -> Inside {
        // In the destructor of another thread-local there may be no list any more; then nobody is marked.
        INSIDE.try_with(|inside| inside.borrow_mut().push(self)).ok();
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        Inside(())
    }
}

/// While it lives, the thread is inside a new side.
#[derive(Debug)]
pub(super) struct Inside(());

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get().saturating_sub(1)));
        INSIDE.try_with(|inside| inside.borrow_mut().pop()).ok();
    }
}
