//! Locks that a panic elsewhere never takes away.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. What it guards is never left half changed while foreign code runs, so poison means nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
