//! Observers hear of every change that is refused, of what happens to a plan, and of every claim from its beginning to its
//! one end.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "another test uses the rest")]
mod claims_common;
mod plan_common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use claims_common::{Bumpy, Fault};
use cutover::control::{ControllerBuilder, Proposal, Resolution};
use cutover::guard::Action;
use cutover::observe::{ClaimEnd, ClaimRefusal, Event, PlanEvent, Refusal};
use cutover::plan::RolloutPlan;
use cutover::testing::VirtualRuntime;
use cutover::{Claims, MemoryStore, MigrationController, Observer, Percentage, Runtime, Side, SystemMode};
use plan_common::{HOUR, Process, builder, ramp};
use serde_json::json;

/// Keeps the events that are about changes, plans and claims.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Event>>>);

impl Observer for Heard {
    fn observe(&self, _: &str, event: &Event) {
        let is_told = matches!(
            event,
            Event::ChangeRefused { .. }
                | Event::PlanMoved { .. }
                | Event::Claimed { .. }
                | Event::NotClaimed { .. }
                | Event::ClaimEnded { .. }
        );
        if is_told {
            self.0.lock().unwrap().push(*event);
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

impl Heard {
    /// What was heard since the last time.
    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn open(runtime: &VirtualRuntime, builder: ControllerBuilder) -> (MigrationController, Heard) {
    let heard = Heard::default();
    let controller = runtime.run(builder.observe(heard.clone()).open()).unwrap();
    (controller, heard)
}

#[test]
fn each_refused_change_is_told_by_its_reason_and_nothing_else_is() {
    let runtime = VirtualRuntime::new();
    let (search, heard) = open(&runtime, builder(&runtime, MemoryStore::new(), 1));
    let refused = |why| vec![Event::ChangeRefused { why }];

    runtime.run(search.transition(SystemMode::Parallel, "", "no actor")).unwrap_err();
    assert_eq!(heard.take(), refused(Refusal::Text));
    runtime.run(search.transition(SystemMode::NewOnly, "ana", "too early")).unwrap_err();
    assert_eq!(heard.take(), refused(Refusal::Transition));
    runtime.run(search.set_rollout(Percentage::HUNDRED, "ana", "all")).unwrap_err();
    assert_eq!(heard.take(), refused(Refusal::RolloutFixed));
    let late = Proposal::to(SystemMode::Parallel).expecting(7, None);
    runtime.run(search.propose(&late, "ana", "late")).unwrap_err();
    assert_eq!(heard.take(), refused(Refusal::Outdated));
    let large = Proposal::new().evidence(json!("x".repeat(Proposal::MAX_EVIDENCE)));
    runtime.run(search.propose(&large, "ana", "much")).unwrap_err();
    assert_eq!(heard.take(), refused(Refusal::Evidence));

    runtime.run(search.transition(SystemMode::Parallel, "ana", "go")).unwrap();
    runtime.run(search.transition(SystemMode::Parallel, "ana", "again")).unwrap();
    runtime.run(search.emergency_rollback("ben", ""));
    assert_eq!(heard.take(), [], "what is taken, or holds already, is not refused");
}

#[test]
fn a_store_that_fails_refuses_and_an_emergency_that_it_does_not_take_is_none() {
    let runtime = VirtualRuntime::new();
    let store = Bumpy::new(&runtime);
    let (search, heard) = open(&runtime, builder(&runtime, store.clone(), 1));
    store.set_state_down(true);
    runtime.run(search.transition(SystemMode::Parallel, "ana", "go")).unwrap_err();
    assert_eq!(heard.take(), [Event::ChangeRefused { why: Refusal::Store }]);
    runtime.run(search.transition(SystemMode::EmergencyRollback, "ben", "wrong")).unwrap_err();
    assert_eq!(heard.take(), [], "it holds in this process");
}

fn moved(event: PlanEvent, step: Option<usize>) -> Vec<Event> {
    vec![Event::PlanMoved { event, step }]
}

/// A process that drives a plan, the events about the plan that it tells, and one look of it.
struct World {
    runtime: VirtualRuntime,
    process: Process,
    heard: Heard,
}

impl World {
    fn new(plan: RolloutPlan) -> Self {
        let runtime = VirtualRuntime::new();
        let store = MemoryStore::with_clock(runtime.clock());
        let (controller, heard) = open(&runtime, builder(&runtime, store.clone(), 1));
        let process = Process::with(controller, &store, plan);
        Self { runtime, process, heard }
    }

    fn looked(&self) -> Vec<Event> {
        self.runtime.run(self.process.driver.look_once());
        self.of_plan()
    }

    fn of_plan(&self) -> Vec<Event> {
        self.heard.take().into_iter().filter(|event| matches!(event, Event::PlanMoved { .. })).collect()
    }
}

#[test]
fn a_plan_tells_of_each_step_once_and_of_its_end() {
    let world = World::new(ramp());
    for step in 0..4 {
        assert_eq!(world.looked(), moved(PlanEvent::Entered, Some(step)));
        assert_eq!(world.looked(), [], "it holds");
        world.runtime.clock().advance(HOUR);
    }
    assert_eq!(world.looked(), moved(PlanEvent::Done, Some(3)));
    assert_eq!(world.looked(), []);
}

#[test]
fn what_people_say_to_a_plan_is_told_and_so_is_what_a_guard_makes_of_it() {
    let world = World::new(ramp());
    let driver = &world.process.driver;
    world.looked();
    world.runtime.run(driver.pause("ana", "we look first")).unwrap();
    assert_eq!(world.of_plan(), moved(PlanEvent::Paused, None));
    world.runtime.run(driver.resume("ana", "go on")).unwrap();
    assert_eq!(world.of_plan(), moved(PlanEvent::Resumed, None));
    world.runtime.run(driver.approve("half", "ana", "not the next one")).unwrap_err();
    world.runtime.run(driver.expecting(0, None).pause("ana", "late")).unwrap_err();
    assert_eq!(world.of_plan(), [], "nothing was said to it");
    world.process.judge.set(|script| script.action = Some(Action::Rollback));
    assert_eq!(world.looked(), moved(PlanEvent::RolledBack, Some(0)));
    world.runtime.run(driver.restart("ana", "mended")).unwrap();
    assert_eq!(world.of_plan(), moved(PlanEvent::Restarted, None));
    world.runtime.run(driver.abort("ben", "never mind")).unwrap();
    assert_eq!(world.of_plan(), moved(PlanEvent::Aborted, None));
}

const TTL: Duration = Duration::from_secs(3);
const CLAIMED: Event = Event::Claimed { side: Side::Legacy };

fn ended(end: ClaimEnd) -> Event {
    Event::ClaimEnded { side: Side::Legacy, end }
}

/// A process that claims, from a store that fails when it is told to.
fn claiming() -> (VirtualRuntime, Bumpy, Claims, Heard) {
    let runtime = VirtualRuntime::new();
    let store = Bumpy::new(&runtime);
    let (controller, heard) = open(&runtime, builder(&runtime, store.clone(), 1));
    let claims = Claims::new(&controller, store.clone(), "worker 3").unwrap();
    (runtime, store, claims, heard)
}

#[test]
fn a_claim_is_told_when_it_begins_and_once_when_it_ends() {
    let (runtime, _, claims, heard) = claiming();
    let claim = |item: &str| runtime.run(claims.claim(item, Side::Legacy, 0, TTL)).unwrap();
    let [completed, released, dropped] = ["a", "b", "c"].map(claim);
    assert_eq!(heard.take(), [CLAIMED; 3]);
    runtime.run(completed.complete()).unwrap();
    runtime.run(completed.complete()).unwrap();
    drop(completed);
    assert_eq!(heard.take(), [ended(ClaimEnd::Completed)]);
    runtime.run(released.release()).unwrap();
    drop(released);
    assert_eq!(heard.take(), [ended(ClaimEnd::Released)]);
    drop(dropped);
    assert_eq!(heard.take(), [ended(ClaimEnd::Dropped)]);
}

#[test]
fn a_claim_that_the_store_takes_away_is_lost_whoever_finds_out() {
    let (runtime, store, claims, heard) = claiming();
    let claim = |item: &str| runtime.run(claims.claim(item, Side::Legacy, 0, TTL)).unwrap();
    let renewing = claim("a");
    store.set_standing(Some(Fault::Lost));
    runtime.run(runtime.sleep(TTL));
    assert_eq!(heard.take(), [CLAIMED, ended(ClaimEnd::Lost)], "by its renewal");
    runtime.run(renewing.complete()).unwrap_err();
    drop(renewing);
    assert_eq!(heard.take(), []);
    store.set_standing(None);
    let completing = claim("b");
    store.set_standing(Some(Fault::Lost));
    runtime.run(completing.complete()).unwrap_err();
    assert_eq!(heard.take(), [CLAIMED, ended(ClaimEnd::Lost)], "by its completion");
}

#[test]
fn a_claim_whose_end_the_store_does_not_confirm_ends_when_it_is_dropped() {
    let (runtime, store, claims, heard) = claiming();
    let claim = runtime.run(claims.claim("a", Side::Legacy, 0, TTL)).unwrap();
    store.set_standing(Some(Fault::Unavailable));
    runtime.run(claim.complete()).unwrap_err();
    assert_eq!(heard.take(), [CLAIMED]);
    store.set_standing(None);
    drop(claim);
    assert_eq!(heard.take(), [ended(ClaimEnd::Dropped)]);
}

#[test]
fn what_is_not_claimed_is_told_by_its_reason() {
    let (runtime, store, claims, heard) = claiming();
    let refused = |item: &str, side, epoch, ttl| {
        runtime.run(claims.claim(item, side, epoch, ttl)).unwrap_err();
        match heard.take()[..] {
            [Event::NotClaimed { side: told, why }] if told == side => why,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused("", Side::Legacy, 0, TTL), ClaimRefusal::Item);
    assert_eq!(refused("a", Side::Legacy, 0, Duration::ZERO), ClaimRefusal::Ttl);
    assert_eq!(refused("a", Side::New, 0, TTL), ClaimRefusal::NotServing);
    assert_eq!(refused("a", Side::Legacy, 9, TTL), ClaimRefusal::OutdatedRoute);
    let held = runtime.run(claims.claim("a", Side::Legacy, 0, TTL)).unwrap();
    heard.take();
    assert_eq!(refused("a", Side::Legacy, 0, TTL), ClaimRefusal::Held);
    runtime.run(held.complete()).unwrap();
    heard.take();
    assert_eq!(refused("a", Side::Legacy, 0, TTL), ClaimRefusal::Completed);
    store.set_standing(Some(Fault::Unavailable));
    assert_eq!(refused("b", Side::Legacy, 0, TTL), ClaimRefusal::Store);
}

#[test]
fn what_is_reconciled_is_claimed_and_ended_like_everything_else() {
    let (runtime, _, claims, heard) = claiming();
    drop(runtime.run(claims.claim("a", Side::Legacy, 0, TTL)).unwrap());
    runtime.run(runtime.sleep(2 * TTL));
    heard.take();
    let settled = runtime.run(claims.reconcile(10, async |_| Resolution::Retry)).unwrap();
    assert_eq!((settled.retried, heard.take()), (1, vec![CLAIMED, ended(ClaimEnd::Released)]));
}
