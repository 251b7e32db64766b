//! Other processes that do a part of a test: the test's own binary, started once more with a task.

use std::path::Path;
use std::process::{Command, Stdio};

/// A process that runs the test `name` of `binary`, which finds `task` there. Its standard output is a pipe.
pub(crate) fn process(binary: impl AsRef<Path>, name: &str, task: &str) -> Command {
    let mut command = Command::new(binary.as_ref());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(TASK, task);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// What this process was started for, if it is such a process.
pub(crate) fn task() -> Option<String> {
    std::env::var(TASK).ok()
}

const TASK: &str = "CUTOVER_SQLITE_TEST_TASK";
