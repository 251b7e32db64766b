//! Small files that are replaced whole, and folders that are copied.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;

use crate::HostError;

/// Work on files, on a thread that may block. It keeps the system's turn until it is done, also when nobody waits any more.
pub(super) async fn blocking<T: Send + 'static>(
    turn: OwnedMutexGuard<()>,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
    failed: &'static str,
) -> Result<T, HostError> {
    let done = spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    match done.await {
        Ok(done) => done.map_err(|error| HostError::with_source(failed, error)),
        Err(stopped) => Err(HostError::with_source(failed, stopped)),
    }
}

/// Replaces a file as a whole: whoever reads it sees the old text or the new one, also after a crash.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    fs::File::open(folder)?.sync_all()
}

/// The text of a file; `None` where there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies a folder with all that is in it. What is neither a file nor a folder is refused.
pub(super) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
            fs::File::open(&target)?.sync_all()?;
        } else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "neither a file nor a folder"));
        }
    }
    fs::File::open(to)?.sync_all()
}

/// Removes a folder with all that is in it. One that is not there is no error.
pub(super) fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
