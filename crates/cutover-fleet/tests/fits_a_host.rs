//! What a host needs of the types: handles that are shared, futures that are spawned, traits that are objects.

mod world;

use std::sync::Arc;

use cutover_fleet::{
    Backups, Check, Conversion, Diagnostics, Escalation, Fleet, FleetObserver, Lifecycle, SystemMigrator, Traffic,
};
use world::{BLUE_GREEN, World, inventory};

fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
fn is_spawned<F: Future + Send>(_: F) {}

#[test]
fn handles_are_shared_and_futures_can_be_spawned() {
    let world = World::new();
    let fleet: Fleet = world.fleet(&inventory(&["billing"], BLUE_GREEN));
    let migrator: SystemMigrator = fleet.system("billing").unwrap();
    is_shared(&fleet);
    is_shared(&migrator);
    is_spawned(fleet.run());
    is_spawned(fleet.report());
    is_spawned(migrator.migrate());
    is_spawned(migrator.recover("ana", "why"));
    is_spawned(migrator.decommission("ana", "why"));
    is_spawned(migrator.back_up("ana", "why"));
}

#[expect(dead_code, clippy::too_many_arguments, reason = "it only has to compile")]
fn traits_are_objects(
    _: Arc<dyn Lifecycle>,
    _: Arc<dyn Traffic>,
    _: Arc<dyn Backups>,
    _: Arc<dyn Diagnostics>,
    _: Arc<dyn Conversion>,
    _: Arc<dyn Check>,
    _: Arc<dyn Escalation>,
    _: Arc<dyn FleetObserver>,
) {
}

#[test]
fn an_unknown_system_is_an_error_that_says_which_there_are() {
    let fleet = World::new().fleet(&inventory(&["billing", "search"], BLUE_GREEN));
    let error = fleet.system("biling").unwrap_err();
    assert_eq!(error.to_string(), "the fleet has no system `biling`; it has billing, search");
}
