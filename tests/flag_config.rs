//! Promise: a configuration is read exactly or refused with its reason, in every format.

use cutover::{FlagConfig, FlagSet, MissingKey, Percentage};
use proptest::prelude::*;
use serde::Deserialize;

/// `(written in JSON, in YAML, in TOML, ppm)`
const READ: [(&str, &str, &str, u32); 13] = [
    ("true", "true", "true", 1_000_000),
    ("false", "false", "false", 0),
    ("0", "0", "0", 0),
    ("100", "100", "100", 1_000_000),
    ("12.5", "12.5", "12.5", 125_000),
    ("0.5", "0.5", "0.5", 5_000),
    ("0.0001", "0.0001", "0.0001", 1),
    ("100.0", "100.0", "100.0", 1_000_000),
    (r#""0.5""#, r#""0.5""#, r#""0.5""#, 5_000),
    (r#""33.3""#, "'33.3'", r#""33.3""#, 333_000),
    (r#""12.5%""#, "12.5%", "'12.5%'", 125_000),
    (r#""12.5 %""#, "12.5 %", "'12.5 %'", 125_000),
    (r#""true""#, "'true'", "'true'", 1_000_000),
];

/// `(JSON, YAML, TOML, what the error names)`
const REFUSED: [(&str, &str, &str, &str); 12] = [
    ("-5", "-5", "-5", "-5"),
    ("250", "250", "250", "250"),
    ("1e9", "1e9", "1e9", "1000000000"),
    ("100.0001", "100.0001", "100.0001", "100.0001"),
    ("0.00005", "0.00005", "0.00005", "0.00005"),
    ("1e-12", "1e-12", "1e-12", "0.000000000001"),
    (r#""NaN""#, ".nan", "nan", "NaN"),
    (r#""inf""#, ".inf", "inf", "inf"),
    (r#""-5""#, "'-5'", "'-5'", "-5"),
    (r#""250%""#, "250%", "'250%'", "250%"),
    (r#""12,5""#, "'12,5'", "'12,5'", "12,5"),
    (r#""""#, "''", "''", "``"),
];

#[test]
fn shares_are_read_in_every_format() {
    for (json, yaml, toml, ppm) in READ {
        for (format, read) in configs(json, yaml, toml) {
            let set = FlagSet::new(read.unwrap_or_else(|error| panic!("{format} {json}: {error}"))).unwrap();
            assert_eq!(set.get("bare").unwrap().share().ppm(), ppm, "{format} {json}");
            assert_eq!(set.get("in-a-table").unwrap().share().ppm(), ppm, "{format} {json}");
        }
    }
}

#[test]
fn what_is_no_share_is_refused_by_name_and_value() {
    for (json, yaml, toml, named) in REFUSED {
        for (format, read) in configs(json, yaml, toml) {
            let error = read.expect_err(&format!("{format} {json}"));
            let refused_by_the_format = error.contains("non-finite float");
            assert!(
                refused_by_the_format || error.contains(named) && error.contains("0 to 100"),
                "{format} {json}: {error}"
            );
            assert!(error.contains("`bare`"), "{format} {json}: {error}");
        }
    }
}

#[test]
fn a_share_outside_a_table_is_read_by_itself() {
    assert_eq!(serde_json::from_str::<Percentage>("0.5").unwrap().ppm(), 5_000);
    let single: Percentage =
        Percentage::deserialize(serde::de::value::F32Deserializer::<serde_json::Error>::new(12.3)).unwrap();
    assert_eq!(single.ppm(), 123_000);
    let error = Percentage::new(f64::NAN).unwrap_err().to_string();
    assert_eq!(error, "`NaN` is not a number; a percentage is a number from 0 to 100 with at most 4 decimals");
}

#[test]
fn errors_stay_short_whatever_was_read() {
    let huge = "9\n".repeat(100_000);
    let errors = [
        huge.parse::<Percentage>().unwrap_err().to_string(),
        Percentage::new(f64::MAX).unwrap_err().to_string(),
        FlagConfig::new().with_rollout(&huge, Percentage::ZERO).unwrap_err().to_string(),
        FlagSet::new(FlagConfig::new()).unwrap().is_enabled(&huge, "user-17").unwrap_err().to_string(),
    ];
    for error in errors {
        assert!(error.len() < 400 && error.lines().count() == 1, "{} bytes: {error:.500}", error.len());
    }
}

proptest! {
    #[test]
    fn every_share_survives_being_written_and_read(ppm in 0_u32..=1_000_000) {
        let share = Percentage::from_ppm(ppm).unwrap();
        prop_assert_eq!(share.to_string().parse::<Percentage>().unwrap(), share);
        prop_assert_eq!(Percentage::new(share.percent()).unwrap(), share);
        let json = serde_json::to_string(&share).unwrap();
        prop_assert_eq!(serde_json::from_str::<Percentage>(&json).unwrap(), share);
    }

    #[test]
    fn a_number_is_read_only_when_it_is_a_share(percent in any::<f64>()) {
        if let Ok(share) = Percentage::new(percent) {
            prop_assert!((share.percent() - percent).abs() < 1e-9);
            prop_assert_eq!(share == Percentage::ZERO, percent == 0.0);
        }
    }
}

const FULL_JSON: &str = r#"{ "base": true, "new-search": { "rollout": 0, "salt": "old-search", "kill": false, "allow": ["anna", 17],
    "deny": ["00112233-4455-6677-8899-aabbccddeeff"], "requires": ["base"], "missing_key": "random", "shadow_share": "5%" } }"#;
const FULL_YAML: &str = "
base: true
new-search:
  rollout: 0
  salt: old-search
  kill: false
  allow: [anna, 17]
  deny: [00112233-4455-6677-8899-aabbccddeeff]
  requires: [base]
  missing_key: random
  shadow_share: 5%
";
const FULL_TOML: &str = r#"
base = true
[new-search]
rollout = 0
salt = "old-search"
kill = false
allow = ["anna", 17]
deny = ["00112233-4455-6677-8899-aabbccddeeff"]
requires = ["base"]
missing_key = "random"
shadow_share = "5%"
"#;

#[test]
fn every_property_is_read_in_every_format() {
    for (format, read) in formats(FULL_JSON, FULL_YAML, FULL_TOML) {
        let set = FlagSet::new(read.unwrap_or_else(|error| panic!("{format}: {error}"))).unwrap();
        let on = |key| set.is_enabled("new-search", key).unwrap();
        assert!(
            on(cutover::BucketKey::Str("anna")) && on(17_u64.into()) && on("17".into()) && !on("berta".into()),
            "{format}"
        );
        let uuid = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
        assert_eq!(
            set.decide("new-search", cutover::BucketKey::Uuid(uuid)).unwrap().rule.name(),
            "deny_list",
            "{format}"
        );
        let explained = set.explain("new-search").unwrap().to_string();
        for part in ["its own", "2 keys", "1 key", "base", "random", "5%"] {
            assert!(explained.contains(part), "{format}: {explained}");
        }
        assert!(
            explained.lines().count() == 9 && !explained.contains("anna") && !explained.contains("old-search"),
            "{explained}"
        );
    }
}

#[test]
fn what_is_not_known_is_refused() {
    let cases = [
        (r#"{ "a": { "rolout": 5 } }"#, "rolout"),
        (r#"{ "a": { "rollout": null } }"#, "null"),
        (r#"{ "a": null }"#, "null"),
        (r#"{ "a": [5] }"#, "sequence"),
        (r#"{ "a": { "missing_key": "new" } }"#, "new"),
        (r#"{ "a": { "kill": "yes" } }"#, "yes"),
        (r#"{ "a": { "allow": [true] } }"#, "true"),
        (r#"{ "a": { "allow": [1.5] } }"#, "1.5"),
        (r#"{ "a": 5, "a": 6 }"#, "`a` stands there twice"),
        (r#"{ "a": { "rollout": 5, "rollout": 6 } }"#, "duplicate"),
        (r#"{ "": 5 }"#, "`` is no name"),
        (r#"{ "New": 5 }"#, "`New` is no name"),
        (r#"{ "-a": 5 }"#, "`-a` is no name"),
        (r#"{ "a b": 5 }"#, "`a b` is no name"),
        (r#"{ "é": 5 }"#, "`é` is no name"),
        (r"[]", "sequence"),
        ("", "EOF"),
    ];
    for (text, named) in cases {
        let error = serde_json::from_str::<FlagConfig>(text).expect_err(text).to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
    assert!(serde_json::from_str::<FlagConfig>(&format!(r#"{{ "{}": 5 }}"#, "a".repeat(65))).is_err());
    assert!(serde_json::from_str::<FlagConfig>(&format!(r#"{{ "{}": 5, "0.a_b-c": 5 }}"#, "a".repeat(64))).is_ok());
}

#[test]
fn an_empty_or_cut_yaml_text_is_no_configuration() {
    for text in ["", "# nothing\n", "null", "a", "a: [", "a: 5\nb"] {
        assert!(serde_saphyr::from_str::<FlagConfig>(text).is_err(), "{text:?}");
    }
    assert!(serde_saphyr::from_str::<FlagConfig>("{}").is_ok());
}

#[test]
fn an_error_of_a_file_says_where() {
    let error = serde_json::from_str::<FlagConfig>("{\n \"a\": 5,\n \"b\": 250\n}").unwrap_err().to_string();
    assert!(error.contains("`b`") && error.contains("line 3"), "{error}");
    let error = serde_saphyr::from_str::<FlagConfig>("a: 5\nb: 250\n").unwrap_err().to_string();
    assert!(error.contains("`b`") && error.contains("line 2"), "{error}");
    let error = toml::from_str::<FlagConfig>("a = 5\nb = 250\n").unwrap_err().to_string();
    assert!(error.contains("`b`") && error.contains("line 2"), "{error}");
}

#[test]
fn debug_shows_neither_salts_nor_keys() {
    let config: FlagConfig = serde_json::from_str(FULL_JSON).unwrap();
    for text in [format!("{config:?}"), format!("{:?}", FlagSet::new(config).unwrap())] {
        assert!(!text.contains("old-search") && !text.contains("anna"), "{text}");
    }
}

type Read = Result<FlagConfig, String>;

fn configs(json: &str, yaml: &str, toml: &str) -> [(&'static str, Read); 3] {
    formats(
        &format!(r#"{{ "bare": {json}, "in-a-table": {{ "rollout": {json} }} }}"#),
        &format!("bare: {yaml}\nin-a-table:\n  rollout: {yaml}\n"),
        &format!("bare = {toml}\n[in-a-table]\nrollout = {toml}\n"),
    )
}

fn formats(json: &str, yaml: &str, toml: &str) -> [(&'static str, Read); 3] {
    [
        ("JSON", serde_json::from_str(json).map_err(|error| error.to_string())),
        ("YAML", serde_saphyr::from_str(yaml).map_err(|error| error.to_string())),
        ("TOML", toml::from_str(toml).map_err(|error| error.to_string())),
    ]
}

#[test]
fn what_yes_means_is_up_to_the_reader() {
    let config: FlagConfig = serde_saphyr::from_str("a: yes").unwrap();
    assert!(FlagSet::new(config).unwrap().is_enabled("a", "anna").unwrap(), "YAML 1.1: true");
    let error = serde_json::from_str::<FlagConfig>(r#"{ "a": "yes" }"#).unwrap_err();
    assert!(error.to_string().contains("`yes` is not a number"), "{error}");
}

#[test]
fn a_policy_for_missing_keys_has_one_name() {
    for (policy, name) in [(MissingKey::Legacy, "legacy"), (MissingKey::Random, "random")] {
        assert_eq!((policy.name(), serde_json::to_value(policy).unwrap()), (name, name.into()));
        assert_eq!(serde_json::from_value::<MissingKey>(name.into()).unwrap(), policy);
    }
}
