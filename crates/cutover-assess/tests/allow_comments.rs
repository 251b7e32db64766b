//! `migrate:allow(rule-id)` in a comment allows a place to stay.
mod common;

use common::{Tree, llm_chain, places};
use cutover_assess::{Assessment, Complexity, Rule, Warning};

fn scan(path: &str, text: &str) -> Assessment {
    Tree::of(&[(path, text)]).scan_for([llm_chain(), Rule::new("other", "Other", "Other", Complexity::High)])
}

fn lines(assessment: &Assessment) -> Vec<usize> {
    places(assessment).into_iter().map(|(_, line, _)| line).collect()
}

#[test]
fn on_the_line_and_on_the_line_above() {
    let assessment = scan(
        "a.py",
        "LLMChain # migrate:allow(llm-chain) until May\nLLMChain\n# migrate:allow(llm-chain)\nLLMChain\nLLMChain\n",
    );
    assert_eq!(lines(&assessment), [2, 5]);
    assert_eq!(assessment.allowed().len(), 2);
    assert_eq!(assessment.totals().all.places, 2);
    assert!(assessment.warnings().is_empty());
}

#[test]
fn comments_above_each_other_all_hold() {
    let text = "/* migrate:allow(other) */\n// why\n// migrate:allow(llm-chain)\nLLMChain(Other)\n";
    assert_eq!(scan("a.rs", text).allowed().len(), 2);
    assert_eq!(scan("a.rs", &text.replace("// why\n", "\n")).allowed().len(), 1, "an empty line ends it");
}

#[test]
fn one_comment_allows_several_rules_and_no_other() {
    let assessment =
        scan("a.rs", "// migrate:allow(llm-chain, other)\nLLMChain(Other)\n// migrate:allow(other)\nLLMChain(Other)\n");
    assert_eq!(assessment.allowed().len(), 3);
    assert_eq!(lines(&assessment), [4]);
}

#[test]
fn in_strings_and_code_it_says_nothing() {
    let assessment = scan("a.py", "LLMChain('# migrate:allow(llm-chain)')\n'# migrate:allow(llm-chain)'\nLLMChain\n");
    assert_eq!(lines(&assessment), [1, 3]);
    assert!(assessment.warnings().is_empty());
}

#[test]
fn where_the_language_is_unknown_any_text_is_a_comment() {
    let assessment = scan("a.sql", "-- migrate:allow(llm-chain)\nLLMChain\nLLMChain -- migrate:allow(llm-chain)\n");
    assert_eq!((lines(&assessment), assessment.allowed().len()), (vec![], 2));
}

#[test]
fn what_is_unknown_unused_or_malformed_is_reported() {
    let assessment = scan(
        "a.py",
        "# migrate:allow(nope)\nx # migrate:allow(llm-chain)\n# migrate:allow llm-chain\n# migrate:allow(\n# migrate:allow()\n",
    );
    let path = || "a.py".to_owned();
    let expected = [
        Warning::UnknownAllow { path: path(), line: 1, rule: "nope".into() },
        Warning::UnusedAllow { path: path(), line: 2, rule: "llm-chain".into() },
        Warning::MalformedAllow { path: path(), line: 3 },
        Warning::MalformedAllow { path: path(), line: 4 },
        Warning::MalformedAllow { path: path(), line: 5 },
    ];
    assert_eq!(assessment.warnings(), expected);
    assert!(!assessment.has_gaps());
}

/// Each comment, line and place is looked at once: otherwise these would take minutes.
#[test]
fn many_of_them_are_read_in_good_time() {
    let lines = 8_000;
    let each = scan("a.rs", &"LLMChain // migrate:allow(llm-chain)\n".repeat(lines));
    assert_eq!(each.allowed().len(), lines);
    let above = scan("a.rs", &format!("{}LLMChain", "// migrate:allow(llm-chain)\n".repeat(lines)));
    assert_eq!((above.allowed().len(), above.warnings().len()), (1, lines - 32));
    let one_line = scan("a.rs", &format!("//{}\nLLMChain", " migrate:allow(llm-chain)".repeat(lines)));
    assert_eq!((one_line.allowed().len(), one_line.warnings().len()), (1, 0));
}
