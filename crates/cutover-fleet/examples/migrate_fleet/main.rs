//! A fleet of 52 small systems is migrated in four phases, while clients never stop asking. Some systems are broken on purpose.
//! Everything is real: processes, connections, a store in a file, and with `--kill` the deaths of who migrates.
//!
//! `cargo run -p cutover-fleet --features local --example migrate_fleet [-- --kill 3 --seed 17 --folder DIR]`
//!
//! What a host writes is in `migrate.rs` and `conversion.rs`, and as data in `fleet.toml`; the rest is the world.

mod clients;
mod conversion;
mod engine;
mod migrate;
mod rules;
mod runner;
mod service;
mod show;
mod world;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser as _, Subcommand};

use clients::Clients;
use runner::Runner;
use show::Show;
use world::{Plan, World};

type Failure = Box<dyn Error + Send + Sync>;

/// Migrates 52 small systems, some of them broken on purpose. It ends by itself, in about a minute, and longer with `--kill`.
#[derive(clap::Parser)]
#[command(name = "migrate_fleet", after_help = EXIT_STATUS)]
struct Arguments {
    /// Kill the process that migrates so many times, at random moments; the next one goes on
    #[arg(long, default_value_t = 0, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(0..=20))]
    kill: u32,
    /// Which random moments [default: others in each run]
    #[arg(long)]
    seed: Option<u64>,
    /// Keep everything in this folder, and go on with what is there [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program is when it is one of the processes of the example.
#[derive(Subcommand)]
enum Role {
    /// One side of a system
    #[command(hide = true)]
    Serve,
    /// Who migrates the systems of a world that runs
    #[command(hide = true)]
    Migrate {
        /// The folder of the world
        folder: PathBuf,
    },
}

const EXIT_STATUS: &str = "Exit status: 0 when every client was answered right or not at all, and every system is migrated or was left as it \
was; 1 when not; 2 for wrong arguments.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.role {
        Some(Role::Serve) => service::serve().await.map(|()| true),
        Some(Role::Migrate { folder }) => migrate::migrate(folder).await.map(|()| true),
        None => play(&arguments).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell when standard error is closed too.
            drop(writeln!(io::stderr(), "migrate_fleet: {}", with_sources(&*error)));
            ExitCode::FAILURE
        }
    }
}

/// Whether what should happen did.
async fn play(arguments: &Arguments) -> Result<bool, Failure> {
    let temporary = tempfile::tempdir()?;
    let folder = arguments.folder.as_deref().unwrap_or_else(|| temporary.path());
    let show = Show::new();
    let inventory = Plan::read()?.inventory;
    let starting = Show::starting(inventory.systems().len() as u64);
    let world = World::start(folder, inventory, || starting.inc(1)).await?;
    starting.finish_and_clear();
    let clients = Clients::of(&world)?;
    let runner = Runner::new(arguments.kill, arguments.seed);
    show.begin(world.inventory.systems().len(), runner.seed())?;
    let migrated = runner.run(folder, &show).await;
    let counts = clients.tally.counts();
    drop(clients);
    world.stop().await?;
    migrated?;
    show.end(folder, counts, arguments.folder.is_some())
}

fn with_sources(error: &dyn Error) -> String {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}
