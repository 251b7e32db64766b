//! What the host checks after the edits decides whether they stay, and no second run gets between.

mod codemod_common;

use std::error::Error;
use std::path::Path;

use codemod_common::Tree;
use cutover_assess::codemod::{CodemodError, Edit, Journal, JournalState};

fn tree() -> Tree {
    Tree::new([("a.py", b"old".as_slice()), ("b.py", b"old")])
}

fn edits() -> [Edit; 2] {
    ["a.py", "b.py"].map(|path| Edit::new(path, 0, "old", "new"))
}

#[test]
fn a_check_sees_the_edited_files_and_they_stay_if_it_agrees() {
    let tree = tree();
    let sees = || (tree.read("b.py") == b"new").then_some(()).ok_or("not edited");
    let journal = tree.plan(edits()).unwrap().apply_checked(sees).unwrap();
    assert_eq!(journal.state(), JournalState::Applied);
    assert_eq!(tree.read("a.py"), b"new");
}

#[test]
fn a_check_that_fails_takes_all_edits_back_and_its_error_is_kept() {
    let tree = tree();
    let before = tree.snapshot();
    let error = tree.plan(edits()).unwrap().apply_checked(|| Err("it does not compile")).unwrap_err();
    assert!(matches!(error, CodemodError::Refused { .. }));
    assert_eq!(error.source().unwrap().to_string(), "it does not compile");
    assert_eq!(tree.snapshot(), before);
    assert_eq!(Journal::all(tree.root()).unwrap()[0].state(), JournalState::Undone);
    tree.plan(edits()).unwrap().apply().unwrap();
}

#[test]
fn a_check_that_panics_takes_all_edits_back() {
    let tree = tree();
    let before = tree.snapshot();
    let error = tree.plan(edits()).unwrap().apply_checked(|| -> Result<(), String> { panic!("broken") }).unwrap_err();
    assert!(matches!(error, CodemodError::Panicked), "{error:?}");
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn what_a_failing_check_changed_is_not_overwritten_and_the_journal_is_named() {
    let tree = tree();
    let spoils = || {
        tree.write("b.py", "formatted");
        Err("it does not compile")
    };
    let error = tree.plan(edits()).unwrap().apply_checked(spoils).unwrap_err();
    let CodemodError::Stuck { journal, cause, backing_out } = error else { panic!("{error:?}") };
    assert!(matches!(*cause, CodemodError::Refused { .. }));
    assert!(matches!(&*backing_out, CodemodError::Changed { files } if files.len() == 1));
    assert_eq!(tree.read("b.py"), b"formatted");
    tree.write("b.py", "new");
    assert_eq!(Journal::open(journal).unwrap().recover().unwrap(), JournalState::Undone);
    assert_eq!(tree.read("a.py"), b"old");
}

#[test]
fn a_check_that_agrees_but_edits_files_is_told_with_their_names_and_nothing_is_lost() {
    let tree = tree();
    let formats = || {
        tree.write("b.py", "new\n");
        Ok::<_, String>(())
    };
    let error = tree.plan(edits()).unwrap().apply_checked(formats).unwrap_err();
    let CodemodError::EditedByCheck { journal, files } = error else { panic!("{error:?}") };
    assert_eq!(files, [Path::new("b.py")]);
    assert_eq!((tree.read("a.py"), tree.read("b.py")), (b"new".to_vec(), b"new\n".to_vec()));
    let journal = Journal::open(journal).unwrap();
    assert_eq!(journal.state(), JournalState::Applied);
    assert!(matches!(journal.undo(), Err(CodemodError::Changed { files }) if files == [Path::new("b.py")]));
    tree.write("b.py", "new");
    journal.undo().unwrap();
    assert_eq!((tree.read("a.py"), tree.read("b.py")), (b"old".to_vec(), b"old".to_vec()));
}

#[test]
fn a_check_may_edit_other_files() {
    let tree = tree();
    let builds = || {
        tree.write("a.pyc", "built");
        Ok::<_, String>(())
    };
    tree.plan(edits()).unwrap().apply_checked(builds).unwrap().undo().unwrap();
    assert_eq!(tree.read("a.pyc"), b"built");
}

#[test]
fn while_one_run_edits_a_second_one_is_refused() {
    let tree = tree();
    let first = tree.plan([Edit::new("a.py", 0, "old", "new")]).unwrap();
    let second = tree.plan([Edit::new("b.py", 0, "old", "new")]).unwrap();
    let mut heard = None;
    let first = first.apply_checked(|| {
        heard = Some(second.apply());
        Ok::<_, String>(())
    });
    assert!(matches!(heard, Some(Err(CodemodError::Busy { .. }))), "{heard:?}");
    assert_eq!(tree.read("b.py"), b"old");
    first.unwrap().undo().unwrap();
    second.apply().unwrap();
}
