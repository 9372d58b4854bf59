//! How this crate takes its locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic elsewhere.
///
/// Nothing of another's code (model, input) runs under our locks, and each change under them is complete
/// before anything that could panic; so what a poisoned lock guards is as sound as before.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
