//! Waiting for the end of a store that was dropped.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Waits until nobody has the file open: the last one to close it removes its log.
pub(crate) fn wait_until_closed(path: &Path) {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let closed = (0..5_000).any(|_| {
        thread::park_timeout(Duration::from_millis(1));
        !log.exists()
    });
    assert!(closed, "{} is still open", path.display());
}
