//! SARIF reports are valid by the published schema of SARIF 2.1.0, and say where things are.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::{Tree, report};
use cutover_assess::{Assessment, Complexity, Format, Rule, RuleSet, Scan};
use serde_json::Value;

/// That of the crate `serde-sarif`, which ships the one of OASIS.
fn schema() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--all-features", "--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let folder = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let text = std::fs::read_to_string(folder.with_file_name("src").join("schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn assessments() -> [Assessment; 3] {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/legacy_app");
    let rules: RuleSet = toml::from_str(include_str!("../examples/rules/python_llm.toml")).unwrap();
    let scan = Scan::new(rules);
    [scan.run(example).unwrap(), scan.run(Tree::of::<&str>(&[]).root()).unwrap(), odd()]
}

fn odd() -> Assessment {
    let tree = Tree::of(&[
        ("a b:#%é.py", "é LLMChain\nLLMChain # migrate:allow(llm)\n# migrate:allow(nope)\n".as_bytes()),
        ("b.bin", b"\0"),
        ("c.py", b"\xff\xfeL\0"),
    ]);
    let rule =
        Rule::new("llm", "LLMChain", "Legacy \u{1b} LLMChain", Complexity::High).replacement("Chain").note("Why?");
    Scan::new(RuleSet::new([rule]).unwrap()).run(tree.root()).unwrap()
}

#[test]
fn every_report_is_valid_by_the_schema() {
    let mut schema = schema();
    assert!(schema.to_string().contains("sarif-schema-2.1.0"), "this is the schema of something else");
    // Its `]` is not escaped, which only some dialects of regular expressions take. Our reports say no language.
    for definition in ["run", "toolComponent"] {
        let language = schema["definitions"][definition]["properties"]["language"].as_object_mut().unwrap();
        assert_eq!(language.remove("pattern").unwrap(), "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$");
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    for assessment in assessments() {
        let log: Value = serde_json::from_str(&report(&assessment, Format::Sarif)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let mut broken = log.clone();
        broken["runs"][0]["columnKind"] = "letters".into();
        assert!(!validator.is_valid(&broken), "the validator takes anything");
    }
}

#[test]
fn it_says_where_things_are() {
    let log: Value = serde_json::from_str(&report(&odd(), Format::Sarif)).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b%3A%23%25%C3%A9.py");
    let region = &place["region"];
    let numbers = ["startLine", "startColumn", "endLine", "endColumn", "byteOffset", "byteLength"]
        .map(|key| region[key].as_u64());
    assert_eq!(numbers, [1, 3, 1, 11, 3, 8].map(Some));
    assert_eq!(results[0]["level"], "error");
    assert_eq!(results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "Chain");
    assert!(results[0].get("suppressions").is_none());
    assert_eq!(results[1]["suppressions"][0]["kind"], "inSource");
    let told = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let levels: Vec<_> = told.iter().map(|one| one["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["note", "error", "warning"]);
}
