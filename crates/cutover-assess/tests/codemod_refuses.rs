//! Edits that cannot be made as they are meant are refused, each with its place, and nothing is written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use codemod_common::Tree;
use cutover_assess::Codemod;
use cutover_assess::codemod::{CodemodError, Edit, FOLDER, PlanError};

fn tree() -> Tree {
    Tree::new([("app.py", "one\nüber LLMChain\n".as_bytes()), ("lib/empty.py", b"")])
}

/// The error of these edits, which have left no trace.
fn refused(tree: &Tree, edits: impl IntoIterator<Item = Edit>) -> PlanError {
    let before = tree.snapshot();
    let error = tree.plan(edits).unwrap_err();
    assert_eq!(tree.snapshot(), before);
    assert!(!tree.at(FOLDER).exists());
    error
}

#[test]
fn a_file_that_says_something_else_is_refused_by_line_and_without_its_text() {
    let error = refused(&tree(), [Edit::new("app.py", 10, "OldChain", "Runnable")]);
    assert!(matches!(error, PlanError::Unexpected { line: 2, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "app.py:2: the edit expects another text here; search again, the file may have changed"
    );
}

#[test]
fn edits_outside_of_the_file_or_within_a_character_are_refused() {
    let error = refused(&tree(), [Edit::new("app.py", 15, "Chain\nmore", "x")]);
    assert!(matches!(error, PlanError::OutOfBounds { length: 19, .. }), "{error:?}");
    let error = refused(&tree(), [Edit::new("app.py", usize::MAX, "a", "b")]);
    assert!(matches!(error, PlanError::OutOfBounds { .. }), "{error:?}");
    let error = refused(&tree(), [Edit::new("app.py", 5, "", "inserted")]);
    assert!(matches!(error, PlanError::InsideChar { offset: 5, .. }), "{error:?}");
    let mut edit = Edit::new("app.py", 10, "LLMChain", "Runnable");
    (edit.span.start, edit.span.end) = (14, 12);
    assert!(matches!(refused(&tree(), [edit]), PlanError::OutOfBounds { .. }));
}

#[test]
fn edits_that_overlap_or_insert_at_one_place_are_refused_and_neighbours_are_not() {
    let chain = || Edit::new("app.py", 10, "LLMChain", "Runnable");
    let error = refused(&tree(), [chain(), Edit::new("app.py", 13, "Chain", "Graph")]);
    assert!(matches!(error, PlanError::Overlap { line: 2, .. }), "{error:?}");
    let error = refused(&tree(), [Edit::new("app.py", 3, "", "a"), Edit::new("app.py", 3, "", "b")]);
    assert!(matches!(error, PlanError::Overlap { line: 1, .. }), "{error:?}");
    let tree = tree();
    let plan = tree.plan([Edit::new("app.py", 13, "Chain", "Graph"), Edit::new("app.py", 10, "LLM", "")]).unwrap();
    assert_eq!(plan.files()[0].after(), "one\nüber Graph\n".as_bytes());
    assert_eq!(tree.plan([chain(), chain()]).unwrap().edits(), 1, "the same edit twice is one");
}

#[test]
fn edits_that_change_nothing_are_refused() {
    let error = refused(&tree(), [Edit::new("app.py", 10, "LLMChain", "LLMChain")]);
    assert!(matches!(error, PlanError::Unchanged { line: 2, .. }), "{error:?}");
    assert!(matches!(refused(&tree(), []), PlanError::Nothing));
    let swap = [Edit::new("app.py", 0, "one", ""), Edit::new("app.py", 3, "", "one")];
    assert!(matches!(refused(&tree(), swap), PlanError::Nothing));
}

#[test]
fn only_regular_files_below_the_root_are_edited() {
    for path in ["", ".", "..", "../app.py", "lib/../app.py", "/etc/hosts", ".cutover/0001.journal"] {
        let error = refused(&tree(), [Edit::new(path, 0, "one", "two")]);
        assert!(matches!(error, PlanError::Path { .. }), "{path}: {error:?}");
    }
    assert!(matches!(refused(&tree(), [Edit::new("lib", 0, "one", "two")]), PlanError::NotAFile { .. }));
    assert!(matches!(refused(&tree(), [Edit::new("none.py", 0, "one", "two")]), PlanError::Io { .. }));
    let nowhere = Codemod::new("no/such/folder").edit(Edit::new("app.py", 0, "one", "two")).plan().unwrap_err();
    assert!(matches!(nowhere, PlanError::Io { .. }));
    let tree = tree();
    let file = Codemod::new(tree.at("app.py")).edit(Edit::new("app.py", 0, "one", "two")).plan().unwrap_err();
    assert!(matches!(&file, PlanError::Io { path, .. } if path.ends_with("app.py")), "{file:?}");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_root_is_refused() {
    let (tree, elsewhere) = (tree(), Tree::new([("secret.py", b"one".as_slice())]));
    std::os::unix::fs::symlink(elsewhere.at("secret.py"), tree.at("link.py")).unwrap();
    std::os::unix::fs::symlink(elsewhere.root(), tree.at("folder")).unwrap();
    for path in ["link.py", "folder/secret.py"] {
        let error = refused(&tree, [Edit::new(path, 0, "one", "two")]);
        assert!(matches!(error, PlanError::OutsideRoot { .. }), "{error:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_refused() {
    let tree = tree();
    codemod_common::set_mode(&tree.at("app.py"), 0o444);
    let error = refused(&tree, [Edit::new("app.py", 0, "one", "two")]);
    assert!(matches!(error, PlanError::ReadOnly { .. }), "{error:?}");
}

/// The places of `pattern` that no letter surrounds.
fn words(pattern: &'static str) -> impl Fn(&str, &[u8]) -> Vec<std::ops::Range<usize>> {
    move |_, bytes| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let is_word = |at: usize| !text[..at].ends_with(char::is_alphanumeric);
        text.match_indices(pattern).map(|(at, _)| at..at + pattern.len()).filter(|span| is_word(span.start)).collect()
    }
}

#[test]
fn a_replacement_that_the_next_run_would_edit_again_is_refused() {
    let repeats = |old: &'static str, new: &'static str| {
        let tree = Tree::new([("app.py", format!("import {old}\n# and {old}\n").as_bytes())]);
        let codemod = Codemod::new(tree.root()).edit(Edit::new("app.py", 7, old, new));
        codemod.refuse_repeats(words(old)).plan().map(|plan| plan.edits())
    };
    assert_eq!(repeats("OpenAI", "MyOpenAI").unwrap(), 1, "what is found elsewhere is no repeat");
    assert_eq!(repeats("a.b", "c.d").unwrap(), 1);
    for (old, new) in [("a.b", "a.b.c"), ("a.b", "x a.b"), ("aa", "")] {
        let repeated = if new.is_empty() { repeats_joined() } else { repeats(old, new).unwrap_err() };
        assert!(matches!(repeated, PlanError::NotConvergent { line: 1, .. }), "{old} to {new}: {repeated:?}");
    }
}

/// A removal that puts together what was apart.
fn repeats_joined() -> PlanError {
    let tree = Tree::new([("app.py", b"a.a.bb".as_slice())]);
    Codemod::new(tree.root()).edit(Edit::new("app.py", 2, "a.b", "")).refuse_repeats(words("a.b")).plan().unwrap_err()
}

#[test]
fn a_plan_is_stale_once_a_file_has_changed_and_names_all_such_files() {
    let tree = Tree::new([("a.py", b"one".as_slice()), ("b.py", b"one"), ("c.py", b"one")]);
    let plan = tree.plan(["a.py", "b.py", "c.py"].map(|path| Edit::new(path, 0, "one", "two"))).unwrap();
    tree.write("b.py", "one and more");
    std::fs::remove_file(tree.at("c.py")).unwrap();
    let before = tree.snapshot();
    let error = plan.apply().unwrap_err();
    let CodemodError::Changed { files } = &error else { panic!("{error:?}") };
    assert_eq!(files, &["b.py", "c.py"].map(std::path::PathBuf::from));
    assert_eq!(error.to_string(), "changed since: b.py, c.py; plan again, or put them back");
    assert_eq!(tree.snapshot(), before);
}
