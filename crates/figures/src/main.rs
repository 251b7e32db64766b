//! Prints the figures of docs/proofs.md: `cargo run --release -p cutover-figures`.
#![expect(clippy::print_stdout, reason = "a program tells what it found")]

use std::time::Duration;

use clap::{Parser, Subcommand};
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use cutover_figures::Failure;
use cutover_figures::claims::{Job, Plan, supervise, work};
use cutover_figures::contention::{contend, latency};
use cutover_figures::detectors::detect;
use cutover_figures::outage::black_out;
use cutover_figures::propagation::propagate;
use cutover_figures::stores::{Host, Kind};
use indicatif::{ProgressBar, ProgressStyle};

/// Proves and measures the stores of cutover.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    role: Option<Role>,
    /// Only these stores.
    #[arg(long, value_enum, value_delimiter = ',')]
    stores: Vec<Kind>,
    /// How many items are claimed by processes that are killed.
    #[arg(long, default_value_t = 10_000)]
    items: u32,
    /// How long a store is silent, in seconds.
    #[arg(long, default_value_t = 60)]
    outage: u64,
    /// Decides who is killed when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Claims items until all are completed; started by the proof of claims.
    #[command(hide = true)]
    Worker(Job),
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    if let Some(Role::Worker(job)) = &options.role {
        return work(job).await;
    }
    let kinds = if options.stores.is_empty() { Kind::ALL.to_vec() } else { options.stores.clone() };
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(["Store", "What", "Figure", "Goal"]);
    for kind in kinds {
        for row in figures(kind, &options).await? {
            table.add_row([kind.name().to_owned(), row.0.to_owned(), row.1, row.2.to_owned()]);
        }
    }
    println!("{table}");
    Ok(())
}

/// What was measured, the figure, and the goal.
type Row = (&'static str, String, &'static str);

async fn figures(kind: Kind, options: &Options) -> Result<Vec<Row>, Failure> {
    let host = Host::start(kind).await?;
    let progress = bar(kind.name(), 6);
    let mut rows = Vec::new();
    progress.set_message("changes");
    rows.extend(changes(&host).await?);
    progress.inc(1);
    progress.set_message("propagation");
    rows.push(woken(&host).await?);
    progress.inc(1);
    rows.push(polled(&host).await?);
    progress.inc(1);
    progress.set_message("outage");
    rows.extend(outage(&host, Duration::from_secs(options.outage)).await?);
    progress.inc(1);
    progress.set_message("claims");
    rows.extend(claims(&host, options).await?);
    progress.finish_and_clear();
    Ok(rows)
}

fn bar(name: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg} {elapsed}").ok();
    let bar = ProgressBar::new(length).with_prefix(name);
    style.into_iter().fold(bar, ProgressBar::with_style)
}

async fn changes(host: &Host) -> Result<Vec<Row>, Failure> {
    let contention = contend(host.address(), 20).await?;
    let (p50, p99) = latency(host.address(), 500).await?;
    let (most, fewest) = detect(host.address(), 20).await?;
    let counts = format!(
        "{} acknowledged, {} lost, {} refused and decided anew",
        contention.acknowledged, contention.lost, contention.conflicts
    );
    Ok(vec![
        ("8 writers x 50 changes x 20 seeds, audit 1 to 400 with a sound chain", counts, "0 lost"),
        ("one change, alone", format!("p50 {p50:.2?}, p99 {p99:.2?}"), ""),
        ("audit entries of 16 simultaneous emergencies, 20 times", format!("{fewest} to {most}"), "1"),
    ])
}

async fn woken(host: &Host) -> Result<Row, Failure> {
    let woken = propagate(host.address(), 40, Duration::from_secs(10)).await?;
    let figure = format!("p50 {:.0?}, p99 {:.0?}, max {:.0?}", woken.p50, woken.p99, woken.max);
    Ok(("from a commit to each of 50 controllers", figure, "p99 <= 250 ms"))
}

async fn polled(host: &Host) -> Result<Row, Failure> {
    let polled = propagate(&host.address().clone().unwatched(), 5, Duration::from_secs(2)).await?;
    let figure = format!("p50 {:.0?}, max {:.0?}", polled.p50, polled.max);
    Ok(("the same without wake-ups, polling every 2 s", figure, "max <= 3.4 s"))
}

async fn outage(host: &Host, duration: Duration) -> Result<Option<Row>, Failure> {
    let Some(outage) = black_out(host, duration).await? else { return Ok(None) };
    let figure = format!(
        "{} calls routed, {} wrong, p99 {} ns; store calls {:.0?} beyond their deadline; fresh after {:.1?}",
        outage.routed, outage.wrong, outage.route_p99, outage.beyond_deadline, outage.recovery
    );
    Ok(Some(("a store that is silent for a minute", figure, "0 wrong, p99 <= 1 us, <= 50 ms beyond")))
}

async fn claims(host: &Host, options: &Options) -> Result<Option<Row>, Failure> {
    if host.kind() == Kind::Memory {
        return Ok(None);
    }
    let plan = Plan::new(std::env::current_exe()?, options.items, options.seed);
    let progress = bar("items", u64::from(options.items));
    let tally = supervise(&plan, host.address(), &progress).await?;
    progress.finish_and_clear();
    let figure = format!(
        "{} double, {} tokens repeated, {} lost; {} grants, {} kills, {} stops, {:.0?}",
        tally.double_completions,
        tally.tokens_repeated,
        tally.items_lost,
        tally.grants,
        tally.kills,
        tally.stops,
        tally.took
    );
    Ok(Some(("6 processes, killed and stopped beyond their leases, complete each item once", figure, "0, 0, 0")))
}
