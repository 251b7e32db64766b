//! Compares three plans for the same migration by playing them against the same faults, before any user meets one.
//!
//! `cargo run --release --features simulate --example simulate_plan [-- --runs 20 --svg plans.svg]`
//!
//! What is compared stands in `cases.rs`; the rest shows it.

mod cases;
mod plot;
mod show;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use cutover::simulate::{Played, Simulation, Summary};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use cases::{Case, plans};

/// Compares three rollout plans: five weeks, four phases, and one day. Each is played many times against the same
/// faults, with the same traffic, the real decisions and the real guard.
#[derive(clap::Parser)]
#[command(name = "simulate_plan")]
struct Arguments {
    /// How often each plan meets each fault
    #[arg(long, default_value_t = if cfg!(debug_assertions) { 2 } else { 20 }, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// Another seed, other traffic; the same seed, the same figures
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to draw the picture [default: cutover-plans.svg in the folder for temporary files]
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// One plan against one fault.
struct Cell {
    plan: String,
    /// Whether there is a fault.
    breaks: bool,
    summary: Summary,
    /// The first run, to be drawn.
    first: Played,
}

/// One fault, and what each plan made of it.
struct Row {
    case: Case,
    cells: Vec<Cell>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed too.
            drop(writeln!(io::stderr(), "simulate_plan: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let path = arguments.svg.clone().unwrap_or_else(|| std::env::temp_dir().join("cutover-plans.svg"));
    // Whoever named a place where nothing can be written is told before everything is played.
    fs::write(&path, "").map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    show::introduction(out, &plans()?, arguments.runs)?;
    let rows = play(arguments)?;
    show::tables(out, &rows)?;
    plot::draw(&path, &rows).map_err(|error| format!("cannot draw {}: {error}", path.display()))?;
    writeln!(out, "\nA picture of it: {}", path.display())?;
    Ok(())
}

/// Each fault in a thread of its own.
fn play(arguments: &Arguments) -> Result<Vec<Row>, Box<dyn Error>> {
    let cases = cases::all()?;
    let runs = cases.len() * plans()?.len() * arguments.runs as usize;
    let bar = progress(runs as u64);
    std::thread::scope(|scope| {
        let play = |case| scope.spawn(|| row(case, arguments, &bar).map_err(|error| error.to_string()));
        let rows: Vec<_> = cases.into_iter().map(play).collect();
        let join = |row: std::thread::ScopedJoinHandle<'_, Result<Row, String>>| {
            row.join().unwrap_or_else(|_| Err("a thread panicked".to_owned()))
        };
        rows.into_iter().map(|row| Ok(join(row)?)).collect()
    })
}

fn row(case: Case, arguments: &Arguments, bar: &ProgressBar) -> Result<Row, Box<dyn Error>> {
    let mut cells = Vec::new();
    for plan in plans()? {
        let simulation = Simulation::new(plan, case.model.clone())?.look_every(case.look_every)?;
        let first = simulation.run(arguments.seed);
        let mut summary = Summary::default();
        summary.add(&first);
        bar.inc(1);
        for run in 1..arguments.runs {
            summary.add(&simulation.run(arguments.seed.wrapping_add(run.into())));
            bar.inc(1);
        }
        let plan = simulation.plan().name().to_owned();
        let breaks = !case.model.faults.is_empty();
        cells.push(Cell { plan, breaks, summary, first });
    }
    Ok(Row { case, cells })
}

/// A bar on standard error if that is a terminal, and nothing otherwise.
fn progress(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("playing {wide_bar:.cyan/dim} {pos}/{len} runs");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━─");
    ProgressBar::new(total).with_style(style).with_finish(ProgressFinish::AndClear)
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
