//! A baseline of legacy call sites only shrinks, and silence is never taken for progress.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use std::process::Command;

use codemod_common::Tree;
use cutover_assess::ratchet::RatchetError;
use cutover_assess::{Assessment, Complexity, Ratchet, Rule, RuleSet, Scan};

/// Sources, and beside them a baseline.
struct World {
    tree: Tree,
    baseline: Tree,
}

impl World {
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let tree = Tree::new(files.into_iter().map(|(path, text)| (path, text.as_bytes())));
        let world = Self { tree, baseline: Tree::new([]) };
        world.ratchet().accept(&world.assessment(), "before the migration").unwrap();
        world
    }

    fn ratchet(&self) -> Ratchet {
        Ratchet::at(self.baseline.at("baseline.json"))
    }

    fn assessment(&self) -> Assessment {
        assessment(&self.tree, rules())
    }

    fn check(&self) -> Result<usize, RatchetError> {
        self.ratchet().check(&self.assessment()).map(|report| report.known)
    }

    fn text(&self) -> String {
        String::from_utf8(self.baseline.read("baseline.json")).unwrap()
    }
}

fn assessment(tree: &Tree, rules: Vec<Rule>) -> Assessment {
    Scan::new(RuleSet::new(rules).unwrap()).run(tree.root()).unwrap()
}

fn rules() -> Vec<Rule> {
    let chain = Rule::new("llm-chain", "LLMChain", "Legacy LLMChain", Complexity::Low).replacement("Runnable");
    vec![chain, Rule::new("llama", "llama_index", "LlamaIndex", Complexity::High)]
}

const APP: (&str, &str) = ("app.py", "a = LLMChain()\nb = LLMChain()\n");
const INDEX: (&str, &str) = ("lib/index.py", "import llama_index\n");

#[test]
fn what_the_baseline_knows_passes_and_its_file_has_one_finding_on_a_line() {
    let world = World::new([APP, INDEX]);
    assert_eq!(world.check().unwrap(), 3);
    let text = world.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[1], lines[2]), (8, "{", "  \"format\": 1,", "  \"findings\": ["));
    assert!(lines[3].starts_with("    {\"path\":\"app.py\",\"rule\":\"llm-chain\",\"fingerprint\":\""), "{text}");
    assert!(lines[5].ends_with("\"reason\":\"before the migration\"}"), "{text}");
    assert_eq!(lines[6..], ["  ]", "}"]);
}

#[test]
fn a_new_finding_fails_by_place_and_rule_and_says_what_to_do() {
    let world = World::new([APP]);
    world.tree.write("new.py", "\nc = LLMChain()\n");
    assert_eq!(
        world.check().unwrap_err().to_string(),
        "1 legacy call site is new:
  new.py:2 - Legacy LLMChain (llm-chain); use `Runnable`
migrate them; or allow one to stay with a comment `migrate:allow(RULE)` on its line; or accept all of them:
  cutover-assess ratchet --accept REASON"
    );
    world.tree.write("new.py", "\nc = LLMChain()  # migrate:allow(llm-chain)\n");
    assert_eq!(world.check().unwrap(), 2);
}

#[test]
fn one_more_of_the_same_line_is_new_too() {
    let world = World::new([APP]);
    world.tree.write("app.py", "a = LLMChain()\nb = LLMChain()\nb = LLMChain()\n");
    assert!(matches!(world.check(), Err(RatchetError::Grown { new, .. }) if new.len() == 1));
}

#[test]
fn findings_that_have_moved_are_not_new() {
    let world = World::new([APP]);
    world.tree.write("app.py", "\n\nif a:\n    b = LLMChain()\n\n");
    world.tree.write("lib/moved.py", "a  =  LLMChain()\r\n");
    assert_eq!(world.check().unwrap(), 2);
}

#[test]
fn an_edited_line_is_the_same_finding_as_long_as_its_file_has_no_more_of_them() {
    let world = World::new([APP]);
    world.tree.write("app.py", "a = LLMChain(verbose)\nb = LLMChain()\n");
    assert_eq!(world.check().unwrap(), 2);
    let report = world.ratchet().compare(&world.assessment()).unwrap();
    assert_eq!((report.edited.len(), report.new.len(), report.gone.len()), (1, 0, 0));
    world.ratchet().shrink(&world.assessment()).unwrap();
    assert!(world.ratchet().compare(&world.assessment()).unwrap().edited.is_empty(), "it follows the edit");
    world.tree.write("app.py", "a = LLMChain(quiet)\nb = LLMChain()\nc = LLMChain()\n");
    assert!(matches!(world.check(), Err(RatchetError::Grown { new, .. }) if new.len() == 1));
}

#[test]
fn findings_that_are_gone_fail_until_the_baseline_has_shrunk() {
    let world = World::new([APP, INDEX]);
    world.tree.write("app.py", "b = LLMChain()\n");
    assert_eq!(
        world.check().unwrap_err().to_string(),
        "1 legacy call site is gone, and the baseline still has it:
  app.py (llm-chain)
shrink the baseline and commit it, so that they stay gone:
  CUTOVER_RATCHET=shrink cargo test   (or: cutover-assess ratchet --shrink)"
    );
    world.ratchet().shrink(&world.assessment()).unwrap();
    assert_eq!(world.check().unwrap(), 2);
    world.tree.write("app.py", APP.1);
    assert!(matches!(world.check(), Err(RatchetError::Grown { .. })), "it cannot come back");
    world.tree.write("app.py", "");
    world.tree.write("lib/index.py", "");
    world.ratchet().shrink(&world.assessment()).unwrap();
    assert_eq!(world.text(), "{\n  \"format\": 1,\n  \"findings\": []\n}\n");
    assert_eq!(world.check().unwrap(), 0);
}

#[test]
fn shrinking_never_lets_the_baseline_grow() {
    let world = World::new([APP]);
    let before = world.text();
    world.tree.write("new.py", "LLMChain()");
    let report = world.ratchet().shrink(&world.assessment()).unwrap();
    assert_eq!(report.new.len(), 1);
    assert_eq!(world.text(), before);
}

#[test]
fn only_accepting_with_a_reason_lets_it_grow() {
    let world = World::new([APP]);
    world.tree.write("new.py", "LLMChain()");
    for reason in ["", " \n"] {
        assert!(matches!(world.ratchet().accept(&world.assessment(), reason), Err(RatchetError::NoReason)));
    }
    assert!(world.check().is_err());
    world.ratchet().accept(&world.assessment(), "vendored, goes with it").unwrap();
    assert_eq!(world.check().unwrap(), 3);
    let text = world.text();
    assert_eq!(text.matches("before the migration").count(), 2);
    assert_eq!(text.matches("vendored, goes with it").count(), 1);
}

const CHILD: &str = "CUTOVER_TEST_RATCHET_CHILD";

#[test]
fn the_environment_variable_shrinks_and_allows_nothing_else() {
    if let Some(root) = std::env::var_os(CHILD) {
        let root = std::path::PathBuf::from(root);
        let assessment = Scan::new(RuleSet::new(rules()).unwrap()).run(root.join("src")).unwrap();
        return drop(Ratchet::at(root.join("baseline.json")).check(&assessment).unwrap());
    }
    let tree = Tree::new([("src/app.py", APP.1.as_bytes())]);
    let scanned = || Scan::new(RuleSet::new(rules()).unwrap()).run(tree.at("src")).unwrap();
    Ratchet::at(tree.at("baseline.json")).accept(&scanned(), "before").unwrap();
    tree.write("src/app.py", "b = LLMChain()\n");
    let run = |value: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_environment_variable_shrinks_and_allows_nothing_else", "--nocapture"]);
        let output = command.env(CHILD, tree.root()).env("CUTOVER_RATCHET", value).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(!run("").0);
    let (passed, said) = run("grow");
    assert!(!passed && said.contains("grow"), "{said}");
    assert!(run("shrink").0);
    assert!(run("").0);
    tree.write("src/new.py", "LLMChain()");
    assert!(!run("shrink").0);
}

#[test]
fn without_a_baseline_nothing_passes_and_none_appears_by_itself() {
    let world = World::new([APP]);
    let none = Ratchet::at(world.baseline.at("none.json"));
    let error = none.check(&world.assessment()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("there is no baseline; write one with `cutover-assess ratchet --accept REASON` and commit it")
    );
    assert!(matches!(none.shrink(&world.assessment()), Err(RatchetError::Missing { .. })));
    assert!(!none.path().exists());
}

#[test]
fn an_assessment_that_has_not_looked_is_no_progress() {
    let world = World::new([APP, INDEX]);
    let empty = Tree::new([]);
    let nothing = assessment(&empty, rules());
    assert!(matches!(world.ratchet().check(&nothing), Err(RatchetError::NothingScanned)));
    let [chain, llama] = &rules()[..] else { panic!("two rules") };
    let without = assessment(&world.tree, vec![chain.clone()]);
    let error = world.ratchet().shrink(&without).unwrap_err();
    assert!(matches!(&error, RatchetError::RuleNotLookedFor { rule, count: 1 } if rule == "llama"), "{error}");
    let nowhere = assessment(&world.tree, vec![chain.clone(), llama.clone().files(["*.misspelt"])]);
    assert!(matches!(world.ratchet().shrink(&nowhere), Err(RatchetError::RuleNotLookedFor { .. })));
}

#[test]
fn a_known_file_that_was_skipped_is_not_taken_for_migrated() {
    let world = World::new([APP, INDEX]);
    let before = world.text();
    world.tree.write("lib/index.py", b"\0\0");
    let error = world.check().unwrap_err().to_string();
    let said = "lib/index.py: the baseline knows findings there, and it was not looked at: source code by its name";
    assert!(error.starts_with(said), "{error}");
    assert!(matches!(world.ratchet().shrink(&world.assessment()), Err(RatchetError::Unseen { .. })));
    assert_eq!(world.text(), before);
}

#[test]
fn what_nobody_has_looked_at_is_no_proof_that_nothing_is_new_or_gone() {
    let world = World::new([APP, INDEX]);
    let before = world.text();
    world.tree.write("lib/new.py", b"\xff\xfeL\0");
    let error = world.check().unwrap_err();
    assert!(error.to_string().contains("\n  lib/new.py: text in UTF-16LE"), "{error}");
    world.tree.write("lib/more.py", b"LLMChain()");
    assert!(matches!(world.check(), Err(RatchetError::Grown { .. })), "what is new is new all the same");

    let world = World::new([APP, INDEX]);
    let [chain, llama] = &rules()[..] else { panic!("two rules") };
    let misspelt = assessment(&world.tree, vec![chain.clone(), llama.clone().files(["app.py", "libs/*.py"])]);
    for result in [world.ratchet().check(&misspelt), world.ratchet().shrink(&misspelt)] {
        let error = result.unwrap_err();
        assert!(matches!(&error, RatchetError::Unproven { gaps } if gaps.len() == 1), "{error}");
        assert!(error.to_string().contains("the glob `libs/*.py` of the rule `llama` matches no file"), "{error}");
    }
    assert!(matches!(world.ratchet().accept(&misspelt, "it is"), Err(RatchetError::Unproven { .. })));
    assert_eq!(world.text(), before);
}

#[test]
fn a_file_that_is_no_baseline_is_refused() {
    let world = World::new([APP]);
    let text = world.text();
    for broken in ["", "[]", "<<<<<<< HEAD\n", &text.replace("\"rule\"", "\"role\""), &text.replace("  ]", "  ],]")] {
        world.baseline.write("baseline.json", broken);
        assert!(matches!(world.check(), Err(RatchetError::Invalid { .. })), "{broken}");
    }
    world.baseline.write("baseline.json", "{\"format\": 2, \"found\": []}");
    assert!(matches!(world.check(), Err(RatchetError::UnknownFormat { format: 2, .. })));
    world.baseline.write("baseline.json", text.replace('\n', "\r\n"));
    assert_eq!(world.check().unwrap(), 2, "git may have changed line ends");
}
