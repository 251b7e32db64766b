//! A server program that runs, and what can be done to it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use crate::ServerError;
use crate::error::Tried as _;
use crate::home::{Ending, Home};
use crate::signals;
use crate::wait::{Deadline, pause};

/// What differs between the servers.
pub(crate) trait Kind: Send + Sync {
    /// The name in messages.
    const PROGRAM: &'static str;
    /// How the server ends when its data does not matter.
    const ENDING: Ending;

    fn program(&self) -> PathBuf;
    fn arguments(&self, home: &Home, port: u16) -> Vec<String>;

    /// Whether the server at `port` answers, and is the process `pid` in `home`.
    fn answers(&self, home: &Home, port: u16, pid: u32) -> bool;
}

/// A server on a port of its own. It ends with this value and with this process.
#[derive(Debug)]
pub(crate) struct Service<K: Kind> {
    pub(crate) kind: K,
    port: u16,
    running: Mutex<Option<Running>>,
    // Dropped last: its keeper ends what still runs.
    pub(crate) home: Home,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// The processes that stand still.
    paused: Vec<u32>,
}

impl<K: Kind> Service<K> {
    /// Starts the server on a free port. Another process may take that port first; then the next one is tried.
    pub(crate) fn start(kind: K, home: Home) -> Result<Self, ServerError> {
        let deadline = Deadline::after(START_LIMIT);
        loop {
            let port = free_port().tried("find a free port")?;
            match launch(&kind, &home, port, deadline) {
                Ok(child) => return Ok(Self { kind, port, running: Mutex::new(Some(Running::new(child))), home }),
                Err(error) if may_pass(&error) && !deadline.is_over() => pause(),
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        at(self.port)
    }

    /// The number of the running process.
    pub(crate) fn pid(&self) -> Result<u32, ServerError> {
        self.running().as_ref().map(|running| running.child.id()).ok_or(ServerError::NotRunning { program: K::PROGRAM })
    }

    /// Starts the server again, on the same port and in the same folder. Does nothing when it runs.
    pub(crate) fn start_again(&self) -> Result<(), ServerError> {
        let mut running = self.running();
        if running.is_some() {
            return Ok(());
        }
        let deadline = Deadline::after(START_LIMIT);
        loop {
            match launch(&self.kind, &self.home, self.port, deadline) {
                Ok(child) => *running = Some(Running::new(child)),
                Err(error) if may_pass(&error) && !deadline.is_over() => {
                    pause();
                    continue;
                }
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }

    /// Asks the server to end, through `ask`, and waits for it. Does nothing when it does not run.
    pub(crate) fn stop(&self, ask: impl FnOnce(u32) -> Result<(), ServerError>) -> Result<(), ServerError> {
        self.resume()?;
        let mut running = self.running();
        let Some(Running { child, .. }) = running.as_mut() else { return Ok(()) };
        ask(child.id())?;
        let ended = Deadline::after(STOP_LIMIT).poll(|| child.try_wait().transpose());
        let pid = child.id();
        ended.ok_or_else(|| too_slow::<K>(&self.home, "stop", STOP_LIMIT))?.tried("wait for the server")?;
        *running = None;
        self.home.forget(pid)
    }

    /// Ends the server and its processes at once, as a machine that loses its power does.
    pub(crate) fn kill(&self) -> Result<(), ServerError> {
        self.pause()?;
        let mut running = self.running();
        let Some(mut killed) = running.take() else { return Ok(()) };
        for pid in &killed.paused {
            signals::send(*pid, Signal::KILL).tried("kill the server")?;
        }
        killed.child.wait().tried("wait for the server")?;
        killed.paused.iter().try_for_each(|pid| self.home.forget(*pid))
    }

    /// Stops the server and its processes from running, until [`Service::resume`]. Its connections stay open.
    pub(crate) fn pause(&self) -> Result<(), ServerError> {
        let mut running = self.running();
        let Some(Running { child, paused }) = running.as_mut() else { return Ok(()) };
        if !paused.is_empty() {
            return Ok(());
        }
        // The server first: then it makes no new ones.
        stop_one(child.id())?;
        paused.push(child.id());
        for pid in signals::children_of(child.id()) {
            self.home.adopt(pid, Ending::Kill)?;
            stop_one(pid)?;
            paused.push(pid);
        }
        Ok(())
    }

    /// Lets a paused server go on.
    pub(crate) fn resume(&self) -> Result<(), ServerError> {
        let mut running = self.running();
        let Some(Running { child, paused }) = running.as_mut() else { return Ok(()) };
        while let Some(pid) = paused.pop() {
            signals::send(pid, Signal::CONT).tried("resume the server")?;
            if pid != child.id() {
                self.home.forget(pid)?;
            }
        }
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Kind> Drop for Service<K> {
    /// Ends the server here, so that it is reaped; what goes wrong is left to the keeper.
    fn drop(&mut self) {
        let end = |pid| match K::ENDING {
            Ending::Kill => signals::send(pid, Signal::KILL),
            Ending::Quit => signals::send(pid, Signal::QUIT),
            Ending::KillGroup => signals::send_to_group(pid, Signal::KILL),
        };
        self.stop(|pid| end(pid).tried("stop the server")).ok();
        self.kill().ok();
    }
}

impl Running {
    fn new(child: Child) -> Self {
        Self { child, paused: Vec::new() }
    }
}

/// Starts the server and waits until it answers. One that does not is ended.
fn launch<K: Kind>(kind: &K, home: &Home, port: u16, deadline: Deadline) -> Result<Child, ServerError> {
    let mut child = home.spawn(&kind.program(), &kind.arguments(home, port), K::ENDING)?;
    let pid = child.id();
    let seen = deadline.poll(|| match child.try_wait() {
        Ok(None) => kind.answers(home, port, pid).then_some(None),
        Ok(Some(status)) => Some(Some(status)),
        Err(_) => None,
    });
    match seen {
        Some(None) => return Ok(child),
        Some(Some(_)) => {}
        None => {
            child.kill().tried("kill the server")?;
        }
    }
    let status = child.wait().tried("wait for the server")?;
    home.forget(pid)?;
    Err(if seen.is_some() { ended::<K>(home, status) } else { too_slow::<K>(home, "answer", START_LIMIT) })
}

fn ended<K: Kind>(home: &Home, status: ExitStatus) -> ServerError {
    ServerError::Ended { program: K::PROGRAM, status, log: home.log() }
}

fn too_slow<K: Kind>(home: &Home, what: &'static str, limit: Duration) -> ServerError {
    ServerError::TooSlow { program: K::PROGRAM, what, limit, log: home.log() }
}

/// Whether it is another process that stood in the way: one with the port, or one of a killed server that is about to go.
fn may_pass(error: &ServerError) -> bool {
    let ServerError::Ended { log, .. } = error else { return false };
    log.contains("in use")
}

fn stop_one(pid: u32) -> Result<(), ServerError> {
    signals::send(pid, Signal::STOP).tried("pause the server")
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(at(0))?.local_addr()?.port())
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

const START_LIMIT: Duration = Duration::from_secs(15);
const STOP_LIMIT: Duration = Duration::from_secs(15);
