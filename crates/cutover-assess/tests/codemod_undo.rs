//! Undo brings the old bytes back, and never overwrites what came after.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use std::fs;
use std::path::PathBuf;

use codemod_common::Tree;
use cutover_assess::codemod::{CodemodError, Edit, FOLDER, Journal, JournalState};

fn tree() -> Tree {
    Tree::new([("a.py", b"old\r\n".as_slice()), ("lib/b.py", b"\xff old")])
}

fn edits() -> [Edit; 2] {
    [Edit::new("a.py", 0, "old", "new"), Edit::new("lib/b.py", 2, "old", "new")]
}

#[test]
fn undo_brings_back_every_byte_once() {
    let tree = tree();
    let before = tree.snapshot();
    let journal = tree.plan(edits()).unwrap().apply().unwrap();
    assert_eq!(journal.state(), JournalState::Applied);
    assert_eq!(tree.read("lib/b.py"), b"\xff new");
    Journal::open(journal.path()).unwrap().undo().unwrap();
    assert_eq!(tree.snapshot(), before);
    assert_eq!(Journal::open(journal.path()).unwrap().state(), JournalState::Undone);
    assert!(matches!(journal.undo().unwrap_err(), CodemodError::AlreadyUndone { .. }));
}

#[test]
fn files_that_were_edited_since_are_named_and_none_is_touched() {
    let tree = tree();
    let journal = tree.plan(edits()).unwrap().apply().unwrap();
    tree.write("lib/b.py", "my own");
    let before = tree.snapshot();
    let error = journal.undo().unwrap_err();
    assert!(matches!(&error, CodemodError::Changed { files } if files[..] == [PathBuf::from("lib/b.py")]), "{error:?}");
    assert_eq!(tree.snapshot(), before);
    tree.write("lib/b.py", b"\xff new");
    journal.undo().unwrap();
    assert_eq!(tree.read("a.py"), b"old\r\n");
}

#[cfg(unix)]
#[test]
fn a_changed_mode_or_a_link_in_the_place_of_the_file_counts_as_an_edit() {
    let tree = tree();
    // The mode that links have, so that only their kind tells them from the file.
    codemod_common::set_mode(&tree.at("a.py"), 0o777);
    let journal = tree.plan(edits()).unwrap().apply().unwrap();
    codemod_common::set_mode(&tree.at("a.py"), 0o755);
    assert!(matches!(journal.undo().unwrap_err(), CodemodError::Changed { .. }));
    codemod_common::set_mode(&tree.at("a.py"), 0o777);
    fs::rename(tree.at("a.py"), tree.at("c.py")).unwrap();
    std::os::unix::fs::symlink("c.py", tree.at("a.py")).unwrap();
    assert!(matches!(journal.undo().unwrap_err(), CodemodError::Changed { .. }));
    assert_eq!(tree.read("c.py"), b"new\r\n");
}

#[test]
fn a_second_run_has_a_journal_of_its_own_and_both_are_undone_in_turn() {
    let tree = tree();
    let before = tree.snapshot();
    let first = tree.plan(edits()).unwrap().apply().unwrap();
    let written = fs::read(first.path()).unwrap();
    let second = tree.plan([Edit::new("a.py", 0, "new", "newest")]).unwrap().apply().unwrap();
    assert_ne!(first.path(), second.path());
    assert_eq!(fs::read(first.path()).unwrap(), written);
    assert_eq!(Journal::all(tree.root()).unwrap().len(), 2);
    let error = first.undo().unwrap_err();
    assert!(matches!(&error, CodemodError::Changed { files } if files[..] == [PathBuf::from("a.py")]), "{error:?}");
    second.undo().unwrap();
    first.undo().unwrap();
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn a_tree_that_was_moved_is_undone_where_it_is() {
    let tree = Tree::new([("old place/a.py", b"old".as_slice())]);
    let plan = cutover_assess::Codemod::new(tree.at("old place")).edit(Edit::new("a.py", 0, "old", "new")).plan();
    plan.unwrap().apply().unwrap();
    fs::rename(tree.at("old place"), tree.at("new place")).unwrap();
    Journal::all(tree.at("new place")).unwrap()[0].undo().unwrap();
    assert_eq!(tree.read("new place/a.py"), b"old");
}

#[test]
fn a_journal_that_was_moved_away_from_its_root_is_not_followed() {
    let tree = tree();
    let journal = tree.plan(edits()).unwrap().apply().unwrap();
    fs::rename(journal.path(), tree.at("lib/0001.journal")).unwrap();
    let moved = Journal::open(tree.at("lib/0001.journal")).unwrap();
    assert!(matches!(moved.undo(), Err(CodemodError::Misplaced { .. })));
    assert!(matches!(moved.recover(), Err(CodemodError::Misplaced { .. })));
    assert_eq!(tree.read("a.py"), b"new\r\n");
}

#[test]
fn a_journal_that_is_not_what_was_written_is_not_followed() {
    let tree = tree();
    let journal = tree.plan(edits()).unwrap().apply().unwrap();
    let (before, whole) = (tree.snapshot(), fs::read(journal.path()).unwrap());
    let body = whole.len() - "\napplied\n".len();
    for length in 0..body {
        fs::write(journal.path(), &whole[..length]).unwrap();
        assert!(matches!(journal.undo(), Err(CodemodError::Corrupt { .. })), "cut off at {length}");
    }
    for place in 0..body {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(journal.path(), &bytes).unwrap();
        assert!(journal.undo().is_err(), "a bit was turned at {place}");
        assert!(journal.recover().is_err(), "a bit was turned at {place}");
    }
    assert_eq!(tree.snapshot(), before);
    fs::write(journal.path(), "{\"format\":2,\"files\":0}\n").unwrap();
    assert!(matches!(journal.undo(), Err(CodemodError::UnknownFormat { format: 2, .. })));
}

/// The journal of a stranger, with a checksum that is right.
fn forged(tree: &Tree, path: &str) -> Journal {
    let journal = tree.plan(edits()).unwrap().apply().unwrap();
    let text = fs::read_to_string(journal.path()).unwrap();
    let body: Vec<_> = text.lines().take(3).map(|line| line.replacen("\"a.py\"", &format!("\"{path}\""), 1)).collect();
    let body = body.join("\n") + "\n";
    let sum = hmac_sha256::Hash::hash(body.as_bytes()).map(|byte| format!("{byte:02x}")).concat();
    fs::write(journal.path(), format!("{body}{sum}\n\napplied\n")).unwrap();
    journal
}

#[test]
fn a_journal_never_leads_out_of_its_root() {
    let outside =
        Tree::new([("root/a.py", b"old\r\n".as_slice()), ("root/lib/b.py", b"\xff old"), ("victim", b"new\r\n")]);
    let tree = tree();
    for path in ["../victim", "/etc/hosts", "lib/../../victim", ".cutover/lock"] {
        assert!(matches!(forged(&tree, path).undo(), Err(CodemodError::Corrupt { .. })), "{path}");
        tree.write("a.py", "old\r\n");
        tree.write("lib/b.py", b"\xff old");
        fs::remove_dir_all(tree.at(FOLDER)).unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside.root(), tree.at("way")).unwrap();
        assert!(matches!(forged(&tree, "way/victim").undo(), Err(CodemodError::Corrupt { .. })));
    }
    assert_eq!(outside.read("victim"), b"new\r\n");
}

#[test]
fn after_an_interruption_nothing_is_applied_before_it_is_recovered() {
    let tree = tree();
    let before = tree.snapshot();
    let journal = tree.plan(edits()).unwrap().apply().unwrap();
    let text = fs::read_to_string(journal.path()).unwrap();
    fs::write(journal.path(), text.strip_suffix("applied\n").unwrap()).unwrap();
    tree.write("lib/b.py", b"\xff old");
    assert!(matches!(journal.undo(), Err(CodemodError::Interrupted { .. })));
    let plan = tree.plan([Edit::new("lib/b.py", 2, "old", "other")]).unwrap();
    let error = plan.apply().unwrap_err();
    assert!(matches!(&error, CodemodError::Interrupted { .. }), "{error:?}");
    assert!(error.to_string().contains("0001.journal: this run was interrupted; recover it first"), "{error}");
    assert_eq!(journal.recover().unwrap(), JournalState::Undone);
    assert_eq!(tree.snapshot(), before);
    assert_eq!(journal.recover().unwrap(), JournalState::Undone);
    plan.apply().unwrap();
}

#[test]
fn a_journal_that_is_broken_says_what_to_do_and_that_helps() {
    let tree = Tree::new([("a.py", b"old".as_slice())]);
    let journal = tree.plan([Edit::new("a.py", 0, "old", "new")]).unwrap().apply().unwrap();
    let name = journal.path().file_name().unwrap().to_owned();
    fs::write(journal.path(), "broken").unwrap();
    let message = tree.plan([Edit::new("a.py", 0, "new", "newer")]).unwrap().apply().unwrap_err().to_string();
    assert!(
        message.ends_with("look at the files that it may name, then move it out of the folder `.cutover`"),
        "{message}"
    );
    fs::rename(journal.path(), tree.at("kept").with_file_name(name)).unwrap();
    tree.plan([Edit::new("a.py", 0, "new", "newer")]).unwrap().apply().unwrap();
}
