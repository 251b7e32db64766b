//! Migrations come and go while groups of them are switched.

use cutover::control::RegisterError;
use cutover::store::MigrationId;
use cutover::{MigrationController, MigrationRegistry, SystemMode};
use shuttle::future::spawn;

use crate::explore::{Seen, controller_of, explore, pause};
use crate::store::{Line, Remote};

#[test]
fn a_group_is_switched_as_one_while_migrations_come_and_go() {
    let (late, overtaken) = (Seen::default(), Seen::default());
    let counted = (late.clone(), overtaken.clone());
    explore("a registry", move || come_and_go(counted.0.clone(), counted.1.clone()));
    late.assert_often("a migration came after the emergency");
    overtaken.assert_often("a migration came before the emergency, and was in it");
}

async fn come_and_go(late: Seen, overtaken: Seen) {
    let store = Remote::new(Line::Good);
    let registry = MigrationRegistry::new();
    for (seed, id) in (1..).zip(["cart", "payment"]) {
        registry.register(open(id, &store, seed).await, &["checkout"]).expect("the id is free");
    }
    let twins = [3, 4].map(|seed| spawn(register(registry.clone(), store.clone(), seed)));
    let switching = spawn(switch(registry.clone()));
    let removing = spawn(remove_and_return(registry.clone()));

    pause().await;
    pause().await;
    let inside = pull(&registry).await;
    (if inside.contains(&"search".parse().expect("it is one")) { overtaken } else { late }).happened();

    let mut registered = 0;
    for twin in twins {
        registered += usize::from(twin.await.expect("it was not cancelled"));
    }
    assert_eq!(registered, 1, "of two with the same id");
    switching.await.expect("it was not cancelled");
    removing.await.expect("it was not cancelled");
    check_end(&registry, &store, &inside).await;
}

async fn open(id: &str, store: &Remote, seed: u64) -> MigrationController {
    controller_of(id, store.clone(), seed).manual_refresh().open().await.expect("the store answers")
}

/// Whether this one was the first.
async fn register(registry: MigrationRegistry, store: Remote, seed: u64) -> bool {
    let controller = open("search", &store, seed).await;
    pause().await;
    match registry.register(controller, &["checkout", "all"]) {
        Ok(()) => {
            assert!(registry.get("search").is_some());
            assert!(registry.group("all").is_ok());
            true
        }
        Err(RegisterError::Taken { id }) => {
            assert_eq!(id.as_str(), "search");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

/// Takes a migration out and puts the same one back.
async fn remove_and_return(registry: MigrationRegistry) {
    pause().await;
    let cart = registry.remove("cart").expect("it is there");
    assert!(registry.get("cart").is_none() && registry.remove("cart").is_none());
    pause().await;
    registry.register(cart, &["checkout"]).expect("the id is free");
}

async fn switch(registry: MigrationRegistry) {
    pause().await;
    let checkout = registry.group("checkout").expect("somebody is always in it");
    let inside = checkout.ids();
    let changed = checkout.transition(SystemMode::Parallel, "ana", "compare").await;
    let ids: Vec<_> = changed.iter().map(|(id, _)| id.clone()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    // Who came and went in between may or may not be in it.
    assert!(ids.contains(&"payment".parse().expect("it is one")), "{inside:?}, {ids:?}");
}

/// Pulls every brake, and says whose.
async fn pull(registry: &MigrationRegistry) -> Vec<MigrationId> {
    let checkout = registry.group("checkout").expect("somebody is always in it");
    let stored = checkout.emergency_rollback("ben", "wrong totals");
    let pulled: Vec<_> = stored.iter().map(|(id, _)| id.clone()).collect();
    assert!(pulled.is_sorted(), "{pulled:?}");
    // It may have been taken out since.
    for controller in pulled.iter().filter_map(|id| registry.get(id.as_str())) {
        assert_eq!(controller.mode(), SystemMode::EmergencyRollback, "{}", controller.id());
    }
    for (_, stored) in stored {
        stored.await;
    }
    pulled
}

/// Everybody is there, and routes by what is stored; who was in the emergency still is.
async fn check_end(registry: &MigrationRegistry, store: &Remote, inside: &[MigrationId]) {
    let ids = registry.ids();
    assert!(ids.iter().map(MigrationId::as_str).eq(["cart", "payment", "search"]), "{ids:?}");
    assert_eq!(registry.group("checkout").expect("all are in it").ids(), ids);
    for id in ids {
        let controller = registry.get(id.as_str()).expect("it is there");
        controller.refresh().await.expect("the store answers");
        let stored = store.stored_of(&id).await.map(|record| record.mode).unwrap_or_default();
        assert_eq!(controller.mode(), stored, "{id}");
        assert_eq!(stored == SystemMode::EmergencyRollback, inside.contains(&id), "{id}: {stored}");
    }
}
