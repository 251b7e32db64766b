//! A folder for a server, and a shell that tidies up after us however we end.

use std::fs;
use std::io::{self, PipeWriter, Write as _};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::ServerError;
use crate::error::Tried as _;

/// A temporary folder, and the processes that work in it. Both end with this value and with this process.
///
/// A shell, the keeper, reads a pipe that only we can write to. It is told which processes there are. When the pipe
/// closes, because this value is dropped or because this process ended in whatever way, it ends those processes and
/// removes the folder.
#[derive(Debug)]
pub(crate) struct Home {
    folder: TempDir,
    owner: Option<User>,
    /// Only `None` while being dropped.
    pipe: Option<PipeWriter>,
    keeper: Child,
}

/// Whom programs run as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// How a process is ended with its home.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Kill,
    Quit,
    /// With all processes that it started.
    KillGroup,
}

impl Ending {
    fn name(self) -> &'static str {
        match self {
            Self::Kill | Self::KillGroup => "KILL",
            Self::Quit => "QUIT",
        }
    }

    /// What stands before the number of the process for the keeper: each program begins a group of its own.
    fn sign(self) -> &'static str {
        match self {
            Self::Kill | Self::Quit => "",
            Self::KillGroup => "-",
        }
    }
}

impl Home {
    /// A new folder that `owner`, or else the current user, owns.
    pub(crate) fn new(owner: Option<User>) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new().prefix("cutover-test-").tempdir().tried("make a temporary folder")?;
        if let Some(User { uid, gid }) = owner {
            chown(folder.path(), Some(uid), Some(gid)).tried("give the temporary folder to the user of the server")?;
        }
        let (reader, pipe) = io::pipe().tried("make a pipe")?;
        let keeper = keeper(folder.path(), Stdio::from(reader)).tried("run /bin/sh")?;
        Ok(Self { folder, owner, pipe: Some(pipe), keeper })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a program in this folder as its owner. What it writes is kept for [`Home::log`].
    ///
    /// The new process announces itself to the keeper before it becomes the program, so none is ever forgotten.
    pub(crate) fn spawn(&self, program: &Path, arguments: &[String], ending: Ending) -> Result<Child, ServerError> {
        let pipe = self.pipe()?.try_clone().tried("copy a pipe")?;
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", ANNOUNCED, "sh", ending.sign(), ending.name()])
            .arg(self.log_path())
            .arg(program)
            .args(arguments);
        shell.current_dir(self.path()).env("LC_ALL", "C").env("TMPDIR", self.path());
        shell.stdin(Stdio::null()).stdout(pipe).stderr(Stdio::null()).process_group(0);
        if let Some(User { uid, gid }) = self.owner {
            shell.uid(uid).gid(gid);
        }
        shell.spawn().tried("run /bin/sh")
    }

    /// Tells the keeper of a process that ends with this home.
    pub(crate) fn adopt(&self, pid: u32, ending: Ending) -> Result<(), ServerError> {
        self.tell(&format!("+ {pid} {}\n", ending.name()))
    }

    /// Tells the keeper that a process is no longer its business.
    pub(crate) fn forget(&self, pid: u32) -> Result<(), ServerError> {
        self.tell(&format!("- {pid}\n"))
    }

    /// The last lines that the program started last has written.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().rev().take(LINES_OF_LOG).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn log_path(&self) -> PathBuf {
        self.path().join("log")
    }

    fn tell(&self, line: &str) -> Result<(), ServerError> {
        self.pipe()?.write_all(line.as_bytes()).tried("write to the shell that keeps the server")
    }

    fn pipe(&self) -> Result<&PipeWriter, ServerError> {
        self.pipe.as_ref().ok_or(io::ErrorKind::BrokenPipe).tried("reach the shell that keeps the server")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // When it cannot be waited for, it tidies up all the same.
        self.keeper.wait().ok();
    }
}

fn keeper(folder: &Path, pipe: Stdio) -> io::Result<Child> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", include_str!("keeper.sh"), "cutover-test-keeper"]).arg(folder);
    shell.current_dir("/").stdin(pipe).stdout(Stdio::null()).stderr(Stdio::null());
    // Of a group of its own, so that what ends the tests from a terminal does not end it.
    shell.process_group(0).spawn()
}

/// Its standard output is the pipe to the keeper.
const ANNOUNCED: &str = r#"echo "+ $1$$ $2"; log=$3; shift 3; exec "$@" >"$log" 2>&1"#;

const LINES_OF_LOG: usize = 20;
