//! Promise: a host's test fails when what is old gets more callers, or should be gone, and says who still calls it.
#![expect(clippy::unwrap_used, reason = "a test")]

use cutover::Deprecations;
use cutover::compat::{
    DeclareError, Deprecation, DeprecationBaseline, DeprecationError, DeprecationReport, Fact, InvalidRelease, Release,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use serde_json::json;

/// A report with these callers of `price`: (file, line).
fn report(callers: &[(&str, u32)]) -> DeprecationReport {
    let callers = callers.iter().map(|(file, line)| json!({ "file": file, "line": line, "column": 9, "uses": 2 }));
    let price = json!({ "new": "quote", "remove_after": "2", "callers": callers.collect::<Vec<_>>() });
    serde_json::from_value(json!({ "deprecated": { "price": price } })).unwrap()
}

fn baseline(json: &str) -> DeprecationBaseline {
    serde_json::from_str(json).unwrap()
}

#[test]
fn fewer_callers_pass_and_more_do_not() {
    let allowed = baseline(r#"{ "price": { "src/a.rs": 2, "src/b.rs": 1 } }"#);
    for passes in [&[][..], &[("src/a.rs", 1)], &[("src/a.rs", 1), ("src/a.rs", 2), ("src/b.rs", 3)]] {
        assert_eq!(report(passes).check_callers(&allowed), Ok(()));
    }
    let grown = report(&[("src/a.rs", 1), ("src/a.rs", 2), ("src/a.rs", 3), ("src/c.rs", 4)]);
    let Err(DeprecationError::Grown { grown }) = grown.check_callers(&allowed) else { panic!("it has grown") };
    let found: Vec<_> = grown.iter().map(|file| (file.file.as_str(), file.allowed, file.found)).collect();
    assert_eq!(found, [("src/a.rs", 2, 3), ("src/c.rs", 0, 1)]);
    assert_eq!(grown[1].to_string(), "`price` in src/c.rs: 1 call site, allowed are 0; use `quote` (src/c.rs:4:9)");
}

#[test]
fn a_line_that_moves_is_no_new_caller() {
    let allowed = report(&[("src/a.rs", 10), ("src/a.rs", 20)]).baseline();
    assert_eq!(report(&[("src/a.rs", 11), ("src/a.rs", 21)]).check_callers(&allowed), Ok(()));
}

#[test]
fn what_is_newly_deprecated_wants_a_new_baseline() {
    let error = report(&[("src/a.rs", 1)]).check_callers(&DeprecationBaseline::default()).unwrap_err();
    assert!(error.to_string().ends_with("commit the baseline of this report, which `baseline()` makes"), "{error}");
}

#[test]
fn a_baseline_is_the_same_on_every_machine() {
    let old = Deprecations::new();
    old.used(&Deprecation::new("price"));
    assert_eq!(old.report().baseline().allowed("price", "tests/deprecations_ratchet.rs"), 1);
    for (root, file) in
        [("/home/ana/shop", "/home/ana/shop/src/a.rs"), (r"C:\Users\ben\shop\", r"C:\Users\ben\shop\src\a.rs")]
    {
        assert_eq!(report(&[(file, 1), ("src/a.rs", 2)]).relative_to(root).baseline().allowed("price", "src/a.rs"), 2);
    }
}

#[test]
fn a_baseline_that_allows_a_file_twice_is_refused() {
    for json in [r#"{ "price": { "a.rs": 1, "a.rs": 9 } }"#, r#"{ "price": {}, "price": { "a.rs": 9 } }"#] {
        let error = serde_json::from_str::<DeprecationBaseline>(json).unwrap_err().to_string();
        assert!(error.contains("stands twice; a name stands once"), "{error}");
    }
    let error = serde_json::from_str::<DeprecationBaseline>(r#"{ "price": { "a.rs": -1 } }"#).unwrap_err();
    assert!(error.to_string().contains("-1"), "{error}");
}

#[test]
fn a_report_that_misses_callers_passes_nothing() {
    let mut report = report(&[]);
    report.uncounted = 7;
    let missing = DeprecationError::Uncounted { uses: 7 };
    assert_eq!(report.check_callers(&report.baseline()).unwrap_err(), missing);
    assert_eq!(report.check_removals(Release::new([1])).unwrap_err(), missing);
    assert_eq!(
        missing.to_string(),
        "7 uses took place at call sites beyond the capacity; raise it with `Deprecations::capacity`"
    );
}

#[test]
fn what_is_overdue_is_named_with_who_still_calls_it() {
    let called = report(&[("src/a.rs", 14)]);
    for in_time in [[1, 0, 0], [2, 0, 0], [2, 99, 99]] {
        assert_eq!(called.check_removals(Release::new(in_time)), Ok(()));
    }
    assert_eq!(
        called.check_removals("3.0.0-rc.1".parse().unwrap()).unwrap_err().to_string(),
        "1 deprecated thing should be gone in 3.0.0:\n`price`, use `quote` (to go after 2): 2 uses\n  src/a.rs:14:9: 2 uses\n\
         move the callers that are left, and delete it; or give it more time with a later `remove_after`"
    );
    let error = report(&[]).check_removals(Release::new([3])).unwrap_err().to_string();
    assert!(error.contains("no use was seen"), "what nobody calls is overdue too: {error}");
}

#[test]
fn nobody_knows_what_is_overdue_while_facts_differ() {
    static OLD: Deprecations = Deprecations::of(&[
        Deprecation::new("price").remove_after(Release::new([2])),
        Deprecation::new("price").remove_after(Release::new([9])),
    ]);
    let error = OLD.report().check_removals(Release::new([1])).unwrap_err();
    assert!(matches!(error, DeprecationError::Contradictory { .. }));
    assert!(error.to_string().contains("remove after `2`, and remove after `9`"), "{error}");
}

#[test]
#[should_panic(expected = "`price` in src/a.rs: 1 call site, allowed are 0")]
fn the_assertion_of_callers_fails_with_the_message() {
    report(&[("src/a.rs", 1)]).assert_callers(&DeprecationBaseline::default());
}

#[test]
#[should_panic(expected = "1 deprecated thing should be gone in 3")]
fn the_assertion_of_removals_fails_with_the_message() {
    report(&[]).assert_removals(Release::new([3]));
}

#[test]
fn releases_are_read_as_they_are_written() {
    for (text, read) in
        [("2", Release::new([2])), ("2.1", Release::new([2, 1])), ("2026.9.30", Release::new([2026, 9, 30]))]
    {
        assert_eq!(text.parse(), Ok(read));
        assert_eq!(read.to_string(), text);
        assert_eq!(serde_json::to_value(read).unwrap(), json!(text));
    }
    for (text, read) in [("3.0.0-beta.1", [3, 0, 0]), ("3.0.0+7", [3, 0, 0]), ("2026.09.05", [2026, 9, 5])] {
        assert_eq!(text.parse(), Ok(Release::new(read)));
    }
    for text in ["", ".", "2.", "v2", "2.1.0.4", "2026-09-30", "2.1-beta", "+2", "2. 1", "4294967296", "٢"] {
        let refused: Result<Release, InvalidRelease> = text.parse();
        assert_eq!(refused.unwrap_err().text, text);
    }
}

#[test]
fn a_day_is_a_release_too() {
    let last = Release::new([2026, 9, 30]);
    let overdue = |day: [u32; 3]| Release::new(day).is_after(last);
    assert!(!overdue([2026, 9, 30]) && !overdue([2025, 12, 31]));
    assert!(overdue([2026, 10, 1]) && overdue([2027, 1, 1]));
}

#[test]
fn reports_of_several_processes_are_one() {
    let differing = json!({ "new": "offer", "callers": [{ "file": "the nightly job", "uses": 1 }] });
    let other = json!({ "deprecated": { "price": differing }, "uncounted": 3 });
    let merged = report(&[("src/a.rs", 1), ("src/b.rs", 1)])
        .merge(report(&[("src/b.rs", 1)]))
        .merge(serde_json::from_value(other).unwrap());
    let callers: Vec<_> = merged.deprecated["price"].callers.iter().map(|at| (at.to_string(), at.uses)).collect();
    assert_eq!(callers, [("src/a.rs:1:9".into(), 2), ("src/b.rs:1:9".into(), 4), ("the nightly job".into(), 1)]);
    assert_eq!((merged.uncounted, merged.uses()), (3, 10));
    let (old, first, second) = ("price".into(), "quote".into(), "offer".into());
    assert_eq!(merged.problems, [DeclareError::Differs { old, fact: Fact::Instead, first, second }]);
    let text = serde_json::to_string(&merged).unwrap();
    assert_eq!(serde_json::from_str::<DeprecationReport>(&text).unwrap(), merged);
}

fn reports() -> impl Strategy<Value = DeprecationReport> {
    let caller = (prop::sample::select(vec!["a.rs", "b.rs", "c.rs"]), 0..6_u32);
    prop::collection::vec(caller, 0..12).prop_map(|callers| {
        report(&[]).merge(report(&callers)) // callers in one place are one
    })
}

proptest! {
    #![proptest_config(Config { rng_seed: RngSeed::Fixed(19), failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_baseline_passes_its_own_report_and_what_is_shrunk_passes_only_what_passed(
        first in reports(), second in reports(), third in reports()
    ) {
        let allowed = first.baseline();
        prop_assert_eq!(first.check_callers(&allowed), Ok(()));
        prop_assert_eq!(allowed.call_sites(), first.call_sites() as u64);
        let shrunk = allowed.shrunk_to(&second);
        prop_assert!(shrunk.call_sites() <= allowed.call_sites());
        if third.check_callers(&shrunk).is_ok() {
            prop_assert_eq!(third.check_callers(&allowed), Ok(()));
        }
        if second.check_callers(&allowed).is_ok() {
            prop_assert_eq!(&shrunk, &second.baseline());
        }
    }

    #[test]
    fn merging_is_the_same_in_any_order(first in reports(), second in reports(), third in reports()) {
        let one_way = first.clone().merge(second.clone()).merge(third.clone());
        prop_assert_eq!(&one_way, &third.merge(second).merge(first));
        prop_assert_eq!(&one_way, &one_way.clone().merge(DeprecationReport::default()));
    }
}
