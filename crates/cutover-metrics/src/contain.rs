//! Keeps panics of the host's code where they happen.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs foreign code; `None` if it panicked. Callers look at nothing that it may have left half done.
pub(crate) fn contained<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(foreign)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            if let Err(hostile) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                // Dropping a payload whose destructor panics only makes the next one: it is leaked instead.
                std::mem::forget(hostile);
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hostile;

    impl Drop for Hostile {
        fn drop(&mut self) {
            std::panic::panic_any(Self);
        }
    }

    #[test]
    fn a_panic_ends_here_whatever_it_carries() {
        assert_eq!(contained(|| 7), Some(7));
        assert_eq!(contained(|| -> u32 { panic!("planned") }), None);
        assert_eq!(contained(|| -> u32 { std::panic::panic_any(Hostile) }), None);
    }
}
