//! Captures: the host's functions that turn values into text for discrepancies.

use std::fmt;

use super::end::View;
use super::shared::Shared;
use crate::contain::{contain_quietly, panic_text};
use crate::observe::Part;
use crate::record::{Capture, Captured};

pub(super) type CaptureFn<V> = Box<dyn Fn(&V, &mut Capture) -> fmt::Result + Send + Sync>;

/// Which values reach discrepancies, and how. By default none.
pub(super) struct Captures<T, E> {
    pub(super) value: Option<CaptureFn<T>>,
    pub(super) error: Option<CaptureFn<E>>,
    pub(super) panics: bool,
    pub(super) key: bool,
    pub(super) differences: bool,
    /// Bytes per captured text.
    pub(super) limit: usize,
}

impl<T, E> Default for Captures<T, E> {
    fn default() -> Self {
        Self { value: None, error: None, panics: false, key: false, differences: false, limit: Capture::DEFAULT_LIMIT }
    }
}

impl<T, E> Captures<T, E> {
    /// What a discrepancy shows of one side.
    pub(super) fn side(&self, shared: &Shared, side: &View<'_, T, E>) -> Option<Captured> {
        match side {
            View::Ok(value) => self.capture(shared, self.value.as_ref()?, value),
            View::Err(error) => self.error(shared, error),
            View::ErrLeft(traces) => traces.captured.clone(),
            View::Panicked(payload) if self.panics => {
                self.written(shared, |out| fmt::Write::write_str(out, panic_text(payload)))
            }
            View::Panicked(_) | View::TimedOut | View::Abandoned => None,
        }
    }

    pub(super) fn error(&self, shared: &Shared, error: &E) -> Option<Captured> {
        self.capture(shared, self.error.as_ref()?, error)
    }

    fn capture<V>(&self, shared: &Shared, write: &CaptureFn<V>, value: &V) -> Option<Captured> {
        self.written(shared, |out| write(value, out))
    }

    /// Runs a host's function that writes, contained and cut at the limit.
    pub(super) fn written(&self, shared: &Shared, write: impl FnOnce(&mut Capture) -> fmt::Result) -> Option<Captured> {
        let mut out = Capture::with_limit(self.limit);
        let done = contain_quietly(|| write(&mut out));
        if matches!(done, Ok(Ok(()))) || (done.is_ok() && out.is_truncated()) {
            return Some(out.finish());
        }
        shared.fault(Part::Capture);
        None
    }
}
