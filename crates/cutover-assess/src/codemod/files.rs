//! [`Files`]: the few things that are done to a disk, so that tests can let each of them fail; [`Disk`] does them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What edits, journals and undo ask of a disk. Nothing lasts through a loss of power before it is synced: neither what is
/// in a file, nor which names a folder has.
pub(crate) trait Files {
    /// The regular file at `path`, which is no link.
    fn read(&self, path: &Path) -> io::Result<Content>;
    /// Writes a new file, with the owner of `like`. Fails if there is one.
    fn create(&self, path: &Path, content: &Content, like: Option<&Path>) -> io::Result<()>;
    /// Writes behind what is in a file.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Makes what is in a file last.
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// Gives a file another name, in one step, in the place of the file that had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file, if there is one.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder last.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The bytes of a file, and who may do what with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mode: Mode,
}

/// The permissions of a file: the mode bits of Unix; elsewhere whether it is writable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Mode(pub(crate) u32);

impl Mode {
    /// For its owner alone: journals hold what files hold.
    pub(super) const PRIVATE: Self = Self(0o600);
    /// For all to read: what is meant to be committed.
    pub(crate) const SHARED: Self = Self(0o644);

    #[cfg(unix)]
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        Self(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777)
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        Self(if metadata.permissions().readonly() { 0o400 } else { 0o600 })
    }

    pub(super) const fn is_read_only(self) -> bool {
        self.0 & 0o222 == 0
    }

    #[cfg(unix)]
    fn give(self, file: &File) -> io::Result<()> {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(self.0))
    }

    /// What is written is writable: read-only files are not edited.
    #[cfg(not(unix))]
    fn give(self, _file: &File) -> io::Result<()> {
        Ok(())
    }
}

/// The file system of this machine.
#[derive(Debug)]
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Content> {
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        Ok(Content { bytes: fs::read(path)?, mode: Mode::of(&metadata) })
    }

    fn create(&self, path: &Path, content: &Content, like: Option<&Path>) -> io::Result<()> {
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
        file.write_all(&content.bytes)?;
        // The owner first: a change of the owner takes bits of the mode away.
        like.map_or(Ok(()), |like| keep_owner(&file, like))?;
        content.mode.give(&file)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.write_all(bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Folders cannot be opened there.
    #[cfg(not(unix))]
    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, Mode::PRIVATE.0)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn keep_owner(file: &File, like: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (own, theirs) = (file.metadata()?, fs::symlink_metadata(like)?);
    if (own.uid(), own.gid()) == (theirs.uid(), theirs.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(theirs.uid()), Some(theirs.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _like: &Path) -> io::Result<()> {
    Ok(())
}
