//! The validator counts every case exactly once, as what it is, and no case stops the others.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cutover::Runtime;
use cutover::clock::{Clock, Instant};
use cutover::validate::{Case, FailureKind, MigrationValidator, ValidationReport, record_from};
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

fn counts(report: &ValidationReport) -> [usize; 4] {
    [report.passed, report.failed, report.errors, report.total]
}

fn kinds(report: &ValidationReport) -> Vec<(&str, FailureKind)> {
    report.failures.iter().map(|failure| (&*failure.name, failure.kind)).collect()
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
fn a_future_whose_destructor_panics_after_its_end_fails_its_case() {
    struct Late;
    impl Future for Late {
        type Output = Result<u64, Infallible>;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Ok(0))
        }
    }
    impl Drop for Late {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "late");
        }
    }
    let report = futures::executor::block_on(numbers(1).run(|_| Late));
    assert_eq!(kinds(&report), [("case 0", FailureKind::Panicked)]);
    assert_eq!(report.failures[0].error.as_deref(), Some("late"));
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
        "1 of 3 cases passed (33.3%); failed: 1; errors: 1; took 7.0s\n\
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
