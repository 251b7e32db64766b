//! Prints the figures of docs/proofs.md: `cargo run --release -p cutover-figures`. Ends with 1 if a goal was missed.
#![expect(clippy::print_stdout, reason = "a program tells what it found")]

use std::process::ExitCode;
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
async fn main() -> Result<ExitCode, Failure> {
    let options = Options::parse();
    if let Some(Role::Worker(job)) = &options.role {
        return work(job).await.map(|()| ExitCode::SUCCESS);
    }
    let mut missed = false;
    let kinds = if options.stores.is_empty() { Kind::ALL.to_vec() } else { options.stores.clone() };
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(["Store", "What", "Figure", "Goal"]);
    for kind in kinds {
        for row in figures(kind, &options).await? {
            missed |= !row.met;
            let goal = if row.met { row.goal.to_owned() } else { format!("MISSED: {}", row.goal) };
            table.add_row([kind.name().to_owned(), row.what.to_owned(), row.figure, goal]);
        }
    }
    println!("{table}");
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Row {
    what: &'static str,
    figure: String,
    /// Empty where there is none.
    goal: &'static str,
    met: bool,
}

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
        "{} acknowledged, {} lost, {} surplus, {} refused and decided anew",
        contention.acknowledged, contention.lost, contention.surplus, contention.conflicts
    );
    Ok(vec![
        Row {
            what: "8 writers x 50 changes x 20 seeds, audit 1 to 400 with a sound chain",
            figure: counts,
            goal: "0 lost, 0 surplus",
            met: (contention.lost, contention.surplus) == (0, 0),
        },
        Row { what: "one change, alone", figure: format!("p50 {p50:.2?}, p99 {p99:.2?}"), goal: "", met: true },
        Row {
            what: "audit entries of 16 simultaneous emergencies, 20 times",
            figure: format!("{fewest} to {most}"),
            goal: "1",
            met: (most, fewest) == (1, 1),
        },
    ])
}

async fn woken(host: &Host) -> Result<Row, Failure> {
    let woken = propagate(host.address(), 40, Duration::from_secs(10)).await?;
    let figure = format!("p50 {:.0?}, p99 {:.0?}, max {:.0?}", woken.p50, woken.p99, woken.max);
    Ok(Row {
        what: "from a commit to each of 50 controllers",
        figure,
        goal: "p99 <= 250 ms",
        met: woken.p99 <= Duration::from_millis(250),
    })
}

async fn polled(host: &Host) -> Result<Row, Failure> {
    let polled = propagate(&host.address().clone().unwatched(), 5, Duration::from_secs(2)).await?;
    let figure = format!("p50 {:.0?}, max {:.0?}", polled.p50, polled.max);
    Ok(Row {
        what: "the same without wake-ups, polling every 2 s",
        figure,
        goal: "max <= 3.4 s",
        met: polled.max <= Duration::from_millis(3_400),
    })
}

async fn outage(host: &Host, duration: Duration) -> Result<Option<Row>, Failure> {
    let Some(outage) = black_out(host, duration).await? else { return Ok(None) };
    let figure = format!(
        "{} calls routed, {} wrong, p99 {} ns; store calls {:.0?} beyond their deadline; fresh after {:.1?}",
        outage.routed, outage.wrong, outage.route_p99, outage.beyond_deadline, outage.recovery
    );
    Ok(Some(Row {
        what: "a store that is silent for a minute",
        figure,
        goal: "0 wrong, p99 <= 1 us, <= 50 ms beyond",
        met: outage.wrong == 0 && outage.route_p99 <= 1_000 && outage.beyond_deadline <= Duration::from_millis(50),
    }))
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
    Ok(Some(Row {
        what: "6 processes, killed and stopped beyond their leases, complete each item once",
        figure,
        goal: "0, 0, 0",
        met: (tally.double_completions, tally.tokens_repeated, tally.items_lost) == (0, 0, 0),
    }))
}
