//! Rules come from any format of serde, and what is wrong with them is said.

use cutover_assess::{Complexity, Context, Rule, RuleError, RuleSet};

const PYTHON: &str = include_str!("../examples/rules/python_llm.toml");

#[test]
fn the_example_rules_are_those_that_are_promised() {
    let rules: RuleSet = toml::from_str(PYTHON).unwrap();
    let said: Vec<_> = rules.rules().iter().map(|rule| (&*rule.pattern, &*rule.name, rule.complexity)).collect();
    let promised = [
        ("openai.ChatCompletion", "OpenAI SDK v0", Complexity::Medium),
        ("openai.OpenAI", "OpenAI SDK v1", Complexity::Low),
        ("llama_index", "LlamaIndex", Complexity::High),
        ("langchain.chains", "LangChain legacy chains", Complexity::Medium),
        ("LLMChain", "Legacy LLMChain", Complexity::Low),
    ];
    assert_eq!(said, promised);
}

#[test]
fn toml_json_and_yaml_give_the_same_rules() {
    let toml: RuleSet = toml::from_str(PYTHON).unwrap();
    let json: RuleSet = serde_json::from_str(&serde_json::to_string(&toml).unwrap()).unwrap();
    let yaml: RuleSet = serde_saphyr::from_str(&serde_saphyr::to_string(&toml).unwrap()).unwrap();
    assert_eq!(json.rules(), toml.rules());
    assert_eq!(yaml.rules(), toml.rules());
}

#[test]
fn a_full_rule_is_written_as_it_was_read() {
    let rule = Rule::new("a", "a::b", "A", Complexity::High)
        .files(["src/**/*.rs"])
        .contexts([Context::Comment, Context::String])
        .replacement("c::d")
        .note("Ask first.");
    let text = toml::to_string(&rule).unwrap();
    assert_eq!(toml::from_str::<Rule>(&text).unwrap(), rule);
}

#[test]
fn unknown_members_and_complexities_are_refused_by_name() {
    let refusal = |text: &str| serde_json::from_str::<Rule>(text).unwrap_err().to_string();
    let unknown = refusal(r#"{"id": "a", "pattern": "b", "name": "c", "complexity": "low", "colour": 1}"#);
    assert!(unknown.starts_with("unknown field `colour`"), "{unknown}");
    let hard = refusal(r#"{"id": "a", "pattern": "b", "name": "c", "complexity": "hard"}"#);
    assert!(hard.starts_with("there is no complexity `hard`; it is low, medium or high"), "{hard}");
    let set = serde_json::from_str::<RuleSet>(r#"{"rules": [], "more": 1}"#).unwrap_err().to_string();
    assert!(set.starts_with("unknown field `more`"), "{set}");
}

#[test]
fn what_is_wrong_with_rules_is_typed_and_names_the_rule() {
    let rule = || Rule::new("a", "b", "c", Complexity::Low);
    let error = |rules: Vec<Rule>| RuleSet::new(rules).unwrap_err();
    let a = || "a".to_owned();
    assert_eq!(error(vec![]), RuleError::NoRules);
    assert_eq!(error(vec![rule(), rule()]), RuleError::DuplicateId { id: a() });
    for blank in ["", " ", "\u{a0}"] {
        assert_eq!(error(vec![Rule::new("a", blank, "c", Complexity::Low)]), RuleError::EmptyPattern { rule: a() });
    }
    assert_eq!(error(vec![Rule::new("a", "b\nc", "c", Complexity::Low)]), RuleError::ControlCharacter { rule: a() });
    assert_eq!(error(vec![Rule::new("a", "b", " ", Complexity::Low)]), RuleError::EmptyName { rule: a() });
    assert_eq!(error(vec![rule().contexts([])]), RuleError::NoContexts { rule: a() });
    for id in ["", "A", "a b", "a)", &"a".repeat(65)] {
        let refused = error(vec![Rule::new(id, "b", "c", Complexity::Low)]);
        assert!(matches!(refused, RuleError::InvalidId { .. }), "{refused}");
    }
    for glob in ["[a", "{a", ""] {
        let refused = error(vec![rule().files([glob])]);
        assert!(matches!(&refused, RuleError::InvalidGlob { glob: named, .. } if named == glob), "{refused}");
    }
}

#[test]
fn a_file_of_bad_rules_says_what_is_wrong() {
    let error =
        toml::from_str::<RuleSet>("rules = [{ id = 'a', pattern = '', name = 'b', complexity = 'low' }]").unwrap_err();
    assert!(error.to_string().contains("the pattern of the rule `a` is empty; give the text to look for"), "{error}");
}
