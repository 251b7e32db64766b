//! What a worker writes down, so that it outlives a kill: one line a system call.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};

use crate::Failure;

/// What the store acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever checks decides over all of them")]
pub enum Event {
    /// An item was granted.
    Granted {
        /// Which item.
        item: u32,
        /// Its token.
        token: u64,
        /// When it was asked for, in nanoseconds of the machine's monotonic clock.
        asked: u64,
        /// When the grant was known.
        known: u64,
    },
    /// An item was completed.
    Completed {
        /// Which item.
        item: u32,
        /// Its token.
        token: u64,
    },
}

/// The log of one worker.
#[derive(Debug)]
pub struct Log(File);

impl Log {
    /// Appends to `path`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn append(path: &Path) -> Result<Self, Failure> {
        Ok(Self(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// Writes one line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, event: Event) -> Result<(), Failure> {
        let line = match event {
            Event::Granted { item, token, asked, known } => format!("granted {item} {token} {asked} {known}\n"),
            Event::Completed { item, token } => format!("completed {item} {token}\n"),
        };
        Ok((&self.0).write_all(line.as_bytes())?)
    }
}

/// Nanoseconds of the machine's monotonic clock, which all processes share.
#[must_use]
pub(super) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}

/// Reads a log. A line that a kill cut off says nothing.
///
/// # Errors
/// When it cannot be read, or when a whole line is not understood.
pub fn read(path: &Path) -> Result<Vec<Event>, Failure> {
    let text = std::fs::read_to_string(path)?;
    let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
    whole.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Event, Failure> {
    let words: Vec<_> = line.split(' ').collect();
    match words[..] {
        ["granted", item, token, asked, known] => Ok(Event::Granted {
            item: item.parse()?,
            token: token.parse()?,
            asked: asked.parse()?,
            known: known.parse()?,
        }),
        ["completed", item, token] => Ok(Event::Completed { item: item.parse()?, token: token.parse()? }),
        _ => Err(format!("`{line}` is no line of a log").into()),
    }
}
