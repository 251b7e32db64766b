//! A process that is killed in the middle of its edits leaves a journal from which all files become old again.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use std::path::Path;
use std::process::Command;

use codemod_common::Tree;
use cutover_assess::Codemod;
use cutover_assess::codemod::{CodemodError, Edit, Journal, JournalState};

const CHILD: &str = "CUTOVER_TEST_KILLED_CHILD";
const FILES: usize = 200;
const TEST: &str = "a_killed_process_is_recovered_from_its_journal";

fn name(number: usize) -> String {
    format!("file-{number:03}.py")
}

fn child(root: &Path) {
    let edits = (0..FILES).map(|number| Edit::new(name(number), 0, "old", "new"));
    Codemod::new(root).edits(edits).plan().unwrap().apply().unwrap();
}

/// Kills a process once it has edited this many files; gives how many it had edited by then.
fn kill_after(tree: &Tree, edited: usize) -> usize {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut process = command.args(["--exact", TEST]).env(CHILD, tree.root()).spawn().unwrap();
    while tree.read(&name(edited)) == b"old" {
        assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
        std::hint::spin_loop();
    }
    process.kill().unwrap();
    process.wait().unwrap();
    (0..FILES).filter(|number| tree.read(&name(*number)) == b"new").count()
}

#[test]
fn a_killed_process_is_recovered_from_its_journal() {
    if let Some(root) = std::env::var_os(CHILD) {
        return child(Path::new(&root));
    }
    let mut cut_short = 0;
    for edited in [0, 1, 17, 90, 180] {
        let names: Vec<_> = (0..FILES).map(name).collect();
        let tree = Tree::new(names.iter().map(|name| (name.as_str(), b"old".as_slice())));
        let before = tree.snapshot();
        let new = kill_after(&tree, edited);
        assert!(new > edited);
        let [journal] = &Journal::all(tree.root()).unwrap()[..] else { panic!("one journal") };
        if journal.state() == JournalState::Interrupted {
            cut_short += 1;
            assert!(matches!(journal.undo(), Err(CodemodError::Interrupted { .. })));
            assert_eq!(journal.recover().unwrap(), JournalState::Undone);
        } else {
            journal.undo().unwrap();
        }
        assert_eq!(tree.snapshot(), before, "after {new} of {FILES} edits, drafts and all");
    }
    assert!(cut_short >= 3, "it was killed in the middle only {cut_short} times");
}
