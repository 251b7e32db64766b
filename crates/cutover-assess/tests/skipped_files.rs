//! What is not looked at is listed with its reason, and never ends the scan.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Tree, llm_chain, places};
use cutover_assess::{Assessment, RuleSet, Scan, ScanError, SkipReason, Status};

fn scan(tree: &Tree, change: impl FnOnce(Scan) -> Scan) -> Assessment {
    change(Scan::new(RuleSet::new([llm_chain()]).unwrap())).run(tree.root()).unwrap()
}

fn skipped(assessment: &Assessment) -> Vec<(&str, &SkipReason)> {
    assessment.skipped().iter().map(|skipped| (&*skipped.path, &skipped.reason)).collect()
}

#[test]
fn binary_large_and_foreign_files_are_skipped_and_the_scan_goes_on() {
    let tree = Tree::of(&[
        ("a.py", b"LLMChain".as_slice()),
        ("binary", b"LLMChain\0"),
        ("large.py", &[b' '; 101]),
        ("limit.py", &[b' '; 100]),
        ("utf16.py", b"\xff\xfeL\0L\0"),
        ("utf32.py", b"\xff\xfe\0\0L\0\0\0"),
        ("z.py", b"LLMChain"),
    ]);
    let assessment = scan(&tree, |scan| scan.max_file_bytes(100));
    assert_eq!(places(&assessment), [("a.py", 1, 1), ("z.py", 1, 1)]);
    let encoding = |encoding: &str| SkipReason::Encoding { encoding: encoding.into() };
    let expected = [
        ("binary", &SkipReason::Binary),
        ("large.py", &SkipReason::TooLarge { bytes: 101, limit: 100 }),
        ("utf16.py", &encoding("UTF-16LE")),
        ("utf32.py", &encoding("UTF-32LE")),
    ];
    assert_eq!(skipped(&assessment), expected);
    assert_eq!((assessment.scanned().files, assessment.scanned().bytes), (3, 116));
}

#[test]
fn a_zero_byte_far_into_a_text_does_not_hide_it() {
    let text = [" ".repeat(9_000).as_bytes(), b"\0\nLLMChain"].concat();
    assert_eq!(places(&scan(&Tree::of(&[("a.py", text)]), |scan| scan)), [("a.py", 2, 1)]);
}

#[test]
fn tests_are_not_left_out() {
    let paths = ["contest.py", "src/test_a.py", "test/a.py", "tests/deep/a_test.py", "vendor/a.py"];
    let tree = Tree::of(&paths.map(|path| (path, "LLMChain")));
    assert_eq!(places(&scan(&tree, |scan| scan)), paths.map(|path| (path, 1, 1)));
}

#[test]
fn ignored_files_are_left_out_with_and_without_a_repository() {
    let tree = Tree::of(&[
        (".gitignore", "/out\n*.log\n"),
        ("a.log", "LLMChain"),
        ("out/a.py", "LLMChain"),
        ("src/.ignore", "b.py\n"),
        ("src/a.py", "LLMChain"),
        ("src/b.py", "LLMChain"),
    ]);
    assert_eq!(places(&scan(&tree, |scan| scan)), [("src/a.py", 1, 1)]);
    tree.write(".git/HEAD", "");
    assert_eq!(places(&scan(&tree, |scan| scan)), [("src/a.py", 1, 1)]);
}

#[test]
fn what_a_repository_ignores_is_left_out_below_its_top_and_nothing_above_it_counts() {
    let files = [
        (".gitignore", "*.py\n"),
        ("repo/.gitignore", "out\n"),
        ("repo/src/a.py", "LLMChain"),
        ("repo/src/out/b.py", "LLMChain"),
    ];
    let tree = Tree::of(&files);
    let below =
        |tree: &Tree| Scan::new(RuleSet::new([llm_chain()]).unwrap()).run(tree.root().join("repo/src")).unwrap();
    assert_eq!(places(&below(&tree)), [("a.py", 1, 1), ("out/b.py", 1, 1)]);
    tree.write("repo/.git/HEAD", "");
    assert_eq!(places(&below(&tree)), [("a.py", 1, 1)]);
}

#[test]
fn hidden_files_are_looked_at_on_request_and_the_git_folder_never() {
    let tree = Tree::of(&[(".ci/a.py", "LLMChain"), (".git/a.py", "LLMChain"), ("b.py", "LLMChain")]);
    assert_eq!(places(&scan(&tree, |scan| scan)), [("b.py", 1, 1)]);
    assert_eq!(places(&scan(&tree, |scan| scan.hidden(true))), [(".ci/a.py", 1, 1), ("b.py", 1, 1)]);
}

#[test]
fn a_file_that_is_to_be_left_out_is_listed() {
    let tree = Tree::of(&[("a/rules.json", "LLMChain"), ("b/rules.json", "LLMChain")]);
    let assessment = scan(&tree, |scan| scan.leave_out(tree.root().join("a/../a/rules.json")).leave_out("nowhere"));
    assert_eq!(places(&assessment), [("b/rules.json", 1, 1)]);
    assert_eq!(skipped(&assessment), [("a/rules.json", &SkipReason::LeftOut)]);
    assert!(!assessment.has_gaps());
}

#[test]
fn a_missing_root_is_an_error_and_an_empty_one_is_no_all_clear() {
    let tree = Tree::of(&[("a.py", "LLMChain")]);
    let error = Scan::new(RuleSet::new([llm_chain()]).unwrap()).run(tree.root().join("nope")).unwrap_err();
    assert!(matches!(&error, ScanError::MissingRoot { root, .. } if root.ends_with("nope")), "{error}");
    let empty = scan(&Tree::of::<&str>(&[]), |scan| scan);
    assert_eq!(empty.status(), Status::NothingScanned);
}

#[test]
fn the_root_may_be_one_file() {
    let tree = Tree::of(&[("src/a.py", "LLMChain"), ("src/b.py", "LLMChain")]);
    let assessment =
        Scan::new(RuleSet::new([llm_chain().files(["*.py"])]).unwrap()).run(tree.root().join("src/a.py")).unwrap();
    assert_eq!(places(&assessment), [("a.py", 1, 1)]);
}

#[cfg(unix)]
#[test]
fn links_pipes_and_paths_without_unicode_are_listed() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    let tree = Tree::of(&[("a.py", "LLMChain")]);
    symlink("a.py", tree.root().join("link.py")).unwrap();
    symlink(tree.root(), tree.root().join("loop")).unwrap();
    symlink("nowhere", tree.root().join("dangling.py")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(tree.root().join("socket")).unwrap();
    std::fs::write(tree.root().join(OsStr::from_bytes(b"\xff.py")), "LLMChain").unwrap();
    let assessment = scan(&tree, |scan| scan);
    assert_eq!(places(&assessment), [("a.py", 1, 1)]);
    let expected = [
        ("dangling.py", &SkipReason::Symlink),
        ("link.py", &SkipReason::Symlink),
        ("loop", &SkipReason::Symlink),
        ("socket", &SkipReason::Special),
        ("\u{fffd}.py", &SkipReason::PathNotUnicode),
    ];
    assert_eq!(skipped(&assessment), expected);
}

#[cfg(unix)]
#[test]
fn the_root_may_be_a_link() {
    let tree = Tree::of(&[("real/a.py", "LLMChain")]);
    std::os::unix::fs::symlink("real", tree.root().join("link")).unwrap();
    let assessment = Scan::new(RuleSet::new([llm_chain()]).unwrap()).run(tree.root().join("link")).unwrap();
    assert_eq!(places(&assessment), [("a.py", 1, 1)]);
}
