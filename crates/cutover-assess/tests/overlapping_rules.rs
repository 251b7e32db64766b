//! One place counts once: of rules that overlap the longest is found.
mod common;

use common::Tree;
use cutover_assess::{Assessment, Complexity, Context, Rule};

fn rule(id: &str, pattern: &str) -> Rule {
    Rule::new(id, pattern, id, Complexity::Low)
}

fn found(assessment: &Assessment) -> Vec<(&str, usize)> {
    assessment.findings().iter().map(|finding| (&*finding.rule, finding.column)).collect()
}

#[test]
fn the_longest_of_overlapping_rules_is_found() {
    let tree = Tree::of(&[("a.py", "openai.OpenAI openai\n")]);
    let assessment = tree.scan_for([rule("short", "openai"), rule("long", "openai.OpenAI"), rule("end", "OpenAI")]);
    assert_eq!(found(&assessment), [("long", 1), ("short", 15)]);
}

#[test]
fn of_equally_long_ones_the_first_is_found() {
    let tree = Tree::of(&[("a.py", "a.b.c\n")]);
    assert_eq!(found(&tree.scan_for([rule("two", "b.c"), rule("one", "a.b")])), [("one", 1)]);
}

#[test]
fn neighbours_do_not_overlap() {
    let tree = Tree::of(&[("a.py", "langchain.chains.LLMChain\n")]);
    let assessment = tree.scan_for([rule("chains", "langchain.chains"), rule("chain", "LLMChain"), rule("dot", ".")]);
    assert_eq!(found(&assessment), [("chains", 1), ("dot", 17), ("chain", 18)]);
}

#[test]
fn a_longer_rule_that_does_not_look_there_hides_nothing() {
    let tree = Tree::of(&[("a.py", "openai.OpenAI  # openai.OpenAI\n")]);
    let elsewhere = rule("files", "openai.OpenAI").files(["*.rs", "*.py.txt"]);
    let comments = rule("comments", "openai.OpenAI").contexts([Context::Comment]);
    let assessment = tree.scan_for([rule("short", "openai"), elsewhere, comments]);
    assert_eq!(found(&assessment), [("short", 1), ("comments", 18)]);
}

#[test]
fn two_rules_for_one_text_are_both_found() {
    let tree = Tree::of(&[("a.py", "openai\n")]);
    assert_eq!(found(&tree.scan_for([rule("one", "openai"), rule("two", "openai")])), [("one", 1), ("two", 1)]);
}
