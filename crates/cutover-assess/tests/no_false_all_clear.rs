//! An assessment is clear only if all of it was looked at.
mod common;

use common::{Tree, llm_chain};
use cutover_assess::{Complexity, Context, Rule, SkipReason, Status, Warning};

fn other(id: &str) -> Rule {
    Rule::new(id, "Nothing", "Nothing", Complexity::High)
}

#[test]
fn nothing_found_in_all_files_is_clear() {
    let tree = Tree::of(&[("a.py", "pass"), ("b.bin", "\0")]);
    let assessment = tree.scan();
    assert_eq!(assessment.status(), Status::Clear);
    assert!(assessment.warnings().is_empty());
}

#[test]
fn a_glob_that_matches_no_file_is_reported() {
    let tree = Tree::of(&[("src/a.py", "pass")]);
    let assessment = tree.scan_for([llm_chain().files(["*.py", "*.pyi"]), other("rust").files(["*.rs"]), other("all")]);
    let glob = Warning::GlobWithoutFiles { rule: "llm-chain".into(), glob: "*.pyi".into() };
    assert_eq!(assessment.warnings(), [glob, Warning::RuleWithoutFiles { rule: "rust".into() }]);
    assert_eq!(assessment.status(), Status::Incomplete);
}

#[test]
fn one_such_glob_is_enough_for_a_gap() {
    let tree = Tree::of(&[("a.py", "pass")]);
    assert_eq!(tree.scan_for([llm_chain().files(["*.py", "*.pyi"])]).status(), Status::Incomplete);
}

#[test]
fn globs_without_a_slash_are_for_names_and_others_for_paths() {
    let tree = Tree::of(&[("a.py", "pass"), ("src/a.py", "pass"), ("src/deep/b.py", "pass")]);
    for (glob, files) in
        [("*.py", 3), ("a.py", 2), ("/a.py", 1), ("src/*.py", 1), ("src/**", 2), ("src/**/*.py", 2), ("**/b.py", 1)]
    {
        assert_eq!(tree.scan_for([llm_chain().files([glob])]).scanned().files, files, "{glob}");
    }
}

#[test]
fn rules_that_look_in_no_file_have_scanned_nothing() {
    let tree = Tree::of(&[("a.py", "LLMChain")]);
    let assessment = tree.scan_for([llm_chain().files(["*.rs"])]);
    assert_eq!(assessment.status(), Status::NothingScanned);
}

#[test]
fn a_file_that_nobody_could_read_leaves_a_gap() {
    let tree = Tree::of(&[("a.py", b"pass".as_slice()), ("b.py", b"\xfe\xff\0L")]);
    assert_eq!(tree.scan().status(), Status::Incomplete);
    tree.write("a.py", "LLMChain");
    assert_eq!(tree.scan().status(), Status::Findings);
    assert!(tree.scan().has_gaps());
}

#[test]
fn source_code_with_a_zero_byte_leaves_a_gap_and_an_image_does_not() {
    let wide: Vec<u8> = "LLMChain()".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for source in [b"x = '\0'\nLLMChain()".as_slice(), &wide] {
        let tree = Tree::of(&[("a.py", b"pass".as_slice()), ("b.py", source), ("c.png", b"\0LLMChain")]);
        let assessment = tree.scan();
        assert_eq!(assessment.status(), Status::Incomplete);
        let reasons = assessment.skipped().iter().map(|skipped| &skipped.reason);
        assert!(reasons.eq([&SkipReason::ZeroByte, &SkipReason::Binary]));
    }
}

#[test]
fn a_comment_hides_nothing_behind_a_line_end_of_old_macs() {
    for (path, text) in [("a.py", "# c\rLLMChain()\r"), ("a.js", "// c\rLLMChain()"), ("a.java", "// c\rLLMChain();")] {
        assert_eq!(Tree::of(&[(path, text)]).scan().status(), Status::Findings, "{path}");
    }
    assert_eq!(Tree::of(&[("a.py", "# c\r\n# LLMChain\r\n# LLMChain\r")]).scan().status(), Status::Clear);
}

#[test]
fn a_skipped_file_counts_for_no_glob() {
    let tree = Tree::of(&[("a.py", "\0"), ("b.rs", "")]);
    let assessment = tree.scan_for([llm_chain().files(["*.py", "*.rs"])]);
    assert_eq!(assessment.warnings(), [Warning::GlobWithoutFiles { rule: "llm-chain".into(), glob: "*.py".into() }]);
}

#[test]
fn what_rules_leave_out_is_counted() {
    let tree = Tree::of(&[("a.py", "# LLMChain LLMChain\n'LLMChain'\n")]);
    let assessment = tree.scan();
    assert!(assessment.findings().is_empty());
    let elsewhere: Vec<_> = assessment.elsewhere().iter().map(|one| (&*one.rule, one.context, one.places)).collect();
    assert_eq!(elsewhere, [("llm-chain", Context::Comment, 2), ("llm-chain", Context::String, 1)]);
}
