//! Our futures can be sent to another thread when the caller's can, and ordinary futures and closures are good enough
//! where they are not sent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cutover::control::Resolution;
use cutover::validate::{Case, record_from};
use cutover::{
    Claims, DualRunner, Equality, Guard, HostRuntime, MemoryStore, MigrationController, MigrationValidator,
    ParallelRun, Percentage, PerformanceMonitor, PlanDriver, RolloutPlan, Route, Side, SystemMode,
};
use futures::executor::block_on;
use serde_json::json;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

/// Compiles for futures that can be sent, and gives them back.
const fn sent<F: Future + Send>(future: F) -> F {
    future
}

/// As an executor of many threads spawns them.
fn spawned<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(move || block_on(future)).join().map_err(|_| "the future panicked").unwrap()
}

/// A runner whose sides answer with text.
fn runner() -> DualRunner<String, String> {
    DualRunner::builder("text", PARALLEL).comparator(Equality).build()
}

async fn answer(text: &str) -> Result<String, String> {
    tokio::task::yield_now().await;
    Ok(text.to_owned())
}

#[test]
fn the_futures_of_a_runner_can_be_sent() {
    let (runner, user, text) = (runner(), "anna".to_owned(), "hello".to_owned());
    let borrowed = || answer(&text);
    block_on(sent(runner.run(&user, borrowed(), borrowed()))).unwrap();
    block_on(sent(runner.call(&user).context(|| json!({ "user": user })).run(borrowed(), borrowed()))).unwrap();
    block_on(sent(runner.call(&user).twin(borrowed()).run(borrowed(), borrowed()))).unwrap();
    block_on(sent(runner.call(7_u64).context(|| 1).twin(borrowed()).run(borrowed(), borrowed()))).unwrap();
    block_on(sent(runner.run_detached(&user, answer("a"), answer("a")))).unwrap();
    block_on(sent(runner.call(&user).context(|| 1).run_detached(answer("a"), answer("a")))).unwrap();
    assert_eq!(runner.counts().selected, 6);
}

#[test]
fn a_handler_that_is_spawned_runs_calls() {
    let runner = runner();
    let served = spawned(async move {
        let (user, text) = (String::from("anna"), String::from("hello"));
        let both = runner.call(&user).context(|| &text).twin(answer(&text)).run(answer(&text), answer(&text)).await?;
        let detached = runner.run_detached(&user, answer("x"), answer("x")).await?;
        let sync = runner.run_sync(&user, || Ok(text.clone()), || Ok(text.clone()))?;
        Ok::<_, String>((both, detached, sync, runner.counts().in_flight() <= 1))
    });
    assert_eq!(served, Ok(("hello".into(), "x".into(), "hello".into(), true)));
}

#[test]
fn the_futures_of_a_controller_of_claims_and_of_a_validator_can_be_sent() {
    spawned(async {
        let opened = sent(MigrationController::open("search", MemoryStore::new())).await.unwrap();
        sent(opened.transition(SystemMode::GradualRollout, "ana", "go")).await.unwrap();
        sent(opened.set_rollout(Percentage::HUNDRED, "ana", "go")).await.unwrap();
        sent(opened.set_shadow_share(None, "ana", "go")).await.unwrap();
        sent(opened.reconcile("ana", "go")).await.unwrap();
        sent(opened.reconcile_expecting(0, None, "ana", "go")).await.unwrap_err();
        sent(opened.refresh()).await.unwrap();
        assert!(sent(opened.check_health_now()).await.is_none());
        sent(opened.emergency_rollback("ana", "stop")).await;
        assert_eq!(sent(opened.history(0, 10)).await.unwrap().len(), 3);
    });
    spawned(async {
        let store = MemoryStore::new();
        let opened = MigrationController::open("triage", store.clone()).await.unwrap();
        let claims = Claims::new(&opened, store, "ana").unwrap();
        let claim = sent(claims.claim("ticket 17", Side::Legacy, 0, Claims::MAX_TTL)).await.unwrap();
        let ended = sent(claim.ended());
        sent(claim.complete()).await.unwrap();
        sent(claim.release()).await.unwrap_err();
        drop((sent(claims.claimed("ticket 17")).await.unwrap(), claim));
        sent(ended).await;
        assert_eq!(sent(claims.stuck(10)).await.unwrap().len(), 0);
        sent(claims.reconcile(10, async |_| Resolution::Retry)).await.unwrap();
    });
    spawned(async {
        let cases = [Case::equals("one", 1_u64, 2)];
        let validator = MigrationValidator::new(cases).unwrap().case_timeout(Duration::from_secs(60), HostRuntime);
        let report = sent(validator.run(|input: u64| ready(Ok::<_, String>(input + 1)))).await;
        assert_eq!(report.passed, 1);
        let recording = sent(record_from([("one", 1_u64)], |input: u64| ready(Ok::<_, String>(input)))).await;
        assert_eq!(recording.cases.len(), 1);
    });
}

#[test]
fn the_futures_of_a_plan_can_be_sent() {
    spawned(async {
        let store = MemoryStore::new();
        let opened = MigrationController::open("search", store.clone()).await.unwrap();
        let claims = Claims::new(&opened, store, "ana").unwrap();
        let monitor = Arc::new(PerformanceMonitor::new());
        let plan = RolloutPlan::five_week_ramp();
        let driver = PlanDriver::new(plan, &opened, claims, monitor.clone(), Guard::default());
        sent(driver.look_once()).await;
        drop(sent(driver.run()));
        sent(driver.pause("ana", "wait")).await.unwrap();
        sent(driver.approve("tenth", "ana", "fine")).await.unwrap_err();
        sent(driver.abort("ana", "stop")).await.unwrap();
        drop(sent(ParallelRun::new(&opened, monitor, Guard::default()).run("ana", "compare")));
    });
}

/// Neither `Send`, nor `UnwindSafe`, nor `Clone`, nor `Debug`.
struct Ordinary(Rc<Cell<u32>>);

#[test]
fn ordinary_closures_and_futures_will_do() {
    let same = |legacy: &Ordinary, new: &Ordinary| Rc::ptr_eq(&legacy.0, &new.0);
    let runner = DualRunner::<Ordinary, Rc<str>>::builder("ordinary", PARALLEL).comparator(same).build();
    let (calls, log) = (Rc::new(Cell::new(0)), RefCell::new(Vec::new()));
    let answer = |who| {
        calls.set(calls.get() + 1);
        log.borrow_mut().push(who);
        Ok(Ordinary(Rc::clone(&calls)))
    };
    let served = runner.run_sync("key", || answer("legacy"), || answer("new")).ok().unwrap();
    assert_eq!(served.0.get(), 2);
    let both = runner.call("key").context(|| log.borrow().len()).twin(async { answer("twin") });
    block_on(both.run(async { answer("legacy") }, async { answer("new") })).ok().unwrap();
    assert_eq!((log.borrow().len(), runner.counts().matched), (5, 2));
}
