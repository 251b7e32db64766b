//! Everything works without Tokio: on smol, on a plain executor, and built without default features.
#![expect(clippy::unwrap_used, clippy::type_complexity, reason = "a test")]

use std::future::{pending, ready};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cutover::dual::ShadowPolicy;
use cutover::record::MemoryRecorder;
use cutover::runtime::ThreadRuntime;
use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::validate::{Case, FailureKind};
use cutover::{
    ChangeError, DualRunner, Equality, HostRuntime, MemoryStore, MigrationController, MigrationValidator, Outcome,
    Percentage, Route, Side, StateStore, StoreError, SystemMode,
};
use futures::future::BoxFuture;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

/// The executors on which everything is run, on a thread of its own that no Tokio runtime has entered.
const EXECUTORS: [(&str, fn(BoxFuture<'static, ()>)); 2] =
    [("smol", |future| smol::block_on(future)), ("futures", |future| futures::executor::block_on(future))];

/// Runs the future that `make` makes on each executor.
fn on_each<F: Future<Output = ()> + Send + 'static>(make: impl Fn() -> F) {
    for (name, run) in EXECUTORS {
        let future = Box::pin(make());
        let ended = thread::Builder::new().name(name.to_owned()).spawn(move || run(future)).unwrap().join();
        assert!(ended.is_ok(), "it failed on {name}");
    }
}

fn runner() -> (DualRunner<u32, String>, Arc<MemoryRecorder>) {
    let recorder = Arc::new(MemoryRecorder::new());
    let builder = DualRunner::builder("search", PARALLEL).comparator(Equality).record_to(Arc::clone(&recorder));
    (builder.patience(Duration::from_millis(20)).build(), recorder)
}

/// Waits until nothing is in flight.
fn settle(runner: &DualRunner<u32, String>) {
    while runner.counts().in_flight() > 0 {
        thread::yield_now();
    }
}

#[test]
fn a_call_answers_although_its_shadow_hangs() {
    on_each(|| async {
        let (runner, recorder) = runner();
        assert_eq!(runner.run("anna", ready(Ok(1)), pending()).await, Ok(1));
        assert_eq!(runner.counts().timed_out, 1);
        assert_eq!(recorder.discrepancies()[0].new.outcome, Outcome::TimedOut);
    });
}

#[test]
fn calls_match_and_differ() {
    on_each(|| async {
        let (runner, recorder) = runner();
        assert_eq!(runner.run("anna", ready(Ok(1)), ready(Ok(1))).await, Ok(1));
        assert_eq!(runner.call("anna").context(|| 7).run(ready(Ok(1)), async { panic!("new") }).await, Ok(1));
        assert_eq!(runner.run_sync("anna", || Ok(1), || Ok(2)), Ok(1));
        let counts = runner.counts();
        assert_eq!((counts.matched, counts.mismatched, counts.panicked, recorder.len()), (1, 1, 1, 2));
    });
}

#[test]
fn detached_shadows_run_and_are_stopped() {
    on_each(|| async {
        let timeout = ShadowPolicy::new().timeout(Duration::from_millis(20));
        let builder = DualRunner::builder("search", PARALLEL).comparator(Equality).shadow_policy(timeout);
        let runner = builder.build();
        let slow = async {
            smol::Timer::after(Duration::from_millis(5)).await;
            Ok(2)
        };
        assert_eq!(runner.run_detached("anna", ready(Ok(1)), slow).await, Ok(1));
        assert_eq!(runner.run_detached("anna", ready(Ok(1)), pending()).await, Ok(1));
        assert_eq!(runner.run_detached("anna", ready(Ok(1)), ready(Ok(1))).await, Ok(1));
        settle(&runner);
        let counts = runner.counts();
        assert_eq!((counts.matched + counts.mismatched, counts.timed_out, counts.faults.runtime), (2, 1, 0));
    });
}

#[test]
fn shadows_run_on_a_runtime_of_their_own() {
    on_each(|| async {
        let builder = DualRunner::builder("search", PARALLEL).comparator(Equality);
        let runner = builder.runtime(ThreadRuntime::new("shadows")).build();
        let name = async { (thread::current().name() == Some("shadows")).then_some(1).ok_or_else(String::new) };
        assert_eq!(runner.run_detached("anna", ready(Ok(1)), name).await, Ok(1));
        settle(&runner);
        assert_eq!(runner.counts().matched, 1);
    });
}

#[test]
fn a_controller_changes_and_rolls_back() {
    on_each(|| async {
        let controller = MigrationController::open("search", MemoryStore::new()).await.unwrap();
        controller.transition(SystemMode::GradualRollout, "ana", "go").await.unwrap();
        controller.set_rollout(Percentage::HUNDRED, "ana", "go").await.unwrap();
        assert_eq!(controller.route("anna").serve, Side::New);
        controller.emergency_rollback("ben", "wrong totals").await;
        assert_eq!((controller.mode(), controller.status().epoch), (SystemMode::EmergencyRollback, 3));
    });
}

/// Reads well and never ends a write.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl StateStore for Hanging {
    async fn load(&self, _: &MigrationId) -> Result<Option<Record>, StoreError> {
        Ok(None)
    }

    async fn compare_and_swap(&self, _: &MigrationId, _: Expect, _: &Change) -> Result<Record, StoreError> {
        pending().await
    }

    async fn history(&self, _: &MigrationId, _: u64, _: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(Vec::new())
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

#[test]
fn a_change_of_a_hanging_store_ends_at_its_deadline() {
    on_each(|| async {
        let builder = MigrationController::builder("search", Hanging).store_deadline(Duration::from_millis(20));
        let controller = builder.open().await.unwrap();
        let changed = controller.transition(SystemMode::Parallel, "ana", "go").await;
        assert!(matches!(changed, Err(ChangeError::Store(_))), "{changed:?}");
        assert_eq!(controller.mode(), SystemMode::LegacyOnly);
    });
}

#[test]
fn a_validator_stops_a_case_that_hangs() {
    on_each(|| async {
        let cases = [Case::equals("hangs", 1_u64, 1), Case::equals("ends", 2, 2)];
        let validator = MigrationValidator::new(cases).unwrap();
        let validator = validator.case_timeout(Duration::from_millis(20), HostRuntime).concurrency(2);
        let side = async |input: u64| if input == 1 { pending().await } else { Ok::<_, String>(input) };
        let report = validator.run(side).await;
        assert_eq!((report.passed, report.failures[0].kind), (1, FailureKind::TimedOut));
    });
}
