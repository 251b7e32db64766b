use std::io;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a server could not be started, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A server program is not on this machine.
    #[error(
        "there is no program `{program}` on this machine (looked in {looked_in}); install the servers: \
         on Debian or Ubuntu `apt-get install redis-server postgresql chromium chromium-driver fonts-dejavu-core`, \
         on macOS `brew install redis postgresql@15 chromedriver` and a Chrome, \
         on Fedora `dnf install redis postgresql-server chromium chromedriver`"
    )]
    Missing {
        /// The name of the program.
        program: &'static str,
        /// The folders that were searched, in their order.
        looked_in: String,
    },
    /// The caller is root, as whom PostgreSQL does not run, and nobody else is there to run it.
    #[error("PostgreSQL does not run as root, and this system has no user `postgres` to run it as; create that user")]
    NoUser,
    /// A program ended where it should have gone on.
    #[error("{program} ended early ({status}); the end of its output:\n{log}")]
    Ended {
        /// The name of the program.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last lines that it wrote.
        log: String,
    },
    /// A program did not do something in time.
    #[error("{program} did not {what} within {limit:?}; the end of its output:\n{log}")]
    TooSlow {
        /// The name of the program.
        program: &'static str,
        /// What it was to do.
        what: &'static str,
        /// How long it was waited for.
        limit: Duration,
        /// The last lines that it wrote.
        log: String,
    },
    /// The server was stopped or killed and not restarted.
    #[error("{program} is not running; restart it first")]
    NotRunning {
        /// The name of the program.
        program: &'static str,
    },
    /// The server answered with an error.
    #[error("{program} refused: {answer}")]
    Refused {
        /// The name of the program.
        program: &'static str,
        /// What it answered.
        answer: String,
    },
    /// A name that cannot be that of a database.
    #[error("`{name}` cannot name a database here; allowed are 1 to 63 of a-z, 0-9 and _, not beginning with a digit")]
    BadDatabaseName {
        /// The refused name.
        name: String,
    },
    /// The operating system refused something.
    #[error("could not {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Says what was tried when the system refused it.
pub(crate) trait Tried<T> {
    fn tried(self, what: &'static str) -> Result<T, ServerError>;
}

impl<T, E: Into<io::Error>> Tried<T> for Result<T, E> {
    fn tried(self, what: &'static str) -> Result<T, ServerError> {
        self.map_err(|error| ServerError::Io { what, source: error.into() })
    }
}
