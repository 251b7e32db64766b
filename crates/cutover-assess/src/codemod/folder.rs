//! The folder of the journals: its lock, and the names in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::CodemodError;
use super::files::{Disk, Files};
use super::journal::{Journal, JournalState};

/// The folder below the root that holds the journals, and a lock while one of them is written or followed. It tells git to
/// ignore it.
pub const FOLDER: &str = ".cutover";

/// The folder, locked: no other process edits below the root meanwhile.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and locks it.
    pub(super) fn lock(root: &Path) -> Result<Self, CodemodError> {
        let path = root.join(FOLDER);
        make(root, &path).map_err(CodemodError::io(&path))?;
        let file = path.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&file);
        let lock = lock.map_err(CodemodError::io(&file))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(CodemodError::Busy { folder: path }),
            Err(TryLockError::Error(source)) => Err(CodemodError::Io { path: file, source }),
        }
    }

    /// A name that no journal has had yet.
    ///
    /// # Errors
    /// [`CodemodError::Interrupted`] while an earlier run has to be recovered.
    pub(super) fn next(&self, root: &Path) -> Result<PathBuf, CodemodError> {
        for journal in Journal::all(root)? {
            if journal.state() == JournalState::Interrupted {
                return Err(CodemodError::Interrupted { journal: journal.path().to_owned() });
            }
        }
        let last = journals(root)?.iter().filter_map(|path| number(path)).max().unwrap_or(0);
        Ok(self.path.join(format!("{:04}.journal", last + 1)))
    }
}

fn make(root: &Path, folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    if !fs::symlink_metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n")?;
        Disk.sync_folder(root)?;
    }
    Ok(())
}

/// The journals of a root, oldest first.
pub(super) fn journals(root: &Path) -> Result<Vec<PathBuf>, CodemodError> {
    let folder = root.join(FOLDER);
    let read = || match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>(),
    };
    let mut journals = read().map_err(CodemodError::io(&folder))?;
    journals.retain(|path| number(path).is_some());
    journals.sort_by_key(|path| number(path));
    Ok(journals)
}

fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".journal")?.parse().ok()
}
