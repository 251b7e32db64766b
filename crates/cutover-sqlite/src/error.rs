//! [`SqliteError`].

use std::io;
use std::path::{Path, PathBuf};

use cutover::StoreError;

/// A file cannot be the store. It is left as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// The path names no file.
    #[error("`{}` names no file; allowed: a path that ends in the name of one", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The folder or the file cannot be reached.
    #[error("`{}` cannot be reached", path.display())]
    Unreachable {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The path is that of a symbolic link, which somebody may point elsewhere.
    #[error("`{}` is a symbolic link; allowed: the path of the file itself", path.display())]
    SymbolicLink {
        /// The path.
        path: PathBuf,
    },
    /// The path is that of a folder, a device or the like.
    #[error("`{}` is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Others may write to the folder, and so put another file in the place of this one.
    #[error("the folder `{}` has mode {mode:04o}, so others may replace the file in it; allowed: a folder that only its \
             owner may write to, such as a new one of mode 0700, or this one after `chmod go-w`", path.display())]
    SharedFolder {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others may read or write the file.
    #[error("`{}` has mode {mode:04o}, so others may read or change it; allowed: 0600. `chmod 600` makes it so, when \
             you know that nobody has changed it", path.display())]
    SharedFile {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not a SQLite database, or a damaged one.
    #[error("`{}` is not a SQLite database, or is damaged; it is left as it is: restore it from a copy, or move it away", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BoxError,
    },
    /// The file is a SQLite database of another application.
    #[error("`{}` is a database of another application (its application id is {application_id}); choose another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The `application_id` that it has.
        application_id: i32,
    },
    /// A newer version of this crate made the file.
    #[error("`{}` has schema {version}; this version of the crate knows schema {known}", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        version: i32,
        /// The schema that this version knows.
        known: i32,
    },
    /// The operating system refuses the file to this process.
    #[error("access to `{}` is denied; the store wants a file and a folder that this process may read and write", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
        /// What was refused.
        source: BoxError,
    },
    /// The file cannot be used now: it is locked for too long, or the device fails.
    #[error("`{}` cannot be used now", path.display())]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BoxError,
    },
    /// The operating system gives no thread to the store.
    #[error("no thread could be started for the store")]
    NoThread(#[source] io::Error),
}

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl SqliteError {
    /// What the operating system said about `path`.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::PermissionDenied {
            return Self::Denied { path, source: source.into() };
        }
        Self::Unreachable { path, source }
    }
}

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        match error {
            SqliteError::NoName { .. }
            | SqliteError::Unreachable { .. }
            | SqliteError::Unavailable { .. }
            | SqliteError::NoThread(_) => Self::unavailable(error),
            SqliteError::SymbolicLink { .. }
            | SqliteError::NotAFile { .. }
            | SqliteError::SharedFolder { .. }
            | SqliteError::SharedFile { .. }
            | SqliteError::Denied { .. } => Self::Denied(error.into()),
            SqliteError::Corrupt { .. } | SqliteError::Foreign { .. } => Self::corrupt(error),
            SqliteError::NewerSchema { .. } => Self::unknown_format(error),
        }
    }
}
