//! `cutover-assess ratchet`

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cutover_assess::Ratchet;
use cutover_assess::ratchet::RatchetError;

use super::codemod::{SourceArgs, say};

/// What is compared with which baseline.
#[derive(Debug, Args)]
pub(crate) struct RatchetArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// The baseline, a file to commit.
    #[arg(long, value_name = "FILE", default_value = "migration-baseline.json")]
    baseline: PathBuf,
    /// Takes what is gone out of the baseline. It never grows.
    #[arg(long, conflicts_with = "accept")]
    shrink: bool,
    /// Makes the baseline what is found now, also if it grows; the reason stands in the file.
    #[arg(long, value_name = "REASON")]
    accept: Option<String>,
}

pub(crate) fn run(args: &RatchetArgs) -> Result<ExitCode, Box<dyn Error>> {
    let assessment = args.source.assessment(&args.source.scan()?.leave_out(&args.baseline))?;
    let ratchet = Ratchet::at(&args.baseline);
    if let Some(reason) = &args.accept {
        let known = ratchet.accept(&assessment, reason)?.known;
        return say(&format!("the baseline has {known} legacy call sites now: {}", args.baseline.display()));
    }
    if args.shrink {
        ratchet.shrink(&assessment)?;
    }
    match ratchet.check(&assessment) {
        Ok(report) => say(&format!("{} legacy call sites are left, and all are known", report.known)),
        Err(error @ (RatchetError::Grown { .. } | RatchetError::Shrunk { .. })) => {
            say(&error.to_string())?;
            Ok(ExitCode::from(1))
        }
        Err(error) => Err(error.into()),
    }
}
