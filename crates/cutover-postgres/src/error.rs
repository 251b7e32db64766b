//! [`PostgresError`]: what went wrong, without a word of the server's or the driver's messages.

use std::error::Error as _;
use std::io;

use cutover::StoreError;
use tokio_postgres::error::Severity;

/// What went wrong between the store and PostgreSQL: the source of a [`StoreError`].
///
/// It never holds text of the server, of the driver or of the host: their messages may contain stored values, host names and
/// credentials. The server's own log has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// There was no connection to send anything on.
    #[error("there is no connection to PostgreSQL: {0}")]
    NoConnection(&'static str),
    /// The connection was lost.
    #[error("the connection to PostgreSQL was lost{}", kind.map(|kind| format!(": {kind}")).unwrap_or_default())]
    Lost {
        /// What the operating system said, where it did.
        kind: Option<io::ErrorKind>,
    },
    /// The server answered with an error.
    #[error("PostgreSQL answered with SQLSTATE {code}: {meaning}")]
    Server {
        /// The SQLSTATE, five letters and digits.
        code: String,
        /// What that means here.
        meaning: &'static str,
        /// Whether that answer leaves open what became of the statement.
        ended: bool,
    },
    /// What the server answered is not what was asked for.
    #[error("PostgreSQL gave an answer that does not fit: {0}")]
    Unexpected(&'static str),
}

/// What was asked when an error came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing was sent.
    Nothing,
    /// A statement that changes nothing.
    Read,
    /// A statement that may have changed something.
    Write,
}

impl PostgresError {
    /// Whether the server refused a row because there is one of its key.
    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Server { code, .. } if code == "23505")
    }

    /// Whether the connection is as good as before.
    pub(crate) fn keeps_connection(&self) -> bool {
        matches!(self, Self::Server { ended: false, .. })
    }

    pub(crate) fn into_store_error(self, asked: Asked) -> StoreError {
        let is_open = matches!(self, Self::Lost { .. } | Self::Unexpected(_) | Self::Server { ended: true, .. });
        if asked == Asked::Write && is_open {
            return StoreError::outcome_unknown(self);
        }
        let class = match &self {
            Self::NoConnection(_) | Self::Lost { .. } => Class::Unavailable,
            Self::Unexpected(_) => Class::Corrupt,
            Self::Server { code, .. } => meaning(code).0,
        };
        match class {
            Class::Unavailable => StoreError::unavailable(self),
            Class::Denied => StoreError::Denied(self.into()),
            Class::Corrupt => StoreError::corrupt(self),
        }
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    /// Keeps the SQLSTATE or the kind of the I/O error, and nothing else.
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            let code = answer.code().code();
            let is_code = code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let code = if is_code { code } else { "unknown" };
            let rolled_back = answer.parsed_severity() == Some(Severity::Error);
            let ended = !rolled_back || leaves_open(code);
            return Self::Server { code: code.to_owned(), meaning: meaning(code).1, ended };
        }
        let kind = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
        if error.is_closed() || kind.is_some() {
            return Self::Lost { kind };
        }
        Self::Unexpected("the driver could not send or read something")
    }
}

/// Whether a statement that ended like this may have been committed. The server rolls back after an error of its own, but a
/// pooler in between may answer for a server that is gone.
fn leaves_open(code: &str) -> bool {
    code == "40003" || code.starts_with("08") || code.starts_with("57P")
}

enum Class {
    Unavailable,
    Denied,
    Corrupt,
}

/// What a SQLSTATE means for the caller, and in words.
fn meaning(code: &str) -> (Class, &'static str) {
    use Class::{Corrupt, Denied, Unavailable};
    match code {
        "40001" | "40P01" => return (Unavailable, "it lost a conflict with another transaction, and changed nothing"),
        "42501" => return (Denied, "the role lacks a privilege"),
        "42P01" | "42703" | "3F000" => return (Denied, "a table or column is missing; apply the schema"),
        "25006" => return (Unavailable, "the server or the connection is read-only"),
        "53100" => return (Unavailable, "the disk is full"),
        "53300" => return (Unavailable, "there are too many connections"),
        "55P03" => return (Unavailable, "it waited too long for a lock"),
        "57014" => return (Unavailable, "the statement was cancelled"),
        "23505" => return (Corrupt, "there is already a row that the state does not know of"),
        "25P02" => return (Unavailable, "the transaction has failed before"),
        _ => {}
    }
    match code.get(..2) {
        Some("08") => (Unavailable, "the connection failed"),
        Some("22") => (Denied, "it does not take a value"),
        Some("23") => (Denied, "a constraint does not allow a row"),
        Some("28") => (Denied, "it does not let the role in"),
        Some("53") => (Unavailable, "it lacks resources"),
        Some("57") => (Unavailable, "it is starting, stopping or was told to stop"),
        Some("58") => (Unavailable, "it has trouble with its system"),
        Some("XX") => (Corrupt, "it has an internal error"),
        _ => (Unavailable, "it refused the statement"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: &str) -> PostgresError {
        PostgresError::Server { code: code.to_owned(), meaning: meaning(code).1, ended: leaves_open(code) }
    }

    #[test]
    fn a_sent_write_is_unknown_exactly_when_it_may_have_been_committed() {
        let open = ["08006", "08P01", "57P01", "57P02", "40003"].map(server);
        for error in open.into_iter().chain([PostgresError::Lost { kind: None }]) {
            let asked = |asked| error.clone().into_store_error(asked);
            assert!(matches!(asked(Asked::Write), StoreError::OutcomeUnknown(_)), "{error}");
            assert!(matches!(asked(Asked::Read), StoreError::Unavailable(_)), "{error}");
            assert!(matches!(asked(Asked::Nothing), StoreError::Unavailable(_)), "{error}");
        }
        for code in ["40001", "40P01", "53100", "53300", "55P03", "57014", "25006"] {
            assert!(matches!(server(code).into_store_error(Asked::Write), StoreError::Unavailable(_)), "{code}");
        }
        for code in ["42501", "28P01", "22003", "23514", "42P01"] {
            assert!(matches!(server(code).into_store_error(Asked::Write), StoreError::Denied(_)), "{code}");
        }
    }

    #[test]
    fn the_words_are_whole_sentences() {
        let error = server("53100").to_string();
        assert_eq!(error, "PostgreSQL answered with SQLSTATE 53100: the disk is full");
        let kind = Some(io::ErrorKind::ConnectionReset);
        assert_eq!(PostgresError::Lost { kind }.to_string(), "the connection to PostgreSQL was lost: connection reset");
    }
}
