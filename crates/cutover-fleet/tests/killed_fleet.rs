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

/// What is broken on purpose, how it has to end, and what its report has to name.
const BROKEN: [(&str, &str, &str); 8] = [
    ("ledger-es", "rolled_back", "unhealthy"),
    ("ledger-it", "rolled_back", "p95"),
    ("limits-ch", "rolled_back", "does not run"),
    ("limits-fi", "rolled_back", "status 500"),
    ("pricing-dk", "blocked", "no backup"),
    ("routing-be", "blocked", "the gate is 0.8"),
    ("routing-it", "blocked", "`between`"),
    ("texts-nl", "blocked", "cannot be read"),
];

#[test]
fn a_killed_run_ends_as_one_that_was_not() {
    for kills in [0, 2] {
        let folder = tempfile::tempdir().unwrap();
        let systems = migrate(folder.path(), kills);
        assert_eq!(systems.len(), 52);
        for (system, (outcome, reason)) in &systems {
            let broken = BROKEN.iter().find(|(name, ..)| name == system);
            let (ending, why) = broken.map_or(("migrated", "null"), |&(_, ending, why)| (ending, why));
            assert_eq!(outcome, ending, "{system} after {kills} kills by the seed {SEED}: {reason}");
            assert!(reason.contains(why), "{system} after {kills} kills by the seed {SEED}: {reason}");
        }
    }
}

/// How each system ended, and why. The example fails by itself when a client got a wrong answer.
fn migrate(folder: &Path, kills: u32) -> BTreeMap<String, (String, String)> {
    let mut example = Command::new(example());
    example.args(["--kill", &kills.to_string(), "--seed", &SEED.to_string(), "--folder"]).arg(folder);
    let run = example.stdin(Stdio::null()).output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{told}");
    assert_eq!(told.contains("killed, for the 1. time"), kills > 0, "{told}");
    let report: Value = serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    let phases = report["phases"].as_array().unwrap().iter();
    let systems = phases.flat_map(|phase| phase["systems"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
    systems.map(|it| (text(&it["system"]), (text(&it["outcome"]), text(&it["failure"]["reason"])))).collect()
}

/// Cargo builds it beside the tests, unless it was told to build this test alone.
fn example() -> PathBuf {
    let test = env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).expect("a test is below the target folder").join("examples");
    let example = built.join("migrate_fleet");
    assert!(example.exists(), "build it first: cargo build -p cutover-fleet --features local --example migrate_fleet");
    example
}
