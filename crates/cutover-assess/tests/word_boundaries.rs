//! A pattern is found where no identifier goes on over its ends.
#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test fails by panicking")]

mod common;

use common::{Tree, llm_chain, places};
use cutover_assess::{Complexity, Literals, Matcher, Rule, RuleSet, Source};
use proptest::prelude::*;

fn found(pattern: &str, path: &str, text: &str) -> usize {
    let rules = RuleSet::new([Rule::new("a", pattern, "A", Complexity::Low)]).unwrap();
    Literals::new(rules).unwrap().find(&Source::new(path, text.as_bytes())).len()
}

#[test]
fn a_name_inside_another_name_is_not_found() {
    let tree = Tree::of(&[(
        "a.py",
        "MyLLMChainX\nLLMChainX\nMyLLMChain\nLLMChain_\nLLMChain2\nÜLLMChain\nLLMChainé\n x.LLMChain(\n",
    )]);
    assert_eq!(places(&tree.scan()), [("a.py", 8, 4)]);
}

#[test]
fn patterns_with_dots_and_colons_end_at_names_too() {
    for (pattern, text, count) in [
        ("langchain.chains", "from langchain.chains import x", 1),
        ("langchain.chains", "langchain.chains.base my.langchain.chains", 2),
        ("langchain.chains", "mylangchain.chains langchain.chainsaw langchain_chains langchainxchains", 0),
        ("std::env", "use std::env; std::env::args() ::std::env", 3),
        ("std::env", "mystd::env std::envelope", 0),
        (".unwrap(", "a.unwrap() a.unwrap_or()", 1),
        ("$scope", "$scope a$scope", 2),
        ("é", "é caf\u{e9}", 1),
    ] {
        assert_eq!(found(pattern, "a.txt", text), count, "{pattern} in {text}");
    }
}

#[test]
fn a_dollar_belongs_to_names_where_the_language_says_so() {
    assert_eq!(found("LLMChain", "a.js", "$LLMChain LLMChain$ LLMChain"), 1);
    assert_eq!(found("LLMChain", "a.java", "$LLMChain"), 0);
    assert_eq!(found("LLMChain", "a.sh", "echo $LLMChain"), 1);
}

#[test]
fn a_raw_identifier_is_the_identifier() {
    assert_eq!(found("LLMChain", "a.rs", "r#LLMChain"), 1);
}

#[test]
fn bytes_that_are_no_text_end_a_name() {
    let tree = Tree::of(&[("a.py", b"\xffLLMChain\xfe\n\xc3LLMChain".as_slice())]);
    assert_eq!(places(&tree.scan_for([llm_chain()])), [("a.py", 1, 2), ("a.py", 2, 2)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The law, by characters: of all places that have the text, those are found that no identifier goes on over.
    #[test]
    fn exactly_the_whole_places_are_found(
        pattern in prop::sample::select(vec!["ab", "a.b", "a::b", ".a", "a(", "é", "a é"]),
        pieces in prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "a.b", "a::b", ".a", "a(", "é", "a é", " ", "_", "1", "\u{301}", "日"]), 0..12),
    ) {
        let text = pieces.concat();
        prop_assert_eq!(found(pattern, "a.txt", &text), whole(pattern, &text), "{} in {}", pattern, text);
    }
}

fn whole(pattern: &str, text: &str) -> usize {
    let in_word = |c: Option<char>| c.is_some_and(unicode_ident::is_xid_continue);
    let starts = text.char_indices().map(|(at, _)| at).filter(|&at| text[at..].starts_with(pattern));
    let ends = |at: usize| !(in_word(text[..at].chars().next_back()) && in_word(text[at..].chars().next()));
    starts.filter(|&at| ends(at) && ends(at + pattern.len())).count()
}
