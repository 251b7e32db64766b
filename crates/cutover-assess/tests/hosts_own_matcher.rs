//! A host's own matcher gets globs, contexts, allow comments and reports as the built-in one does, and cannot end a scan.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::ops::Range;

use common::{Tree, llm_chain, places};
use cutover_assess::{
    Assessment, Complexity, Match, Matcher, Rule, RuleError, RuleSet, Scan, ScanError, SkipReason, Source,
};
use regex::bytes::Regex;

/// Takes patterns for regular expressions, and replacements for their templates.
struct Regexes {
    rules: RuleSet,
    compiled: Vec<Regex>,
}

impl Regexes {
    fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules = RuleSet::new(rules).unwrap();
        let compiled = rules.rules().iter().map(|rule| Regex::new(&rule.pattern).unwrap()).collect();
        Self { rules, compiled }
    }
}

impl Matcher for Regexes {
    fn rules(&self) -> &RuleSet {
        &self.rules
    }

    fn find<'m>(&'m self, source: &Source<'_>) -> Vec<Match<'m>> {
        let each = self.rules.rules().iter().zip(&self.compiled);
        each.flat_map(|(rule, regex)| regex.captures_iter(source.bytes).map(|found| matched(rule, &found))).collect()
    }
}

fn matched<'m>(rule: &'m Rule, found: &regex::bytes::Captures<'_>) -> Match<'m> {
    let mut text = Vec::new();
    found.expand(rule.replacement.as_deref().unwrap_or_default().as_bytes(), &mut text);
    Match::new(rule, found.get(0).unwrap().range()).replacement(String::from_utf8(text).unwrap())
}

fn unwraps() -> Rule {
    let rule = Rule::new("unwrap", r"(\w+)\.unwrap\(\)", "Unwraps", Complexity::Medium).files(["*.rs"]);
    rule.replacement("$1?")
}

#[test]
fn regular_expressions_find_what_they_match() {
    let tree = Tree::of(&[
        ("a.rs", "a.unwrap(); // a.unwrap()\nb.unwrap(); // migrate:allow(unwrap)\n\"c.unwrap()\"\n"),
        ("b.py", "a.unwrap()"),
    ]);
    let assessment = Scan::with(Regexes::new([unwraps()])).run(tree.root()).unwrap();
    assert_eq!(places(&assessment), [("a.rs", 1, 1)]);
    assert_eq!(assessment.findings()[0].replacement.as_deref(), Some("a?"));
    assert_eq!(assessment.findings()[0].span, 0..10);
    assert_eq!(assessment.allowed().len(), 1);
    assert_eq!(assessment.elsewhere().len(), 2);
}

#[test]
fn it_stands_beside_literal_rules_whose_ids_it_does_not_take() {
    let tree = Tree::of(&[("a.rs", "LLMChain(a.unwrap())\n")]);
    let scan = Scan::new(RuleSet::new([llm_chain()]).unwrap()).and(Regexes::new([unwraps()]));
    assert_eq!(places(&scan.run(tree.root()).unwrap()), [("a.rs", 1, 1), ("a.rs", 1, 10)]);
    let twice = scan.and(Regexes::new([llm_chain()])).run(tree.root()).unwrap_err();
    assert!(matches!(twice, ScanError::Rules(RuleError::DuplicateId { id }) if id == "llm-chain"));
}

/// Says of every file the same, or worse.
struct Wrong {
    rules: RuleSet,
    other: Rule,
    says: Says,
}

enum Says {
    Span(Range<usize>),
    OtherRule,
    Panic,
}

impl Matcher for Wrong {
    fn rules(&self) -> &RuleSet {
        &self.rules
    }

    fn find<'m>(&'m self, source: &Source<'_>) -> Vec<Match<'m>> {
        if source.path != "bad.py" {
            return Vec::new();
        }
        match &self.says {
            Says::Span(span) => vec![Match::new(&self.rules.rules()[0], span.clone())],
            Says::OtherRule => vec![Match::new(&self.other, 0..1)],
            Says::Panic => panic!("no such luck"),
        }
    }
}

fn scan_with(says: Says) -> Assessment {
    let tree = Tree::of(&[("bad.py", "Other"), ("good.py", "LLMChain")]);
    let [one, other] = ["one", "other"].map(|id| Rule::new(id, "Other", "Other", Complexity::Low));
    let wrong = Wrong { rules: RuleSet::new([one]).unwrap(), other, says };
    Scan::new(RuleSet::new([llm_chain()]).unwrap()).and(wrong).run(tree.root()).unwrap()
}

#[test]
fn one_that_breaks_its_laws_costs_the_file_and_not_the_scan() {
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is wrong with it")]
    let spans = [4..2, 2..2, 0..6, 9..12, 0..usize::MAX];
    let wrong = spans.into_iter().map(Says::Span).chain([Says::OtherRule, Says::Panic]);
    for says in wrong {
        let assessment = scan_with(says);
        assert_eq!(places(&assessment), [("good.py", 1, 1)]);
        let skipped = &assessment.skipped()[0];
        assert_eq!(skipped.path, "bad.py");
        assert!(matches!(&skipped.reason, SkipReason::MatcherFailed { .. }), "{}", skipped.reason);
        assert!(assessment.has_gaps());
    }
    let reason = scan_with(Says::Panic).skipped()[0].reason.to_string();
    assert_eq!(reason, "a matcher failed: it panicked: no such luck");
}
