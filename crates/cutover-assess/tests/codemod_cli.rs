//! The program shows before it writes, takes back what it wrote, and its exit codes say which of the two is to do.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use std::process::Command;

use codemod_common::Tree;

const RULES: &str = r#"{ "rules": [
    { "id": "llm-chain", "pattern": "LLMChain", "name": "Legacy LLMChain", "complexity": "low", "replacement": "Runnable" }
] }"#;

struct World {
    tree: Tree,
}

impl World {
    fn new() -> Self {
        Self { tree: Tree::new([("src/app.py", b"a = LLMChain()\r\n".as_slice()), ("rules.json", RULES.as_bytes())]) }
    }

    /// The exit code, what it said, and what it told beside that.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_cutover-assess"))
            .args(arguments)
            .current_dir(self.tree.root())
            .env_remove("CUTOVER_RATCHET")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn app(&self) -> String {
        String::from_utf8(self.tree.read("src/app.py")).unwrap()
    }
}

const SOURCE: [&str; 3] = ["src", "--rules", "rules.json"];

fn on_source<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[command], &SOURCE[..], more].concat()
}

#[test]
fn diff_shows_and_writes_nothing_and_apply_and_undo_say_what_they_did() {
    let world = World::new();
    let (code, said, told) = world.run(&on_source("diff", &[]));
    assert_eq!(said, "--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-a = LLMChain()\r\n+a = Runnable()\r\n");
    assert_eq!((code, told.as_str()), (1, "1 edit in 1 file; nothing is written before `apply`\n"));
    assert_eq!(world.app(), "a = LLMChain()\r\n");
    assert!(!world.tree.at("src/.cutover").exists());

    let (code, said, _) = world.run(&on_source("apply", &[]));
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("1 edit in 1 file; journal: ") && said.contains("0001.journal\n"), "{said}");
    assert!(said.ends_with("to take them back: cutover-assess undo src\n"), "{said}");
    assert_eq!(world.app(), "a = Runnable()\r\n");
    for command in ["diff", "apply"] {
        assert_eq!(world.run(&on_source(command, &[])).0, 0, "nothing is left");
        assert_eq!(world.run(&on_source(command, &["--hidden"])).0, 0, "journals are no sources");
    }

    let (code, said, _) = world.run(&["undo", "src"]);
    assert!(code == 0 && said.starts_with("undone in 1 file: "), "{said}");
    assert_eq!(world.app(), "a = LLMChain()\r\n");
    assert_eq!(world.run(&["undo", "src"]).1, "nothing to undo\n");
}

#[test]
fn a_command_that_fails_takes_the_edits_back() {
    let world = World::new();
    let (code, _, told) =
        world.run(&on_source("apply", &["--", env!("CARGO_BIN_EXE_cutover-assess"), "no-such-command"]));
    assert_eq!(code, 2);
    assert!(told.contains("error: the check after the edits failed, so they were backed out\n  because: "), "{told}");
    assert_eq!(world.app(), "a = LLMChain()\r\n");
    let (code, ..) = world.run(&on_source("apply", &["--", env!("CARGO_BIN_EXE_cutover-assess"), "--version"]));
    assert_eq!((code, world.app().as_str()), (0, "a = Runnable()\r\n"));
}

#[test]
fn undo_refuses_later_edits_and_backs_out_an_interrupted_run() {
    let world = World::new();
    world.run(&on_source("apply", &[]));
    world.tree.write("src/app.py", "mine");
    let (code, _, told) = world.run(&["undo", "src"]);
    assert_eq!((code, told.as_str()), (2, "error: changed since: app.py; plan again, or put them back\n"));
    world.tree.write("src/app.py", "a = Runnable()\r\n");
    let journal = String::from_utf8(world.tree.read("src/.cutover/0001.journal")).unwrap();
    world.tree.write("src/.cutover/0001.journal", journal.strip_suffix("applied\n").unwrap());
    for command in ["diff", "apply"] {
        let (code, _, told) = world.run(&on_source(command, &[]));
        assert!(code == 2 && told.contains("was interrupted; recover it first"), "{told}");
    }
    let (code, said, _) = world.run(&["undo", "src"]);
    assert!(code == 0 && said.starts_with("it was interrupted, and is backed out: "), "{said}");
    assert_eq!(world.app(), "a = LLMChain()\r\n");
}

#[test]
fn undo_takes_back_a_journal_of_the_root_that_it_is_given() {
    let world = World::new();
    world.run(&on_source("apply", &[]));
    std::fs::create_dir(world.tree.at("other")).unwrap();
    let undo = |root| world.run(&["undo", root, "--journal", "src/.cutover/0001.journal"]);
    let (code, _, told) = undo("other");
    assert_eq!(told, "error: src/.cutover/0001.journal: it is no journal of other; name its own root\n");
    assert_eq!((code, world.app().as_str()), (2, "a = Runnable()\r\n"));
    assert_eq!(undo("src").0, 0);
    assert_eq!(world.app(), "a = LLMChain()\r\n");
}

#[test]
fn the_ratchet_goes_from_no_baseline_over_growth_to_a_smaller_one() {
    let world = World::new();
    let ratchet = |more: &[&str]| world.run(&on_source("ratchet", more));
    assert_eq!(ratchet(&[]).0, 2, "there is no baseline");
    assert_eq!(ratchet(&["--accept", " "]).0, 2, "there is no reason");
    assert_eq!(ratchet(&["--accept", "begin"]).0, 0);
    assert_eq!(ratchet(&[]).1, "1 legacy call sites are left, and all are known\n");
    world.tree.write("src/new.py", "LLMChain()");
    let (code, said, _) = ratchet(&[]);
    assert!(code == 1 && said.contains("\n  new.py:1 - Legacy LLMChain (llm-chain); use `Runnable`\n"), "{said}");
    assert_eq!(ratchet(&["--shrink"]).0, 1, "shrinking does not accept");
    world.tree.write("src/new.py", "");
    world.tree.write("src/app.py", "");
    assert_eq!(ratchet(&[]).0, 1, "something is gone");
    assert_eq!(ratchet(&["--shrink"]).1, "0 legacy call sites are left, and all are known\n");
}

#[test]
fn what_cannot_be_done_has_exit_code_2_and_says_why() {
    let world = World::new();
    let (code, _, told) = world.run(&["diff", "nowhere", "--rules", "rules.json"]);
    assert!(code == 2 && told.contains("nowhere"), "{told}");
    let (code, _, told) = world.run(&["undo", "nowhere"]);
    assert!(code == 2 && told.contains("nowhere"), "{told}");
    std::fs::create_dir(world.tree.at("empty")).unwrap();
    let (code, _, told) = world.run(&["diff", "empty", "--rules", "rules.json"]);
    assert!(code == 2 && told.contains("has seen no file"), "{told}");
    world.tree.write("src/wide.py", b"\xff\xfeL\0");
    let (_, _, told) = world.run(&on_source("diff", &[]));
    assert!(told.contains("warning: not looked at: wide.py: text in UTF-16LE"), "{told}");
}
