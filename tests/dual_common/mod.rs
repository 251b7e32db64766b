//! What the tests of the dual runner share: panics that a test planned, told apart from those it did not.

use std::panic::{panic_any, set_hook, take_hook};
use std::sync::Once;

use cutover::dual::Counts;

/// The payload of a planned panic. A hostile one panics again when it is dropped, then no more.
pub(crate) struct Planned {
    pub(crate) id: u64,
    pub(crate) hostile: bool,
}

impl Planned {
    /// Panics with this payload.
    pub(crate) fn throw(id: u64, hostile: bool) -> ! {
        panic_any(Self { id, hostile })
    }
}

impl Drop for Planned {
    fn drop(&mut self) {
        if self.hostile {
            Self::throw(self.id, false);
        }
    }
}

/// Keeps planned panics off the terminal; all others are shown as ever.
pub(crate) fn silence_planned_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let shown = take_hook();
        set_hook(Box::new(move |info| {
            if !info.payload().is::<Planned>() {
                shown(info);
            }
        }));
    });
}

/// Every selected call has ended, in exactly one column.
pub(crate) fn assert_settled(counts: &Counts, of: &str) {
    assert_eq!((counts.selected, counts.in_flight()), (counts.ended(), 0), "{of}: {counts:?}");
}
