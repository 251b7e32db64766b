//! A call that takes more instructions than recorded is refused, by name and with the way to accept it.
//!
//! The counts are real ones; their record is changed. Needs valgrind, as the counts do.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

use cutover_instructions::calls::ALL;
use cutover_instructions::counting::per_call;
use cutover_instructions::record::{Record, Toolchain};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cutover-instructions");
const FLAG: &str = "FeatureFlag::is_enabled";

#[test]
fn a_count_is_the_same_in_each_run() {
    assert_eq!([count().to_bits(); 2], [count().to_bits(), count().to_bits()]);
}

#[test]
fn a_call_that_grew_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counts.toml");
    let counted = count();
    record(counted).write(&path).unwrap();
    assert_eq!(told(&path), (true, String::new()), "the same count is not refused");

    record(counted / 1.06).write(&path).unwrap();
    let (passed, said) = told(&path);
    assert!(!passed, "{said}");
    assert!(said.contains(&format!("`{FLAG}` takes {counted:.1} instructions instead of")), "{said}");
    assert!(said.contains("+6.0 %"), "{said}");
    assert!(said.contains("-p cutover-instructions -- --accept"), "{said}");
}

fn count() -> f64 {
    let call = ALL.iter().find(|call| call.name == FLAG).unwrap();
    per_call(Path::new(PROGRAM), call).unwrap()
}

fn record(count: f64) -> Record {
    Record { toolchain: Toolchain::here().unwrap(), instructions: [(FLAG.to_owned(), count)].into() }
}

/// Whether it passed, and what it said as its error.
fn told(record: &Path) -> (bool, String) {
    let Output { status, stderr, .. } =
        Command::new(PROGRAM).args(["--only", FLAG, "--record"]).arg(record).output().unwrap();
    (status.success(), String::from_utf8(stderr).unwrap())
}
