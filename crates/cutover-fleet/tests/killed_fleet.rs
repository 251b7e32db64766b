//! A run that is killed at random moments is gone on with by the next process, and ends with the same result: with real
//! processes, real connections and a store in a file.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const SEED: u64 = 11;

#[test]
fn a_killed_run_ends_as_one_that_was_not() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let quiet = migrate(folders[0].path(), 0);
    let killed = migrate(folders[1].path(), 2);
    assert_eq!(quiet.len(), 52);
    assert_eq!(killed, quiet, "seed {SEED}");
    let failures = quiet.values().filter(|ending| !ending.starts_with("migrated")).count();
    assert_eq!(failures, 8, "{quiet:?}");
}

/// How each system ended, and why. The example fails by itself when a client got a wrong answer.
fn migrate(folder: &Path, kills: u32) -> BTreeMap<String, String> {
    let mut example = Command::new(example());
    example.args(["--kill", &kills.to_string(), "--seed", &SEED.to_string(), "--folder"]).arg(folder);
    let run = example.stdin(Stdio::null()).output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{told}");
    assert_eq!(told.contains("killed, for the 1. time"), kills > 0, "{told}");
    let report: Value = serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    let phases = report["phases"].as_array().unwrap().iter();
    let systems = phases.flat_map(|phase| phase["systems"].as_array().unwrap());
    let ending = |system: &Value| format!("{} {}", system["outcome"].as_str().unwrap(), system["failure"]["reason"]);
    systems.map(|system| (system["system"].as_str().unwrap().to_owned(), ending(system))).collect()
}

/// Cargo builds it beside the tests, unless it was told to build this test alone.
fn example() -> PathBuf {
    let test = env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).expect("a test is below the target folder").join("examples");
    let example = built.join("migrate_fleet");
    assert!(example.exists(), "build it first: cargo build -p cutover-fleet --features local --example migrate_fleet");
    example
}
