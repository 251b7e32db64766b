//! What the program is asked.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cutover_assess::{Complexity, EffortWeights, Format};

use super::codemod::{ApplyArgs, SourceArgs, UndoArgs};
use super::ratchet::RatchetArgs;

/// Finds legacy call sites in source code, by rules that are data.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Looks for rules in a tree of files and reports what it finds.
    ///
    /// Exit code: 0 if nothing is found, 1 if something is, 2 if nothing was looked at, if something could not be looked at,
    /// or on an error.
    Scan(ScanArgs),
    /// Shows as a diff what `apply` would rename, and writes nothing.
    ///
    /// Exit code: 0 if nothing, 1 if something, 2 if nothing was found but not all could be looked at, or on an error.
    Diff(SourceArgs),
    /// Renames what has a replacement. All files are edited, or none.
    ///
    /// The originals are kept in the folder `.cutover` of ROOT. Exit code: 0 if all is done or nothing is to do, 2 if nothing was
    /// found but not all could be looked at, or on an error.
    Apply(ApplyArgs),
    /// Takes the last `apply` back, byte by byte, also one that was interrupted.
    ///
    /// Nothing is overwritten that was edited since. Exit code: 0 if all is done or nothing is to do, 2 on an error.
    Undo(UndoArgs),
    /// Compares what is found with a baseline that only shrinks.
    ///
    /// Exit code: 0 if both are the same, 1 if something is new or gone, 2 if nothing can be said, or on an error.
    Ratchet(RatchetArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// The folder or file to look in.
    pub(crate) root: PathBuf,
    /// The rules, in TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: PathBuf,
    /// How the report is written: text, markdown, json or sarif.
    #[arg(long, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Where the report goes, instead of to standard output. A file is replaced as a whole; the file of rules is refused.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// On how many threads; 0 is as many as there are processors, up to 12.
    #[arg(long, default_value_t = 0)]
    pub(crate) threads: usize,
    /// Also looks in files and folders whose name starts with a dot.
    #[arg(long)]
    pub(crate) hidden: bool,
    /// The size in bytes above which a file is skipped.
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    pub(crate) max_file_bytes: u64,
    /// From which complexity on a finding makes the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Low)]
    pub(crate) fail_on: FailOn,
    /// What a place of low, medium and high complexity costs.
    #[arg(long, value_name = "LOW,MEDIUM,HIGH", value_parser = weights, default_value = "1,3,8")]
    pub(crate) effort: [u32; 3],
    /// The unit of these costs.
    #[arg(long, default_value = "points")]
    pub(crate) effort_unit: String,
}

impl ScanArgs {
    pub(crate) fn weights(&self) -> EffortWeights {
        let [low, medium, high] = self.effort;
        EffortWeights { low, medium, high, unit: self.effort_unit.clone() }
    }
}

fn weights(text: &str) -> Result<[u32; 3], String> {
    let numbers: Result<Vec<u32>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let three = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    three.ok_or_else(|| "it is three whole numbers with commas between them, such as 1,3,8".into())
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FailOn {
    Low,
    Medium,
    High,
    /// Findings never do.
    Never,
}

impl FailOn {
    pub(crate) fn includes(self, complexity: Complexity) -> bool {
        match self {
            Self::Low => true,
            Self::Medium => complexity >= Complexity::Medium,
            Self::High => complexity >= Complexity::High,
            Self::Never => false,
        }
    }
}
