//! Reports say what was found, in one form each, and nothing in them is taken for anything else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Tree, report};
use cutover_assess::{Assessment, Complexity, EffortWeights, Format, InvalidAssessment, Rule, RuleSet, Scan, Tally};

fn example() -> Assessment {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/legacy_app");
    Scan::new(toml::from_str(include_str!("../examples/rules/python_llm.toml")).unwrap()).run(root).unwrap()
}

/// One with everything in it.
fn full() -> Assessment {
    let tree = Tree::of(&[
        ("a b#c%.py", "x = 'LLMChain'; LLMChain() # a | b `c`\nLLMChain # migrate:allow(llm)\n# migrate:allow(nope)\n"),
        ("b.bin", "\0"),
        ("c.txt", "\u{feff}openai.\n"),
    ]);
    tree.write("d.txt", b"\xff\xfeL\0");
    let rules = [
        Rule::new("llm", "LLMChain", "Legacy | *LLMChain*", Complexity::High)
            .replacement("Chain")
            .note("See <https://example.org>."),
        Rule::new("dot", "openai.", "Dot\u{1b}[31m", Complexity::Medium),
        Rule::new("rust", "x", "Rust", Complexity::Low).files(["*.rs"]),
    ];
    Scan::new(RuleSet::new(rules).unwrap()).run(tree.root()).unwrap()
}

#[test]
fn text_begins_with_the_promised_lines() {
    let text = report(&example(), Format::Text);
    let expected = "\
Found 9 migration items:
chat.py:4 - LlamaIndex (high)
chat.py:10 - OpenAI SDK v0 (medium)
chat.py:17 - OpenAI SDK v1 (low)
summary.py:1 - LangChain legacy chains (medium)
summary.py:1 - Legacy LLMChain (low)
summary.py:9 - Legacy LLMChain (low)
tests/test_summary.py:1 - LangChain legacy chains (medium)
tests/test_summary.py:1 - Legacy LLMChain (low)
tests/test_summary.py:5 - Legacy LLMChain (low)

In 3 files: 5 low, 3 medium, 1 high; effort 22 points.
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn the_readme_shows_the_report_of_the_example() {
    let readme = include_str!("../README.md");
    assert!(readme.contains(&report(&example(), Format::Text)), "README.md shows another report");
}

#[test]
fn text_and_markdown_have_no_control_characters() {
    for format in [Format::Text, Format::Markdown] {
        let text = report(&full(), format);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        assert!(text.contains(r"[31m"), "{text}");
    }
}

#[test]
fn every_row_of_markdown_has_the_columns_of_its_table() {
    let text = report(&full(), Format::Markdown);
    let mut columns = None;
    for line in text.lines() {
        let count = line.starts_with('|').then(|| line.replace(r"\|", "").matches('|').count());
        assert!(columns.is_none() || count.is_none() || columns == count, "{line}");
        columns = count;
    }
    assert!(text.contains(r"Legacy \| \*LLMChain\*"), "{text}");
    assert!(text.contains(r"`` x = 'LLMChain'; LLMChain() # a \| b `c` ``"), "{text}");
    for title in ["By complexity", "By rule", "By file", "Items", "Allowed by comments", "Not looked at", "Warnings"] {
        assert!(text.contains(&format!("\n## {title}\n")), "{title}");
    }
}

#[test]
fn json_is_read_back_as_it_was() {
    for assessment in [example(), full()] {
        let text = report(&assessment, Format::Json);
        assert_eq!(serde_json::from_str::<Assessment>(&text).unwrap(), assessment);
    }
}

#[test]
fn json_of_another_format_or_with_other_totals_is_refused() {
    let text = report(&example(), Format::Json);
    let refusal =
        |from: &str, to: &str| serde_json::from_str::<Assessment>(&text.replacen(from, to, 1)).unwrap_err().to_string();
    let format = InvalidAssessment::UnknownFormat { format: "cutover-assess/2".into() };
    assert!(refusal("cutover-assess/1", "cutover-assess/2").starts_with(&format.to_string()));
    assert!(refusal(r#""places": 9"#, r#""places": 8"#).starts_with(&InvalidAssessment::WrongTotals.to_string()));
    assert!(refusal(r#""format""#, r#""more": 1, "format""#).starts_with("unknown field `more`"));
}

#[test]
fn totals_are_by_complexity_rule_and_file_in_the_hosts_unit() {
    let tree = Tree::of(&[("a.py", "One\nTwo Two\n"), ("b.py", "Two\n")]);
    let rules = [
        Rule::new("two", "Two", "Two", Complexity::High),
        Rule::new("one", "One", "One", Complexity::Low),
        Rule::new("none", "None", "None", Complexity::Medium),
    ];
    let weights = EffortWeights { low: 2, medium: 5, high: 10, unit: "hours".into() };
    let assessment = Scan::new(RuleSet::new(rules).unwrap()).effort(weights).run(tree.root()).unwrap();
    let totals = assessment.totals();
    let tally = |Tally { places, effort, .. }: Tally| (places, effort);
    assert_eq!([totals.all, totals.low, totals.medium, totals.high].map(tally), [(4, 32), (1, 2), (0, 0), (3, 30)]);
    let rules: Vec<_> = totals.rules.iter().map(|rule| (&*rule.rule, tally(rule.total))).collect();
    assert_eq!(rules, [("two", (3, 30)), ("one", (1, 2)), ("none", (0, 0))]);
    let files: Vec<_> = totals.files.iter().map(|file| (&*file.path, tally(file.total))).collect();
    assert_eq!(files, [("a.py", (3, 22)), ("b.py", (1, 10))]);
    assert!(report(&assessment, Format::Text).contains("effort 32 hours"));
}
