//! Cases say what is expected, come from code, files or legacy itself, and fail only by what they say.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::convert::Infallible;

use cutover::MigrationValidator as AtRoot;
use cutover::compare::Structural;
use cutover::validate::{
    Case, CasesError, FailureKind, MigrationValidator, ValidationReport, record_from, record_from_sync,
};
use serde_json::{Value, json};

fn one(case: Case<u64>, answer: &Value) -> ValidationReport {
    MigrationValidator::new([case]).unwrap().run_sync(|_| Ok::<_, Infallible>(answer.clone()))
}

fn counts(report: &ValidationReport) -> [usize; 4] {
    [report.passed, report.failed, report.errors, report.total]
}

fn kinds(report: &ValidationReport) -> Vec<(&str, FailureKind)> {
    report.failures.iter().map(|failure| (&*failure.name, failure.kind)).collect()
}

#[test]
fn equality_wants_the_whole_value() {
    let expected = json!({"type": "greeting"});
    let case = || Case::equals("greet", 0, expected.clone());
    assert_eq!(counts(&one(case(), &expected)), [1, 0, 0, 1]);
    assert_eq!(counts(&one(case(), &json!({"type": "greeting", "more": 1}))), [0, 1, 0, 1]);
    assert_eq!(counts(&one(case(), &json!({}))), [0, 1, 0, 1]);
}

#[test]
fn a_partial_match_accepts_more_members_at_every_depth_but_nothing_else() {
    let case = || Case::includes("greet", 0, json!({"type": "greeting", "to": {"name": "Ada"}, "list": [{"a": 1}]}));
    let answer = json!({"type": "greeting", "x": 1, "to": {"name": "Ada", "x": 1}, "list": [{"a": 1, "x": 1}]});
    assert_eq!(counts(&one(case(), &answer)), [1, 0, 0, 1]);
    let wrong = json!({"type": "question", "x": 1, "to": {"x": 1}, "list": [{"a": 1}, {}]});
    let report = one(case(), &wrong);
    let paths: Vec<_> = report.failures[0].differences.iter().map(|difference| &*difference.path).collect();
    assert_eq!(paths, ["/list/1", "/to/name", "/type"]);
}

#[test]
fn many_more_members_do_not_hide_a_missing_one() {
    let members: serde_json::Map<_, _> = (0..500).map(|at| (format!("a{at}"), json!(at))).collect();
    let case = Case::includes("wide", 0, json!({"a": {}, "z": 2}));
    assert_eq!(counts(&one(case, &json!({"a": members, "z": 1}))), [0, 1, 0, 1]);
}

#[test]
fn a_predicate_decides_by_itself() {
    let case = || Case::satisfies("positive", 0, "is above zero", |answer| answer.as_f64() > Some(0.0));
    assert_eq!(counts(&one(case(), &json!(2))), [1, 0, 0, 1]);
    let report = one(case(), &json!(-2));
    assert_eq!(counts(&report), [0, 1, 0, 1]);
    assert_eq!(report.failures[0].error.as_deref(), Some("not satisfied: is above zero"));
    assert_eq!(report.failures[0].actual, Some(json!(-2)));
}

#[test]
fn a_predicate_that_panics_is_an_error_of_its_case() {
    let report = one(Case::satisfies("bad", 0, "anything", |_| panic!("no idea")), &json!(1));
    assert_eq!(kinds(&report), [("bad", FailureKind::Panicked)]);
    assert_eq!(report.failures[0].error.as_deref(), Some("no idea"));
}

#[test]
fn rules_say_what_does_not_matter() {
    let case = Case::equals("timed", 0, json!({"hits": 1, "took_ms": 3}));
    let validator = MigrationValidator::new([case]).unwrap();
    let run = |validator: MigrationValidator<u64>| {
        counts(&validator.run_sync(|_| Ok::<_, Infallible>(json!({"hits": 1, "took_ms": 9}))))
    };
    assert_eq!(run(validator.clone()), [0, 1, 0, 1]);
    assert_eq!(run(validator.clone().rules(Structural::new().ignore("/took_ms"))), [1, 0, 0, 1]);
    assert_eq!(
        run(validator.clone().rules(Structural::new().ignore("took_ms"))),
        [0, 0, 1, 1],
        "a bad rule never passes"
    );
    assert_eq!(run(validator.rules(Structural::new().max_differences(0))), [0, 1, 0, 1]);
}

#[test]
fn no_cases_and_duplicate_names_are_refused() {
    assert!(matches!(MigrationValidator::<u64>::new([]), Err(CasesError::NoCases)));
    let twice = [Case::equals("a", 1, 1), Case::equals("b", 1, 1), Case::equals("a", 2, 2)];
    let error = MigrationValidator::new(twice).unwrap_err();
    assert_eq!(error.to_string(), "two cases are called `a`; names must be unique");
}

#[test]
fn each_run_gets_its_own_input() {
    let validator = MigrationValidator::new([Case::equals("sort", vec![2, 1], json!([1, 2]))]).unwrap();
    for _ in 0..2 {
        let report = validator.run_sync(|mut input: Vec<u8>| {
            assert_eq!(input, [2, 1]);
            input.sort_unstable();
            Ok::<_, Infallible>(input)
        });
        assert_eq!(counts(&report), [1, 0, 0, 1]);
    }
}

#[test]
fn cases_are_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.json");
    let text = r#"[{"name": "a", "input": 1, "expected": {"v": 1}},
                   {"name": "b", "input": 2, "expected": {"v": 2}, "match": "partial"}]"#;
    std::fs::write(&path, text).unwrap();
    let validator = AtRoot::<u64>::from_json_file(&path).unwrap();
    let report = validator.run_sync(|input| Ok::<_, Infallible>(json!({"v": input, "more": true})));
    assert_eq!(kinds(&report), [("a", FailureKind::Mismatch)]);
    assert_eq!(counts(&report), [1, 1, 0, 2]);
}

#[test]
fn files_that_are_no_cases_are_refused_with_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.json");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        MigrationValidator::<u64>::from_json_file(&path).unwrap_err()
    };
    assert!(matches!(read("[]"), CasesError::NoCases));
    let bad = [
        "{}",
        r#"[{"name": "a", "input": 1}]"#,
        r#"[{"name": "a", "input": "x", "expected": 1}]"#,
        r#"[{"name": "a", "input": 1, "expected": 1, "match": "partly"}]"#,
        r#"[{"name": "a", "input": 1, "expected": 1, "matches": "partial"}]"#,
    ];
    for text in bad {
        let error = read(text);
        assert!(matches!(error, CasesError::Malformed { .. }), "{text}: {error:?}");
        assert!(error.to_string().contains("cases.json"), "{error}");
    }
    let missing = MigrationValidator::<u64>::from_json_file(folder.path().join("none.json"));
    assert!(matches!(missing, Err(CasesError::Unreadable { .. })));
}

#[test]
fn cases_are_read_from_any_serde_format() {
    #[derive(serde::Deserialize)]
    struct Suite {
        cases: Vec<Case<u64>>,
    }
    let text = "[[cases]]\nname = \"a\"\ninput = 1\nexpected = { v = 1 }\n";
    let suite: Suite = toml::from_str(text).unwrap();
    let report = MigrationValidator::new(suite.cases).unwrap().run_sync(|v| Ok::<_, Infallible>(json!({"v": v})));
    assert_eq!(counts(&report), [1, 0, 0, 1]);
}

#[test]
fn cases_are_written_as_they_are_read() {
    let cases = [Case::equals("null", 1_u8, Value::Null), Case::includes("some", 2, json!({"a": 1}))];
    let text = serde_json::to_string(&cases).unwrap();
    assert_eq!(
        text,
        r#"[{"name":"null","input":1,"expected":null},{"name":"some","input":2,"expected":{"a":1},"match":"partial"}]"#
    );
    let read: Vec<Case<u8>> = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let predicate = serde_json::to_string(&Case::satisfies("p", 1, "", |_| true)).unwrap_err();
    assert_eq!(predicate.to_string(), "the case `p` has a predicate, which is code");
}

#[tokio::test]
async fn what_legacy_answers_today_becomes_the_expectation() {
    let legacy = |input: i32| async move { if input < 0 { Err("negative") } else { Ok(json!({"double": input * 2})) } };
    let recording = record_from([("one", 1), ("minus", -1), ("four", 4)], legacy).await;
    assert_eq!((&*recording.refused[0].name, &*recording.refused[0].error), ("minus", "negative"));
    let validator = MigrationValidator::new(recording.cases).unwrap();
    assert_eq!(counts(&validator.run(legacy).await), [2, 0, 0, 2]);
    let new = |input: i32| Ok::<_, Infallible>(json!({"double": input + 1}));
    assert_eq!(kinds(&validator.run_sync(new)), [("four", FailureKind::Mismatch)]);
}

#[test]
fn recording_goes_on_after_a_panic() {
    let legacy = |input: u8| if input == 0 { panic!("zero") } else { Ok::<_, Infallible>(input) };
    let recording = record_from_sync([("zero", 0), ("one", 1)], legacy);
    assert_eq!((recording.cases.len(), &*recording.refused[0].error), (1, "zero"));
}
