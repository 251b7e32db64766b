//! A host whose systems are processes of this machine, behind a real proxy: for trying a migration, and as a model for a
//! host of your own. Linux only.
//!
//! - [`LocalHost`] runs each side of a system as a child process that listens on a port of its own, and looks at it over
//!   HTTP. It implements all host traits but [`Conversion`](crate::Conversion), which only you know.
//! - [`Front`] is the proxy: clients connect to it, and it passes each connection to the side that has its turn.
//!
//! Both know of each other only what is in the files below one folder, so that they may live in different processes. Processes
//! and front outlive whoever migrates: one that is killed half way leaves everything as it was, and the next one finds it.
//! Switching writes one small file. It asks no process, and so it works whatever is broken.
//!
//! # What a program is told
//! In its environment: `PORT` is where it has to listen on 127.0.0.1, `CUTOVER_SYSTEM` and `CUTOVER_SIDE` (`legacy` or `new`)
//! say which it is, `CUTOVER_DATA` is a folder for what it keeps, and `CUTOVER_ARTIFACT` is the artifact of a new side. What it
//! prints goes to a log. It has to stay in the folder that it is started in, by which it is found again. It is asked to end by
//! SIGTERM, and killed when it has not ended after 2 s, with what it has started and left behind in its process group.
//!
//! # What it is asked
//! `GET /health` has to be answered by a status below 400 while it is healthy. The body may be a JSON object with `calls`,
//! `failures`, `p95_ms` and `throughput`, and other figures, which go into reports. `GET /verify` is answered so if the system does
//! its work.

mod backups;
mod files;
mod front;
mod home;
mod http;
mod lifecycle;
mod process;
mod program;
mod route;
mod vitals;

pub use front::{Front, FrontError};
pub use program::Program;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover::{Clock, SystemClock};
use tokio::sync::OwnedMutexGuard;

use crate::Side;
use crate::system::{System, SystemName};
use home::Home;
use process::Process;

/// A host whose systems are processes of this machine. Clones are the same host.
///
/// ```no_run
/// use cutover_fleet::Side;
/// use cutover_fleet::local::{Front, LocalHost, Program};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let host = LocalHost::new("/srv/fleet", |_, side| match side {
///     Side::Legacy => Program::new("/usr/local/bin/old-service"),
///     Side::New => Program::new("/usr/local/bin/new-service").arg("--strict"),
/// });
/// let front = Front::new("/srv/fleet");
/// let address = front.open(&"billing".parse()?, "127.0.0.1:0").await?; // clients connect there
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct LocalHost {
    root: PathBuf,
    program: Arc<ProgramOf>,
    clock: Arc<dyn Clock>,
    starts_within: Duration,
    /// Calls for one system wait here for what an earlier one, dropped meanwhile, may still be doing.
    turns: Arc<Mutex<HashMap<SystemName, Arc<tokio::sync::Mutex<()>>>>>,
}

type ProgramOf = dyn Fn(&System, Side) -> Program + Send + Sync;

impl LocalHost {
    /// A host that keeps everything below the folder `root`, which is made when it is needed. `program` says what runs a side.
    pub fn new(root: impl Into<PathBuf>, program: impl Fn(&System, Side) -> Program + Send + Sync + 'static) -> Self {
        let (root, program, clock) = (root.into(), Arc::new(program), Arc::new(SystemClock::new()));
        Self { root, program, clock, starts_within: Duration::from_secs(10), turns: Arc::default() }
    }

    /// How long a process may take until it listens; 10 s by default.
    #[must_use]
    pub const fn starts_within(mut self, time: Duration) -> Self {
        self.starts_within = time;
        self
    }

    /// The clock that dates backups; the machine's by default.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The folder for what a side keeps, which its program is told as `CUTOVER_DATA`.
    #[must_use]
    pub fn data_folder(&self, system: &SystemName, side: Side) -> PathBuf {
        self.home(system).data(side)
    }

    fn home(&self, system: &SystemName) -> Home {
        Home::new(&self.root, system)
    }

    fn process(&self, system: &System, side: Side) -> Process {
        Process::new(self.home(&system.name), side)
    }

    async fn turn(&self, system: &System) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(
            self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(system.name.clone()).or_default(),
        );
        turn.lock_owned().await
    }
}

impl fmt::Debug for LocalHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalHost").field("root", &self.root).finish_non_exhaustive()
    }
}
