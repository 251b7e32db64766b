//! The file of [`StartPolicy::LastKnownGood`](super::StartPolicy): what a process knew last, for a start without its store.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};

use super::emergency::Emergency;
use crate::store::{AuditHash, MigrationId, Record, Settings};
use crate::wire::unix_millis;

/// What is kept: the record, what was made of it, and an emergency that was not stored yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LastKnown {
    pub(super) format: u16,
    pub(super) migration: MigrationId,
    /// When the store last said so.
    #[serde(with = "unix_millis")]
    pub(super) as_of: SystemTime,
    pub(super) record: Option<Record>,
    pub(super) settings: Settings,
    pub(super) emergency: Option<Emergency>,
}

/// The file of the last known state could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LastKnownError {
    /// It could not be read or written, or its folder could not.
    #[error("{}: it cannot be used", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may write to the folder.
    #[error("{}: others may write to this folder; allowed: one that only its owner writes to (chmod 700)", path.display())]
    SharedFolder {
        /// The folder.
        path: PathBuf,
    },
    /// It is not what was written. It was moved aside.
    #[error("{}: it is not what was written; it was moved to {}", path.display(), aside.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where it is now.
        aside: PathBuf,
    },
    /// A newer version wrote it.
    #[error("{}: it has format {format}; known up to {}", path.display(), LastKnown::FORMAT)]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u16,
    },
    /// It belongs to another migration.
    #[error("{}: it belongs to the migration `{found}`", path.display())]
    OtherMigration {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: MigrationId,
    },
    /// The store confirmed it too long ago, or it comes from the future of this machine's clock.
    #[error("{}: the store confirmed it {age:?} ago; allowed: at most {max_age:?}", path.display())]
    TooOld {
        /// The file.
        path: PathBuf,
        /// How long ago; the largest duration if that is not known.
        age: Duration,
        /// How long ago it may be.
        max_age: Duration,
    },
}

/// The file itself, and how it is written: a checksum and a line of JSON, replaced as a whole by a rename.
#[derive(Debug, Clone)]
pub(super) struct LastKnownFile {
    path: PathBuf,
}

impl LastKnown {
    pub(super) const FORMAT: u16 = 1;

    pub(super) const fn new(
        migration: MigrationId,
        as_of: SystemTime,
        record: Option<Record>,
        settings: Settings,
        emergency: Option<Emergency>,
    ) -> Self {
        Self { format: Self::FORMAT, migration, as_of, record, settings, emergency }
    }

    fn to_text(&self) -> io::Result<String> {
        let json = serde_json::to_string(self)?;
        Ok(format!("{}\n{json}\n", checksum(&json)))
    }
}

fn checksum(json: &str) -> AuditHash {
    AuditHash::from_bytes(Hash::hash(json.as_bytes()))
}

/// What every version's file says about itself.
#[derive(Deserialize)]
struct Header {
    format: u16,
}

/// A text that is not what was written.
struct Damaged;

/// The JSON of a text whose checksum is right.
fn sound(text: &str) -> Result<&str, Damaged> {
    let (sum, json) = text.split_once('\n').ok_or(Damaged)?;
    let json = json.strip_suffix('\n').ok_or(Damaged)?;
    if checksum(json).to_string() == sum { Ok(json) } else { Err(Damaged) }
}

/// How far the clock may be behind the file.
const TOLERANCE: Duration = Duration::from_secs(300);

impl LastKnownFile {
    /// The longest file that is read.
    const MAX_BYTES: u64 = 4 * Record::MAX_BYTES as u64;

    /// # Errors
    /// [`LastKnownError`] when the folder is missing, or when others may write to it.
    pub(super) fn new(path: &Path) -> Result<Self, LastKnownError> {
        let file = Self { path: path.to_owned() };
        let folder = file.folder();
        let metadata = fs::metadata(&folder).map_err(|source| io_error(&folder, source))?;
        if !metadata.is_dir() {
            return Err(io_error(&folder, io::ErrorKind::NotADirectory.into()));
        }
        if writable_by_others(&metadata) {
            return Err(LastKnownError::SharedFolder { path: folder });
        }
        Ok(file)
    }

    fn folder(&self) -> PathBuf {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or_else(|| Path::new(".")).to_owned()
    }

    /// Reads what `migration` knew last, however long ago; `None` if there is no file.
    pub(super) fn read(&self, migration: &MigrationId, now: SystemTime) -> Result<Option<LastKnown>, LastKnownError> {
        if fs::symlink_metadata(&self.path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let text = self.text()?;
        let Ok(json) = sound(&text) else { return Err(self.move_aside(now)) };
        let Ok(Header { format }) = serde_json::from_str(json) else { return Err(self.move_aside(now)) };
        if format > LastKnown::FORMAT {
            return Err(LastKnownError::UnknownFormat { path: self.path.clone(), format });
        }
        let Ok(known) = serde_json::from_str::<LastKnown>(json) else { return Err(self.move_aside(now)) };
        if known.migration == *migration {
            return Ok(Some(known));
        }
        Err(LastKnownError::OtherMigration { path: self.path.clone(), found: known.migration })
    }

    /// Whether what was known is recent enough to route by.
    pub(super) fn check_age(
        &self,
        as_of: SystemTime,
        max_age: Duration,
        now: SystemTime,
    ) -> Result<(), LastKnownError> {
        let age = now.duration_since(as_of).unwrap_or_else(|ahead| {
            // A clock is set a little while a machine starts; one that is far behind says nothing.
            if ahead.duration() <= TOLERANCE { Duration::ZERO } else { Duration::MAX }
        });
        if age <= max_age { Ok(()) } else { Err(LastKnownError::TooOld { path: self.path.clone(), age, max_age }) }
    }

    /// There is no file, so nothing is known.
    pub(super) fn missing(&self) -> LastKnownError {
        io_error(&self.path, io::ErrorKind::NotFound.into())
    }

    fn text(&self) -> Result<String, LastKnownError> {
        let read = || {
            if !fs::symlink_metadata(&self.path)?.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
            }
            let mut bytes = Vec::new();
            File::open(&self.path)?.take(Self::MAX_BYTES).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().map_err(|source| io_error(&self.path, source))
    }

    /// Keeps a damaged file for people, out of the way of the next one.
    fn move_aside(&self, now: SystemTime) -> LastKnownError {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".corrupt-{}", unix_millis::millis(now)));
        let aside = self.path.with_file_name(name);
        match fs::rename(&self.path, &aside) {
            Ok(()) => LastKnownError::Corrupt { path: self.path.clone(), aside },
            Err(source) => io_error(&self.path, source),
        }
    }

    /// Replaces the file as a whole: after a crash it is the old one or the new one.
    pub(super) fn write(&self, known: &LastKnown) -> io::Result<()> {
        let mut draft = self.path.file_name().unwrap_or_default().to_owned();
        draft.push(format!(".draft-{}", std::process::id()));
        let draft = self.path.with_file_name(draft);
        let written = write_through(&draft, &known.to_text()?).and_then(|()| fs::rename(&draft, &self.path));
        if written.is_err() {
            // What cannot be removed is replaced by the next draft.
            drop(fs::remove_file(&draft));
        }
        written?;
        File::open(self.folder())?.sync_all()
    }
}

fn write_through(draft: &Path, text: &str) -> io::Result<()> {
    let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn writable_by_others(folder: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&folder.permissions()) & 0o022 != 0
}

#[cfg(not(unix))]
fn writable_by_others(_folder: &fs::Metadata) -> bool {
    false
}

fn io_error(path: &Path, source: io::Error) -> LastKnownError {
    LastKnownError::Io { path: path.to_owned(), source }
}
