//! Promise: an old name has one new name, which every machine and every order finds, and no map leads in a circle.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use cutover::AliasMap;
use cutover::compat::{AliasError, OldNameError};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

fn segmented(aliases: &[(&str, &str)]) -> AliasMap {
    AliasMap::segmented(".", aliases.iter().copied()).unwrap()
}

#[test]
fn a_name_ends_where_a_segment_ends() {
    let map = segmented(&[("db.host", "database.address")]);
    for (name, expected) in [
        ("db.host", "database.address"),
        ("db.host.v6", "database.address.v6"),
        ("db.hostname", "db.hostname"),
        ("db", "db"),
        ("x.db.host", "x.db.host"),
        ("db.host.", "database.address."),
        ("db..host", "db..host"),
        ("", ""),
        (".", "."),
    ] {
        assert_eq!(map.resolve(name), expected, "{name}");
    }
}

#[test]
fn whole_names_are_never_part_of_others() {
    let map = AliasMap::whole([("db", "database"), ("a.b", "c")]).unwrap();
    for (name, expected) in [("db", "database"), ("db.host", "db.host"), ("a.b", "c"), ("a.b.c", "a.b.c")] {
        assert_eq!(map.resolve(name), expected, "{name}");
    }
}

#[test]
fn the_longest_known_name_decides() {
    let map = segmented(&[("a", "x"), ("a.b", "y"), ("a.b.c", "z")]);
    for (name, expected) in [("a.c", "x.c"), ("a.b.d", "y.d"), ("a.b.c", "z"), ("a.b.c.d", "z.d")] {
        assert_eq!(map.resolve(name), expected, "{name}");
    }
}

#[test]
fn a_new_name_may_lie_below_its_old_one() {
    let map = segmented(&[("log", "log.level"), ("db", "db.primary")]);
    for (name, expected) in
        [("log", "log.level"), ("log.level", "log.level"), ("db.host", "db.primary.host"), ("log.x", "log.level.x")]
    {
        assert_eq!(map.resolve(name), expected, "{name}");
        assert_eq!(map.resolve(expected), expected, "{name}");
    }
}

#[test]
fn chains_are_followed_to_their_end_also_below_a_name() {
    let map = segmented(&[("a", "b"), ("b", "c"), ("c.x", "d")]);
    for (name, expected) in [("a", "c"), ("b.y", "c.y"), ("a.x", "d"), ("a.x.z", "d.z")] {
        assert_eq!(map.resolve(name), expected, "{name}");
    }
    let deprecation = map.deprecation("a.x.z").unwrap();
    assert_eq!((deprecation.old, deprecation.new), ("a", Some("c")));
    assert_eq!(map.deprecation("d"), None);
}

#[test]
fn separators_of_several_characters_are_found_from_the_left() {
    let map = AliasMap::segmented("::", [("shop::price", "catalog::quote")]).unwrap();
    assert_eq!(map.resolve("shop::price::in_euro"), "catalog::quote::in_euro");
    assert_eq!(map.resolve("shop::prices"), "shop::prices");
    assert_eq!(map.resolve("shop::price:::x"), "catalog::quote:::x");
    for bad in ["shop:::price", ":shop", "shop:", "::shop", "a::::b", ""] {
        let refused = AliasMap::segmented("::", [(bad, "x")]).unwrap_err();
        assert!(matches!(&refused, AliasError::InvalidName { name, .. } if name == bad), "{bad}: {refused:?}");
    }
}

#[test]
fn bad_entries_are_refused_by_name() {
    for (aliases, message) in [
        (vec![("", "x")], "`` is no name; before and after each `.` stands something"),
        (vec![("a", "b"), ("x", "y..z")], "`y..z` is no name; before and after each `.` stands something"),
        (vec![("a", "b"), ("a", "c")], "`a` stands for `b` and for `c`; decide on one"),
        (vec![("a", "b"), ("a", "b")], "`a` stands for `b` and for `b`; decide on one"),
        (vec![("a", "a")], "aliases lead in a circle: a -> a"),
        (vec![("x", "a"), ("a", "b"), ("b", "a")], "aliases lead in a circle: a -> b -> a"),
    ] {
        assert_eq!(AliasMap::segmented(".", aliases).unwrap_err().to_string(), message);
    }
    assert_eq!(AliasMap::segmented("", [("a", "b")]), Err(AliasError::NoSeparator));
    let refused = AliasMap::whole([("", "b")]).unwrap_err().to_string();
    assert_eq!(refused, "`` is no name; a name is not empty");
}

#[test]
fn a_long_circle_is_found_and_told_in_one_line() {
    let name = |number: usize| format!("n{number}");
    let circle = (0..5_000).map(|number| (name(number), name((number + 1) % 5_000)));
    let refused = AliasMap::whole(circle).unwrap_err();
    assert_eq!(refused.to_string(), "aliases lead in a circle: n0 -> n1 -> … -> n0 (5000 names)");
}

#[test]
fn a_map_is_read_as_it_is_written() {
    let json = r#"{"separator":".","aliases":{"db":"database","log":"log.level"}}"#;
    let map: AliasMap = serde_json::from_str(json).unwrap();
    assert_eq!(map, segmented(&[("log", "log.level"), ("db", "database")]));
    assert_eq!(serde_json::to_string(&map).unwrap(), json);
    assert_eq!(toml::from_str::<AliasMap>("aliases = { a = 'b' }").unwrap(), AliasMap::whole([("a", "b")]).unwrap());
    let yaml = "separator: '.'\naliases:\n  db: database\n  log: log.level\n";
    assert_eq!(serde_saphyr::from_str::<AliasMap>(yaml).unwrap(), map);
}

#[test]
fn a_file_that_makes_no_map_is_refused_with_the_entry() {
    for (json, named) in [
        (r#"{ "aliases": { "a": "b", "a": "c" } }"#, "`a` stands twice"),
        (r#"{ "aliases": { "a": "b", "b": "a" } }"#, "a -> b -> a"),
        (r#"{ "separator": ".", "aliases": { "a.": "b" } }"#, "`a.` is no name"),
        (r#"{ "separator": "", "aliases": {} }"#, "the separator is empty"),
        (r#"{ "seperator": ".", "aliases": {} }"#, "unknown field `seperator`"),
        (r#"{ "aliases": { "a": 1 } }"#, "invalid type: integer `1`"),
        (r#"{ "separator": "." }"#, "missing field `aliases`"),
    ] {
        let refused = serde_json::from_str::<AliasMap>(json).unwrap_err().to_string();
        assert!(refused.contains(named), "{json}: {refused}");
    }
}

#[test]
fn who_asks_gets_an_error_for_what_is_not_known() {
    let map = segmented(&[("db", "database")]);
    assert_eq!(map.resolve_known("db.host").unwrap(), "database.host");
    assert_eq!(map.resolve_known("database.host").unwrap(), "database.host");
    let unknown = map.resolve_known("dbx\n").unwrap_err();
    assert_eq!(unknown.name, r"dbx\n");
    assert_eq!((unknown.known, unknown.more), (vec!["db".to_owned(), "database".to_owned()], 0));
    let many = AliasMap::whole((0..20).map(|number| (format!("old{number:02}"), "new"))).unwrap();
    let shown = many.resolve_known("x").unwrap_err().to_string();
    assert!(shown.contains("known are: old00, ") && shown.ends_with("old07 and 13 more"), "{shown}");
    let none = AliasMap::default().resolve_known("x").unwrap_err().to_string();
    assert_eq!(none, "`x` is no name that is known; there are none");
}

#[test]
fn the_way_back_is_found_where_there_is_one() {
    let map = segmented(&[("db", "database"), ("database.host", "storage.host"), ("x", "z"), ("y", "z"), ("q", "x")]);
    assert_eq!(map.old_name("database.port"), Ok("db.port".into()));
    assert_eq!(map.old_name("other"), Err(OldNameError::None { name: "other".into() }));
    let old = ["database.host", "db.host"].map(String::from);
    assert_eq!(map.old_name("storage.host"), Err(OldNameError::Several { name: "storage.host".into(), old }));
    assert!(matches!(map.old_name("z"), Err(OldNameError::Several { .. })));
    assert_eq!(map.old_name("x.1"), Err(OldNameError::NotNew { name: "x.1".into(), new: "z.1".into() }));
}

#[test]
fn a_name_with_endless_old_names_has_several() {
    let map = segmented(&[("a", "b"), ("b.x", "a")]); // b.x.x.x.r -> a.x.x.r -> b.x.x.r -> .. -> b.r
    assert_eq!(map.resolve("b.x.x.x.r"), "b.r");
    assert!(matches!(map.old_name("b.r"), Err(OldNameError::Several { .. })));
}

type Aliases = BTreeMap<String, String>;

/// Names so short and so few that most of them meet.
fn names() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4).prop_map(|segments| segments.join("."))
}

fn aliases() -> impl Strategy<Value = Aliases> {
    prop::collection::btree_map(names(), names(), 0..7)
}

/// The longest known beginning of `name`, in segments, and what it stands for if it is old.
fn longest<'a>(aliases: &'a Aliases, name: &str) -> Option<(usize, Option<&'a String>)> {
    let segments: Vec<&str> = name.split('.').collect();
    let new: BTreeSet<&String> = aliases.values().collect();
    (1..=segments.len()).rev().find_map(|count| {
        let beginning = segments[..count].join(".");
        let old = aliases.get(&beginning);
        (old.is_some() || new.contains(&beginning)).then_some((count, old))
    })
}

fn has_circle(aliases: &Aliases) -> bool {
    let ends = |start: &String| {
        let mut name = start;
        (0..=aliases.len()).any(|_| {
            aliases.get(name).is_none_or(|next| {
                name = next;
                false
            })
        })
    };
    !aliases.keys().all(ends)
}

proptest! {
    #![proptest_config(Config { cases: 2_000, rng_seed: RngSeed::Fixed(0xa11a5), failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_map_is_refused_exactly_when_it_has_a_circle(aliases in aliases()) {
        match AliasMap::segmented(".", aliases.clone()) {
            Ok(_) => prop_assert!(!has_circle(&aliases)),
            Err(AliasError::Circle { path }) => {
                prop_assert!(path.len() > 1 && path.first() == path.last());
                prop_assert!(path.windows(2).all(|pair| aliases[&pair[0]] == pair[1]), "{path:?}");
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn resolving_ends_and_twice_is_once(aliases in aliases(), name in names()) {
        let Ok(map) = AliasMap::segmented(".", aliases) else { return Ok(()) };
        let once = map.resolve(&name);
        prop_assert_eq!(map.resolve(&once), &*once);
        prop_assert_eq!(map.deprecation(&name).is_some(), matches!(once, std::borrow::Cow::Owned(_)));
        prop_assert_eq!(map.deprecation(&once), None);
    }

    #[test]
    fn the_longest_beginning_takes_the_first_step(aliases in aliases(), name in names()) {
        let Ok(map) = AliasMap::segmented(".", aliases.clone()) else { return Ok(()) };
        let expected = match longest(&aliases, &name) {
            Some((count, Some(new))) => {
                let next: Vec<&str> = [new.as_str()].into_iter().chain(name.split('.').skip(count)).collect();
                map.resolve(&next.join(".")).into_owned()
            }
            _ => name.clone(),
        };
        prop_assert_eq!(map.resolve(&name), expected);
        prop_assert_eq!(map.resolve_known(&name).is_ok(), longest(&aliases, &name).is_some());
    }

    #[test]
    fn the_way_back_leads_to_the_name_it_came_from(aliases in aliases(), name in names()) {
        let Ok(map) = AliasMap::segmented(".", aliases) else { return Ok(()) };
        let new = map.resolve(&name);
        match map.old_name(&new) {
            Ok(old) => {
                prop_assert_eq!(map.resolve(&old), &*new);
                prop_assert!(old == name || new == name, "{} is old too", name);
            }
            Err(OldNameError::None { .. }) => prop_assert_eq!(&new, &name),
            Err(OldNameError::Several { old, .. }) => {
                prop_assert!(old[0] < old[1]);
                prop_assert!(old.iter().all(|old| map.resolve(old) == new));
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn order_does_not_matter_and_what_is_written_is_read(aliases in aliases()) {
        let Ok(map) = AliasMap::segmented(".", aliases.clone()) else { return Ok(()) };
        prop_assert_eq!(&map, &AliasMap::segmented(".", aliases.into_iter().rev()).unwrap());
        let text = serde_json::to_string(&map).unwrap();
        prop_assert_eq!(serde_json::from_str::<AliasMap>(&text).unwrap(), map);
    }
}
