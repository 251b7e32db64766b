//! What the tests of health checks share: a check that answers as told, and an observer that keeps what it hears.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::control::{BoxError, ControllerBuilder, HealthCheck, HealthSchedule, SideHealth, async_trait};
use cutover::observe::Event;
use cutover::testing::{SeededRandom, VirtualRuntime};
use cutover::{Clock, MemoryStore, MigrationController, Observer, Runtime, Side};

pub(crate) const SECRET: &str = "canary-password";
pub(crate) const SEED: u64 = 7;

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn every_ten() -> HealthSchedule {
    HealthSchedule::every(secs(10)).timeout(secs(2))
}

pub(crate) fn builder(runtime: &VirtualRuntime) -> ControllerBuilder {
    MigrationController::builder("search", MemoryStore::new())
        .runtime(runtime.clone())
        .clock(runtime.clock())
        .random(SeededRandom::new(SEED))
}

pub(crate) fn checked(runtime: &VirtualRuntime, check: impl HealthCheck + 'static) -> MigrationController {
    runtime.run(builder(runtime).health_check(Side::New, check, every_ten()).open()).unwrap()
}

pub(crate) fn advance(runtime: &VirtualRuntime, duration: Duration) {
    runtime.run(runtime.sleep(duration));
    runtime.run_until_idle();
}

pub(crate) fn new_side(controller: &MigrationController) -> SideHealth {
    controller.status().health.and_then(|health| health.new).unwrap()
}

/// Answers as told, and notes when it was asked and how many of its checks ran at once.
#[derive(Clone)]
pub(crate) struct Scripted(pub(crate) Arc<Script>);

pub(crate) struct Script {
    pub(crate) runtime: VirtualRuntime,
    pub(crate) answer: Mutex<Answer>,
    pub(crate) asked: Mutex<Vec<Duration>>,
    pub(crate) running: AtomicU64,
    pub(crate) most: AtomicU64,
}

#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Well,
    Ill,
    Panic,
    Hang,
    After(Duration),
}

impl Scripted {
    pub(crate) fn new(runtime: &VirtualRuntime, answer: Answer) -> Self {
        Self(Arc::new(Script {
            runtime: runtime.clone(),
            answer: Mutex::new(answer),
            asked: Mutex::default(),
            running: AtomicU64::new(0),
            most: AtomicU64::new(0),
        }))
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.0.answer.lock().unwrap() = answer;
    }

    pub(crate) fn asked(&self) -> Vec<Duration> {
        self.0.asked.lock().unwrap().clone()
    }
}

/// Counts out when the check ends or is dropped.
struct Running<'a>(&'a AtomicU64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl HealthCheck for Scripted {
    async fn check(&self) -> Result<(), BoxError> {
        let script = &self.0;
        let now = script.runtime.clock().now().as_nanos();
        script.asked.lock().unwrap().push(Duration::from_nanos(now));
        script.most.fetch_max(script.running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let _running = Running(&script.running);
        let answer = *script.answer.lock().unwrap();
        match answer {
            Answer::Well => Ok(()),
            Answer::Ill => Err(SECRET.into()),
            Answer::Panic => panic!("{SECRET}"),
            Answer::Hang => pending().await,
            Answer::After(duration) => {
                script.runtime.sleep(duration).await;
                Ok(())
            }
        }
    }
}

/// Keeps what it hears.
#[derive(Clone, Default)]
pub(crate) struct Heard(pub(crate) Arc<Mutex<Vec<Event>>>);

impl Observer for Heard {
    fn observe(&self, source: &str, event: &Event) {
        assert_eq!(source, "search");
        self.0.lock().unwrap().push(*event);
    }

    fn never_blocks(&self) -> bool {
        true
    }
}
