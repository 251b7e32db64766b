//! Measures cutover beside its peers and writes BENCHMARKS.md.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::error::Error;
use std::path::PathBuf;
use std::{fs, io};

use clap::{Parser, Subcommand};
use cutover_peers::harness::{Driver, Effort, Results, time};
use cutover_peers::{Comparison, comparison, comparisons, report};

/// Measures cutover beside its peers and writes BENCHMARKS.md.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where the report goes.
    #[arg(long, default_value = "BENCHMARKS.md")]
    output: PathBuf,
    /// Where all single figures go, as JSON.
    #[arg(long)]
    results: Option<PathBuf>,
    /// Measures nothing, and makes the report of these figures.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Measures only these comparisons.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Shows that everything runs; its times mean nothing.
    #[arg(long, global = true)]
    quick: bool,
    #[command(subcommand)]
    job: Option<Job>,
}

#[derive(Subcommand)]
enum Job {
    /// What a process does that the program starts itself: times one comparison, and prints JSON.
    #[command(hide = true)]
    Time { comparison: String, threads: usize, peer: Option<String> },
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some(Job::Time { comparison, threads, peer }) = &arguments.job {
        let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
        let times = time(&named(comparison)?, peer.as_deref(), *threads, effort);
        return Ok(serde_json::to_writer(io::stdout(), &times)?);
    }
    let results = results(&arguments)?;
    if let Some(file) = &arguments.results {
        fs::write(file, serde_json::to_string(&results)?)?;
    }
    let report = report::Report::new(&results, &selected(&arguments.only)?);
    fs::write(&arguments.output, report.to_string())?;
    println!("{}", arguments.output.display());
    let open = report.unexplained();
    for row in &open {
        eprintln!("no reason is given: {row}");
    }
    if open.is_empty() || arguments.quick {
        Ok(())
    } else {
        Err("rows that are slower than a peer want a reason".into())
    }
}

fn results(arguments: &Arguments) -> Result<Results, Box<dyn Error>> {
    match &arguments.from {
        Some(file) => Ok(serde_json::from_str(&fs::read_to_string(file)?)?),
        None => Ok(Driver::new(arguments.quick)?.run(&selected(&arguments.only)?)?),
    }
}

fn selected(only: &[String]) -> Result<Vec<Comparison>, String> {
    if only.is_empty() { Ok(comparisons()) } else { only.iter().map(|id| named(id)).collect() }
}

fn named(id: &str) -> Result<Comparison, String> {
    let known = || comparisons().iter().map(|comparison| comparison.id).collect::<Vec<_>>().join(", ");
    comparison(id).ok_or_else(|| format!("there is no comparison {id:?}; there are {}", known()))
}
