//! Rollout pins: nobody is moved to another side by accident.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cutover::bucket::{BucketHasher, Domain};
use cutover::testing::{PinError, PinKey, RolloutPins, UPDATE_PINS};
use cutover::{BucketKey, Percentage, Route, Router, Side, SystemMode};
use proptest::prelude::*;
use tempfile::TempDir;

fn rollout(salt: &str, percent: f64) -> impl Router {
    let hasher = BucketHasher::new(salt, Domain::Rollout);
    let share = Percentage::new(percent).unwrap();
    move |key: BucketKey<'_>| {
        let selected = hasher.bucket(key).is_some_and(|bucket| share.contains(bucket));
        Route::new(SystemMode::GradualRollout, if selected { Side::New } else { Side::Legacy })
    }
}

fn everybody(side: Side) -> Route {
    Route::new(SystemMode::GradualRollout, side)
}

fn users(count: u32) -> Vec<String> {
    (0..count).map(|user| format!("user-{user:04}")).collect()
}

fn folder_and_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkout.json");
    (folder, file)
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn pins_hold_until_the_rollout_changes() {
    let (_folder, file) = folder_and_file();
    let pins = RolloutPins::new(&file).keys(users(500));
    pins.write(&rollout("checkout", 25.0)).unwrap();
    pins.verify(&rollout("checkout", 25.0)).unwrap();
    assert!(matches!(pins.verify(&rollout("checkout", 26.0)), Err(PinError::Moved { .. })));
    assert!(matches!(pins.verify(&rollout("another salt", 25.0)), Err(PinError::Moved { .. })));
}

#[test]
fn the_message_names_who_moved_from_where_to_where() {
    let (_folder, file) = folder_and_file();
    let pins = RolloutPins::new(&file).keys(["bob", "alice"]).keys([7_u64]);
    pins.write(&everybody(Side::Legacy)).unwrap();
    let only_alice_is_new =
        |key: BucketKey<'_>| everybody(if key == BucketKey::Str("alice") { Side::New } else { Side::Legacy });
    assert_eq!(
        pins.verify(&only_alice_is_new).unwrap_err().to_string(),
        format!(
            "1 of 3 keys in {} moved:\n  \"alice\": pinned legacy, now new\n\
             if they are meant to move, run this test once with CUTOVER_UPDATE_PINS=1 and commit the file",
            file.display(),
        ),
    );
}

#[test]
fn at_most_twenty_are_named_and_the_others_counted() {
    let (_folder, file) = folder_and_file();
    for (keys, named, tail) in [(20, 20, None), (21, 20, Some("  and 1 more")), (500, 20, Some("  and 480 more"))] {
        let pins = RolloutPins::new(&file).keys(users(keys));
        pins.write(&everybody(Side::New)).unwrap();
        let error = pins.verify(&everybody(Side::Legacy)).unwrap_err();
        let message = error.to_string();
        assert_eq!(message.lines().filter(|line| line.ends_with("pinned new, now legacy")).count(), named);
        assert_eq!(message.lines().find(|line| line.starts_with("  and ")), tail);
        let PinError::Moved { moves, pinned, .. } = error else { panic!("unexpected: {error}") };
        assert_eq!((moves.len(), pinned), (keys as usize, keys as usize), "the value has them all");
    }
}

#[test]
fn a_missing_file_says_how_to_make_it() {
    let (_folder, file) = folder_and_file();
    let error = RolloutPins::new(&file).keys(["alice"]).verify(&everybody(Side::New)).unwrap_err();
    assert!(matches!(error, PinError::Missing { .. }));
    assert!(
        error.to_string().ends_with(
            "checkout.json does not exist; run this test once with CUTOVER_UPDATE_PINS=1 and commit the file"
        )
    );
}

#[test]
fn the_file_is_sorted_json_with_one_key_per_line() {
    let (folder, file) = folder_and_file();
    let pins = RolloutPins::new(&file).keys(["b", "a", "b", "\"7\""]).keys([10_u64, 9]);
    let numbers_are_new =
        |key: BucketKey<'_>| everybody(if matches!(key, BucketKey::U64(_)) { Side::New } else { Side::Legacy });
    pins.write(&numbers_are_new).unwrap();
    let expected = r#"{
  "legacy": [
    "\"7\"",
    "a",
    "b"
  ],
  "new": [
    9,
    10
  ]
}
"#;
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(names_in(folder.path()), ["checkout.json"], "no draft stays behind");
}

#[test]
fn text_and_number_are_different_keys() {
    let (_folder, file) = folder_and_file();
    RolloutPins::new(&file).keys(["7"]).write(&everybody(Side::New)).unwrap();
    let error = RolloutPins::new(&file).keys([7_u64]).verify(&everybody(Side::New)).unwrap_err();
    assert!(matches!(error, PinError::KeysDiffer { .. }), "{error}");
}

#[test]
fn keys_that_are_only_given_or_only_pinned_are_named() {
    let (_folder, file) = folder_and_file();
    RolloutPins::new(&file).keys(["alice", "bob"]).write(&everybody(Side::New)).unwrap();
    let error = RolloutPins::new(&file).keys(["bob", "carol"]).verify(&everybody(Side::New)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the given keys are not those in {}:\n given, not pinned:\n  \"carol\"\n pinned, not given:\n  \"alice\"\n\
             if they are right, run this test once with CUTOVER_UPDATE_PINS=1 and commit the file",
            file.display(),
        ),
    );
}

#[test]
fn pins_of_nobody_are_refused() {
    let (folder, file) = folder_and_file();
    let pins = RolloutPins::new(&file);
    assert!(matches!(pins.verify(&everybody(Side::New)), Err(PinError::NoKeys)));
    assert!(matches!(pins.write(&everybody(Side::New)), Err(PinError::NoKeys)));
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn a_file_that_says_something_else_is_refused() {
    let (_folder, file) = folder_and_file();
    let pins = RolloutPins::new(&file).keys(["alice"]);
    let verdict_on = |text: &str| {
        fs::write(&file, text).unwrap();
        pins.verify(&everybody(Side::New)).unwrap_err()
    };
    for invalid in ["", "[]", "{}", r#"{"legacy": [], "new": [-1]}"#, r#"{"legacy": [], "new": [], "neither": []}"#] {
        let error = verdict_on(invalid);
        assert!(matches!(error, PinError::Invalid { .. }), "{invalid}: {error}");
        let cause = error.source().unwrap().to_string();
        assert!(!error.to_string().contains(&cause), "the cause is printed once");
    }
    let both = verdict_on(r#"{"legacy": ["alice"], "new": ["alice", "bob"]}"#);
    assert!(both.to_string().ends_with(r#"pins "alice" to both sides; a key has one"#), "{both}");
}

#[test]
fn a_failed_write_leaves_the_old_pins_alone() {
    let (folder, file) = folder_and_file();
    fs::create_dir(&file).unwrap();
    fs::write(file.join("old"), "old").unwrap();
    let error = RolloutPins::new(&file).keys(["alice"]).write(&everybody(Side::New)).unwrap_err();
    assert!(matches!(error, PinError::Write { .. }), "{error}");
    assert_eq!(fs::read_to_string(file.join("old")).unwrap(), "old");
    assert_eq!(names_in(folder.path()), ["checkout.json"], "no draft stays behind");
}

#[test]
fn missing_folders_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let pins = RolloutPins::new(folder.path().join("tests/pins/checkout.json")).keys(["alice"]);
    pins.write(&everybody(Side::New)).unwrap();
    pins.verify(&everybody(Side::New)).unwrap();
}

/// The environment of a running process cannot be changed safely, so the variable is set for a child.
#[test]
fn the_variable_writes_the_file_and_its_absence_compares() {
    let (_folder, file) = folder_and_file();
    let run = |side: Side, update: Option<&str>| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "child_asserts_its_pins", "--nocapture"]);
        child.env("PINS_OF_CHILD", &file).env("SIDE_OF_CHILD", side.name()).env_remove(UPDATE_PINS);
        child.envs(update.map(|value| (UPDATE_PINS, value)));
        let output = child.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (passed, message) = run(Side::New, None);
    assert!(!passed && message.contains("does not exist; run this test once with CUTOVER_UPDATE_PINS=1"), "{message}");
    assert!(run(Side::New, Some("1")).0);
    assert!(run(Side::New, None).0);
    let (passed, message) = run(Side::Legacy, Some("0"));
    assert!(!passed && message.contains("\"alice\": pinned new, now legacy"), "{message}");
    let (passed, message) = run(Side::New, Some("please"));
    assert!(!passed && message.contains("CUTOVER_UPDATE_PINS is `please`"), "{message}");
}

/// The child's part of the test above; nothing anywhere else.
#[test]
fn child_asserts_its_pins() {
    let Some(file) = std::env::var_os("PINS_OF_CHILD") else { return };
    let side = if std::env::var("SIDE_OF_CHILD").unwrap() == "new" { Side::New } else { Side::Legacy };
    RolloutPins::new(file).keys(["alice"]).assert(&everybody(side));
}

fn any_key() -> impl Strategy<Value = PinKey> {
    prop_oneof![any::<u64>().prop_map(PinKey::from), any::<String>().prop_map(PinKey::from)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_holds_for_any_keys(keys in prop::collection::vec(any_key(), 1..50), percent in 0..=100_u32) {
        let (_folder, file) = folder_and_file();
        let router = rollout("checkout", f64::from(percent));
        let pins = RolloutPins::new(&file).keys(keys);
        pins.write(&router).unwrap();
        pins.verify(&router).unwrap();
    }
}
