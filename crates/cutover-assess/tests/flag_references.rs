//! What a scan says of flags: unknown keys, unreferenced flags, settled ones, and what it could not see.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use codemod_common::Tree;
use cutover::FlagSet;
use cutover_assess::flags::{FlagCalls, FlagReferences, FlagScanError};
use cutover_assess::{Complexity, Rule, RuleSet, Scan};

fn flags() -> FlagSet {
    let config = r#"{
        "search": 10, "cart": 100, "fax": 0, "idle": 50,
        "killed": { "rollout": 50, "kill": true },
        "blocked": { "rollout": 100, "requires": ["fax"] }
    }"#;
    FlagSet::new(serde_json::from_str(config).unwrap()).unwrap()
}

fn references(tree: &Tree) -> Result<FlagReferences, FlagScanError> {
    let calls = FlagCalls::new(&flags(), ["is_enabled"]).unwrap();
    FlagReferences::of(&flags(), &Scan::with(calls).run(tree.root()).unwrap())
}

const CODE: &str = "\
is_enabled(\"search\", 1);
is_enabled(\"cart\", 1); is_enabled(\"cart\", 2);
is_enabled(\"gone\", 1);
const FAX: &str = \"fax\";
is_enabled(\"killed\", 1);
is_enabled(\"blocked\", 1);
";

#[test]
fn unknown_keys_unreferenced_flags_and_settled_ones_are_told_with_their_places() {
    let references = references(&Tree::new([("src/app.rs", CODE.as_bytes())])).unwrap();
    assert_eq!(
        references.to_string(),
        "5 of 6 flags are referenced; unknown keys: 1
unknown key `gone`, in no configuration: src/app.rs:3:1
unreferenced flag `idle`: remove it from the configuration
flag `blocked` is at 0%: remove its branches: src/app.rs:6:1
flag `cart` is at 100%: remove its branches: src/app.rs:2:1, src/app.rs:2:24
flag `fax` is at 0%: remove its branches: src/app.rs:4:19
flag `killed` is at 0%: remove its branches: src/app.rs:5:1"
    );
    assert!(!references.is_clean());
}

#[test]
fn dynamic_keys_and_files_that_were_not_seen_leave_doubt() {
    let tree = Tree::new([("app.rs", b"is_enabled(key, 1)".as_slice()), ("wide.rs", b"\xff\xfei\0s\0")]);
    let references = references(&tree).unwrap();
    assert_eq!((references.dynamic.len(), references.unseen.len()), (1, 1));
    let text = references.to_string();
    assert!(
        text.contains("\nunreferenced flag `idle`: remove it from the configuration, unless by what was not seen"),
        "{text}"
    );
    assert!(text.contains("\nnot seen: the key at app.rs:1:1 is known only when the code runs"), "{text}");
    assert!(text.contains("\nnot seen: wide.rs: text in UTF-16LE"), "{text}");
}

#[test]
fn a_function_that_is_handed_on_leaves_doubt() {
    let references = references(&Tree::new([("app.rs", b"names.map(Flags::is_enabled)".as_slice())])).unwrap();
    let text = references.to_string();
    assert!(text.contains("`idle`: remove it from the configuration, unless by what was not seen\n"), "{text}");
    assert!(text.ends_with("\nnot seen: the key at app.rs:1:18 is known only when the code runs"), "{text}");
}

#[test]
fn a_tree_in_order_is_clean() {
    let set = FlagSet::new(serde_json::from_str(r#"{ "search": 10 }"#).unwrap()).unwrap();
    // A comment that allows the place to stay does not take the reference away.
    let tree = Tree::new([("app.rs", b"is_enabled(\"search\", 1) // migrate:allow(flag-call)".as_slice())]);
    let calls = FlagCalls::new(&set, ["is_enabled"]).unwrap();
    let references = FlagReferences::of(&set, &Scan::with(calls).run(tree.root()).unwrap()).unwrap();
    assert!(references.is_clean(), "{references}");
    assert_eq!(references.referenced["search"].len(), 1);
}

#[test]
fn the_file_that_defines_the_function_can_be_left_out_without_doubt() {
    let set = FlagSet::new(serde_json::from_str(r#"{ "search": 10 }"#).unwrap()).unwrap();
    let tree = Tree::new([("app.js", b"isEnabled('search')".as_slice()), ("flags.js", b"exports.isEnabled = isOn")]);
    let scan = Scan::with(FlagCalls::new(&set, ["isEnabled"]).unwrap());
    assert!(!FlagReferences::of(&set, &scan.run(tree.root()).unwrap()).unwrap().is_clean());
    let scan = scan.leave_out(tree.at("flags.js"));
    assert!(FlagReferences::of(&set, &scan.run(tree.root()).unwrap()).unwrap().is_clean());
}

#[test]
fn nothing_scanned_or_another_scan_says_nothing_of_flags() {
    assert_eq!(references(&Tree::new([])).unwrap_err(), FlagScanError::NothingScanned);
    let tree = Tree::new([("app.rs", b"".as_slice())]);
    let rules = RuleSet::new([Rule::new("other", "other", "other", Complexity::Low)]).unwrap();
    let other = Scan::new(rules).run(tree.root()).unwrap();
    assert_eq!(FlagReferences::of(&flags(), &other).unwrap_err(), FlagScanError::NotForFlags);
}
