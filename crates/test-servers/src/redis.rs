use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::ServerError;
use crate::error::Tried as _;
use crate::home::{Ending, Home};
use crate::programs;
use crate::resp::{Answer, Connection};
use crate::service::{Kind, Service};
use crate::wait::Deadline;

/// A Redis server of its own: own port on 127.0.0.1, own folder, empty at first. It ends when dropped and with this process.
#[derive(Debug)]
pub struct RedisServer(Service<Redis>);

/// What a restarted Redis still knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisRestart {
    /// Everything: it is asked to save before it stops.
    KeepData,
    /// What its configuration has put on the disk when it is killed: nothing by default.
    AsCrashed,
    /// Nothing: it is killed, and its files are removed.
    LoseData,
}

impl RedisServer {
    /// Runs the `redis-server` of PATH with these directives, and returns when it answers.
    ///
    /// Without directives nothing is written to the disk. `("appendonly", "yes")` and `("save", "60 1")` change that. A
    /// `requirepass` is used by [`RedisServer::url`] and [`RedisServer::command`]. Directives of port, address and
    /// folder have no effect.
    ///
    /// # Errors
    ///
    /// [`ServerError`], among them that there is no such program.
    pub fn start(config: &[(&str, &str)]) -> Result<Self, ServerError> {
        let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let kind = Redis { program: programs::redis_server()?, config };
        Service::start(kind, Home::new(None)?).map(Self)
    }

    /// Runs another server with the same directives that follows `primary`, and returns when it has caught up.
    ///
    /// # Errors
    ///
    /// [`ServerError`], among them that it did not catch up in time.
    pub fn start_replica_of(primary: &Self) -> Result<Self, ServerError> {
        let mut kind = primary.0.kind.clone();
        kind.config.push(("replicaof".to_owned(), format!("127.0.0.1 {}", primary.port())));
        if let Some(password) = primary.0.kind.password() {
            kind.config.push(("masterauth".to_owned(), password.to_owned()));
        }
        let replica = Service::start(kind, Home::new(None)?).map(Self)?;
        let linked = || replica.command(&["INFO", "replication"]).ok()?.contains("master_link_status:up").then_some(());
        let too_slow = || ServerError::TooSlow {
            program: Redis::PROGRAM,
            what: "catch up with its primary",
            limit: ANSWER_LIMIT,
            log: replica.0.home.log(),
        };
        Deadline::after(ANSWER_LIMIT).poll(linked).ok_or_else(too_slow)?;
        Ok(replica)
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

    /// `redis://127.0.0.1:PORT/`, with the password when there is one.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self.0.kind.password().map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{password}{}/", self.addr())
    }

    /// The number of the server's process.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotRunning`].
    pub fn pid(&self) -> Result<u32, ServerError> {
        self.0.pid()
    }

    /// Sends one command over a connection of its own and returns the answer as text: `(nil)` for nothing, the items of a
    /// list one per line.
    ///
    /// # Errors
    ///
    /// [`ServerError::Refused`] with the answer when Redis refused, or another when it did not answer.
    pub fn command(&self, words: &[&str]) -> Result<String, ServerError> {
        let answer = self.0.kind.ask(self.addr(), ANSWER_LIMIT, words).tried("talk to Redis")?;
        answer.map_err(|answer| ServerError::Refused { program: Redis::PROGRAM, answer })
    }

    /// Stops the server and starts it again, on the same port and in the same folder. Only starts one that was killed.
    ///
    /// # Errors
    ///
    /// [`ServerError`] when it does not stop or start in time.
    pub fn restart(&self, restart: RedisRestart) -> Result<(), ServerError> {
        match restart {
            RedisRestart::KeepData => self.0.stop(|_| self.save_and_end())?,
            RedisRestart::AsCrashed => self.0.kill()?,
            RedisRestart::LoseData => {
                self.0.kill()?;
                remove_contents(&self.0.home).tried("remove the files of Redis")?;
            }
        }
        self.0.start_again()
    }

    /// Ends the server with SIGKILL. [`RedisServer::restart`] starts it again.
    ///
    /// # Errors
    ///
    /// [`ServerError::Io`].
    pub fn kill(&self) -> Result<(), ServerError> {
        self.0.kill()
    }

    /// Stops the server from running with SIGSTOP: its connections stay open, and nobody answers.
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

    /// A server that saved and ended answers no more, so the closed connection is the good answer.
    fn save_and_end(&self) -> Result<(), ServerError> {
        match self.command(&["SHUTDOWN", "SAVE"]) {
            Err(ServerError::Refused { program, answer }) => Err(ServerError::Refused { program, answer }),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

#[derive(Debug, Clone)]
struct Redis {
    program: PathBuf,
    config: Vec<(String, String)>,
}

impl Redis {
    fn password(&self) -> Option<&str> {
        let set = self.config.iter().rfind(|(name, _)| name.eq_ignore_ascii_case("requirepass"));
        set.map(|(_, password)| password.as_str())
    }

    fn ask(&self, addr: SocketAddr, limit: Duration, words: &[&str]) -> io::Result<Answer> {
        let mut connection = Connection::open(addr, limit)?;
        if let Some(password) = self.password()
            && let Err(refusal) = connection.ask(&["AUTH", password])?
        {
            return Ok(Err(refusal));
        }
        connection.ask(words)
    }
}

impl Kind for Redis {
    const PROGRAM: &'static str = "redis-server";
    const ENDING: Ending = Ending::Kill;

    fn program(&self) -> PathBuf {
        self.program.clone()
    }

    fn arguments(&self, home: &Home, port: u16) -> Vec<String> {
        let folder = home.path().display().to_string();
        let port = port.to_string();
        let before = [("save", ""), ("appendonly", "no"), ("repl-diskless-sync-delay", "0")];
        let after =
            [("port", port.as_str()), ("bind", "127.0.0.1"), ("dir", &folder), ("daemonize", "no"), ("logfile", "")];
        let given = self.config.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all = before.into_iter().chain(given).chain(after);
        all.flat_map(|(name, value)| [format!("--{name}"), value.to_owned()]).collect()
    }

    fn answers(&self, _home: &Home, port: u16, pid: u32) -> bool {
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        let ask = |words: &[&str]| self.ask(addr, PING_LIMIT, words).ok()?.ok();
        // While it loads its data, it answers other commands but refuses PING.
        let is_ready = ask(&["PING"]).is_some_and(|answer| answer == "PONG");
        is_ready && ask(&["INFO", "server"]).is_some_and(|info| has_line(&info, &format!("process_id:{pid}")))
    }
}

fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line == wanted)
}

fn remove_contents(home: &Home) -> io::Result<()> {
    for entry in fs::read_dir(home.path())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}

const PING_LIMIT: Duration = Duration::from_millis(500);
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
