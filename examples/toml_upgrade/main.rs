//! Moves an application from the crate `toml` 0.5.11 to `toml` 1, on real documents, from the first comparison to the
//! last step: dual run, validation, gradual rollout, emergency rollback.
//!
//! `cargo run --release --example toml_upgrade [-- [--json] [--state FILE] [FOLDER]]`
//!
//! The call site is in `parse.rs`; everything else looks on.

mod compare;
mod documents;
mod figures;
mod parse;
mod rollout;
mod show;
mod state;
mod validate;

use std::error::Error;
use std::io::{self, Write};
use std::iter;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use cutover::{MemoryRecorder, MigrationController};

use compare::compare;
use documents::{Folder, suite};

/// Moves an application from the crate `toml` 0.5.11 (legacy) to `toml` 1 (new).
///
/// Runs both versions on the valid documents of the official TOML test suite and on every *.toml file below FOLDER,
/// validates the new one, rolls it out step by step, and rolls it back.
#[derive(clap::Parser)]
#[command(name = "toml_upgrade", after_help = EXIT_STATUS)]
struct Arguments {
    /// Print the figures of the dual run as one JSON object, and leave out the later steps
    #[arg(long)]
    json: bool,
    /// Keep the migration in this SQLite file, which is made if there is none: the next run continues where this one ends
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Where to look for *.toml files; symbolic links are not followed [default: the sources of the crates that cargo has
    /// unpacked]
    folder: Option<PathBuf>,
}

const EXIT_STATUS: &str = "Exit status: 0 when the report was printed, whatever it says; files and folders that cannot be \
read are named on standard error and counted. 1 when it could not be printed or the state could not be kept, 2 for wrong \
arguments.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments, &mut io::stdout().lock()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed too.
            drop(writeln!(io::stderr(), "toml_upgrade: {}", causes(&*error)));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let migration = MigrationController::open("toml-upgrade", state::store(arguments.state.as_deref())?).await?;
    let left = state::left(&migration);
    if let (Some(left), false) = (&left, arguments.json) {
        show::continued(out, left)?;
    }
    state::begin(&migration).await?;

    let folder = Folder::find(arguments.folder.unwrap_or_else(documents::default_folder));
    let recorder = Arc::new(MemoryRecorder::new().with_max_entries(10_000));
    let inputs = [
        compare("suite", &migration, &recorder, suite().map(Ok)),
        compare("folder", &migration, &recorder, folder.documents()).with_unreadable(folder.unreadable()),
    ];
    if arguments.json {
        show::every_unreadable(&inputs);
        return Ok(show::json(out, &inputs, &recorder)?);
    }
    show::heading(out, "1. Dual run: legacy answers, new runs beside it")?;
    show::figures(out, &inputs)?;
    show::unreadable(&inputs);
    show::disagreements(out, &recorder)?;

    show::heading(out, "2. Validation: new against the values that the suite expects")?;
    show::validation(out, &validate::new_side()?)?;

    show::heading(out, "3. Rollout: new answers a growing share of the documents")?;
    let mut documents: Vec<_> = folder.documents().filter_map(Result::ok).take(rollout::SAMPLE).collect();
    if documents.is_empty() {
        documents.extend(suite());
    }
    let steps = rollout::ramp(&migration, &documents).await?;
    show::steps(out, &steps)?;

    show::heading(out, "4. Emergency: everything goes back to legacy at once")?;
    let rollback = rollout::roll_back(&migration, &documents).await;
    show::rollback(out, &rollback)?;
    let before = left.map_or(0, |left| left.epoch);
    Ok(show::audit(out, &migration.history(before, 100).await?)?)
}

/// What went wrong, and why.
fn causes(error: &(dyn Error + 'static)) -> String {
    let all = iter::successors(Some(error), |&error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
