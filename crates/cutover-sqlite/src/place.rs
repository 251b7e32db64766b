//! Where the file is, who may touch it, and how it comes into being.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::SqliteError;
use crate::schema;

/// The absolute path of the file. Its folder has no symbolic link in it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    file: PathBuf,
}

/// Tells a file from another one that has taken its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Place {
    pub(crate) fn new(path: &Path) -> Result<Self, SqliteError> {
        let no_name = || SqliteError::NoName { path: path.to_owned() };
        let name = path.file_name().ok_or_else(no_name)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let folder = fs::canonicalize(folder).map_err(|error| SqliteError::io(folder, error))?;
        let metadata = fs::metadata(&folder).map_err(|error| SqliteError::io(&folder, error))?;
        let file = folder.join(name);
        match mode(&metadata) {
            mode if mode & WRITABLE_BY_OTHERS != 0 => Err(SqliteError::SharedFolder { path: folder, mode }),
            _ => Ok(Self { file }),
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Which file is there now.
    ///
    /// It is looked at and never opened: closing any descriptor of a file drops the locks that SQLite holds on it in this
    /// process.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, SqliteError> {
        Ok(self.metadata()?.as_ref().map(Identity::of))
    }

    /// As [`identity`](Self::identity), and that it is a file to be trusted.
    pub(crate) fn check(&self) -> Result<Option<Identity>, SqliteError> {
        let Some(metadata) = self.metadata()? else { return Ok(None) };
        let (path, mode) = (self.file.clone(), mode(&metadata));
        if metadata.is_symlink() {
            return Err(SqliteError::SymbolicLink { path });
        }
        if !metadata.is_file() {
            return Err(SqliteError::NotAFile { path });
        }
        if mode & OPEN_TO_OTHERS != 0 {
            return Err(SqliteError::SharedFile { path, mode });
        }
        // SQLite takes such a file for a new database; the store never leaves one.
        if metadata.len() < SMALLEST {
            return Err(SqliteError::Corrupt { path, source: "it is shorter than any database".into() });
        }
        Ok(Some(Identity::of(&metadata)))
    }

    fn metadata(&self) -> Result<Option<Metadata>, SqliteError> {
        match fs::symlink_metadata(&self.file) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SqliteError::io(&self.file, error)),
        }
    }

    /// Makes the file, unless another process does so first.
    ///
    /// It is made under another name and appears complete: no process ever sees half a schema.
    pub(crate) fn create(&self) -> Result<(), SqliteError> {
        let draft = self.draft().map_err(|error| SqliteError::io(&self.file, error))?;
        let placed = schema::create(&draft).and_then(|()| self.put_in_place(&draft));
        // What is left of a draft is in nobody's way.
        drop(fs::remove_file(&draft));
        placed
    }

    fn put_in_place(&self, draft: &Path) -> Result<(), SqliteError> {
        match fs::hard_link(draft, &self.file) {
            Ok(()) => self.sync_folder().map_err(|error| SqliteError::io(&self.file, error)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(SqliteError::io(&self.file, error)),
        }
    }

    /// A new empty file that only its owner may read and write.
    fn draft(&self) -> io::Result<PathBuf> {
        let mut number = 0_u32;
        loop {
            let mut name = self.file.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}-{number}.new", std::process::id()));
            let draft = self.file.with_file_name(name);
            match private().open(&draft) {
                Ok(_file) => return Ok(draft),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the name of the file survive a loss of power.
    fn sync_folder(&self) -> io::Result<()> {
        match self.file.parent() {
            Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
            Some(_) | None => Ok(()),
        }
    }
}

/// The bytes of a page at least.
const SMALLEST: u64 = 512;
/// Group and world may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Group or world may do anything.
const OPEN_TO_OTHERS: u32 = 0o077;

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o7777
}

/// Other systems have no such bits: their folders' access lists decide.
#[cfg(not(unix))]
fn mode(_metadata: &Metadata) -> u32 {
    0
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    fn of(_metadata: &Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}
