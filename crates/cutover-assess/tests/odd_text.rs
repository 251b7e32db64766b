//! Places are told right in text of any kind.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Tree, places};
use cutover_assess::Finding;
use proptest::prelude::*;

fn finding(text: impl AsRef<[u8]>) -> Finding {
    Tree::of(&[("a.py", text)]).scan().findings()[0].clone()
}

fn matched(finding: &Finding) -> &str {
    &finding.excerpt[finding.matched.clone()]
}

#[test]
fn a_byte_order_mark_counts_in_bytes_only() {
    let found = finding("\u{feff}LLMChain\n");
    assert_eq!((found.line, found.column, found.span.clone()), (1, 1, 3..11));
    assert_eq!(found.excerpt, "LLMChain");
}

#[test]
fn line_ends_of_windows_and_of_nothing() {
    let tree = Tree::of(&[("a.py", "a\r\n\r\n é LLMChain\r\nLLMChain"), ("b.py", "\rLLMChain")]);
    assert_eq!(places(&tree.scan()), [("a.py", 3, 4), ("a.py", 4, 1), ("b.py", 1, 2)]);
    assert_eq!(tree.scan().findings()[0].excerpt, "é LLMChain");
}

#[test]
fn columns_count_characters_and_each_byte_that_is_none() {
    assert_eq!(finding("日本\t👩‍💻 LLMChain").column, 8);
    assert_eq!(finding(b"\xff\xc3 LLMChain").column, 4);
    assert_eq!(finding(b"\xff LLMChain").excerpt, "\u{fffd} LLMChain");
}

#[test]
fn an_excerpt_of_a_long_line_is_short_and_has_the_place() {
    for (before, after) in [(0, 9_000), (9_000, 0), (100, 9_000), (9_000, 9_000), (9_000, 5)] {
        for filler in ["x ", "é ", "日", "👩 "] {
            let found = finding(format!("{} LLMChain {}", filler.repeat(before), filler.repeat(after)));
            assert_eq!(matched(&found), "LLMChain");
            assert!(found.excerpt.len() <= 170, "{}", found.excerpt);
            assert!(!found.excerpt.contains('\u{fffd}'), "{}", found.excerpt);
            assert_eq!(found.excerpt.starts_with('…'), before > 0);
            assert_eq!(found.excerpt.ends_with('…'), after > 5);
        }
    }
}

#[test]
fn a_line_of_many_places_is_read_once() {
    let tree = Tree::of(&[("a.py", "LLMChain ".repeat(100_000))]);
    let assessment = tree.scan();
    assert_eq!(assessment.findings().len(), 100_000);
    assert_eq!(assessment.findings()[99_999].column, 99_999 * 9 + 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is around a place, its span, line, column and excerpt agree.
    #[test]
    fn span_line_column_and_excerpt_agree(before in any_text(), after in any_text()) {
        let text = [&before[..], b" LLMChain ", &after].concat();
        let assessment = Tree::of(&[("a.txt", &text)]).scan();
        for found in assessment.findings() {
            prop_assert_eq!(&text[found.span.clone()], b"LLMChain");
            prop_assert_eq!(matched(found), "LLMChain");
            let line = text[..found.span.start].split(|&byte| byte == b'\n').count();
            prop_assert_eq!(found.line, line);
            prop_assert!(found.column <= found.span.start + 1);
        }
        let scanned = assessment.scanned().files;
        prop_assert!(scanned == 0 || !assessment.findings().is_empty());
    }
}

fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec!["\n", "\r\n", "é", "日", "LLMChain", " ", "\t", "\u{feff}"])
            .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
        (0..300_usize).prop_map(|length| vec![b'-'; length]),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}
