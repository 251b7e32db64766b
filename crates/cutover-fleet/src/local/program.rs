//! [`Program`]: what runs a side.

use std::ffi::OsString;
use std::path::PathBuf;

/// A program with its arguments and environment. It inherits the environment of the host besides.
///
/// ```
/// use cutover_fleet::local::Program;
/// let program = Program::new("/usr/local/bin/new-service").arg("--strict").env("LANG", "C");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Program {
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
}

impl Program {
    /// The program at `path`; a name without a folder is looked for in `PATH`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// With one more argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With one more variable in its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }
}
