//! Measures what the layer adds to the latency of a service, with a real HTTP client over loopback.
//!
//! `cargo run --release -p cutover-tower --example load -- --seconds 60` is a measurement; without arguments it is a short
//! look. Options: `--seconds` (of all blocks together), `--rate` (requests per second), `--connections`, `--block-ms`, and
//! `--own-runtime`, which gives shadows a runtime of their own. With `--max-added-us` it ends with status 1 when the median of
//! the added p99, block by block, is above that many microseconds.
//!
//! Blocks of legacy alone and of legacy with detached shadows take turns. Each connection has its own thread and asks at
//! fixed moments, whether or not the answer before is late (open loop); latency counts from the moment at which a
//! request was due, so that a stall is seen by all requests that it holds up.
#![expect(clippy::print_stdout, reason = "an example tells what it does")]

mod arms;
mod client;
mod options;

use std::error::Error;
use std::time::Duration;

use arms::Arms;
use client::block;
use hdrhistogram::Histogram;
use options::Options;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let options = Options::from_arguments(std::env::args().skip(1))?;
    let arms = Arms::start(options.own_runtime)?;
    let blocks = options.blocks();
    println!(
        "{} requests per second over {} connections, {blocks} pairs of blocks of {} ms",
        options.rate,
        options.connections,
        options.block.as_millis()
    );

    block(arms.alone, &options, WARM_UP)?;
    block(arms.layered, &options, WARM_UP)?;
    let mut of_alone = empty()?;
    let mut of_layered = empty()?;
    let mut added = Vec::new();
    for number in 0..blocks {
        // Which arm goes first changes, so that a drift of the machine favours neither.
        let (alone, layered) = if number % 2 == 0 {
            let alone = block(arms.alone, &options, options.block)?;
            (alone, block(arms.layered, &options, options.block)?)
        } else {
            let layered = block(arms.layered, &options, options.block)?;
            (block(arms.alone, &options, options.block)?, layered)
        };
        added.push(micros(&layered, 0.99) - micros(&alone, 0.99));
        of_alone.add(&alone)?;
        of_layered.add(&layered)?;
    }
    let added = report(&of_alone, &of_layered, added);
    println!("shadows: {}", arms.summary());
    match options.max_added_us {
        Some(allowed) if added > f64::from(allowed) => {
            Err(format!("the median added p99 is {added:+.1} us, and at most {allowed} us are allowed").into())
        }
        _ => Ok(()),
    }
}

const WARM_UP: Duration = Duration::from_millis(300);

/// Nanoseconds up to ten seconds, to three digits.
fn empty() -> Result<Histogram<u64>, hdrhistogram::CreationError> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3)
}

#[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^53 ns")]
fn micros(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1_000.0
}

/// Prints the figures, and gives the median added p99 in microseconds.
fn report(alone: &Histogram<u64>, layered: &Histogram<u64>, mut added: Vec<f64>) -> f64 {
    println!("\n{:>8} {:>16} {:>16} {:>12}", "", "legacy alone", "with the layer", "added");
    for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)] {
        let (before, after) = (micros(alone, quantile), micros(layered, quantile));
        println!("{name:>8} {before:>13.1} us {after:>13.1} us {:>+9.1} us", after - before);
    }
    println!("requests {:>16} {:>16}", alone.len(), layered.len());
    added.sort_by(f64::total_cmp);
    let at = |share: f64| added.get(quantile_index(added.len(), share)).copied().unwrap_or_default();
    println!(
        "added p99, block by block: median {:+.1} us, quarter {:+.1} us, three quarters {:+.1} us",
        at(0.5),
        at(0.25),
        at(0.75)
    );
    at(0.5)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a small count"
)]
fn quantile_index(count: usize, share: f64) -> usize {
    (share * count.saturating_sub(1) as f64).round() as usize
}
