use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Signal, geteuid};

use crate::ServerError;
use crate::error::Tried as _;
use crate::home::{Ending, Home, User};
use crate::service::{Kind, Service};
use crate::wait::Deadline;
use crate::{pg_wire, programs, signals};

/// A PostgreSQL server of its own: own port on 127.0.0.1, own folder. It ends when dropped and with this process.
///
/// Everybody on this machine may connect, without a password. Locale `C`, encoding UTF-8.
#[derive(Debug)]
pub struct PostgresServer(Service<Postgres>);

/// How a PostgreSQL server is stopped before it starts again. Committed data is there in all three cases, because the
/// machine goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostgresRestart {
    /// Rolls back what is open and closes the connections.
    Fast,
    /// Closes the connections and recovers at the next start.
    Immediate,
    /// All its processes are killed.
    AsCrashed,
}

impl PostgresServer {
    /// The user who owns everything.
    pub const USER: &str = "postgres";
    /// The address that it listens on.
    pub const HOST: &str = "127.0.0.1";

    /// Makes a cluster and runs a server with these settings on it; returns when it answers. Takes a second or two.
    ///
    /// Nothing is forced to the disk, for speed; `("fsync", "on")` changes that. Settings of port, address and socket
    /// folder have no effect. As root, both programs run as the system's user `postgres`.
    ///
    /// # Errors
    ///
    /// [`ServerError`], among them that there is no such program.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        let programs = programs::postgres_folder()?;
        let home = Home::new(owner()?)?;
        init(&home, &programs.join("initdb"))?;
        let settings = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Service::start(Postgres { program: programs.join("postgres"), settings }, home).map(Self)
    }

    /// The one server that the tests of this process share, started by the first who asks. Each test makes a database of
    /// its own in it. It ends with this process; who restarts, pauses or kills a server starts one of their own.
    ///
    /// # Errors
    ///
    /// Those of [`PostgresServer::start`], the same for everybody who asks.
    pub fn shared() -> Result<&'static Self, &'static ServerError> {
        static SHARED: OnceLock<Result<PostgresServer, ServerError>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[])).as_ref()
    }

    /// Makes an empty database and returns its URL.
    ///
    /// # Errors
    ///
    /// [`ServerError::BadDatabaseName`], [`ServerError::Refused`] when there is one of that name, or another when it did
    /// not answer.
    pub fn create_database(&self, name: &str) -> Result<String, ServerError> {
        if !is_name(name) {
            return Err(ServerError::BadDatabaseName { name: name.to_owned() });
        }
        self.query(Self::USER, &format!("CREATE DATABASE \"{name}\""))?;
        Ok(self.url_of(name))
    }

    /// Runs SQL in a database over a connection of its own and returns the rows as text, with `None` for `NULL`.
    ///
    /// # Errors
    ///
    /// [`ServerError::Refused`] with the answer when PostgreSQL refused, or another when it did not answer.
    pub fn query(&self, database: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, ServerError> {
        let answer = pg_wire::ask(self.addr(), ANSWER_LIMIT, Self::USER, database, sql).tried("talk to PostgreSQL")?;
        answer.map_err(|answer| ServerError::Refused { program: Postgres::PROGRAM, answer })
    }

    /// The port on 127.0.0.1. It stays the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// The URL of the database `postgres`, which every server has.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(Self::USER)
    }

    /// The number of the server's first process.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotRunning`].
    pub fn pid(&self) -> Result<u32, ServerError> {
        self.0.pid()
    }

    /// Stops the server and starts it again, on the same port and in the same folder. Only starts one that was killed.
    ///
    /// # Errors
    ///
    /// [`ServerError`] when it does not stop or start in time.
    pub fn restart(&self, restart: PostgresRestart) -> Result<(), ServerError> {
        let with = |signal| self.0.stop(|pid| signals::send(pid, signal).tried("stop the server"));
        match restart {
            PostgresRestart::Fast => with(Signal::INT)?,
            PostgresRestart::Immediate => with(Signal::QUIT)?,
            PostgresRestart::AsCrashed => self.0.kill()?,
        }
        self.0.start_again()
    }

    /// Ends all processes of the server with SIGKILL. [`PostgresServer::restart`] starts it again.
    ///
    /// # Errors
    ///
    /// [`ServerError::Io`].
    pub fn kill(&self) -> Result<(), ServerError> {
        self.0.kill()
    }

    /// Stops all processes of the server from running with SIGSTOP: connections stay open, and nobody answers.
    ///
    /// # Errors
    ///
    /// [`ServerError::Io`].
    pub fn pause(&self) -> Result<(), ServerError> {
        self.0.pause()
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    ///
    /// [`ServerError::Io`].
    pub fn resume(&self) -> Result<(), ServerError> {
        self.0.resume()
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://{}@{}/{database}", Self::USER, self.addr())
    }
}

#[derive(Debug)]
struct Postgres {
    program: PathBuf,
    /// As `name=value`.
    settings: Vec<String>,
}

impl Kind for Postgres {
    const PROGRAM: &'static str = "postgres";
    /// Not by SIGKILL, which would leave its shared memory behind.
    const ENDING: Ending = Ending::Quit;

    fn program(&self) -> PathBuf {
        self.program.clone()
    }

    fn arguments(&self, home: &Home, port: u16) -> Vec<String> {
        let before = ["fsync=off", "full_page_writes=off", "shared_buffers=16MB"].map(str::to_owned);
        let sockets = format!("unix_socket_directories={}", home.path().display());
        let after = [format!("port={port}"), format!("listen_addresses={}", PostgresServer::HOST), sockets];
        let settings = before.into_iter().chain(self.settings.iter().cloned()).chain(after);
        let folder = ["-D".to_owned(), data(home)];
        folder.into_iter().chain(settings.flat_map(|setting| ["-c".to_owned(), setting])).collect()
    }

    fn answers(&self, home: &Home, port: u16, _pid: u32) -> bool {
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        let user = PostgresServer::USER;
        let shown = pg_wire::ask(addr, PING_LIMIT, user, user, "SHOW data_directory");
        shown.is_ok_and(|answer| answer.is_ok_and(|rows| rows == [[Some(data(home))]]))
    }
}

fn init(home: &Home, initdb: &Path) -> Result<(), ServerError> {
    let fixed = ["-U", PostgresServer::USER, "--locale=C", "-E", "UTF8", "--auth=trust", "--no-sync", "-D"];
    let arguments: Vec<String> = fixed.into_iter().map(str::to_owned).chain([data(home)]).collect();
    let mut child = home.spawn(initdb, &arguments, Ending::Kill)?;
    let pid = child.id();
    let ended = Deadline::after(INIT_LIMIT).poll(|| child.try_wait().transpose());
    let Some(status) = ended else {
        child.kill().tried("kill initdb")?;
        child.wait().tried("wait for initdb")?;
        home.forget(pid)?;
        return Err(ServerError::TooSlow { program: "initdb", what: "end", limit: INIT_LIMIT, log: home.log() });
    };
    home.forget(pid)?;
    let status = status.tried("wait for initdb")?;
    let ended = || ServerError::Ended { program: "initdb", status, log: home.log() };
    status.success().then_some(()).ok_or_else(ended)
}

fn data(home: &Home) -> String {
    home.path().join("data").display().to_string()
}

/// Who runs the server, when it cannot be us.
fn owner() -> Result<Option<User>, ServerError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let number = |option| id_of_postgres(option).tried("run `id`")?.ok_or(ServerError::NoUser);
    Ok(Some(User { uid: number("-u")?, gid: number("-g")? }))
}

fn id_of_postgres(option: &str) -> io::Result<Option<u32>> {
    let answer = Command::new("id").args([option, "postgres"]).output()?;
    Ok(String::from_utf8_lossy(&answer.stdout).trim().parse().ok())
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins_well = !name.starts_with(|first: char| first.is_ascii_digit());
    (1..=63).contains(&name.len()) && begins_well && name.bytes().all(is_allowed)
}

const INIT_LIMIT: Duration = Duration::from_secs(60);
const PING_LIMIT: Duration = Duration::from_millis(500);
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
