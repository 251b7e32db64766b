//! The validator counts every case exactly once, as what it is, and no case stops the others.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cutover::clock::{Clock, Instant};
use cutover::compare::Structural;
use cutover::validate::{
    Case, CasesError, FailureKind, MigrationValidator, ValidationReport, record_from, record_from_sync,
};
use cutover::{MigrationValidator as AtRoot, Runtime};
use futures::future::BoxFuture;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::{Value, json};

#[derive(Debug)]
struct Timers;

impl Runtime for Timers {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Tokio's clock, which stands still but for timers when it is paused.
#[derive(Debug)]
struct Virtual(tokio::time::Instant);

impl Virtual {
    fn start() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for Virtual {
    fn now(&self) -> Instant {
        Instant::from_nanos(u64::try_from(self.0.elapsed().as_nanos()).unwrap())
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

/// Cases that expect their own number.
fn numbers(count: u64) -> MigrationValidator<u64> {
    MigrationValidator::new((0..count).map(|number| Case::equals(format!("case {number}"), number, number))).unwrap()
}

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
    let mut answer: serde_json::Map<_, _> = (0..500).map(|at| (format!("a{at}"), json!(at))).collect();
    answer.insert("z".to_owned(), json!(1));
    let case = Case::includes("wide", 0, json!({"z": 2}));
    assert_eq!(counts(&one(case, &Value::Object(answer))), [0, 1, 0, 1]);
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

#[tokio::test]
async fn an_error_or_a_panic_fails_its_case_and_the_run_goes_on() {
    let side = |number: u64| async move {
        match number {
            1 => Err("broken".to_owned()),
            2 => panic!("at {number}"),
            3 => Ok(77),
            _ => Ok(number),
        }
    };
    let report = numbers(6).concurrency(3).run(side).await;
    assert_eq!(counts(&report), [3, 1, 2, 6]);
    let expected =
        [("case 1", FailureKind::Error), ("case 2", FailureKind::Panicked), ("case 3", FailureKind::Mismatch)];
    assert_eq!(kinds(&report), expected);
    let texts: Vec<_> = report.failures.iter().map(|failure| failure.error.as_deref()).collect();
    assert_eq!(texts, [Some("broken"), Some("at 2"), None]);
    assert_eq!((&report.failures[2].expected, &report.failures[2].actual), (&Some(json!(3)), &Some(json!(77))));
}

#[test]
fn a_function_that_fails_or_panics_fails_its_case_too() {
    let report = numbers(5).run_sync(|number| match number {
        1 => Err("broken"),
        2 => panic!("at {number}"),
        _ => Ok(number),
    });
    assert_eq!(counts(&report), [3, 0, 2, 5]);
    assert_eq!(kinds(&report), [("case 1", FailureKind::Error), ("case 2", FailureKind::Panicked)]);
}

/// Panics when it is dropped.
#[derive(serde::Serialize)]
struct Trap;

impl Drop for Trap {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "in a destructor");
    }
}

impl std::fmt::Display for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a trap")
    }
}

#[tokio::test(start_paused = true)]
async fn destructors_that_panic_end_in_their_case() {
    let validator = MigrationValidator::new((0..5).map(|number| Case::equals(number.to_string(), number, Value::Null)));
    let validator = validator.unwrap().case_timeout(Duration::from_secs(1), Timers);
    let side = |number: u64| {
        let held = Trap;
        async move {
            match number {
                0 => std::future::pending().await,
                1 => return Err(Trap),
                2 => std::panic::panic_any(Trap),
                _ => std::mem::forget(held),
            }
            Ok((number == 3).then(|| Trap))
        }
    };
    let report = validator.run(side).await;
    let expected = [
        ("0", FailureKind::TimedOut),
        ("1", FailureKind::Panicked),
        ("2", FailureKind::Panicked),
        ("3", FailureKind::Panicked),
    ];
    assert_eq!(kinds(&report), expected);
    assert_eq!(counts(&report), [1, 0, 4, 5]);
}

#[test]
fn an_answer_that_cannot_be_read_is_an_error() {
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
    struct Bomb;
    impl Serialize for Bomb {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("bomb")
        }
    }
    let deep = numbers(1).run_sync(|_| Ok::<_, Infallible>(Nested(1_000_000)));
    assert_eq!(deep.failures[0].error.as_deref(), Some("cannot be serialised: it nests deeper than 256 levels"));
    let bomb = numbers(1).run_sync(|_| Ok::<_, Infallible>(Bomb));
    assert_eq!(kinds(&bomb), [("case 0", FailureKind::Panicked)]);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_case_times_out_and_the_others_go_on() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let side = |number: u64| {
        let held = Arc::clone(&dropped);
        async move {
            if number == 1 {
                std::future::pending::<()>().await;
            }
            held.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(number)
        }
    };
    let validator = numbers(4).case_timeout(Duration::from_secs(2), Timers).clock(Virtual::start());
    let report = validator.run(side).await;
    assert_eq!(counts(&report), [3, 0, 1, 4]);
    assert_eq!(kinds(&report), [("case 1", FailureKind::TimedOut)]);
    assert_eq!(report.failures[0].error.as_deref(), Some("took longer than 2s"));
    assert!(
        report.duration >= Duration::from_secs(2) && report.duration < Duration::from_secs(3),
        "{:?}",
        report.duration
    );
    assert_eq!(Arc::strong_count(&dropped), 1, "the hanging case was dropped");
}

#[derive(Debug, Default)]
struct Stepping(AtomicUsize);

impl Clock for Stepping {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.fetch_add(1, Ordering::SeqCst) as u64 * 1_000_000_000)
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

#[tokio::test]
async fn what_comes_back_too_late_has_timed_out() {
    let late = || numbers(1).clock(Stepping::default()).case_timeout(Duration::from_millis(900), Timers);
    assert_eq!(kinds(&late().run_sync(Ok::<_, Infallible>)), [("case 0", FailureKind::TimedOut)]);
    let report = late().run(|number| async move { Ok::<_, Infallible>(number) }).await;
    assert_eq!(kinds(&report), [("case 0", FailureKind::TimedOut)]);
    let in_time = numbers(1).clock(Stepping::default()).case_timeout(Duration::from_secs(1), Timers);
    assert_eq!(counts(&in_time.run_sync(Ok::<_, Infallible>)), [1, 0, 0, 1]);
}

#[test]
fn a_runtime_that_cannot_sleep_makes_errors_and_no_passes() {
    let report = numbers(2).case_timeout(Duration::from_secs(1), Timers);
    let report = futures::executor::block_on(report.run(|_| std::future::pending::<Result<u64, Infallible>>()));
    assert_eq!(counts(&report), [0, 0, 2, 2]);
    let text = report.failures[0].error.as_deref().unwrap();
    assert_eq!(text, "the runtime cannot sleep here, so the case cannot be timed");
}

#[tokio::test(start_paused = true)]
async fn as_many_cases_as_allowed_are_under_way() {
    for (allowed, rounds) in [(0, 12), (1, 12), (4, 3), (100, 1)] {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let side = |number| {
            let (now, most) = (&now, &most);
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Infallible>(number)
            }
        };
        let report = numbers(12).concurrency(allowed).clock(Virtual::start()).run(side).await;
        assert_eq!(counts(&report), [12, 0, 0, 12]);
        assert_eq!(most.load(Ordering::SeqCst), allowed.clamp(1, 12));
        assert_eq!(report.duration.as_secs(), rounds);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_in_the_order_of_the_cases() {
    let side = |number| async move {
        tokio::time::sleep(Duration::from_secs(10 - number)).await;
        Err::<u64, _>(number)
    };
    let report = numbers(5).concurrency(5).run(side).await;
    let names: Vec<_> = report.failures.iter().map(|failure| &*failure.name).collect();
    assert_eq!(names, ["case 0", "case 1", "case 2", "case 3", "case 4"]);
}

#[test]
fn progress_tells_of_every_case_and_may_panic() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&heard);
    let validator = numbers(3).on_progress(move |progress| {
        let kind = progress.failure.map(|failure| failure.kind);
        hear.lock().unwrap().push((progress.done, progress.total, progress.name.to_owned(), kind));
        assert!(progress.done != 1, "a listener that panics");
    });
    let report = validator.run_sync(|number| if number == 1 { Err("broken") } else { Ok(number) });
    assert_eq!(counts(&report), [2, 0, 1, 3]);
    let expected = [
        (1, 3, "case 0".to_owned(), None),
        (2, 3, "case 1".to_owned(), Some(FailureKind::Error)),
        (3, 3, "case 2".to_owned(), None),
    ];
    assert_eq!(*heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner), expected);
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

#[test]
fn the_report_reads_well() {
    let cases = [
        Case::equals("plain", 0, json!({"type": "greeting", "n": 1})),
        Case::equals("polite", 1, json!({"type": "greeting"})),
        Case::equals("broken", 2, 1),
    ];
    let validator = MigrationValidator::new(cases).unwrap().clock(Stepping::default());
    let report = validator.run_sync(|input| match input {
        0 => Ok(json!({"type": "question", "n": 1, "more": []})),
        1 => Ok(json!({"type": "greeting"})),
        _ => Err("line one\nline two"),
    });
    assert_eq!(
        report.to_string(),
        "1 of 3 cases passed (33.3%), 1 failed, 1 errors, in 7.0s\n\
         mismatch \"plain\" (expected -> actual)\n    \
             /type: value, \"greeting\" -> \"question\"\n    \
             /more: only_new, (nothing) -> []\n\
         error \"broken\"\n    line one\n    line two"
    );
    assert!((report.success_rate() - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn the_report_is_one_serialisable_value() {
    let report =
        numbers(2).clock(Stepping::default()).run_sync(|number| Ok::<_, Infallible>((number == 0).then_some(0)));
    let text = serde_json::to_value(&report).unwrap();
    let difference = json!({"path": "", "kind": "type", "legacy": 1, "new": null});
    let failure = json!({
        "name": "case 1", "kind": "mismatch", "expected": 1, "actual": null,
        "differences": [difference], "elapsed": 1_000_000_000_u64,
    });
    let expected = json!({
        "passed": 1, "failed": 1, "errors": 0, "total": 2, "duration": 5_000_000_000_u64, "failures": [failure],
    });
    assert_eq!(text, expected);
    let read: ValidationReport = serde_json::from_value(text).unwrap();
    assert_eq!((counts(&read), &read.failures[0].actual), (counts(&report), &Some(Value::Null)));
}

#[test]
fn a_run_can_be_spawned() {
    fn spawnable<T: Send>(_: &T) {}
    fn shared<T: Send + Sync>(_: &T) {}
    let validator = numbers(1).case_timeout(Duration::from_secs(1), Timers);
    spawnable(&validator.run(|number| async move { Ok::<_, String>(number) }));
    spawnable(&record_from([("a", 1)], |number| async move { Ok::<_, String>(number) }));
    shared(&validator);
}
