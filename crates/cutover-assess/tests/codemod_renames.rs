//! Findings that have a replacement are renamed where their rule looks, and a second run has nothing left to do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use codemod_common::Tree;
use cutover::AliasMap;
use cutover_assess::codemod::{Plan, PlanError, alias_rules};
use cutover_assess::{Codemod, Complexity, Context, Match, Matcher, Rule, RuleSet, Scan, Source};

fn rule(id: &str, pattern: &str, replacement: &str) -> Rule {
    Rule::new(id, pattern, pattern, Complexity::Low).replacement(replacement)
}

fn plan(tree: &Tree, rules: impl IntoIterator<Item = Rule>) -> Result<Plan, PlanError> {
    let scan = Scan::new(RuleSet::new(rules).unwrap());
    Codemod::from_assessment(tree.root(), &scan.run(tree.root()).unwrap(), &scan)?.plan()
}

fn chain() -> Rule {
    rule("llm-chain", "LLMChain", "Runnable")
}

const SOURCE: &str =
    "\u{feff}a = LLMChain(\"LLMChain\")  # LLMChain, MyLLMChainX\r\nLLMChain()  # migrate:allow(llm-chain)\r\n";

#[test]
fn text_in_strings_and_comments_is_renamed_only_where_the_rule_says_so() {
    let tree = Tree::new([("app.py", SOURCE.as_bytes())]);
    let renamed = |rule: Rule| String::from_utf8(plan(&tree, [rule]).unwrap().files()[0].after().to_vec()).unwrap();
    assert_eq!(renamed(chain()), SOURCE.replacen("LLMChain", "Runnable", 1));
    let everywhere = renamed(chain().contexts(Context::ALL));
    let first = "\u{feff}a = Runnable(\"Runnable\")  # Runnable, MyLLMChainX\r\n";
    assert_eq!(everywhere.split_inclusive('\n').next(), Some(first));
}

#[test]
fn what_is_allowed_to_stay_stays_and_a_second_run_has_nothing_to_do() {
    let tree = Tree::new([("app.py", SOURCE.as_bytes())]);
    plan(&tree, [chain()]).unwrap().apply().unwrap();
    assert!(String::from_utf8(tree.read("app.py")).unwrap().contains("\nLLMChain()  # migrate:allow"));
    assert!(matches!(plan(&tree, [chain()]), Err(PlanError::Nothing)));
}

#[test]
fn rules_without_replacement_and_files_that_rules_leave_out_are_not_edited() {
    let tree = Tree::new([("app.py", b"LLMChain llama_index".as_slice()), ("app.rb", b"LLMChain")]);
    let index = Rule::new("llama", "llama_index", "LlamaIndex", Complexity::High);
    let plan = plan(&tree, [chain().files(["*.py"]), index]).unwrap();
    assert_eq!(plan.files().len(), 1);
    assert_eq!(plan.files()[0].after(), b"Runnable llama_index");
}

#[test]
fn a_result_that_the_next_run_would_rename_again_is_refused_with_its_rule() {
    let tree = Tree::new([("app.py", b"\nuse(a.b, OpenAI)".as_slice())]);
    assert!(plan(&tree, [rule("open-ai", "OpenAI", "MyOpenAI")]).is_ok());
    let error = plan(&tree, [rule("dots", "a.b", "a.b.c")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "app.py:2: the rule `dots` would be found in what replaces it, so that the next run edits it again"
    );
    let circle = [rule("there", "a.b", "c.d"), rule("back", "c.d", "a.b")];
    assert!(matches!(plan(&tree, circle), Err(PlanError::NotConvergent { .. })));
}

#[test]
fn two_rules_that_want_different_things_of_one_place_are_refused() {
    let tree = Tree::new([("app.py", b"LLMChain".as_slice())]);
    assert!(plan(&tree, [chain(), rule("same", "LLMChain", "Runnable")]).is_ok());
    let error = plan(&tree, [chain(), rule("other", "LLMChain", "Graph")]).unwrap_err();
    assert!(matches!(error, PlanError::Overlap { .. }), "{error:?}");
}

#[test]
fn files_that_changed_after_the_scan_are_refused() {
    let tree = Tree::new([("app.py", b"a = LLMChain()".as_slice())]);
    let scan = Scan::new(RuleSet::new([chain()]).unwrap());
    let assessment = scan.run(tree.root()).unwrap();
    tree.write("app.py", "ab = LLMChain()");
    let error = Codemod::from_assessment(tree.root(), &assessment, &scan).unwrap().plan().unwrap_err();
    assert!(matches!(error, PlanError::Unexpected { line: 1, .. }), "{error:?}");
}

#[test]
fn an_assessment_that_has_seen_nothing_is_refused() {
    let tree = Tree::new([]);
    assert!(matches!(plan(&tree, [chain()]), Err(PlanError::NothingScanned)));
}

/// Finds any run of `x`, and doubles it.
struct Runs {
    rules: RuleSet,
}

impl Matcher for Runs {
    fn rules(&self) -> &RuleSet {
        &self.rules
    }

    fn find<'m>(&'m self, source: &Source<'_>) -> Vec<Match<'m>> {
        let text = String::from_utf8_lossy(source.bytes);
        let Some(start) = text.find('x') else { return Vec::new() };
        let length = text.get(start..).unwrap().chars().take_while(|c| *c == 'x').count();
        let rule = self.rules.get("runs").unwrap();
        vec![Match::new(rule, start..start + length).replacement("y".repeat(length))]
    }
}

#[test]
fn matches_of_a_hosts_own_matcher_are_renamed_too_but_for_those_that_are_too_long_to_be_shown() {
    let tree = Tree::new([("app.py", b"a = xxx".as_slice())]);
    let scan = || Scan::with(Runs { rules: RuleSet::new([Rule::new("runs", "x+", "runs", Complexity::Low)]).unwrap() });
    let plan = |scan: &Scan| Codemod::from_assessment(tree.root(), &scan.run(tree.root()).unwrap(), scan)?.plan();
    assert_eq!(plan(&scan()).unwrap().files()[0].after(), b"a = yyy");
    tree.write("app.py", format!("\na = {}", "x".repeat(500)));
    assert!(matches!(plan(&scan()), Err(PlanError::TooLong { line: 2, .. })));
}

#[test]
fn a_long_pattern_is_renamed_although_the_finding_shows_a_part_of_it() {
    let long = "x".repeat(300);
    let tree = Tree::new([("app.py", format!("a = {long}()").as_bytes())]);
    assert_eq!(plan(&tree, [rule("long", &long, "short")]).unwrap().files()[0].after(), b"a = short()");
}

#[test]
fn aliases_rename_the_keys_that_an_application_still_accepts() {
    let aliases = AliasMap::segmented(".", [("db", "database"), ("db.host", "database.address")]).unwrap();
    let tree = Tree::new([("app.py", b"get(\"db.host\"); get('db.port'); db.get()".as_slice())]);
    let plan = plan(&tree, alias_rules(&aliases, [Context::String]).unwrap().rules().to_vec()).unwrap();
    assert_eq!(plan.files()[0].after(), b"get(\"database.address\"); get('database.port'); db.get()");
}
