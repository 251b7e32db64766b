//! Counts the instructions of the calls that hosts make most often: `cargo run --profile bench -p cutover-instructions`.
//! Ends with 1 if one has grown. `-- --accept` records the counts of now.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program tells what it found")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use cutover_instructions::calls::{ALL, Call};
use cutover_instructions::comparison::{Change, Row, TOLERANCE, compare, tolerance};
use cutover_instructions::counting::per_call;
use cutover_instructions::record::{Record, Toolchain};

/// Counts the instructions of the calls that hosts make most often, and compares them with recorded counts.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    role: Option<Role>,
    /// Record the counts of now instead of comparing them.
    #[arg(long)]
    accept: bool,
    /// Only this call, by its name in the record.
    #[arg(long, conflicts_with = "accept")]
    only: Option<String>,
    /// The file with the recorded counts.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.toml"))]
    record: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Makes the calls; started below valgrind.
    #[command(hide = true)]
    Counted { call: String, times: u64 },
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    if let Some(Role::Counted { call, times }) = options.role {
        return make(&call, times);
    }
    if options.accept {
        return accept(&options.record);
    }
    let recorded = Record::read(&options.record)?;
    match options.only {
        None => check(&recorded, &ALL),
        Some(name) => check(&recorded.of(&name), &[called(&name)?]),
    }
}

fn called(name: &str) -> Result<Call, String> {
    let call = ALL.into_iter().find(|call| call.name == name);
    call.ok_or_else(|| format!("there is no call `{name}`; there are {:?}", ALL.map(|call| call.name)))
}

fn make(name: &str, times: u64) -> Result<ExitCode, Box<dyn Error>> {
    (called(name)?.make)(times);
    Ok(ExitCode::SUCCESS)
}

fn accept(path: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let counted = count(&ALL, Toolchain::here()?)?;
    let before = Record::read(path).unwrap_or_else(|_| counted.clone());
    counted.write(path)?;
    println!("{}\nRecorded in {}.", table(&compare(&before, &counted, TOLERANCE)), path.display());
    Ok(ExitCode::SUCCESS)
}

fn check(recorded: &Record, calls: &[Call]) -> Result<ExitCode, Box<dyn Error>> {
    let here = Toolchain::here()?;
    let Some(tolerance) = tolerance(&recorded.toolchain, &here) else {
        println!("NOT COUNTED: counts are recorded for {}, and this is {}.", recorded.toolchain.target, here.target);
        return Ok(ExitCode::SUCCESS);
    };
    say_compiler(&recorded.toolchain, &here, tolerance);
    let rows = compare(recorded, &count(calls, here)?, tolerance);
    println!("{}", table(&rows));
    let refused: Vec<&Row> = rows.iter().filter(|row| row.is_refused()).collect();
    if refused.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for row in refused {
        eprintln!("instructions: {}", verdict(row));
    }
    eprintln!("{HOW_TO_ACCEPT}");
    Ok(ExitCode::FAILURE)
}

const HOW_TO_ACCEPT: &str = "\
If this is meant, record it, and say in the commit what the instructions buy:
  cargo run --profile bench -p cutover-instructions -- --accept";

fn say_compiler(recorded: &Toolchain, here: &Toolchain, tolerance: f64) {
    if recorded.rustc != here.rustc {
        println!(
            "The counts were recorded with rustc {}, and this is {}: they may grow by {:.0} %. With --accept they are \
             held by this compiler again.",
            recorded.rustc,
            here.rustc,
            tolerance * 100.0
        );
    }
}

fn count(calls: &[Call], toolchain: Toolchain) -> Result<Record, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let counted = calls.iter().map(|call| Ok((call.name.to_owned(), per_call(&program, call)?)));
    Ok(Record { toolchain, instructions: counted.collect::<Result<_, Box<dyn Error>>>()? })
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(["Call", "Recorded", "Counted", "Growth", ""]);
    let number = |count: Option<f64>| count.map_or_else(String::new, |count| format!("{count:.1}"));
    for row in rows {
        let growth = row.growth().map_or_else(String::new, |growth| format!("{growth:+.1} %"));
        table.add_row([row.call.clone(), number(row.recorded), number(row.counted), growth, verdict_in_table(row)]);
    }
    table
}

fn verdict_in_table(row: &Row) -> String {
    if row.change == Change::Held { String::new() } else { format!("{:?}", row.change).to_uppercase() }
}

fn verdict(row: &Row) -> String {
    let (call, recorded, counted) = (&row.call, row.recorded.unwrap_or_default(), row.counted.unwrap_or_default());
    match row.change {
        Change::Unrecorded => format!("`{call}` takes {counted:.1} instructions, and none are recorded for it"),
        Change::Uncounted => format!("`{call}` is recorded, and no longer counted"),
        Change::Grew | Change::Shrank | Change::Held => {
            let growth = row.growth().unwrap_or_default();
            format!("`{call}` takes {counted:.1} instructions instead of {recorded:.1}, {growth:+.1} %")
        }
    }
}
