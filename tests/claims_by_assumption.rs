//! A process that started without its store, by an assumption, claims nothing for new before it knows the record.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cutover::control::{Claim, NotClaimed, Resolution, StartPolicy};
use cutover::testing::{FailingStore, Fault, VirtualRuntime};
use cutover::{Claims, MemoryStore, MigrationController, Side, StoreError, SystemMode};

const TTL: Duration = Duration::from_secs(30);

struct World {
    runtime: VirtualRuntime,
    memory: MemoryStore,
    store: FailingStore<MemoryStore>,
}

impl World {
    fn new() -> Self {
        let runtime = VirtualRuntime::new();
        let memory = MemoryStore::with_clock(runtime.clock());
        Self { store: FailingStore::new(memory.clone(), runtime.clone()), memory, runtime }
    }

    /// A controller that has not heard the store, which answers from now on.
    fn assuming(&self, mode: SystemMode) -> MigrationController {
        self.store.script_reads([Some(Fault::Unavailable)]);
        let builder = MigrationController::builder("triage", self.store.clone())
            .runtime(self.runtime.clone())
            .clock(self.runtime.clock())
            .on_unreachable(StartPolicy::Assume(mode))
            .manual_refresh();
        let controller = self.runtime.run(builder.open()).unwrap();
        assert!(controller.status().assumed);
        controller
    }

    fn claim(&self, controller: &MigrationController, side: Side) -> Result<Claim, NotClaimed> {
        let claims = Claims::new(controller, self.store.clone(), "worker").unwrap();
        self.runtime.run(claims.claim("ticket 17", side, controller.route("ticket 17").epoch, TTL))
    }
}

#[test]
fn an_empty_store_grants_new_nothing_and_legacy_what_it_asks_for() {
    for mode in [SystemMode::NewOnly, SystemMode::GradualRollout] {
        let world = World::new();
        let controller = world.assuming(mode);
        let refused = world.claim(&controller, Side::New).map(drop).unwrap_err();
        assert!(matches!(refused, NotClaimed::Assumed) && refused.is_outdated(), "{mode}: {refused:?}");
        let again = controller.route("ticket 17");
        assert_eq!((again.serve, controller.status().assumed), (Side::Legacy, false), "the store was read");
        world.claim(&controller, again.serve).unwrap();

        let world = World::new();
        world.claim(&world.assuming(mode), Side::Legacy).unwrap();
    }
}

#[test]
fn while_the_store_is_silent_neither_side_claims() {
    for side in [Side::Legacy, Side::New] {
        let world = World::new();
        let controller = world.assuming(SystemMode::NewOnly);
        world.store.script_reads([Some(Fault::Unavailable)]);
        let refused = world.claim(&controller, side).map(drop);
        assert!(matches!(refused, Err(NotClaimed::Store(StoreError::Unavailable(_)))), "{refused:?}");
        assert!(controller.status().assumed);
    }
}

#[test]
fn new_claims_once_it_is_routed_by_the_record() {
    let world = World::new();
    let operator =
        world.runtime.run(MigrationController::builder("triage", world.memory.clone()).manual_refresh().open());
    world.runtime.run(operator.unwrap().transition(SystemMode::GradualRollout, "ana", "go")).unwrap();
    let controller = world.assuming(SystemMode::NewOnly);
    assert!(matches!(world.claim(&controller, Side::New), Err(NotClaimed::Assumed)));
    world.claim(&controller, Side::New).unwrap();
}

#[test]
fn what_new_left_behind_is_settled_by_the_side_that_the_store_names() {
    let world = World::new();
    drop(world.claim(&world.assuming(SystemMode::NewOnly), Side::Legacy).unwrap());
    world.runtime.clock().advance(TTL + Duration::from_secs(1));
    let claims = Claims::new(&world.assuming(SystemMode::NewOnly), world.store.clone(), "janitor").unwrap();
    let settled = world.runtime.run(claims.reconcile(10, async |stuck| match stuck.side {
        Side::Legacy => Resolution::Completed,
        Side::New => panic!("new serves nothing"),
    }));
    assert_eq!(settled.unwrap().completed, 1);
}
