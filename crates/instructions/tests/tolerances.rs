//! What is compared with what, and how far a count may go.
#![expect(clippy::unwrap_used, reason = "a test")]

use cutover_instructions::comparison::{Change, compare, tolerance};
use cutover_instructions::record::{Record, Toolchain};

#[test]
fn a_count_may_grow_by_five_percent() {
    assert_eq!(change(100.0, 105.0), Change::Held);
    assert_eq!(change(100.0, 105.1), Change::Grew);
}

#[test]
fn a_count_that_shrank_is_worth_recording() {
    assert_eq!(change(100.0, 95.0), Change::Held);
    assert_eq!(change(100.0, 94.9), Change::Shrank);
}

#[test]
fn another_compiler_may_add_a_quarter_and_another_target_is_not_compared() {
    let recorded = toolchain("1.95.0", "x86_64-unknown-linux-gnu");
    assert_eq!(tolerance(&recorded, &recorded), Some(0.05));
    assert_eq!(tolerance(&recorded, &toolchain("1.96.0", "x86_64-unknown-linux-gnu")), Some(0.25));
    assert_eq!(tolerance(&recorded, &toolchain("1.95.0", "aarch64-unknown-linux-gnu")), None);
}

#[test]
fn a_call_without_a_count_on_one_of_the_sides_is_refused() {
    let rows = compare(&record(&[("gone", 1.0)]), &record(&[("added", 1.0)]), 0.05);
    let changes: Vec<_> = rows.iter().map(|row| (row.call.as_str(), row.change, row.is_refused())).collect();
    assert_eq!(changes, [("added", Change::Unrecorded, true), ("gone", Change::Uncounted, true)]);
}

#[test]
fn the_committed_record_can_be_read_and_has_every_call() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.toml");
    let committed = Record::read(path.as_ref()).unwrap();
    for call in cutover_instructions::calls::ALL {
        assert!(committed.instructions.contains_key(call.name), "{} has no count", call.name);
    }
}

fn change(recorded: f64, counted: f64) -> Change {
    compare(&record(&[("call", recorded)]), &record(&[("call", counted)]), 0.05).first().unwrap().change
}

fn record(counts: &[(&str, f64)]) -> Record {
    let instructions = counts.iter().map(|&(call, count)| (call.to_owned(), count)).collect();
    Record { toolchain: toolchain("1.95.0", "x86_64-unknown-linux-gnu"), instructions }
}

fn toolchain(rustc: &str, target: &str) -> Toolchain {
    Toolchain { rustc: rustc.to_owned(), target: target.to_owned() }
}
