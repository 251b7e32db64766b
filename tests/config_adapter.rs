//! Promise: a configuration with old keys is read by a program that knows the new ones only, or is refused unchanged.
#![expect(clippy::unwrap_used, reason = "a test")]

use cutover::compat::{Deprecation, KeyConflict, Release};
use cutover::{AliasMap, Deprecations};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{Value, json};

fn keys() -> AliasMap {
    let aliases = [
        ("db", "database"),
        ("db.host", "database.address"),
        ("db.connections", "database.pool.size"),
        ("dbhost", "db.host"),
        ("loglevel", "log.level"),
        ("mail", "mail.smtp"),
    ];
    AliasMap::segmented(".", aliases).unwrap()
}

const OLD: [(&str, &str); 3] = [
    ("toml", "loglevel = 'warn'\nname = 'shop'\n[db]\nhost = '10.0.0.7'\nconnections = 16\n[db.tls]\non = true\n"),
    ("yaml", "loglevel: warn\nname: shop\ndb:\n  host: 10.0.0.7\n  connections: 16\n  tls: { on: true }\n"),
    ("json", r#"{"loglevel":"warn","name":"shop","db":{"host":"10.0.0.7","connections":16,"tls":{"on":true}}}"#),
];

fn parsed(format: &str, text: &str) -> Value {
    match format {
        "toml" => toml::from_str(text).unwrap(),
        "yaml" => serde_saphyr::from_str(text).unwrap(),
        _ => serde_json::from_str(text).unwrap(),
    }
}

#[test]
fn old_keys_are_renamed_and_told_in_every_format() {
    for (format, text) in OLD {
        let adapted = keys().adapt(&parsed(format, text)).unwrap();
        let database = json!({ "address": "10.0.0.7", "pool": { "size": 16 }, "tls": { "on": true } });
        assert_eq!(
            adapted.tree,
            json!({ "database": database, "log": { "level": "warn" }, "name": "shop" }),
            "{format}"
        );
        let mut renamed: Vec<_> = adapted
            .renamed
            .iter()
            .map(|key| format!("{} {} {} {}", key.old, key.new, key.alias, key.instead))
            .collect();
        renamed.sort();
        assert_eq!(
            renamed,
            [
                "db.connections database.pool.size db.connections database.pool.size",
                "db.host database.address db.host database.address",
                "db.tls.on database.tls.on db database",
                "loglevel log.level loglevel log.level",
            ],
            "{format}"
        );
    }
}

#[test]
fn what_is_new_already_stays_and_nothing_is_told() {
    for tree in [
        json!({ "database": { "address": "10.0.0.7" }, "log": { "level": "warn" }, "mail": { "smtp": { "port": 25 } } }),
        json!({ "other": [1, { "db": 2 }], "nothing": null, "empty": {} }),
        json!({}),
        json!([{ "db": 1 }]),
        json!("db"),
    ] {
        let adapted = keys().adapt(&tree).unwrap();
        assert_eq!((adapted.tree, adapted.renamed.len()), (tree, 0));
    }
}

#[test]
fn keys_meet_when_they_agree_and_are_refused_when_they_do_not() {
    let agree =
        json!({ "db": { "host": "a", "port": 1 }, "dbhost": "a", "database": { "address": "a", "user": "ana" } });
    let adapted = keys().adapt(&agree).unwrap();
    assert_eq!(adapted.tree, json!({ "database": { "address": "a", "port": 1, "user": "ana" } }));
    assert_eq!(adapted.renamed.len(), 3);

    let values = |first: &str, second: &str, new: &str| {
        let [first, second, new] = [first, second, new].map(String::from);
        KeyConflict::Values { first, second, new }
    };
    for (tree, conflict) in [
        (
            json!({ "db": { "host": "a" }, "database": { "address": "b" } }),
            values("database.address", "db.host", "database.address"),
        ),
        (json!({ "db": { "host": "a" }, "dbhost": "b" }), values("db.host", "dbhost", "database.address")),
        (
            json!({ "db": { "port": 1 }, "database": { "port": null } }),
            values("database.port", "db.port", "database.port"),
        ),
        (json!({ "db": {}, "database": 7 }), values("database", "db", "database")),
    ] {
        assert_eq!(keys().adapt(&tree), Err(conflict), "{tree}");
    }
}

#[test]
fn a_value_where_an_object_should_be_is_refused() {
    let shapes = |value: &str, object: &str, new: &str| {
        let [value, object, new] = [value, object, new].map(String::from);
        Err(KeyConflict::Shapes { value, object, new })
    };
    let tree = json!({ "log": "stdout", "loglevel": "warn" });
    assert_eq!(keys().adapt(&tree), shapes("log", "loglevel", "log"));
    let tree = json!({ "database": { "pool": 3 }, "db": { "connections": 16 } });
    assert_eq!(keys().adapt(&tree), shapes("database.pool", "db.connections", "database.pool"));
    let tree = json!({ "database": { "tls": { "on": true } }, "db": { "tls": false } });
    assert_eq!(keys().adapt(&tree), shapes("db.tls", "database.tls.on", "database.tls"));
    let nested = AliasMap::segmented(".", [("db", "database"), ("size", "database.pool.size")]).unwrap();
    let tree = json!({ "db": {}, "database": { "pool": 3 }, "size": 16 }); // the empty object is not in the way
    assert_eq!(nested.adapt(&tree), shapes("database.pool", "size", "database.pool"));
    let message = keys().adapt(&json!({ "log": "stdout", "loglevel": "warn" })).unwrap_err().to_string();
    assert_eq!(message, "`log` gives `log` a value, and `loglevel` gives it keys of its own; keep one of them");
}

#[test]
fn no_error_shows_a_value() {
    let tree = json!({ "db": { "password": "hunter2" }, "database": { "password": "hunter3" } });
    let error = keys().adapt(&tree).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
}

#[test]
fn an_empty_object_meets_a_full_one() {
    for tree in [json!({ "db": {}, "database": { "port": 1 } }), json!({ "db": { "port": 1 }, "database": {} })] {
        assert_eq!(keys().adapt(&tree).unwrap().tree, json!({ "database": { "port": 1 } }));
    }
}

#[test]
fn a_key_that_contains_the_separator_is_no_path() {
    let tree = json!({ "db.host": 1, "": 2, "db": { "a.b": { "c": 3 }, "": 4 } });
    let adapted = keys().adapt(&tree).unwrap();
    assert_eq!(adapted.tree, json!({ "db.host": 1, "": 2, "database": { "a.b": { "c": 3 }, "": 4 } }));
}

#[test]
fn whole_names_are_the_outermost_keys() {
    let map = AliasMap::whole([("db", "database"), ("db.host", "address")]).unwrap();
    let adapted = map.adapt(&json!({ "db": { "db": 1 }, "db.host": 2 })).unwrap();
    assert_eq!(adapted.tree, json!({ "database": { "db": 1 }, "address": 2 }));
}

#[test]
fn an_old_key_is_used_where_it_stands_once_each_time_it_is_read() {
    let (map, old) = (keys(), Deprecations::new());
    map.deprecations().for_each(|deprecation| old.declare(&deprecation).unwrap());
    let goes = Deprecation::new("db").remove_after(Release::new([2]));
    old.declare(&goes).unwrap();
    let tree = json!({ "db": { "port": 1, "user": "ana", "host": "a" } });
    for place in ["shop.toml", "shop.toml", "till.toml"] {
        map.adapt(&tree).unwrap().count_in(&old, place);
    }
    let report = old.report();
    let callers = |name: &str| -> Vec<(String, u64)> {
        report.deprecated[name].callers.iter().map(|caller| (caller.to_string(), caller.uses)).collect()
    };
    let twice = [("shop.toml".to_owned(), 2), ("till.toml".to_owned(), 1)];
    assert_eq!((callers("db"), callers("db.host")), (twice.to_vec(), twice.to_vec()));
    assert_eq!(report.unused().collect::<Vec<_>>(), ["db.connections", "dbhost", "loglevel", "mail"]);
    assert_eq!(report.problems, []);
    assert!(report.check_removals(Release::new([3])).unwrap_err().to_string().contains("shop.toml: 2 uses"));
}

#[test]
fn a_deep_tree_is_no_trouble() {
    let mut tree = json!(1);
    for _ in 0..100 {
        tree = json!({ "db": tree });
    }
    let adapted = keys().adapt(&tree).unwrap();
    assert!(adapted.tree.get("database").is_some());
    assert_eq!(adapted.renamed.len(), 1);
}

/// Trees with few keys, so that old and new ones meet.
fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(1)), Just(json!(2)), Just(json!({})), Just(json!([{ "db": 1 }]))];
    let key =
        prop::sample::select(vec!["db", "database", "host", "address", "dbhost", "log", "loglevel", "level", "a.b"]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop::collection::btree_map(key.clone().prop_map(String::from), inner, 0..4)
            .prop_map(|keys| keys.into_iter().collect::<serde_json::Map<_, _>>().into())
    })
}

/// Each path to a value with its value, as `adapt` sees them.
fn leaves(tree: &Value, path: &[String], found: &mut Vec<(Vec<String>, Value)>) {
    match tree.as_object().filter(|keys| !keys.is_empty()) {
        Some(keys) => {
            for (key, below) in keys {
                leaves(below, &[path, std::slice::from_ref(key)].concat(), found);
            }
        }
        None => found.push((path.to_vec(), tree.clone())),
    }
}

proptest! {
    #![proptest_config(Config { cases: 1_000, rng_seed: RngSeed::Fixed(0xada), failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_value_is_lost_and_a_second_time_changes_nothing(tree in trees()) {
        let Ok(adapted) = keys().adapt(&tree) else { return Ok(()) };
        let again = keys().adapt(&adapted.tree).unwrap();
        prop_assert_eq!(&again.tree, &adapted.tree);
        prop_assert!(again.renamed.is_empty());
        let values = |tree: &Value| {
            let mut found = Vec::new();
            leaves(tree, &[], &mut found);
            let values = found.into_iter().map(|(_, value)| value.to_string()).filter(|value| value != "{}");
            values.collect::<std::collections::BTreeSet<_>>()
        };
        prop_assert_eq!(values(&adapted.tree), values(&tree));
    }
}
