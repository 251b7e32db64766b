//! The program never ends with success because nobody read what it said, or because it did not look.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use std::io;
use std::process::{Command, Stdio};

use codemod_common::Tree;

const RULES: &[u8] = br#"{ "rules": [
    { "id": "llm-chain", "pattern": "LLMChain", "name": "Legacy LLMChain", "complexity": "low", "replacement": "Runnable" }
] }"#;
const MISSPELT: &[u8] = br#"{ "rules": [{ "id": "llm-chain", "pattern": "LLMChain", "name": "Legacy LLMChain",
    "complexity": "low", "files": ["*.py", "*.misspelt"], "replacement": "Runnable" }] }"#;

fn tree(app: &[u8]) -> Tree {
    Tree::new([("src/app.py", app), ("rules.json", RULES), ("misspelt.json", MISSPELT)])
}

fn program(tree: &Tree, command: &str, rules: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cutover-assess"));
    program.args([command, "src", "--rules", rules]).current_dir(tree.root()).env_remove("CUTOVER_RATCHET");
    program
}

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_who_goes_away_does_not_change_the_exit_code() {
    let tree = tree(b"LLMChain()\n");
    tree.write("migration-baseline.json", b"{\"format\": 1, \"findings\": []}");
    for command in ["scan", "diff", "ratchet"] {
        let done = program(&tree, command, "rules.json").stdout(closed()).stderr(closed()).status().unwrap();
        assert_eq!(done.code(), Some(1), "{command}");
    }
}

#[test]
fn edits_are_made_even_if_nobody_reads_the_warnings() {
    let tree = tree(b"LLMChain()\n");
    tree.write("src/wide.py", b"\xff\xfeL\0");
    let done = program(&tree, "apply", "rules.json").stdout(closed()).stderr(closed()).status().unwrap();
    assert_eq!((done.code(), tree.read("src/app.py")), (Some(0), b"Runnable()\n".to_vec()));
}

#[test]
fn nothing_to_rename_is_no_success_where_not_all_was_looked_at() {
    let tree = tree(b"pass\n");
    let run = |command, rules| program(&tree, command, rules).output().unwrap();
    for command in ["diff", "apply"] {
        assert_eq!(run(command, "rules.json").status.code(), Some(0));
        let done = run(command, "misspelt.json");
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{command}: {told}");
        assert_eq!(told, "warning: the glob `*.misspelt` of the rule `llm-chain` matches no file\n");
        assert_eq!(done.stdout, b"nothing to rename was found, but not all of it was looked at\n");
    }
    tree.write("src/wide.py", b"\xff\xfeL\0");
    assert_eq!(run("diff", "rules.json").status.code(), Some(2), "a file that could not be searched");
}

#[test]
fn a_file_in_place_of_the_folder_is_refused_by_its_name() {
    let tree = tree(b"LLMChain()\n");
    for arguments in [&["diff", "src/app.py", "--rules", "rules.json"][..], &["undo", "src/app.py"]] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_cutover-assess"));
        let done = program.args(arguments).current_dir(tree.root()).output().unwrap();
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2));
        assert_eq!(told, "error: src/app.py: it is no folder; name the folder that has it\n");
    }
}
