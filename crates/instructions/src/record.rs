//! The recorded counts, and what they were counted with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What compiled the program. Counts of two targets have nothing to do with each other, and those of two compilers little.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "this package is not published")]
pub struct Toolchain {
    /// The version of the compiler, such as `1.95.0`.
    pub rustc: String,
    /// What it compiles for, such as `x86_64-unknown-linux-gnu`.
    pub target: String,
}

/// Counted instructions per call, by the name of the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "this package is not published")]
pub struct Record {
    /// With what they were counted.
    pub toolchain: Toolchain,
    /// The counts.
    pub instructions: BTreeMap<String, f64>,
}

/// Why a record was not read or written, or the compiler did not say what it is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file could not be read or written.
    #[error("{} could not be read or written", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no record.
    #[error("{} is no record of counts", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// The record could not be written down.
    #[error("the counts could not be written down")]
    Unwritable(#[from] toml::ser::Error),
    /// There is no compiler.
    #[error("rustc could not be asked for its version")]
    NoCompiler(#[source] io::Error),
    /// The compiler said something else.
    #[error("rustc did not say its release and host:\n{0}")]
    UnknownCompiler(String),
}

impl Record {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When there is none, or it is no record.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let text = fs::read_to_string(path).map_err(|source| RecordError::File { path: path.into(), source })?;
        toml::from_str(&text).map_err(|source| RecordError::Unreadable { path: path.into(), source: Box::new(source) })
    }

    /// Only what is recorded for one call.
    #[must_use]
    pub fn of(mut self, call: &str) -> Self {
        self.instructions.retain(|name, _| name == call);
        self
    }

    /// Writes the file at `path`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let text = format!("{HEADER}{}", toml::to_string(self)?);
        fs::write(path, text).map_err(|source| RecordError::File { path: path.into(), source })
    }
}

impl Toolchain {
    /// Asks the compiler.
    ///
    /// # Errors
    /// When there is none, or it says something else.
    pub fn here() -> Result<Self, RecordError> {
        let output = Command::new("rustc").arg("-vV").output().map_err(RecordError::NoCompiler)?;
        let told = String::from_utf8_lossy(&output.stdout);
        Self::from_version(&told).ok_or_else(|| RecordError::UnknownCompiler(told.into_owned()))
    }

    fn from_version(told: &str) -> Option<Self> {
        let of = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        Some(Self { rustc: of("release: ")?, target: of("host: ")? })
    }
}

const HEADER: &str = "\
# Instructions per call. To accept new ones: cargo run --profile bench -p cutover-instructions -- --accept
# The README of this package says what they are and when to accept them.

";
