//! Keeps foreign panics where they happen, those of destructors and panic payloads included.
#![expect(clippy::inline_always, reason = "a quiet call costs a third less when it is inlined whole")]

use std::any::Any;
use std::mem::needs_drop;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carried.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs foreign code; a panic comes back as its payload.
///
/// Callers look at nothing that the closure may have left half done, hence the asserted unwind safety.
#[inline(always)]
pub(crate) fn contain<R>(foreign: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(foreign))
}

/// As [`contain`], for callers who need to know only that it panicked.
#[inline(always)]
pub(crate) fn contain_quietly<R>(foreign: impl FnOnce() -> R) -> Result<R, Panicked> {
    contain(foreign).map_err(|payload| {
        discard(payload);
        Panicked
    })
}

/// The fact of a contained panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Drops a foreign value. A panic of its destructor ends here; so does one of the payload that panic carries.
#[inline(always)]
pub(crate) fn discard<T>(value: T) {
    if !needs_drop::<T>() {
        return;
    }
    if let Err(payload) = contain(|| drop(value)) {
        if let Err(hostile) = contain(|| drop(payload)) {
            // Dropping a payload whose destructor panics only makes the next one: it is leaked instead.
            std::mem::forget(hostile);
        }
    }
}

/// The text of a panic, for those who asked to keep it.
pub(crate) fn panic_text(payload: &Payload) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hostile(u32);

    impl Drop for Hostile {
        fn drop(&mut self) {
            if self.0 > 0 {
                std::panic::panic_any(Self(self.0 - 1));
            }
        }
    }

    #[test]
    fn a_payload_whose_drop_panics_ends_here() {
        discard(Hostile(1));
        discard(Hostile(2));
        discard(Hostile(3));
        assert_eq!(contain_quietly(|| std::panic::panic_any(Hostile(2))), Err(Panicked));
    }

    #[test]
    fn the_text_of_a_panic_is_kept() {
        assert_eq!(contain(|| panic!("plain")).map_err(|p| panic_text(&p).to_owned()), Err::<(), _>("plain".into()));
        assert_eq!(contain(|| panic!("{}", 7)).map_err(|p| panic_text(&p).to_owned()), Err::<(), _>("7".into()));
    }
}
