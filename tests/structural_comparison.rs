//! `Structural` finds every difference that counts, says where it is, and takes no notice of the rest.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::error::Error as _;

use cutover::compare::{By, Comparator, ComparatorError, Comparison, Difference, DifferenceKind, Structural, render};
use proptest::prelude::*;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::{Map, Value, json};

fn compare(comparator: &Structural, legacy: &Value, new: &Value) -> Comparison {
    comparator.compare(legacy, new).unwrap()
}

/// The differences as `path kind`.
fn found(comparator: &Structural, legacy: &Value, new: &Value) -> Vec<String> {
    match compare(comparator, legacy, new) {
        Comparison::Match => Vec::new(),
        Comparison::Mismatch(differences) => {
            differences.iter().map(|difference| format!("{} {}", difference.path, difference.kind)).collect()
        }
        Comparison::Ignored => panic!("structural comparison has no ignored verdict"),
    }
}

#[test]
fn every_difference_is_found_with_its_path_and_kind() {
    let legacy = json!({"a": 1, "b": {"c": [1, 2, 3]}, "gone": true, "t": 1});
    let new = json!({"a": 2, "b": {"c": [1, 5]}, "t": "1", "added": null});
    let expected =
        ["/a value", "/b/c/1 value", "/b/c/2 only_legacy", "/gone only_legacy", "/t type", "/added only_new"];
    assert_eq!(found(&Structural::new(), &legacy, &new), expected);
}

#[test]
fn a_difference_carries_both_values() {
    let Comparison::Mismatch(differences) = compare(&Structural::new(), &json!({"a": [1]}), &json!({"a": [2, 3]}))
    else {
        panic!("these differ")
    };
    let expected =
        [Difference::new("/a/0", Some(json!(1)), Some(json!(2))), Difference::new("/a/1", None, Some(json!(3)))];
    assert_eq!(differences, expected);
}

#[test]
fn a_difference_at_the_root_has_the_empty_path() {
    assert_eq!(found(&Structural::new(), &json!(1), &json!([1])), [" type"]);
}

#[test]
fn a_missing_member_is_not_null() {
    assert_eq!(found(&Structural::new(), &json!({}), &json!({"a": null})), ["/a only_new"]);
}

#[test]
fn numbers_compare_by_value() {
    assert_eq!(compare(&Structural::new(), &json!([1, 0.0, 1e3]), &json!([1.0, 0, 1000])), Comparison::Match);
    let (odd, rounded) = (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0));
    assert_eq!(found(&Structural::new(), &odd, &rounded), [" value"]);
}

#[test]
fn ignored_places_do_not_count_in_value_or_presence() {
    let comparator = Structural::new().ignore("/took_ms").ignore("/hits/*/score").ignore("/list/1");
    let legacy = json!({"took_ms": 1, "hits": [{"score": 1}, {"score": 2}], "list": [1, 2]});
    let new = json!({"hits": [{"score": 3}, {}], "list": [1]});
    assert_eq!(compare(&comparator, &legacy, &new), Comparison::Match);
    assert_eq!(
        found(&comparator, &legacy, &json!({"hits": [{}, {"x": 1}], "list": [2]})),
        ["/hits/1/x only_new", "/list/0 value"]
    );
}

#[test]
fn a_wildcard_is_exactly_one_token() {
    let comparator = Structural::new().ignore("/*/id");
    assert_eq!(found(&comparator, &json!({"id": 1, "a": {"id": 1}}), &json!({"id": 2, "a": {"id": 2}})), ["/id value"]);
    let deeper = json!({"a": {"b": {"id": 1}}});
    assert_eq!(found(&comparator, &deeper, &json!({"a": {"b": {"id": 2}}})), ["/a/b/id value"]);
}

#[test]
fn pointer_escapes_name_keys_with_slashes_and_tildes() {
    let comparator = Structural::new().ignore("/a~1b/c~0d");
    assert_eq!(compare(&comparator, &json!({"a/b": {"c~d": 1}}), &json!({"a/b": {"c~d": 2}})), Comparison::Match);
    assert_eq!(found(&Structural::new(), &json!({"a/b~c": 1}), &json!({"a/b~c": 2})), ["/a~1b~0c value"]);
}

#[test]
fn an_index_with_a_leading_zero_is_a_key() {
    let comparator = Structural::new().ignore("/01");
    assert_eq!(found(&comparator, &json!([0, 1]), &json!([0, 2])), ["/1 value"]);
    assert_eq!(compare(&comparator, &json!({"01": 1}), &json!({"01": 2})), Comparison::Match);
}

#[test]
fn a_tolerance_holds_for_numbers_below_its_path_and_the_deepest_decides() {
    let comparator = Structural::new().tolerance("/price", 0.01).tolerance("/price/exact", 0.0);
    let legacy = json!({"price": {"net": 1.00, "exact": 1.00, "text": "1.00"}, "other": 1.00});
    let new = json!({"price": {"net": 1.01, "exact": 1.01, "text": "1.01"}, "other": 1.01});
    assert_eq!(found(&comparator, &legacy, &new), ["/other value", "/price/exact value", "/price/text value"]);
    assert_eq!(found(&comparator, &json!({"price": 1.0}), &json!({"price": 1.02})), ["/price value"]);
}

#[test]
fn unordered_by_value_compares_multisets() {
    let comparator = Structural::new().unordered("/a", By::Value);
    assert_eq!(
        compare(&comparator, &json!({"a": [1, 2, 2, {"x": 1}]}), &json!({"a": [2, {"x": 1.0}, 1, 2]})),
        Comparison::Match
    );
    assert_eq!(
        found(&comparator, &json!({"a": [1, 2, 2]}), &json!({"a": [2, 1, 1]})),
        ["/a/2 only_legacy", "/a/2 only_new"]
    );
}

#[test]
fn unordered_by_key_compares_the_pairs() {
    let comparator = Structural::new().unordered("", By::Key("/id"));
    let legacy = json!([{"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 3, "v": 3}]);
    let new = json!([{"id": 4, "v": 4}, {"id": 2, "v": 0}, {"id": 1.0, "v": 1}]);
    assert_eq!(found(&comparator, &legacy, &new), ["/1/v value", "/2 only_legacy", "/0 only_new"]);
}

#[test]
fn elements_with_equal_keys_or_none_pair_up_in_their_order() {
    let comparator = Structural::new().unordered("", By::Key("/id"));
    let legacy = json!([{"id": 1, "v": "a"}, {"v": "x"}, {"id": 1, "v": "b"}]);
    let same = json!([{"v": "x"}, {"id": 1, "v": "a"}, {"id": 1, "v": "b"}]);
    assert_eq!(compare(&comparator, &legacy, &same), Comparison::Match);
    let swapped = json!([{"id": 1, "v": "b"}, {"id": 1, "v": "a"}, {"v": "x"}]);
    assert_eq!(found(&comparator, &legacy, &swapped), ["/0/v value", "/2/v value"]);
}

#[test]
fn rules_hold_inside_unordered_elements() {
    let comparator = Structural::new()
        .unordered("/a", By::Value)
        .ignore("/a/*/t")
        .tolerance("/a/*/p", 0.1)
        .unordered("/a/*/n", By::Value);
    let legacy = json!({"a": [{"t": 1, "p": 1.0, "n": [1, 2]}, {"t": 2, "p": 5.0, "n": [3]}]});
    let new = json!({"a": [{"p": 5.05, "n": [3]}, {"t": 9, "p": 1.05, "n": [2, 1]}]});
    assert_eq!(compare(&comparator, &legacy, &new), Comparison::Match);
    let other = json!({"a": [{"p": 5.2, "n": [3]}, {"t": 9, "p": 1.05, "n": [2, 1]}]});
    assert_eq!(found(&comparator, &legacy, &other), ["/a/1 only_legacy", "/a/0 only_new"]);
}

#[test]
fn values_are_normalised_before_they_are_compared() {
    let lower = |value: &mut Value| {
        if let Value::String(text) = value {
            *text = text.to_lowercase();
        }
    };
    let comparator = Structural::new().normalise("/names/*", lower).unordered("/names", By::Value);
    assert_eq!(compare(&comparator, &json!({"names": ["A", "b"]}), &json!({"names": ["B", "a"]})), Comparison::Match);
    assert_eq!(
        found(&comparator, &json!({"names": ["A"], "x": "A"}), &json!({"names": ["a"], "x": "a"})),
        ["/x value"]
    );
}

#[test]
fn the_list_of_differences_is_bounded_but_the_verdict_is_not() {
    let (legacy, new) = (json!(vec![1; 500]), json!(vec![2; 500]));
    assert_eq!(found(&Structural::new(), &legacy, &new).len(), 100);
    assert_eq!(found(&Structural::new().max_differences(7), &legacy, &new).len(), 7);
    let none = Structural::new().max_differences(0);
    assert_eq!(compare(&none, &legacy, &new), Comparison::Mismatch(Vec::new()));
    assert_eq!(compare(&none, &legacy, &legacy), Comparison::Match);
}

#[test]
fn a_bad_rule_is_an_error_and_never_a_match() {
    let bad = [
        Structural::new().ignore("took_ms"),
        Structural::new().ignore(""),
        Structural::new().ignore("/a~2"),
        Structural::new().ignore("/a~"),
        Structural::new().tolerance("/a", f64::NAN),
        Structural::new().tolerance("/a", f64::INFINITY),
        Structural::new().tolerance("/a", -0.1),
        Structural::new().unordered("/a", By::Key("id")),
        Structural::new().normalise("a", |_| {}),
    ];
    for comparator in bad {
        assert!(comparator.check().is_err(), "{comparator:?}");
        assert!(comparator.compare(&1, &1).is_err(), "{comparator:?}");
    }
}

#[test]
fn the_first_bad_rule_is_the_one_that_is_named() {
    let comparator = Structural::new().tolerance("/price", -1.0).ignore("later");
    let error = comparator.check().unwrap_err();
    assert_eq!(error.path(), "/price");
    assert_eq!(
        error.to_string(),
        "the rule for the path `/price` cannot be used: the tolerance -1 is not a finite number of at least 0"
    );
    let source = source_of(&comparator.compare(&1, &1).unwrap_err());
    assert_eq!(source, error.to_string());
}

fn source_of(error: &ComparatorError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn what_cannot_be_serialised_is_an_error_and_no_mismatch() {
    let unreadable = std::collections::BTreeMap::from([(vec![1], 1)]);
    let error = Structural::new().compare(&unreadable, &unreadable).unwrap_err();
    assert!(source_of(&error).contains("key must be a string"), "{error:?}");
}

/// Nests as deep as it says, without being deep in memory.
struct Nested(usize);

impl Serialize for Nested {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(1))?;
        if self.0 > 0 {
            seq.serialize_element(&Self(self.0 - 1))?;
        }
        seq.end()
    }
}

#[test]
fn deep_answers_are_an_error_instead_of_a_stack_overflow() {
    assert_eq!(Structural::new().compare(&Nested(256), &Nested(256)).unwrap(), Comparison::Match);
    assert!(matches!(Structural::new().compare(&Nested(256), &Nested(255)).unwrap(), Comparison::Mismatch(_)));
    for depth in [257, 1_000_000] {
        let error = Structural::new().compare(&Nested(depth), &Nested(depth)).unwrap_err();
        assert_eq!(source_of(&error), "it nests deeper than 256 levels");
    }
}

#[test]
fn a_function_that_nests_too_deep_is_an_error_too() {
    let wrap = |value: &mut Value| *value = (0..300).fold(value.take(), |inner, _| Value::Array(vec![inner]));
    assert!(Structural::new().normalise("", wrap).compare(&1, &1).is_err());
}

#[test]
fn differences_read_as_lines() {
    let long = "x".repeat(1_000);
    let legacy = json!({"a": 1, "b": long, "new\nline": 1});
    let new = json!({"a": "1", "b": "y", "c": [], "new\nline": 2});
    let Comparison::Mismatch(differences) = compare(&Structural::new(), &legacy, &new) else { panic!("these differ") };
    let expected = format!(
        "/a: type, 1 -> \"1\"\n/b: value, \"{}… -> \"y\"\n/new\\nline: value, 1 -> 2\n/c: only_new, (nothing) -> []",
        "x".repeat(79)
    );
    assert_eq!(render(&differences), expected);
    assert_eq!(Difference::new("", Some(json!(1)), Some(json!(2))).to_string(), "(whole answer): value, 1 -> 2");
}

#[test]
fn equal_answers_cost_no_allocation_per_place() {
    let answer: Value = (0..500).map(|id| json!({"id": id, "score": 0.5, "took_ms": 1})).collect();
    let comparator = Structural::new().ignore("/*/took_ms").tolerance("/*/score", 0.1);
    let trees = allocation_counter::measure(|| {
        std::hint::black_box((serde_json::to_value(&answer).unwrap(), serde_json::to_value(&answer).unwrap()));
    });
    let all = allocation_counter::measure(|| assert_eq!(compare(&comparator, &answer, &answer), Comparison::Match));
    assert!(all.count_total <= trees.count_total + 8, "{} over {}", all.count_total, trees.count_total);
}

#[test]
fn any_serialisable_answer_can_be_compared() {
    #[derive(serde::Serialize)]
    enum Shape {
        Unit,
        New(Option<u8>),
        Tuple(u8, char),
        Struct { a: (u8, bool) },
    }
    let all = |a| vec![Shape::Unit, Shape::New(Some(1)), Shape::New(None), Shape::Tuple(1, 'c'), Shape::Struct { a }];
    let comparator = Structural::new().ignore("/1/New");
    assert_eq!(comparator.compare(&all((1, true)), &all((1, true))).unwrap(), Comparison::Match);
    let Comparison::Mismatch(differences) = comparator.compare(&all((1, true)), &all((2, true))).unwrap() else {
        panic!("these differ")
    };
    assert_eq!(render(&differences), "/4/Struct/a/0: value, 1 -> 2");
    assert_eq!(Structural::new().compare("same text", "same text").unwrap(), Comparison::Match);
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        (-3.0..3.0).prop_map(|number: f64| Value::from((number * 2.0).round() / 2.0)),
        "[a-c~/]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c~/]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Whole floats as integers, which makes `==` compare numbers by value.
#[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
fn by_value(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => json!(float as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(by_value).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), by_value(value))).collect()),
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

proptest! {
    #[test]
    fn answers_match_exactly_when_they_are_equal(legacy in documents(), new in documents()) {
        let expected = by_value(&legacy) == by_value(&new);
        prop_assert_eq!(compare(&Structural::new(), &legacy, &new) == Comparison::Match, expected);
        prop_assert_eq!(compare(&Structural::new(), &legacy, &legacy), Comparison::Match);
    }

    #[test]
    fn the_path_of_a_difference_leads_to_its_values(legacy in documents(), new in documents()) {
        if let Comparison::Mismatch(differences) = compare(&Structural::new(), &legacy, &new) {
            prop_assert!(!differences.is_empty());
            for difference in differences {
                prop_assert_eq!(legacy.pointer(&difference.path), difference.legacy.as_ref());
                prop_assert_eq!(new.pointer(&difference.path), difference.new.as_ref());
            }
        }
    }

    #[test]
    fn swapping_the_sides_mirrors_the_differences(legacy in documents(), new in documents()) {
        let mirrored = |kind: DifferenceKind| match kind {
            DifferenceKind::OnlyLegacy => DifferenceKind::OnlyNew,
            DifferenceKind::OnlyNew => DifferenceKind::OnlyLegacy,
            DifferenceKind::Value | DifferenceKind::Type | _ => kind,
        };
        let sorted = |comparison| {
            let Comparison::Mismatch(differences) = comparison else { return Vec::new() };
            let mut places: Vec<_> = differences.into_iter().map(|found| (found.path, found.kind)).collect();
            places.sort();
            places
        };
        let forward = sorted(compare(&Structural::new(), &legacy, &new));
        let backward = sorted(compare(&Structural::new(), &new, &legacy));
        let mut expected: Vec<_> = backward.into_iter().map(|(path, kind)| (path, mirrored(kind))).collect();
        expected.sort();
        prop_assert_eq!(forward, expected);
    }

    #[test]
    fn ignoring_every_path_that_differs_makes_a_match(legacy in documents(), new in documents()) {
        if let Comparison::Mismatch(differences) = compare(&Structural::new(), &legacy, &new) {
            let paths = differences.iter().filter(|difference| !difference.path.is_empty());
            let comparator = paths.fold(Structural::new(), |comparator, difference| comparator.ignore(&difference.path));
            let is_root = differences.iter().any(|difference| difference.path.is_empty());
            prop_assert_eq!(compare(&comparator, &legacy, &new) == Comparison::Match, !is_root);
        }
    }

    #[test]
    fn a_shuffled_array_matches_only_as_unordered(
        items in prop::collection::vec(documents(), 0..6),
        shuffled in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let new: Value = shuffled.iter().filter_map(|&at| items.get(at).cloned()).collect();
        let comparator = Structural::new().unordered("", By::Value);
        prop_assert_eq!(compare(&comparator, &Value::from(items), &new), Comparison::Match);
    }

    #[test]
    fn unordered_by_value_is_equality_of_multisets(
        legacy in prop::collection::vec(0_u8..3, 0..5),
        new in prop::collection::vec(0_u8..3, 0..5),
    ) {
        let sorted = |items: &[u8]| { let mut items = items.to_vec(); items.sort_unstable(); items };
        let comparison = Structural::new().unordered("", By::Value).compare(&legacy, &new).unwrap();
        prop_assert_eq!(comparison == Comparison::Match, sorted(&legacy) == sorted(&new));
    }

    #[test]
    fn a_tolerance_in_cents_is_exact(a in -10_000_i32..10_000, apart in -30_i32..30, tolerance in 0_i32..20) {
        let euros = |cents: i32| f64::from(cents) / 100.0;
        let comparator = Structural::new().tolerance("", euros(tolerance));
        let comparison = comparator.compare(&euros(a), &euros(a + apart)).unwrap();
        prop_assert_eq!(comparison == Comparison::Match, apart.abs() <= tolerance);
    }
}
