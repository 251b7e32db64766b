//! Whatever traffic, breaches, crashes, outages and operators come, in whatever order: no step forward without evidence, an
//! abort wins, and one automatic transition a cool-down.
#![cfg(feature = "testing")]
#![expect(clippy::indexing_slicing, reason = "JSON without a member gives null")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use cutover::guard::Guard;
use cutover::monitor::Baseline;
use cutover::plan::{Reversibility, Step};
use cutover::store::AuditEntry;
use cutover::testing::{FailingStore, Fault, SeededRandom, VirtualRuntime};
use cutover::{
    Claims, DualRunner, Equality, MemoryStore, MigrationController, Percentage, PerformanceMonitor, PlanDriver,
    RolloutPlan, SystemMode,
};
use proptest::prelude::*;

const COOL_DOWN: Duration = Duration::from_secs(120);
const HOLD: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
enum Event {
    /// So many seconds of calls, with a look each ten seconds.
    Traffic(u64),
    /// From now on new fails in so many of 100 calls.
    Breach(u64),
    Approve,
    Acknowledge,
    Crash,
    Outage(bool),
    Pause,
    Resume,
    Abort,
    /// The operator leaves the emergency and begins anew.
    Recover,
    ByHand(SystemMode),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let mode = prop::sample::select(SystemMode::ALL.to_vec());
    let event = prop_oneof![
        12 => (20..120_u64).prop_map(Event::Traffic),
        2 => prop::sample::select(vec![0, 0, 30, 100]).prop_map(Event::Breach),
        4 => Just(Event::Approve),
        2 => Just(Event::Acknowledge),
        1 => Just(Event::Crash),
        2 => prop::sample::select(vec![true, false, false]).prop_map(Event::Outage),
        1 => Just(Event::Pause),
        2 => Just(Event::Resume),
        1 => Just(Event::Abort),
        3 => Just(Event::Recover),
        1 => mode.prop_map(Event::ByHand),
    ];
    prop::collection::vec(event, 1..40)
}

fn plan() -> RolloutPlan {
    let gradual = |name: &str, share| Step::gradual(name, Percentage::new(share).unwrap()).hold(HOLD).min_samples(100);
    RolloutPlan::builder("ramp")
        .step(Step::parallel("compare").hold(HOLD).min_samples(100))
        .step(gradual("quarter", 25.0).approved_by_a_person())
        .step(gradual("half", 50.0))
        .step(
            Step::new_only("all")
                .hold(HOLD)
                .min_samples(100)
                .reversibility(Reversibility::ForwardOnly)
                .on_breach(cutover::plan::OnBreach::Freeze),
        )
        .build()
        .unwrap()
}

/// One process: its controller, its driver, and the runner whose calls they judge.
struct Process {
    controller: MigrationController,
    driver: PlanDriver,
    runner: DualRunner<u32, ()>,
}

struct World {
    runtime: VirtualRuntime,
    memory: MemoryStore,
    store: FailingStore<MemoryStore>,
    process: Option<Process>,
    /// Of 100 calls of new so many fail.
    failing: u64,
    out: bool,
    calls: u64,
    started: u64,
}

impl World {
    fn new() -> Self {
        let runtime = VirtualRuntime::new();
        let memory = MemoryStore::with_clock(runtime.clock());
        let store = FailingStore::new(memory.clone(), runtime.clone());
        let mut world = Self { runtime, memory, store, process: None, failing: 0, out: false, calls: 0, started: 0 };
        world.start();
        world
    }

    /// Starts a process, if the store lets it.
    fn start(&mut self) {
        self.started += 1;
        let clock = self.runtime.clock();
        let baseline =
            Baseline { p95: Duration::from_millis(50), calls: 10_000, calls_per_second: 10.0, error_rate: 0.0 };
        let monitor = PerformanceMonitor::builder().clock(clock.clone()).baseline(baseline).build().unwrap();
        let monitor = Arc::new(monitor);
        let builder = MigrationController::builder("search", self.store.clone())
            .runtime(self.runtime.clone())
            .clock(clock.clone())
            .random(SeededRandom::new(self.started))
            .manual_refresh();
        let Ok(controller) = self.runtime.run(builder.open()) else { return };
        let claims = Claims::new(&controller, self.store.clone(), "a process").unwrap();
        let guard = Guard::default().cool_down(COOL_DOWN);
        let driver = PlanDriver::new(plan(), &controller, claims, monitor.clone(), guard);
        let runner = DualRunner::builder("search", controller.clone())
            .comparator(Equality)
            .clock(clock)
            .observe(monitor)
            .build();
        self.process = Some(Process { controller, driver, runner });
    }

    fn crash(&mut self) {
        drop(self.process.take());
        self.runtime.drop_tasks();
    }

    fn traffic(&mut self, seconds: u64) {
        let clock = self.runtime.clock();
        for second in 0..seconds {
            for _ in 0..20 {
                self.calls += 1;
                let fails = (self.calls.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % 100 < self.failing;
                let Some(process) = &self.process else { break };
                let new = || if fails { Err(()) } else { Ok(1) };
                let _ = process.runner.run_sync(self.calls, || Ok(1), new);
                clock.advance(Duration::from_millis(50));
            }
            if second % 10 == 9 {
                self.look();
            }
        }
    }

    fn look(&self) {
        if let Some(process) = &self.process {
            let aborted = process.controller.mode() == SystemMode::EmergencyRollback;
            let report = self.runtime.run(process.driver.look_once());
            let mode = process.controller.mode();
            assert!(!aborted || mode == SystemMode::EmergencyRollback, "a look left an emergency: {report:?}");
        }
    }

    fn operate(&self, event: Event) {
        let Some(Process { controller, driver, .. }) = &self.process else { return };
        // What is refused changes nothing; the audit shows what was taken.
        self.runtime.run(async {
            match event {
                Event::Approve => drop(driver.approve("quarter", "ana", "fine").await),
                Event::Acknowledge => drop(driver.acknowledge("all", "ana", "known").await),
                Event::Pause => drop(driver.pause("ana", "wait").await),
                Event::Resume => drop(driver.resume("ana", "go on").await),
                Event::Abort => drop(driver.abort("ana", "stop").await),
                Event::Recover => {
                    drop(controller.transition(SystemMode::LegacyOnly, "ana", "mended").await);
                    drop(driver.restart("ana", "again").await);
                }
                Event::ByHand(mode) => drop(controller.transition(mode, "ana", "by hand").await),
                Event::Traffic(_) | Event::Breach(_) | Event::Crash | Event::Outage(_) => {}
            }
        });
        if matches!(event, Event::Abort) {
            assert_eq!(controller.mode(), SystemMode::EmergencyRollback, "an abort wins, whatever the store does");
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Traffic(seconds) => self.traffic(seconds),
            Event::Breach(failing) => self.failing = failing,
            Event::Crash => self.crash(),
            Event::Outage(out) => {
                self.out = out;
                self.store.set_standing(out.then_some(Fault::Unavailable));
            }
            Event::Approve
            | Event::Acknowledge
            | Event::Pause
            | Event::Resume
            | Event::Abort
            | Event::Recover
            | Event::ByHand(_) => self.operate(event),
        }
        if self.process.is_none() {
            self.runtime.clock().advance(Duration::from_secs(70));
            self.start();
        }
    }

    fn audit(&self) -> Vec<AuditEntry> {
        let reader = MigrationController::builder("search", self.memory.clone()).runtime(self.runtime.clone());
        self.runtime.run(async {
            let reader = reader.manual_refresh().open().await.unwrap();
            reader.verify().await.unwrap();
            let mut entries: Vec<AuditEntry> = Vec::new();
            loop {
                let page = reader.history(entries.last().map_or(0, |entry| entry.epoch), 200).await.unwrap();
                if page.is_empty() {
                    return entries;
                }
                entries.extend(page);
            }
        })
    }
}

fn is_automatic(entry: &AuditEntry) -> bool {
    entry.actor.as_str() == "plan ramp" && entry.before.unwrap_or_default() != entry.after
}

/// Which step of the plan an entry enters, if it enters one.
fn entered(entry: &AuditEntry) -> Option<usize> {
    let evidence = entry.evidence.as_ref().filter(|evidence| evidence["event"] == "entered")?;
    Some(plan().position(evidence["step"].as_str().unwrap()).unwrap())
}

/// What the audit must never show; says how many steps and rollbacks it shows.
fn check(audit: &[AuditEntry]) -> Result<(usize, usize), TestCaseError> {
    let (mut place, mut steps, mut rollbacks) = (None, 0, 0);
    let (mut last_rollback, mut by_hand) = (None, false);
    for entry in audit {
        let evidence = entry.evidence.clone().unwrap_or_default();
        if let Some(entered) = entered(entry) {
            steps += 1;
            prop_assert_eq!(entered, place.map_or(0, |place: usize| place + 1), "one step at a time: {:?}", entry);
            prop_assert_ne!(entry.before.unwrap_or_default().mode, SystemMode::EmergencyRollback);
            if entered > 0 {
                let guard = &evidence["guard"];
                prop_assert_ne!(&guard["verdict"], "regressed", "{:?}", entry);
                let criteria = guard["criteria"].as_array().unwrap();
                // NewOnly has nothing to compare with, and 25 % on compare nothing: what was proven stands.
                let needed = criteria.iter().filter(|report| entered == 1 || report["criterion"] != "validation");
                for report in needed {
                    prop_assert_eq!(&report["verdict"], "healthy", "{:?}", entry);
                    prop_assert!(report["trials"].as_u64() > Some(0), "{:?}", entry);
                }
            }
            place = Some(entered);
        }
        let rolls_back = is_automatic(entry) && entry.after.mode == SystemMode::EmergencyRollback;
        if is_automatic(entry) || evidence["event"] == "entered" {
            let since = last_rollback.map(|at| entry.at.duration_since(at).unwrap_or_default());
            // A rollback waits for nothing: a person may have exposed new again, by hand.
            let waited = since.is_none_or(|since| since >= COOL_DOWN);
            prop_assert!(waited || (rolls_back && by_hand), "{:?} after a rollback: {:?}", since, entry);
        }
        by_hand |= !is_automatic(entry);
        if rolls_back {
            (rollbacks, last_rollback, by_hand) = (rollbacks + 1, Some(entry.at), false);
        }
        if evidence["event"] == "restarted" {
            place = None;
        }
    }
    Ok((steps, rollbacks))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_moves_a_plan_without_evidence_or_past_an_abort(events in events()) {
        let mut world = World::new();
        for event in events {
            world.happen(event);
        }
        world.store.heal();
        check(&world.audit())?;
    }
}

/// The sequences above reach what they are about.
#[test]
fn a_good_day_comes_to_the_end_and_a_breach_on_the_way_is_rolled_back() {
    use Event::{Acknowledge, Approve, Breach, Recover, Traffic};
    let mut world = World::new();
    for event in [Traffic(200), Approve, Traffic(300), Breach(30), Traffic(100)] {
        world.happen(event);
    }
    let (steps, rollbacks) = check(&world.audit()).unwrap();
    assert!(steps >= 2 && rollbacks == 1, "{steps} steps, {rollbacks} rollbacks");
    for event in [Breach(0), Recover, Traffic(400), Approve, Traffic(600), Acknowledge, Traffic(300)] {
        world.happen(event);
    }
    let audit = world.audit();
    assert_eq!(check(&audit).unwrap().1, 1);
    assert_eq!(audit.last().unwrap().after.mode, SystemMode::NewOnly);
}
