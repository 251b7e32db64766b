//! Counts what the calls of one subject allocate, and prints it as JSON. `peers` starts it.
#![expect(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::time::{Duration, Instant};

use clap::Parser;
use cutover_peers::harness::{Counted, calls_to_count};
use cutover_peers::{Entry, comparison};

/// Counts what the calls of one subject allocate.
#[derive(Parser)]
struct Arguments {
    comparison: String,
    subject: String,
    /// Makes few calls.
    #[arg(long)]
    quick: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { comparison: id, subject, quick } = Arguments::parse();
    let all = comparison(&id).ok_or("there is no such comparison")?;
    let entry = all.entries.iter().find(|entry| entry.name == subject).ok_or("there is no such subject")?;
    let per_call = per_call(entry, quick);
    println!("{}", serde_json::to_string(&Counted { comparison: id, subject, per_call })?);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn per_call(entry: &Entry, quick: bool) -> f64 {
    let subject = (entry.build)();
    let mut worker = subject.worker();
    worker(1);
    let calls = calls_to_count(elapsed(|| worker(1)), quick);
    worker(calls / 2);
    // To wait for many calls allocates as often as to wait for one; the difference is that of the calls.
    let counted = |worker: &mut dyn FnMut(u64), calls| allocation_counter::measure(|| worker(calls)).count_total;
    let (few, many) = (counted(&mut worker, 1), counted(&mut worker, calls + 1));
    many.saturating_sub(few) as f64 / calls as f64
}

#[expect(clippy::disallowed_methods, reason = "how many calls there is time for")]
fn elapsed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}
