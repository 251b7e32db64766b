//! An item is claimed before either side starts, so exactly one side processes it, whatever happens to mode, store, clock
//! and worker.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod claims_common;
#[path = "claims/cut_off.rs"]
mod cut_off;
#[path = "claims/spread.rs"]
mod spread;
#[path = "claims/stuck.rs"]
mod stuck;

use std::time::{Duration, SystemTime};

use claims_common::{Bumpy, Fault, Process};
use cutover::control::{Claim, NotClaimed};
use cutover::store::{ClaimError, ClaimRecord, ClaimState, ClaimStore};
use cutover::testing::VirtualRuntime;
use cutover::{Claims, Clock, MemoryStore, Runtime, Side, StoreError, SystemMode};
use futures::future::join_all;

use Fault::{Delay, Hang, Lost, Panic, SlowAnswer, Unavailable, UnknownAfterApplying, UnknownWithoutApplying};

const TTL: Duration = Duration::from_secs(3);
/// The claim of an item with this time to live ends here before it does in the store.
const LOCAL: Duration = Duration::from_millis(2_250);

struct World {
    runtime: VirtualRuntime,
    store: Bumpy,
    ana: Process,
    ben: Process,
}

impl World {
    /// Two processes; nothing is stored, so legacy serves.
    fn new() -> Self {
        let runtime = VirtualRuntime::new();
        let store = Bumpy::new(&runtime);
        let [ana, ben] = ["ana", "ben"].map(|name| Process::start(&runtime, &store, name));
        Self { runtime, store, ana, ben }
    }

    fn claim(&self, process: &Process, item: &str) -> Result<Claim, NotClaimed> {
        let route = process.controller.route(item);
        self.runtime.run(process.claims.claim(item, route.serve, route.epoch, TTL))
    }

    fn pass(&self, duration: Duration) {
        self.runtime.run(self.runtime.sleep(duration));
    }

    fn change(&self, process: &Process, mode: SystemMode) {
        self.runtime.run(process.controller.transition(mode, "ana", "test")).unwrap();
    }

    fn lose_all(&self) {
        self.store.with(|script| script.store = MemoryStore::with_clock(self.runtime.clock()));
    }

    fn calls(&self) -> u64 {
        self.store.with(|script| script.calls)
    }

    /// What the store says, whatever is scripted.
    fn stored(&self, item: &str) -> Option<ClaimRecord> {
        let (id, item) = ("triage".parse().unwrap(), item.parse().unwrap());
        self.runtime.run(self.store.store().claimed(&id, &item)).unwrap()
    }
}

#[test]
fn of_many_workers_in_two_processes_one_gets_the_item() {
    let world = World::new();
    let both = [&world.ana, &world.ben];
    let tries = (0..20).map(|worker| both[worker % 2].claims.claim("ticket 17", Side::Legacy, 0, TTL));
    let answers = world.runtime.run(join_all(tries));
    let held = answers.iter().filter(|answer| matches!(answer, Err(NotClaimed::Held { .. }))).count();
    let granted: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!((granted.len(), held), (1, 19));
    assert_eq!((granted[0].token(), granted[0].side(), granted[0].item().as_str()), (1, Side::Legacy, "ticket 17"));
}

#[test]
fn a_mode_that_changes_between_route_and_claim_refuses_it_before_either_side_starts() {
    let world = World::new();
    world.change(&world.ana, SystemMode::Parallel);
    let route = world.ana.controller.route("ticket 17");
    world.runtime.run(world.ben.controller.refresh()).unwrap();
    world.change(&world.ben, SystemMode::NewOnly);
    let refused = world.runtime.run(world.ana.claims.claim("ticket 17", route.serve, route.epoch, TTL)).unwrap_err();
    assert!(matches!(refused, NotClaimed::OutdatedRoute { routed: 1, present: 2 }), "{refused:?}");
    assert!(refused.is_outdated());
    assert_eq!(world.stored("ticket 17"), None);
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    assert_eq!((claim.side(), claim.epoch()), (Side::New, 2), "the refusal has brought the new mode along");
}

#[test]
fn a_route_from_another_process_makes_this_one_read_the_store() {
    let world = World::new();
    world.change(&world.ben, SystemMode::Parallel);
    world.change(&world.ben, SystemMode::NewOnly);
    let route = world.ben.controller.route("ticket 17");
    let claim = world.runtime.run(world.ana.claims.claim("ticket 17", route.serve, route.epoch, TTL)).unwrap();
    assert_eq!((claim.side(), world.ana.controller.mode()), (Side::New, SystemMode::NewOnly));
    let unheard = world.runtime.run(world.ana.claims.claim("ticket 18", Side::New, 9, TTL));
    assert!(matches!(unheard, Err(NotClaimed::OutdatedRoute { routed: 9, present: 2 })), "{unheard:?}");
}

#[test]
fn a_side_that_serves_nothing_claims_nothing() {
    let world = World::new();
    let refused = world.runtime.run(world.ana.claims.claim("ticket 17", Side::New, 0, TTL)).unwrap_err();
    assert_eq!(refused.to_string(), "new serves nothing in legacy_only, so it claims nothing");
    assert_eq!(world.calls(), 0);
}

#[test]
fn what_is_no_item_or_no_time_is_refused_by_name() {
    let world = World::new();
    let claim = |item, ttl| world.runtime.run(world.ana.claims.claim(item, Side::Legacy, 0, ttl)).map(drop);
    let long = "x".repeat(513);
    for item in ["", " ", "a\nb", &long] {
        assert!(matches!(claim(item, TTL), Err(NotClaimed::Item(_))), "{item}");
    }
    for ttl in [Duration::ZERO, Duration::from_micros(99_999), Duration::from_secs(86_401), Duration::MAX] {
        assert!(matches!(claim("a", ttl), Err(NotClaimed::Ttl { ttl: named }) if named == ttl), "{ttl:?}");
    }
    let message = claim("a", Duration::from_millis(99)).unwrap_err().to_string();
    assert_eq!(message, "an item cannot be claimed for 99ms; allowed: 100ms to 86400s");
    assert!(Claims::new(&world.ana.controller, world.store.clone(), " ").is_err());
    assert_eq!(world.calls(), 0);
    claim("a", Claims::MIN_TTL).unwrap();
    claim("b", Claims::MAX_TTL).unwrap();
}

#[test]
fn a_renewed_claim_lives_on_beyond_its_time() {
    let world = World::new();
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    for _ in 0..100 {
        world.pass(TTL);
        assert!(claim.still_valid());
        assert!(matches!(world.claim(&world.ben, "ticket 17"), Err(NotClaimed::Held { .. })));
    }
    world.runtime.run(claim.complete()).unwrap();
    assert!(matches!(world.claim(&world.ben, "ticket 17"), Err(NotClaimed::Completed)));
}

#[test]
fn a_store_that_does_not_answer_lets_a_claim_end_here_before_it_ends_there() {
    for fault in [Unavailable, UnknownWithoutApplying, Hang, Panic] {
        let world = World::new();
        let claim = world.claim(&world.ana, "ticket 17").unwrap();
        let start = world.runtime.clock().now();
        world.store.set_standing(Some(fault));
        world.runtime.run(claim.ended());
        assert_eq!(world.runtime.clock().now().since(start), LOCAL, "{fault:?}");
        assert!(!claim.still_valid());
        let state = world.stored("ticket 17").unwrap().state;
        assert_eq!(state, ClaimState::Held { remaining: TTL.saturating_sub(LOCAL) }, "{fault:?}");
        world.store.set_standing(None);
        world.pass(TTL);
        assert!(!claim.still_valid(), "it never becomes valid again");
        assert!(matches!(world.stored("ticket 17").unwrap().state, ClaimState::Expired { .. }), "{fault:?}");
    }
}

#[test]
fn a_short_outage_costs_no_claim() {
    for fault in [Unavailable, UnknownWithoutApplying, UnknownAfterApplying, Hang, Panic] {
        let world = World::new();
        let claim = world.claim(&world.ana, "ticket 17").unwrap();
        world.store.script([Some(fault)]);
        world.pass(10 * TTL);
        assert!(claim.still_valid(), "{fault:?}");
    }
}

#[test]
fn a_refused_renewal_ends_a_claim_at_once() {
    let world = World::new();
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    let start = world.runtime.clock().now();
    world.store.script([Some(Lost)]);
    world.runtime.run(claim.ended());
    let ended = world.runtime.clock().now().since(start);
    assert!(ended >= TTL / 3 * 85 / 100 && ended <= TTL / 3 * 115 / 100, "{ended:?}");
    assert!(!claim.still_valid() && claim.remaining().is_zero());
    world.pass(TTL);
    assert_eq!((claim.still_valid(), world.runtime.pending_tasks()), (false, 0));
}

#[test]
fn a_claim_that_is_dropped_is_not_renewed_and_its_item_waits_until_the_time_is_up() {
    let world = World::new();
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    world.pass(10 * TTL);
    let ended = claim.ended();
    drop(claim);
    world.runtime.run(ended);
    world.runtime.run_until_idle();
    assert_eq!(world.runtime.pending_tasks(), 0, "the renewal has ended with its claim");
    assert!(matches!(world.claim(&world.ben, "ticket 17"), Err(NotClaimed::Held { .. })), "half of it may be done");
    world.pass(TTL);
    assert_eq!(world.claim(&world.ben, "ticket 17").unwrap().token(), 2);
}

#[test]
fn an_old_token_changes_nothing_any_more() {
    let world = World::new();
    let old = world.claim(&world.ana, "ticket 17").unwrap();
    world.store.set_standing(Some(Unavailable));
    world.pass(TTL);
    world.store.set_standing(None);
    let new = world.claim(&world.ben, "ticket 17").unwrap();
    assert_eq!((old.token(), new.token()), (1, 2));
    assert!(matches!(world.runtime.run(old.release()), Err(ClaimError::Lost { token: 1 })));
    assert!(matches!(world.runtime.run(old.complete()), Err(ClaimError::Lost { token: 1 })));
    assert!(new.still_valid());
    world.runtime.run(new.complete()).unwrap();
    assert!(matches!(world.runtime.run(old.complete()), Err(ClaimError::Completed)));
}

#[test]
fn a_released_item_is_free_at_once() {
    let world = World::new();
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    world.runtime.run(claim.release()).unwrap();
    assert!(!claim.still_valid());
    assert_eq!(world.claim(&world.ben, "ticket 17").unwrap().token(), 2);
}

#[test]
fn an_unknown_outcome_is_asked_for_again_and_counted_once() {
    let unknown = [UnknownAfterApplying, UnknownWithoutApplying, Panic, Hang];
    for lines in [vec![], vec![Unavailable], vec![UnknownAfterApplying], vec![Panic, Unavailable]] {
        for first in unknown {
            let script = || [first].into_iter().chain(lines.clone()).map(Some);
            let world = World::new();
            world.store.script(script());
            let claim = world.claim(&world.ana, "ticket 17").unwrap();
            assert_eq!(claim.token(), 1, "{first:?}, {lines:?}");
            world.store.script(script());
            world.runtime.run(claim.release()).unwrap();
            let claim = world.claim(&world.ana, "ticket 17").unwrap();
            world.store.script(script());
            world.runtime.run(claim.complete()).unwrap();
            assert_eq!(world.stored("ticket 17").unwrap().state, ClaimState::Completed);
        }
    }
}

#[test]
fn the_time_that_an_answer_takes_is_not_the_claims() {
    let world = World::new();
    let slow = Duration::from_millis(1_500);
    world.store.script([Some(SlowAnswer(slow))]);
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    assert_eq!(claim.remaining(), LOCAL.saturating_sub(slow));
}

#[test]
fn the_time_that_the_answer_to_a_renewal_takes_is_not_the_claims() {
    let world = World::new();
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    world.store.set_standing(Some(SlowAnswer(Duration::from_millis(400))));
    world.pass(TTL);
    let ClaimState::Held { remaining } = world.stored("ticket 17").unwrap().state else { unreachable!() };
    assert_eq!(claim.remaining() + TTL.saturating_sub(LOCAL), remaining);
}

#[test]
fn a_claim_that_has_ended_is_not_renewed_though_nobody_has_looked() {
    let world = World::new();
    let _claim = world.claim(&world.ana, "ticket 17").unwrap();
    world.store.set_standing(Some(Unavailable));
    world.pass(LOCAL);
    world.store.set_standing(None);
    world.pass(TTL);
    assert!(matches!(world.stored("ticket 17").unwrap().state, ClaimState::Expired { .. }));
    assert_eq!(world.runtime.pending_tasks(), 0);
}

#[test]
fn a_claim_that_is_confirmed_later_ends_when_the_first_grant_does() {
    let world = World::new();
    let start = world.runtime.clock().now();
    world.store.script([Some(SlowAnswer(TTL))]);
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    world.store.set_standing(Some(Unavailable));
    world.runtime.run(claim.ended());
    assert_eq!((claim.token(), world.runtime.clock().now().since(start)), (1, LOCAL));
}

#[test]
fn a_claim_that_is_never_confirmed_is_no_claim_and_its_item_is_free_when_the_time_is_up() {
    let world = World::new();
    world.store.set_standing(Some(UnknownAfterApplying));
    let unknown = world.claim(&world.ana, "ticket 17");
    assert!(matches!(unknown, Err(NotClaimed::Store(StoreError::OutcomeUnknown(_)))), "{unknown:?}");
    world.store.set_standing(None);
    assert!(matches!(world.claim(&world.ben, "ticket 17"), Err(NotClaimed::Held { .. })));
    world.pass(TTL);
    assert_eq!(world.claim(&world.ben, "ticket 17").unwrap().token(), 2);
}

#[test]
fn a_grant_that_comes_too_late_is_given_back() {
    let world = World::new();
    world.store.script([Some(Delay(Duration::from_millis(750)))]);
    let ttl = Duration::from_secs(1);
    let refused = world.runtime.run(world.ana.claims.claim("ticket 17", Side::Legacy, 0, ttl)).unwrap_err();
    assert!(matches!(refused, NotClaimed::Late { ttl: named } if named == ttl), "{refused:?}");
    assert!(world.claim(&world.ben, "ticket 17").is_ok());
}

#[test]
fn before_an_emergency_is_stored_new_claims_nothing_and_legacy_goes_on() {
    let world = World::new();
    world.change(&world.ana, SystemMode::Parallel);
    world.change(&world.ana, SystemMode::NewOnly);
    let route = world.ana.controller.route("ticket 17");
    assert_eq!(route.serve, Side::New);
    world.store.set_state_down(true);
    drop(world.ana.controller.emergency_rollback("ana", "wrong labels"));
    let refused = world.runtime.run(world.ana.claims.claim("ticket 17", route.serve, route.epoch, TTL)).unwrap_err();
    assert!(matches!(refused, NotClaimed::Unpersisted) && refused.is_outdated(), "{refused:?}");
    assert_eq!(world.claim(&world.ana, "ticket 17").unwrap().side(), Side::Legacy);
    world.runtime.run(world.ben.claims.claim("ticket 17", Side::New, 2, TTL)).unwrap_err();
}

#[test]
fn in_doubt_new_claims_nothing_and_legacy_goes_on() {
    let world = World::new();
    world.change(&world.ana, SystemMode::Parallel);
    world.change(&world.ana, SystemMode::GradualRollout);
    world.lose_all();
    let refused = world.runtime.run(world.ana.claims.claim("ticket 17", Side::New, 2, TTL)).unwrap_err();
    assert!(matches!(refused, NotClaimed::InDoubt(_)) && !refused.is_outdated(), "{refused:?}");
    let legacy = world.runtime.run(world.ana.claims.claim("ticket 17", Side::Legacy, 2, TTL)).unwrap();
    assert_eq!(legacy.token(), 1);
}

#[test]
fn a_legacy_claim_goes_by_what_the_store_holds_at_the_very_moment_of_the_loss() {
    let world = World::new();
    world.change(&world.ana, SystemMode::Parallel);
    world.lose_all();
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    assert_eq!((claim.side(), world.ana.controller.status().doubt.is_some()), (Side::Legacy, true));
}

#[test]
fn the_time_of_day_may_jump_an_hour() {
    for back in [true, false] {
        let world = World::new();
        let claim = world.claim(&world.ana, "ticket 17").unwrap();
        let (clock, hour) = (world.runtime.clock(), Duration::from_secs(3_600));
        let wall: SystemTime = if back { clock.wall() - hour } else { clock.wall() + hour };
        clock.set_wall(wall);
        assert_eq!(claim.remaining(), LOCAL);
        world.pass(100 * TTL);
        assert!(claim.still_valid());
        world.store.set_standing(Some(Unavailable));
        let before = clock.now();
        world.runtime.run(claim.ended());
        assert!(clock.now().since(before) <= LOCAL);
    }
}

#[test]
fn a_renewal_that_is_dropped_with_its_runtime_lets_the_claim_end_by_itself() {
    let world = World::new();
    let claim = world.claim(&world.ana, "ticket 17").unwrap();
    assert_eq!(world.runtime.drop_tasks(), 1);
    world.pass(LOCAL);
    assert!(!claim.still_valid());
}
