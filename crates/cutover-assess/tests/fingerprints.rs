//! The fingerprints of a tree survive what moves its places, and change with what makes them other ones.
mod common;

use std::collections::BTreeSet;

use common::{Tree, llm_chain};
use cutover_assess::{Complexity, Fingerprint, Rule};

const TEXT: &str = "a = LLMChain(b)\nc = LLMChain(d)\na = LLMChain(b)\n";

fn prints(files: &[(&str, &str)]) -> BTreeSet<Fingerprint> {
    let tree = Tree::of(files);
    let assessment = tree.scan();
    let prints: BTreeSet<_> = assessment.findings().iter().map(|finding| finding.fingerprint).collect();
    assert_eq!(prints.len(), assessment.findings().len(), "two findings have one fingerprint");
    prints
}

#[test]
fn they_survive_moves_of_lines_and_files() {
    let before = prints(&[("a.py", TEXT)]);
    assert_eq!(before.len(), 3);
    assert_eq!(prints(&[("a.py", &format!("import b\n\n{TEXT}"))]), before, "lines above");
    assert_eq!(prints(&[("z/other.py", TEXT)]), before, "another file");
    assert_eq!(prints(&[("a.py", &TEXT.replace("a =", "\t a  ="))]), before, "indented anew");
    assert_eq!(prints(&[("a.py", &TEXT.replace('\n', "\r\n"))]), before, "other line ends");
    assert_eq!(prints(&[("a.py", "c = LLMChain(d)\na = LLMChain(b)\n"), ("b.py", "a = LLMChain(b)")]), before, "split");
}

#[test]
fn one_more_equal_place_adds_exactly_one() {
    let before = prints(&[("b.py", TEXT)]);
    for path in ["a.py", "c.py"] {
        let after = prints(&[("b.py", TEXT), (path, "a = LLMChain(b)")]);
        assert!(after.is_superset(&before));
        assert_eq!(after.len(), 4);
    }
}

#[test]
fn an_edited_line_is_another_place() {
    let after = prints(&[("a.py", &TEXT.replace("(d)", "(e)"))]);
    assert_eq!(after.intersection(&prints(&[("a.py", TEXT)])).count(), 2);
}

#[test]
fn another_rule_is_another_place() {
    let tree = Tree::of(&[("a.py", TEXT)]);
    let other = Rule::new("other", "LLMChain", "Other", Complexity::Low);
    let assessment = tree.scan_for([llm_chain(), other]);
    let prints: BTreeSet<_> = assessment.findings().iter().map(|finding| finding.fingerprint).collect();
    assert_eq!(prints.len(), 6);
}

#[test]
fn allowing_one_place_keeps_the_others() {
    let before = prints(&[("a.py", TEXT)]);
    let after = prints(&[("a.py", &format!("# migrate:allow(llm-chain)\n{TEXT}"))]);
    assert!(after.is_subset(&before));
    assert_eq!(after.len(), 2);
}

#[test]
fn of_a_long_line_only_what_is_near_counts() {
    let line = |far: &str| format!("{}LLMChain{}\n", format!("{far} ").repeat(500), " same".repeat(500));
    let near = |far: &str| line(far).replace(&format!("{far} LLM"), &format!("{} LLM", "same ".repeat(60)));
    assert_eq!(prints(&[("a.py", &near("one"))]), prints(&[("a.py", &near("two"))]));
    assert_ne!(prints(&[("a.py", &line("one"))]), prints(&[("a.py", &line("two"))]));
}

/// They are stored, so the algorithm stays.
#[test]
fn they_are_the_same_for_ever() {
    let printed: Vec<String> = prints(&[("a.py", "a = LLMChain(b)\n")]).iter().map(ToString::to_string).collect();
    assert_eq!(printed, ["1387da904929b2e996406bde485aabd8"]);
}
