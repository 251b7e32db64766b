//! A price service behind HTTP moves from a legacy to a new implementation while people shop: a plan ramps up, a monitor counts,
//! and a guard rolls back when new breaks. Everything is real but the work that the two services do.
//!
//! `cargo run --example guarded_rollout [-- --break-at 25 --fail 10 | --slow 4 | --never]`
//!
//! What a host writes is in `server.rs` (the call site) and `rollout.rs` (plan, monitor, guard); the rest is the show.

mod charts;
mod prices;
mod rollout;
mod server;
mod shoppers;
mod show;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use cutover::plan::PlanEnd;

use prices::{Fault, Prices};
use rollout::Rollout;
use server::Server;
use shoppers::Shoppers;
use show::Show;

/// Moves a real HTTP service from legacy to new under traffic, and breaks new on the way. It ends by itself within half a minute.
#[derive(clap::Parser)]
#[command(name = "guarded_rollout", after_help = EXIT_STATUS)]
struct Arguments {
    /// New breaks as soon as it serves that percentage of the customers: 10, 25, 40, 75 or 100
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "PERCENT")]
    break_at: u32,
    /// So many percent of the calls of a broken new fail [default: 20, and 0 with --slow]
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100), value_name = "PERCENT")]
    fail: Option<u32>,
    /// A broken new takes so many times as long
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=50), value_name = "TIMES")]
    slow: Option<u32>,
    /// New never breaks: both sides are equally good, and the plan has to come to its end
    #[arg(long, conflicts_with_all = ["break_at", "fail", "slow"])]
    never: bool,
}

const EXIT_STATUS: &str = "Exit status: 0 when the guard rolled back what was broken, or with --never let the plan come to its \
end; 1 when it did not, such as for a fault below its limits; 2 for wrong arguments.";

impl Arguments {
    fn fault(&self) -> Option<Fault> {
        let fail = self.fail.unwrap_or_else(|| if self.slow.is_some() { 0 } else { 20 });
        (!self.never).then_some(Fault { at: self.break_at, fail, slow: self.slow.unwrap_or(1) })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell when standard error is closed too.
            drop(writeln!(io::stderr(), "guarded_rollout: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether what should happen did.
async fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let prices = Arc::new(Prices::new(arguments.fault()));
    let rollout = Rollout::open(&prices).await?;
    let server = Server::start(rollout.site()).await?;
    let shoppers = Shoppers::start(server.address());

    let mut show = Show::new(arguments.fault(), server.address())?;
    let end = rollout.follow(&shoppers, &mut show).await?;
    shoppers.stop().await;
    server.stop().await?;

    let caught = end == Some(PlanEnd::RolledBack) && prices.is_broken();
    let as_it_should = if arguments.never { end == Some(PlanEnd::Done) } else { caught };
    show.end(end, as_it_should, &rollout.audit().await?)?;
    Ok(as_it_should)
}
