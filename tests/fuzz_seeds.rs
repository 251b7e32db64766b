//! Every committed seed of the fuzz targets keeps what its target checks.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a check fails by panicking"
)]
#![expect(clippy::print_stdout, reason = "the harness shows the seed of a check that fails")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a crate of its own elsewhere")]
mod checks;

/// The least number of seeds that a target has.
const LEAST: usize = 5;

#[test]
fn records_keep_what_their_target_checks() {
    replay("record", checks::record::check);
}

#[test]
fn audit_entries_keep_what_their_target_checks() {
    replay("audit_entry", checks::audit_entry::check);
}

#[test]
fn claims_keep_what_their_target_checks() {
    replay("claim", checks::claim::check);
}

#[test]
fn flag_sets_keep_what_their_target_checks() {
    replay("flag_set", checks::flag_set::check);
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() >= LEAST, "{} seeds in {}", seeds.len(), folder.display());
    for seed in seeds {
        println!("{}", seed.display());
        check(&fs::read(&seed).unwrap());
    }
}
