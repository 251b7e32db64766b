//! The layout of the file, and what every connection is told.

use std::path::Path;

use cutover::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::builder::Tuning;
use crate::error::SqliteError;
use crate::failure::Trouble;
use crate::place::Place;

/// `PRAGMA application_id`: the letters `cuto`.
pub(crate) const APPLICATION_ID: i32 = 0x6375_746F;
/// `PRAGMA user_version`: the layout that this version reads and writes.
pub(crate) const VERSION: i32 = 1;

/// Fills the empty file `draft` and closes it, so that all of it is in that file and on the device.
pub(crate) fn create(draft: &Path) -> Result<(), SqliteError> {
    let fill = || {
        let mut connection = Connection::open_with_flags(draft, flags())?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        tune(&connection, &Tuning::default())?;
        let transaction = connection.transaction()?;
        transaction.execute_batch(include_str!("schema.sql"))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
        connection.close().map_err(|(_, error)| error)
    };
    fill().map_err(|error| Trouble::of(&error).at(draft, error))
}

/// Connects to the file, which must be there, and does not change it unless it is a store of this version.
pub(crate) fn connect(place: &Place, tuning: &Tuning) -> Result<Connection, SqliteError> {
    let file = place.file();
    let trouble = |error| Trouble::of(&error).at(file, error);
    let connection = Connection::open_with_flags(file, flags()).map_err(trouble)?;
    connection.busy_timeout(tuning.busy_timeout).map_err(trouble)?;
    let application_id = pragma(&connection, "application_id").map_err(trouble)?;
    if application_id != APPLICATION_ID {
        return Err(SqliteError::Foreign { path: file.to_owned(), application_id });
    }
    let version = version(&connection).map_err(trouble)?;
    check_version(version).map_err(|unfit| unfit.at(file))?;
    tune(&connection, tuning).map_err(trouble)?;
    Ok(connection)
}

/// The layout of the file at this moment: a newer version of this crate may have changed it.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i32> {
    pragma(connection, "user_version")
}

/// A layout that is not that of this version.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("it has schema {version}; known are 1 to {VERSION}")]
pub(crate) struct Unfit {
    version: i32,
}

impl Unfit {
    fn at(self, file: &Path) -> SqliteError {
        let (path, version) = (file.to_owned(), self.version);
        if version > VERSION {
            return SqliteError::NewerSchema { path, version, known: VERSION };
        }
        SqliteError::Corrupt { path, source: self.into() }
    }
}

impl From<Unfit> for StoreError {
    fn from(unfit: Unfit) -> Self {
        if unfit.version > VERSION { Self::unknown_format(unfit) } else { Self::corrupt(unfit) }
    }
}

pub(crate) const fn check_version(version: i32) -> Result<(), Unfit> {
    if version == VERSION { Ok(()) } else { Err(Unfit { version }) }
}

/// Changes when another connection, of this process or another one, has committed.
pub(crate) fn data_version(connection: &Connection) -> rusqlite::Result<i32> {
    pragma(connection, "data_version")
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// Each connection stays on one thread; a symbolic link is not followed.
fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW
}

fn tune(connection: &Connection, tuning: &Tuning) -> rusqlite::Result<()> {
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if journal != "wal" {
        connection.pragma_update(None, "journal_mode", "wal")?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.execute_batch(SETTINGS)?;
    if let Some(bytes) = tuning.max_bytes {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX).checked_div(page).unwrap_or(0);
        connection.pragma_update_and_check(None, "max_page_count", pages.clamp(1, MOST_PAGES), |_| Ok(()))?;
    }
    Ok(())
}

/// `fullfsync` matters on macOS only, where a plain one leaves data in the device's cache.
const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA journal_size_limit = 4194304;
";

/// As many as SQLite counts.
const MOST_PAGES: i64 = 4_294_967_294;
