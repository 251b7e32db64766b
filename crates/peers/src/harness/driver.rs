//! Starts a process for each thing to measure, and shows how far it is.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use indicatif::{ProgressBar, ProgressStyle};
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{Counted, Machine, Results, Times};
use crate::{Comparison, Entry, Role};

/// Measures comparisons by starting this program again, and the one that counts allocations.
#[derive(Debug)]
pub struct Driver {
    times: PathBuf,
    allocations: PathBuf,
    quick: bool,
}

impl Driver {
    /// Runs the programs `peers` and `peers-allocations` of the folder in which this one is.
    ///
    /// # Errors
    /// The operating system does not say where this program is.
    pub fn new(quick: bool) -> io::Result<Self> {
        let times = std::env::current_exe()?;
        let allocations = times.with_file_name(format!("peers-allocations{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { times, allocations, quick })
    }

    /// Measures `comparisons`, one process after the other.
    ///
    /// # Errors
    /// [`DriverError`] names the process that did not do its work.
    pub fn run(&self, comparisons: &[Comparison]) -> Result<Results, DriverError> {
        let jobs: Vec<Job<'_>> = comparisons.iter().flat_map(jobs).collect();
        let bar = progress(jobs.len());
        let mut results = Results { machine: Machine::this(), times: Vec::new(), allocations: Vec::new() };
        for job in jobs {
            bar.set_message(job.to_string());
            bar.println_if_hidden(&job);
            match job {
                Job::Time { .. } => results.times.push(self.run_one::<Times>(&self.times, &job)?),
                Job::Count { .. } => results.allocations.push(self.run_one::<Counted>(&self.allocations, &job)?),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(results)
    }

    fn run_one<T: DeserializeOwned>(&self, program: &Path, job: &Job<'_>) -> Result<T, DriverError> {
        let mut command = Command::new(program);
        command.args(job.arguments()).args(self.quick.then_some("--quick"));
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.map_err(|source| DriverError::NotStarted { job: job.to_string(), source })?;
        if !output.status.success() {
            return Err(DriverError::Failed { job: job.to_string(), status: output.status.to_string() });
        }
        serde_json::from_slice(&output.stdout).map_err(|source| DriverError::NoResult { job: job.to_string(), source })
    }
}

/// Why there is no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The program is not there, or cannot be run.
    #[error("cannot start the process for {job}; build all programs first: cargo build --release --bins")]
    NotStarted {
        /// What it was to do.
        job: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The process ended with an error, which it has printed.
    #[error("the process for {job} failed: {status}")]
    Failed {
        /// What it was to do.
        job: String,
        /// How it ended.
        status: String,
    },
    /// What the process printed is no result.
    #[error("the process for {job} printed no result")]
    NoResult {
        /// What it was to do.
        job: String,
        /// Where it cannot be read.
        source: serde_json::Error,
    },
}

/// What one process does.
enum Job<'c> {
    Time { comparison: &'c str, threads: usize, peer: Option<&'c Entry> },
    Count { comparison: &'c str, subject: &'c Entry },
}

impl Job<'_> {
    fn arguments(&self) -> Vec<String> {
        match self {
            Self::Time { comparison, threads, peer } => {
                let mut arguments = vec!["time".to_owned(), (*comparison).to_owned(), threads.to_string()];
                arguments.extend(peer.map(|peer| peer.name.to_owned()));
                arguments
            }
            Self::Count { comparison, subject } => vec![(*comparison).to_owned(), subject.name.to_owned()],
        }
    }
}

impl std::fmt::Display for Job<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time { comparison, threads, peer } => {
                let peer = peer.and_then(|peer| peer.package).unwrap_or("the floor");
                write!(f, "{comparison}: cutover and {peer}, threads: {threads}")
            }
            Self::Count { comparison, subject } => write!(f, "{comparison}: allocations of {}", subject.name),
        }
    }
}

fn jobs(comparison: &Comparison) -> Vec<Job<'_>> {
    let peers = comparison.entries.iter().filter(|entry| entry.role == Role::Peer).map(Some);
    let peers: Vec<_> =
        if comparison.entries.iter().any(|entry| entry.role == Role::Peer) { peers.collect() } else { vec![None] };
    let times = [1, 2].into_iter().flat_map(|threads| {
        peers.clone().into_iter().map(move |peer| Job::Time { comparison: comparison.id, threads, peer })
    });
    let counts = comparison.entries.iter().map(|subject| Job::Count { comparison: comparison.id, subject });
    times.chain(counts).collect()
}

fn progress(jobs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} (about {eta} more) {msg}");
    ProgressBar::new(u64::try_from(jobs).unwrap_or(u64::MAX))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

trait Lines {
    fn println_if_hidden(&self, job: &Job<'_>);
}

impl Lines for ProgressBar {
    /// Where there is no terminal, a line for each step.
    #[expect(clippy::print_stderr, reason = "the progress of a program")]
    fn println_if_hidden(&self, job: &Job<'_>) {
        if self.is_hidden() {
            eprintln!("{}/{} {job}", self.position() + 1, self.length().unwrap_or_default());
        }
    }
}
