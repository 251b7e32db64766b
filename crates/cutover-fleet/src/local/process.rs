//! [`Process`]: the process of one side, found again by whoever looks for it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::files::{read, replace};
use super::home::{Home, name_of};
use super::program::Program;
use crate::Side;

/// The process of one side of a system, whoever started it.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) home: Home,
    side: Side,
}

impl Process {
    pub(super) const fn new(home: Home, side: Side) -> Self {
        Self { home, side }
    }

    pub(super) fn is_running(&self) -> bool {
        self.find().is_some()
    }

    /// Where it listens, if it ever did.
    pub(super) fn address(&self) -> io::Result<Option<SocketAddr>> {
        let Some(port) = read(&self.home.port(self.side))? else { return Ok(None) };
        let port = port.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
    }

    /// Starts the program, and returns when it listens.
    pub(super) async fn start(&self, program: &Program, more: &[(&str, String)], within: Duration) -> io::Result<()> {
        fs::create_dir_all(self.home.data(self.side))?;
        let port = free_port()?;
        replace(&self.home.port(self.side), &port.to_string())?;
        let mut child = self.command(program, port, more)?.spawn()?;
        let is_up = self.until_it_listens(within, || has_ended(&mut child)).await;
        if is_up.is_err() {
            let stopped = self.stop().await;
            // One that has left its folder is not found there.
            drop(child.kill().await);
            stopped?;
        }
        is_up
    }

    /// Returns when a process that runs already listens.
    pub(super) async fn until_up(&self, within: Duration) -> io::Result<()> {
        self.until_it_listens(within, || !self.is_running()).await
    }

    /// Asks it to end, and ends it if it does not. What it has started and left behind is ended too.
    pub(super) async fn stop(&self) -> io::Result<()> {
        let Some(running) = self.find() else { return Ok(()) };
        running.signal(Signal::TERM)?;
        if !self.has_gone_within(PATIENCE).await {
            running.signal(Signal::KILL)?;
            if !self.has_gone_within(PATIENCE).await {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it still runs after it was killed"));
            }
        }
        end_group(running.number)
    }

    fn command(&self, program: &Program, port: u16, more: &[(&str, String)]) -> io::Result<Command> {
        let log = self.log()?;
        let mut command = Command::new("sh");
        command.args(["-c", SAY_WHO_AND_BECOME, "sh"]).arg(&program.path).args(&program.arguments);
        command.envs(program.environment.iter().map(|(name, value)| (name, value)));
        command.env("PORT", port.to_string()).env("CUTOVER_SIDE", name_of(self.side));
        command.env("CUTOVER_DATA", self.home.data(self.side)).envs(more.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.home.side(self.side)).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    fn log(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.home.log(self.side))
    }

    async fn until_it_listens(&self, within: Duration, mut has_ended: impl FnMut() -> bool) -> io::Result<()> {
        let looking = async {
            while !(self.is_running() && self.listens().await) {
                if has_ended() {
                    return Err(io::Error::other("it ended before it listened"));
                }
                sleep(BETWEEN_LOOKS).await;
            }
            Ok(())
        };
        timeout(within, looking).await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, DEAF)))
    }

    async fn listens(&self) -> bool {
        match self.address() {
            Ok(Some(address)) => TcpStream::connect(address).await.is_ok(),
            Ok(None) | Err(_) => false,
        }
    }

    async fn has_gone_within(&self, time: Duration) -> bool {
        let gone = async {
            while self.is_running() {
                sleep(BETWEEN_LOOKS).await;
            }
        };
        timeout(time, gone).await.is_ok()
    }

    /// The process whose number is in the file, if it runs in the folder of this side: numbers are given again.
    ///
    /// A process that has ended, but was not asked after by its parent, has no folder any more.
    fn find(&self) -> Option<Running> {
        let number: i32 = read(&self.home.pid(self.side)).ok()??.trim().parse().ok()?;
        let pid = Pid::from_raw(number)?;
        let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let runs_in = fs::read_link(format!("/proc/{number}/cwd")).ok()?;
        (runs_in == fs::canonicalize(self.home.side(self.side)).ok()?).then_some(Running { number: pid, process })
    }
}

/// A process that was found.
struct Running {
    /// Also the number of the group that it leads.
    number: Pid,
    /// The process itself, whoever gets its number after it.
    process: OwnedFd,
}

impl Running {
    /// To the process and to nobody else. One that has ended is no error.
    fn signal(&self, signal: Signal) -> io::Result<()> {
        unless_gone(pidfd_send_signal(&self.process, signal))
    }
}

/// Ends what is left of the group of a process that has just gone.
fn end_group(leader: Pid) -> io::Result<()> {
    unless_gone(kill_process_group(leader, Signal::KILL))
}

fn unless_gone(sent: rustix::io::Result<()>) -> io::Result<()> {
    match sent {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The number is in the file before the program runs, so that no program ever runs unknown.
const SAY_WHO_AND_BECOME: &str = r#"echo $$ >pid.new && mv pid.new pid && exec "$@""#;

const PATIENCE: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
const DEAF: &str = "it does not listen on the port that it was given";

fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// One that nobody listens on now.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
