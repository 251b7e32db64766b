//! The program `cutover-assess`: finds legacy call sites in source code. README.md shows it.

mod args;
mod codemod;
mod output;
mod ratchet;
mod rules;
mod scan;

use std::error::Error;
use std::io::{self, Write};
use std::iter;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Scan(args) => scan::run(&args),
        Command::Diff(args) => codemod::diff(&args),
        Command::Apply(args) => codemod::apply(&args),
        Command::Undo(args) => codemod::undo(&args),
        Command::Ratchet(args) => ratchet::run(&args),
    };
    done.unwrap_or_else(|error| {
        tell(&*error);
        ExitCode::from(FAILED)
    })
}

/// The exit code of what could not be done, or not so that it proves something.
const FAILED: u8 = 2;

/// Whoever closed the pipe has read enough. What was found, and so the exit code, stays the same.
fn read_enough(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The error and what it comes from, each in a line.
fn tell(error: &dyn Error) {
    let mut lines = vec![format!("error: {error}")];
    let causes = iter::successors(error.source(), |&error| error.source());
    lines.extend(causes.map(|cause| format!("  because: {cause}")));
    // Without a standard error there is nobody to tell.
    writeln!(io::stderr(), "{}", lines.join("\n")).unwrap_or_default();
}
