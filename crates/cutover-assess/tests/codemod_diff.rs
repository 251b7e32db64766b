//! The diff of a plan is one that people and other programs read.

mod codemod_common;

use codemod_common::Tree;
use cutover_assess::codemod::{Edit, LineKind};

#[test]
fn each_file_has_its_hunks_with_three_lines_around_them() {
    let lines = |count: usize| (1..=count).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat();
    let tree = Tree::new([("b.py", lines(30).as_bytes()), ("a.py", lines(2).as_bytes())]);
    let start = |line: usize| lines(line - 1).len();
    let edits = [("b.py", 5), ("a.py", 1), ("b.py", 25)];
    let edits = edits.map(|(path, line)| Edit::new(path, start(line), format!("line {line}"), "new"));
    let diff = tree.plan(edits).unwrap().diff();
    let expected = "\
--- a/a.py
+++ b/a.py
@@ -1,2 +1,2 @@
-line 1
+new
 line 2
--- a/b.py
+++ b/b.py
@@ -2,7 +2,7 @@
 line 2
 line 3
 line 4
-line 5
+new
 line 6
 line 7
 line 8
@@ -22,7 +22,7 @@
 line 22
 line 23
 line 24
-line 25
+new
 line 26
 line 27
 line 28
";
    assert_eq!(diff.to_string(), expected);
    let kinds: Vec<_> = diff.lines().iter().take(6).map(|line| line.kind).collect();
    let [file, hunk] = [LineKind::File, LineKind::Hunk];
    assert_eq!(kinds, [file, file, hunk, LineKind::Removed, LineKind::Added, LineKind::Context]);
}

#[test]
fn a_last_line_without_an_end_is_marked() {
    let tree = Tree::new([("a", b"one\ntwo".as_slice())]);
    let diff = tree.plan([Edit::new("a", 4, "two", "2\n")]).unwrap().diff();
    assert_eq!(diff.to_string(), "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+2\n");
}

#[test]
fn files_that_become_empty_or_were_it_have_ranges_without_lines() {
    let tree = Tree::new([("full", b"one\n".as_slice()), ("void", b"")]);
    let diff = tree.plan([Edit::new("full", 0, "one\n", ""), Edit::new("void", 0, "", "one\n")]).unwrap().diff();
    let expected = "--- a/full\n+++ b/full\n@@ -1 +0,0 @@\n-one\n--- a/void\n+++ b/void\n@@ -0,0 +1 @@\n+one\n";
    assert_eq!(diff.to_string(), expected);
}

#[cfg(unix)]
#[test]
fn names_with_spaces_quotes_and_line_feeds_do_not_forge_lines() {
    for (name, shown) in [
        ("two words", "--- a/two words\t\n+++ b/two words\t\n"),
        ("say \"hi\"\\", "--- \"a/say \\\"hi\\\"\\\\\"\n+++ \"b/say \\\"hi\\\"\\\\\"\n"),
        ("a\nb\u{1b}\tü", "--- \"a/a\\nb\\033\\tü\"\n+++ \"b/a\\nb\\033\\tü\"\n"),
    ] {
        let tree = Tree::new([(name, b"one\n".as_slice())]);
        let diff = tree.plan([Edit::new(name, 0, "one", "two")]).unwrap().diff().to_string();
        assert_eq!(diff, format!("{shown}@@ -1 +1 @@\n-one\n+two\n"));
    }
}

#[test]
fn bytes_that_are_no_text_are_written_as_they_are_and_shown_as_unknown() {
    let tree = Tree::new([("a", b"\xff one\n".as_slice())]);
    let diff = tree.plan([Edit::new("a", 2, "one", "two")]).unwrap().diff();
    let mut bytes = Vec::new();
    diff.write_to(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"-\xff one\n+\xff two\n"));
    assert!(diff.to_string().ends_with("-\u{fffd} one\n+\u{fffd} two\n"));
}
