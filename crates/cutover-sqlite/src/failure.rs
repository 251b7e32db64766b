//! What went wrong below, as the contracts of the core say it. No type of the driver leaves this crate.

use std::path::Path;

use cutover::StoreError;
use rusqlite::ErrorCode;

use crate::error::SqliteError;

/// A step ended early; nothing of it is kept.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database did not do what it was told.
    Sql(rusqlite::Error),
    /// The database did not end a commit.
    Commit(rusqlite::Error),
    /// What is stored, or what is to be stored, is not fit.
    Store(StoreError),
}

impl Failure {
    /// Whether the connection can be used further. After a failed write or a failed flush nobody knows what the operating
    /// system has kept, so nothing is tried again on it.
    pub(crate) const fn spares_the_connection(&self) -> bool {
        matches!(self, Self::Store(_))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sql(error) => match Trouble::of(&error) {
                Trouble::Passing => Self::unavailable(error),
                Trouble::Damage => Self::corrupt(error),
                Trouble::Refusal => Self::Denied(error.into()),
            },
            Failure::Commit(error) if Trouble::is_busy(&error) => Self::unavailable(error),
            // The commit may have reached the log as a whole, and recovery after a crash may find it there.
            Failure::Commit(error) => Self::outcome_unknown(error),
            Failure::Store(error) => error,
        }
    }
}

/// What an error of the database means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may work later.
    Passing,
    /// What is stored cannot be read.
    Damage,
    /// It is not allowed.
    Refusal,
}

impl Trouble {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add errors; what is unknown may pass")]
    pub(crate) fn of(error: &rusqlite::Error) -> Self {
        use rusqlite::Error;
        match error {
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => Self::Damage,
            _ => error.sqlite_error_code().map_or(Self::Passing, Self::of_code),
        }
    }

    fn is_busy(error: &rusqlite::Error) -> bool {
        error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add codes; what is unknown may pass")]
    const fn of_code(code: ErrorCode) -> Self {
        match code {
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown => Self::Damage,
            ErrorCode::PermissionDenied
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::AuthorizationForStatementDenied
            | ErrorCode::ConstraintViolation => Self::Refusal,
            _ => Self::Passing,
        }
    }

    pub(crate) fn at(self, file: &Path, error: rusqlite::Error) -> SqliteError {
        let (path, source) = (file.to_owned(), error.into());
        match self {
            Self::Passing => SqliteError::Unavailable { path, source },
            Self::Damage => SqliteError::Corrupt { path, source },
            Self::Refusal => SqliteError::Denied { path, source },
        }
    }
}
