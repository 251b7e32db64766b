//! Items that somebody has begun and not ended.

use std::cell::RefCell;
use std::future::ready;
use std::time::Duration;

use cutover::control::{NotClaimed, Resolution, Stuck};
use cutover::store::{ClaimError, ClaimStore};
use cutover::testing::{FailingStore, Fault as FailingWrite, VirtualRuntime};
use cutover::{Claims, MemoryStore, MigrationController, Runtime, Side, SystemMode};
use futures::future::join;

use super::claims_common::{Fault, Process, yield_once};
use super::{TTL, World};

#[test]
fn stuck_items_are_claimed_anew_before_they_are_judged() {
    let world = World::new();
    let lost = ["done", "undone"].map(|item| world.claim(&world.ana, item).unwrap());
    let alive = world.claim(&world.ana, "alive").unwrap();
    let tokens = lost.map(|claim| claim.token());
    assert_eq!(tokens, [1, 1]);
    world.pass(2 * TTL);
    let stuck = world.runtime.run(world.ben.claims.stuck(10)).unwrap();
    let items: Vec<_> = stuck.iter().map(|claim| (claim.item.as_str(), claim.holder.as_str())).collect();
    assert_eq!(items, [("done", "ana"), ("undone", "ana")]);
    let settled = world.runtime.run(world.ben.claims.reconcile(10, async |stuck: Stuck| {
        assert_eq!((stuck.lost.token, stuck.token, stuck.side), (1, 2, Side::Legacy));
        let late = world.store.store();
        let fenced = late.complete(&"triage".parse().unwrap(), &stuck.lost.item, stuck.lost.token).await;
        assert!(matches!(fenced, Err(ClaimError::Lost { token: 1 })), "{fenced:?}");
        world.runtime.sleep(Duration::from_secs(600)).await;
        if stuck.lost.item.as_str() == "done" { Resolution::Completed } else { Resolution::Retry }
    }));
    let settled = settled.unwrap();
    assert_eq!((settled.completed, settled.retried, settled.skipped, settled.unsettled), (1, 1, 0, 0));
    assert!(matches!(world.claim(&world.ana, "done"), Err(NotClaimed::Completed)));
    assert_eq!(world.claim(&world.ana, "undone").unwrap().token(), 3);
    assert!(alive.still_valid());
}

#[test]
fn what_a_side_began_is_settled_by_the_one_that_serves_now() {
    let world = World::new();
    drop(world.claim(&world.ana, "ticket 17").unwrap());
    world.change(&world.ana, SystemMode::Parallel);
    world.change(&world.ana, SystemMode::NewOnly);
    world.pass(TTL);
    let mut sides = Vec::new();
    let settled = world.runtime.run(world.ben.claims.reconcile(10, |stuck| {
        sides.push((stuck.lost.side, stuck.side, stuck.lost.epoch));
        ready(Resolution::Retry)
    }));
    assert_eq!((settled.unwrap().retried, sides), (1, vec![(Side::Legacy, Side::New, 0)]));
}

#[test]
fn two_that_reconcile_at_once_judge_no_item_twice() {
    let world = World::new();
    for item in ["a", "b", "c"] {
        drop(world.claim(&world.ana, item).unwrap());
    }
    world.pass(TTL);
    let judged = RefCell::new(Vec::new());
    let reconcile = |process: &Process| {
        let claims = process.claims.clone();
        let judged = &judged;
        async move {
            let judge = async |stuck: Stuck| {
                judged.borrow_mut().push(stuck.lost.item.as_str().to_owned());
                yield_once().await;
                Resolution::Completed
            };
            claims.reconcile(10, judge).await.unwrap()
        }
    };
    let (one, two) = world.runtime.run(join(reconcile(&world.ana), reconcile(&world.ben)));
    judged.borrow_mut().sort();
    assert_eq!(*judged.borrow(), ["a", "b", "c"]);
    assert_eq!((one.completed + two.completed, one.skipped + two.skipped), (3, 3));
}

#[test]
fn an_item_that_cannot_be_settled_is_counted_as_such_and_is_stuck_again() {
    let world = World::new();
    drop(world.claim(&world.ana, "ticket 17").unwrap());
    world.pass(TTL);
    let settled = world.runtime.run(world.ben.claims.reconcile(10, |_| {
        world.store.set_standing(Some(Fault::Unavailable));
        ready(Resolution::Completed)
    }));
    assert_eq!(settled.unwrap().unsettled, 1);
    world.store.set_standing(None);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.runtime.run(world.ben.claims.stuck(10)).unwrap().len(), 1);
    let kept = world.runtime.run(world.ben.claims.claimed("ticket 17")).unwrap().unwrap();
    assert_eq!((kept.token, kept.holder.as_str()), (2, "ben"));
}

#[test]
fn a_stuck_item_of_another_record_is_claimed_three_times_and_then_left_alone() {
    for (conflicts, settled) in [(2, 1), (3, 0)] {
        let runtime = VirtualRuntime::new();
        let store = FailingStore::new(MemoryStore::with_clock(runtime.clock()), runtime.clone());
        let builder = MigrationController::builder("triage", store.clone()).runtime(runtime.clone());
        let controller = runtime.run(builder.clock(runtime.clock()).manual_refresh().open()).unwrap();
        let claims = Claims::new(&controller, store.clone(), "ana").unwrap();
        drop(runtime.run(claims.claim("ticket 17", Side::Legacy, 0, TTL)).unwrap());
        runtime.run(runtime.sleep(TTL));
        store.script_writes(vec![Some(FailingWrite::Conflict); conflicts]);
        let reconciled = runtime.run(claims.reconcile(10, |_| ready(Resolution::Completed))).unwrap();
        assert_eq!((reconciled.completed, reconciled.unsettled), (settled, 1 - settled), "{conflicts} conflicts");
    }
}
