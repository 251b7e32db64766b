//! The main example reads a folder of TOML files with two versions of a library, and its report is honest.
#![expect(clippy::unwrap_used, reason = "a test reads what it has just written")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn every_document_is_counted_once_and_under_what_happened_to_it() {
    let folder = folder();
    let report = json_report(folder.path());
    assert_eq!(
        report["folder"],
        json!({"total": 9, "matched": 3, "mismatched": 1, "legacy_failed": 3, "new_failed": 1, "both_failed": 1})
    );
    assert_eq!(sum(&report["folder"]), report["folder"]["total"]);
}

#[test]
fn the_report_is_one_object_of_the_promised_shape() {
    let folder = folder();
    let report = json_report(folder.path());
    let mut names: Vec<_> = report.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["discrepancies", "folder", "suite"]);

    let suite = report["suite"].as_object().unwrap();
    let mut fields: Vec<_> = suite.keys().collect();
    fields.sort();
    assert_eq!(fields, ["both_failed", "legacy_failed", "matched", "mismatched", "new_failed", "total"]);
    assert!(suite["total"].as_u64().unwrap() > 200, "{suite:?}");
    assert!(suite["legacy_failed"].as_u64().unwrap() > 0, "0.5.11 is older than half of TOML: {suite:?}");
    assert_eq!(sum(&report["suite"]), suite["total"]);
}

#[test]
fn the_known_disagreements_are_named_with_both_answers() {
    let folder = folder();
    let report = json_report(folder.path());
    let discrepancies = report["discrepancies"].as_array().unwrap();
    let of_folder = discrepancies.iter().filter(|discrepancy| discrepancy["runner"] == "folder");
    let kinds: BTreeMap<_, _> = of_folder.map(|found| (text(&found["key"]), text(&found["kind"]))).collect();
    let expected = [
        ("deep/escape.toml", "legacy_failed"),
        ("deep/inline.toml", "legacy_failed"),
        ("fraction.toml", "values_differ"),
        ("no_day.toml", "new_failed"),
        ("seconds.toml", "legacy_failed"),
    ];
    assert_eq!(kinds, BTreeMap::from(expected));

    let fraction = discrepancies.iter().find(|discrepancy| discrepancy["key"] == "fraction.toml").unwrap();
    let difference = json!({"path": "/at", "kind": "value", "legacy": "07:32:00", "new": "07:32:00.0"});
    assert_eq!(fraction["differences"], json!([difference]));
    let escape = discrepancies.iter().find(|discrepancy| discrepancy["key"] == "deep/escape.toml").unwrap();
    assert!(text(&escape["legacy"]["value"]["text"]).starts_with("invalid escape character"), "{escape}");
    assert_eq!(escape["new"]["value"]["text"], r#"{"e":"\u001b"}"#);
}

#[test]
fn what_cannot_be_read_is_named_on_standard_error_only() {
    let folder = folder();
    let output = run(&["--json".as_ref(), folder.path()]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "cannot read deep/latin1.toml: it is not UTF-8\ncould not be read: 1\n"
    );

    fs::remove_file(folder.path().join("deep/latin1.toml")).unwrap();
    let output = run(&["--json".as_ref(), folder.path()]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "a progress bar is for terminals");
}

#[test]
fn a_missing_folder_and_a_file_are_reported_while_the_suite_still_runs() {
    let folder = folder();
    let (missing, file) = (folder.path().join("no such folder"), folder.path().join("agree.toml"));
    for (wrong, why) in [(missing, "cannot read"), (file, "it is not a folder")] {
        let output = run(&["--json".as_ref(), &wrong]);
        assert!(output.status.success());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(wrong.to_str().unwrap()) && message.contains(why), "{message}");
        let report = parsed(&output);
        assert!(message.contains("could not be read: 1"), "{message}");
        assert_eq!(report["folder"]["total"], 0);
        assert!(report["suite"]["matched"].as_u64().unwrap() > 200);
    }
}

#[cfg(unix)]
#[test]
fn loops_pipes_forbidden_and_bottomless_files_hold_nothing_up() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("agree.toml"), "a = 1").unwrap();
    fs::create_dir(path("sub.toml")).unwrap();
    symlink("..", path("sub.toml/up.toml")).unwrap();
    symlink("itself.toml", path("itself.toml")).unwrap();
    fs::write(path("bottomless.toml"), format!("a = {}", "[".repeat(1_000_000))).unwrap();
    fs::write(path("forbidden.toml"), "a = 1").unwrap();
    fs::set_permissions(path("forbidden.toml"), fs::Permissions::from_mode(0o000)).unwrap();
    let may_read_all = fs::read(path("forbidden.toml")).is_ok();

    let output = run(&["--json".as_ref(), folder.path()]);
    let (figures, message) = (&parsed(&output)["folder"], String::from_utf8_lossy(&output.stderr));
    let (read, unread) = if may_read_all { (2, 1) } else { (1, 2) };
    assert!(message.contains(&format!("could not be read: {unread}")), "{message}");
    assert_eq!((&figures["total"], &figures["matched"]), (&json!(read), &json!(read)));
}

#[test]
fn the_story_is_told_to_its_end_and_without_colours_where_nobody_sees_them() {
    let folder = folder();
    let output = run(&[folder.path()]);
    let story = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(!story.contains('\u{1b}'), "{story}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "1 could not be read (it is not UTF-8): deep/latin1.toml\n");
    let lines = [
        "│ folder ┆     9 ┆       3 ┆          1 ┆             3 ┆          1 ┆           1 │",
        "calls per second",
        "\n1 of the 2 refused by new or both are documents that the suite calls invalid: rightly refused\n",
        "folder values_differ fraction.toml",
        "  - \"07:32:00\"",
        "  + \"07:32:00.0\"",
        " 0 failed, 0 errors: 100.0 %",
        "│ gradual_rollout ┆     10% ┆",
        "│ new_only        ┆    100% ┆   9 ┆      0 ┆          0 ┆         2 ┆",
        "no document moved back",
        "new served 9 documents, and 0 of them",
        "may next become: legacy_only",
        "┆ mode    ┆ legacy_only     ┆ parallel ",
        "┆ mode    ┆ new_only        ┆ emergency_rollback ┆ EMERGENCY: ",
        "┆ rollout ┆ 100%            ┆ 0% ",
    ];
    let mut rest = story.as_str();
    for line in lines {
        let (_, after) =
            rest.split_once(line).unwrap_or_else(|| panic!("`{line}` is missing, or out of order:\n{story}"));
        rest = after;
    }
    assert!(story.lines().all(|line| line.chars().count() <= 100), "wider than 100 columns:\n{story}");
}

#[test]
fn with_a_state_file_a_run_continues_where_the_last_one_ended() {
    let folder = folder();
    let state = folder.path().join("state.sqlite");
    let arguments = ["--state".as_ref(), state.as_path(), folder.path()];
    let stories: Vec<_> = (0..2).map(|_| String::from_utf8(run(&arguments).stdout).unwrap()).collect();
    assert!(!stories[0].contains("continues at"), "{}", stories[0]);
    let first = "continues at epoch 10: emergency_rollback at 0%, by ben (EMERGENCY: an order was read wrong)\n";
    assert!(stories[1].starts_with(first), "{}", stories[1]);
    assert!(stories[1].contains("│ 11    ┆") && !stories[1].contains("│ 10    ┆"), "{}", stories[1]);
    let figures = |story: &str| story.lines().find(|line| line.starts_with("│ folder ┆")).map(ToOwned::to_owned);
    assert_eq!(figures(&stories[0]), figures(&stories[1]), "every document is compared again");

    let report = parsed(&run(&["--json".as_ref(), "--state".as_ref(), &state, folder.path()]));
    assert_eq!(report["folder"], json_report(folder.path())["folder"], "and --json stays one object");
}

#[test]
fn a_state_file_that_cannot_be_used_is_a_failure_that_says_why() {
    let folder = folder();
    let state = folder.path().join("agree.toml");
    let output = run(&["--state".as_ref(), &state, folder.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.starts_with("toml_upgrade: `") && errors.contains("agree.toml`"), "{errors}");
    assert_eq!(
        fs::read(state).unwrap(),
        b"[package]\nname = 'cutover'\nat = 1979-05-27T07:32:00Z\nbig = [nan, inf, -0.0]"
    );
}

#[test]
fn wrong_usage_is_refused() {
    let output = run(&["--yaml".as_ref()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

/// Documents on which the two versions are known to agree or not, one that nobody can read, and one of another kind.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    fs::create_dir(folder.path().join("invalid")).unwrap();
    let files: [(&str, &[u8]); 11] = [
        ("agree.toml", b"[package]\nname = 'cutover'\nat = 1979-05-27T07:32:00Z\nbig = [nan, inf, -0.0]"),
        ("dotted.toml", b"a.b.c = 1"),
        ("mixed.toml", b"a = [1, 'one', [1.0]]"),
        ("fraction.toml", b"at = 07:32:00.0"),
        ("seconds.toml", b"at = 07:32"),
        ("no_day.toml", b"on = 2023-02-30"),
        ("invalid/neither.toml", b"a = "),
        ("deep/escape.toml", br#"e = "\e""#),
        ("deep/inline.toml", b"a = {\n  b = 1,\n}"),
        ("deep/latin1.toml", b"a = '\xe4'"),
        ("deep/notes.txt", b"a = 1"),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn json_report(folder: &Path) -> Value {
    let output = run(&["--json".as_ref(), folder]);
    assert!(output.status.success());
    parsed(&output)
}

/// All of standard output is one JSON value.
fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn sum(figures: &Value) -> u64 {
    let columns = ["matched", "mismatched", "legacy_failed", "new_failed", "both_failed"];
    columns.into_iter().map(|column| figures[column].as_u64().unwrap()).sum()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn run(arguments: &[&Path]) -> Output {
    Command::new(example()).args(arguments).env_remove("CLICOLOR_FORCE").output().unwrap()
}

/// `cargo test` builds the examples beside the tests; with `--test main_job` alone, nobody has.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let example = profile.join("examples").join("toml_upgrade").with_extension(std::env::consts::EXE_EXTENSION);
    if !example.exists() {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--example", "toml_upgrade"]);
        cargo.args(profile.ends_with("release").then_some("--release"));
        assert!(cargo.status().unwrap().success());
    }
    assert!(example.exists(), "build it first: cargo build --example toml_upgrade ({} is missing)", example.display());
    example
}
