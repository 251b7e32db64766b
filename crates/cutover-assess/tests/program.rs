//! The program: its exit codes, its outputs, and what it says when something is wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::Tree;
use cutover_assess::Assessment;

const RULES: &str = r#"{"rules": [
    {"id": "llm", "pattern": "LLMChain", "name": "Legacy LLMChain", "complexity": "low", "files": ["*.py", "*.json"]},
    {"id": "index", "pattern": "llama_index", "name": "LlamaIndex", "complexity": "high"}
]}"#;

fn tree(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::of(files);
    tree.write("rules.json", RULES);
    tree
}

fn scan(tree: &Tree, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutover-assess"));
    command.current_dir(tree.root()).args(["scan", ".", "--rules", "rules.json"]).args(more).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn it_writes_the_report_and_says_by_its_exit_code_what_it_comes_to() {
    let found = scan(&tree(&[("a.py", "LLMChain\n")]), &[]);
    assert!(text(&found.stdout).starts_with("Found 1 migration items:\na.py:1 - Legacy LLMChain (low)\n"));
    assert_eq!((code(&found), text(&found.stderr)), (1, ""), "and nothing on standard error, which is no terminal");
    assert_eq!(code(&scan(&tree(&[("a.py", "pass"), ("a.json", "{}")]), &[])), 0);
}

#[test]
fn what_was_not_looked_at_is_no_success() {
    assert_eq!(code(&scan(&tree(&[("a.rs", "")]), &[])), 2, "a glob matches nothing");
    let large = scan(&tree(&[("a.py", "pass"), ("a.json", "{}")]), &["--max-file-bytes", "2"]);
    assert_eq!(code(&large), 2);
    assert!(text(&large.stdout).contains("not looked at: a.py: too large: 4 bytes, allowed are 2\n"));
    assert!(text(&large.stdout).contains("this is no all-clear"));
}

#[test]
fn fail_on_says_from_which_complexity_on_findings_fail() {
    let tree = tree(&[("a.py", "LLMChain"), ("b.json", "")]);
    for (limit, expected) in [("low", 1), ("medium", 0), ("high", 0), ("never", 0)] {
        assert_eq!(code(&scan(&tree, &["--fail-on", limit])), expected, "{limit}");
    }
    tree.write("a.py", "llama_index");
    for (limit, expected) in [("low", 1), ("medium", 1), ("high", 1), ("never", 0)] {
        assert_eq!(code(&scan(&tree, &["--fail-on", limit])), expected, "{limit}");
    }
}

#[test]
fn what_a_user_ignores_everywhere_is_looked_at() {
    let tree = tree(&[("a.py", "LLMChain"), ("home/.config/git/ignore", "*.py\n")]);
    let home = tree.root().join("home");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutover-assess"));
    command.args(["scan", ".", "--rules", "rules.json"]).current_dir(tree.root());
    let output = command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join(".config")).output().unwrap();
    assert_eq!(code(&output), 1);
}

#[test]
fn the_rules_and_an_earlier_report_are_not_looked_at() {
    let tree = tree(&[("a.py", "LLMChain"), ("b.json", "{}")]);
    let options = ["--format", "json", "--output", "report.json"];
    assert_eq!((code(&scan(&tree, &options)), code(&scan(&tree, &options))), (1, 1));
    let report = fs::read_to_string(tree.root().join("report.json")).unwrap();
    let assessment: Assessment = serde_json::from_str(&report).unwrap();
    assert_eq!(assessment.findings().len(), 1);
    let left_out: Vec<_> = assessment.skipped().iter().map(|skipped| &*skipped.path).collect();
    assert_eq!(left_out, ["report.json", "rules.json"]);
}

#[test]
fn a_report_never_takes_the_place_of_the_rules() {
    let tree = tree(&[("a.py", "LLMChain"), ("sub/b.json", "{}")]);
    let rules = || fs::read_to_string(tree.root().join("rules.json")).unwrap();
    let refused = scan(&tree, &["--output", "sub/../rules.json"]);
    assert_eq!((code(&refused), text(&refused.stdout), rules().as_str()), (2, "", RULES));
    let said = "error: the report `sub/../rules.json` would take the place of the rules; name another file\n";
    assert_eq!(text(&refused.stderr), said);
}

#[cfg(unix)]
#[test]
fn a_report_replaces_an_earlier_one_as_a_whole() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let tree = tree(&[("a.py", "LLMChain"), ("b.json", "{}"), ("old.txt", "an earlier report")]);
    let at = |name: &str| tree.root().join(name);
    let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(at("old.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::hard_link(at("old.txt"), at("still-read.txt")).unwrap();
    symlink("old.txt", at("link.txt")).unwrap();
    assert_eq!(code(&scan(&tree, &["--output", "link.txt"])), 1);
    assert_eq!(fs::read_to_string(at("still-read.txt")).unwrap(), "an earlier report", "it is not written over");
    assert!(fs::read_to_string(at("old.txt")).unwrap().starts_with("Found 1 "));
    assert!(at("link.txt").is_symlink());
    assert_eq!((mode("old.txt"), code(&scan(&tree, &["--output", "new.txt"]))), (0o640, 1));
    fs::write(at("plain.txt"), "").unwrap();
    assert_eq!(mode("new.txt"), mode("plain.txt"), "a new one is as readable as any other file");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_and_a_report_that_cannot_be_written_leaves_nothing() {
    let tree = tree(&[("a.py", "LLMChain"), ("b.json", "{}"), ("folder/c.py", "")]);
    let count = || fs::read_dir(tree.root()).unwrap().count();
    let before = count();
    let streamed = scan(&tree, &["--output", "/dev/stdout"]);
    assert!(text(&streamed.stdout).starts_with("Found 1 "), "{}", text(&streamed.stderr));
    assert_eq!((code(&scan(&tree, &["--output", "folder"])), count()), (2, before));
}

#[test]
fn options_reach_the_scan() {
    let tree = tree(&[(".hidden/a.py", "LLMChain"), ("b.json", "")]);
    let options = ["--hidden", "--threads", "3", "--effort", "2,4,6", "--effort-unit", "hours", "--format", "markdown"];
    let found = scan(&tree, &options);
    assert!(text(&found.stdout).contains("| low | 1 | 2 |"), "{}", text(&found.stdout));
    assert!(text(&found.stdout).contains("Effort in hours"));
}

#[test]
fn an_error_says_what_is_wrong_and_is_no_finding() {
    let tree = tree(&[("a.py", "LLMChain"), ("bad.json", r#"{"rules": [{}]}"#), ("bad.txt", "")]);
    let with = |root: &str, rules: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover-assess"));
        command.current_dir(tree.root()).args(["scan", root, "--rules", rules]).output().unwrap()
    };
    for (root, rules, said) in [
        ("nope", "rules.json", "error: there is no file or folder `nope` to look in\n  because: "),
        (".", "nope.json", "error: the rules `nope.json` cannot be read\n  because: "),
        (".", "bad.json", "error: the rules `bad.json` are not valid\n  because: missing field `id`"),
        (".", "bad.txt", "error: `bad.txt` is no file of rules: its name ends with neither .toml nor .json\n"),
    ] {
        let output = with(root, rules);
        assert_eq!((code(&output), text(&output.stdout)), (2, ""));
        assert!(text(&output.stderr).starts_with(said), "{}", text(&output.stderr));
    }
    let unwritable = scan(&tree, &["--output", "no/such/folder"]);
    assert_eq!(code(&unwritable), 2);
    assert!(text(&unwritable.stderr).starts_with("error: the report `no/such/folder` cannot be written\n"));
    assert_eq!(code(&scan(&tree, &["--effort", "1,2"])), 2);
}

#[test]
fn colours_are_for_terminals_only() {
    let tree = tree(&[("a.py", "LLMChain")]);
    let with = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover-assess"));
        command.args(["scan", ".", "--rules", "rules.json"]).current_dir(tree.root());
        command.envs(variables.iter().copied()).output().unwrap().stdout.contains(&b'\x1b')
    };
    assert!(!with(&[("TERM", "xterm-256color")]), "a pipe is no terminal");
    assert!(with(&[("CLICOLOR_FORCE", "1")]), "unless somebody says so");
    assert!(!with(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

/// Root may read everything, so the program runs as somebody else there.
#[cfg(unix)]
#[test]
fn one_unreadable_file_does_not_end_the_scan() {
    use std::os::unix::fs::PermissionsExt as _;

    let tree =
        tree(&[("a.py", "LLMChain"), ("locked.py", "LLMChain"), ("locked/b.py", "LLMChain"), ("z.py", "LLMChain")]);
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let program = tree.root().join("program.bin");
    fs::copy(env!("CARGO_BIN_EXE_cutover-assess"), &program).unwrap();
    mode(tree.root(), 0o755);
    mode(&tree.root().join("locked.py"), 0);
    mode(&tree.root().join("locked"), 0);
    let found = as_nobody(&program).current_dir(tree.root()).args(["scan", ".", "--rules", "rules.json"]).output();
    mode(&tree.root().join("locked"), 0o755);
    let found = found.unwrap();
    let said = text(&found.stdout);
    assert!(said.starts_with("Found 2 migration items:\na.py:1 - Legacy LLMChain (low)\nz.py:1 - "), "{said}");
    assert!(said.contains("not looked at: locked: unreadable: Permission denied"), "{said}");
    assert!(said.contains("not looked at: locked.py: unreadable: Permission denied"), "{said}");
    assert_eq!(code(&found), 1);
}

#[cfg(unix)]
fn as_nobody(program: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;

    let mut command = Command::new(program);
    let user = Command::new("id").arg("-u").output().unwrap();
    if user.stdout.trim_ascii() == b"0" {
        command.uid(65_534);
    }
    command
}
