//! A registry knows each migration of a process once, and says what it does not know.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;

use cutover::control::{Group, RegisterError};
use cutover::{MemoryStore, MigrationController, MigrationRegistry, SystemMode};
use futures::executor::block_on;

fn controller(id: &str) -> MigrationController {
    block_on(MigrationController::open(id, MemoryStore::new())).unwrap()
}

fn names<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Vec<String> {
    names.into_iter().map(|name| name.as_ref().to_owned()).collect()
}

#[test]
fn what_was_registered_is_found_sorted_by_id() {
    let registry = MigrationRegistry::new();
    for (id, groups) in [("search", vec!["reads"]), ("cart", vec!["checkout", "reads"]), ("audit", vec![])] {
        registry.register(controller(id), &groups).unwrap();
    }
    assert_eq!(names(registry.ids()), ["audit", "cart", "search"]);
    assert_eq!(names(registry.statuses().iter().map(|status| &status.id)), ["audit", "cart", "search"]);
    assert_eq!(names(registry.groups()), ["checkout", "reads"]);
    assert_eq!(names(registry.group("reads").unwrap().ids()), ["cart", "search"]);
    assert_eq!(names(registry.group("checkout").unwrap().statuses().iter().map(|status| &status.id)), ["cart"]);
    assert_eq!(registry.get("cart").unwrap().id().as_str(), "cart");
    for unknown in ["", "Cart", "car", "\0"] {
        assert!(registry.get(unknown).is_none(), "{unknown:?}");
    }
}

#[test]
fn clones_and_controllers_are_handles_on_the_same() {
    let registry = MigrationRegistry::new();
    let cart = controller("cart");
    let other = registry.clone();
    other.register(cart.clone(), &[]).unwrap();
    block_on(cart.transition(SystemMode::Parallel, "ana", "compare")).unwrap();
    assert_eq!(registry.get("cart").unwrap().mode(), SystemMode::Parallel);
    assert_eq!(registry.statuses().remove(0).mode, SystemMode::Parallel);
}

#[test]
fn an_id_that_is_taken_is_refused_and_the_first_one_stays() {
    let registry = MigrationRegistry::new();
    let first = controller("cart");
    block_on(first.transition(SystemMode::Parallel, "ana", "compare")).unwrap();
    registry.register(first, &["checkout"]).unwrap();
    let refused = registry.register(controller("cart"), &["other"]).unwrap_err();
    assert!(matches!(&refused, RegisterError::Taken { id } if id.as_str() == "cart"));
    assert_eq!(refused.to_string(), "the migration cart is registered already");
    assert_eq!(registry.get("cart").unwrap().mode(), SystemMode::Parallel);
    assert_eq!(names(registry.groups()), ["checkout"]);
}

#[test]
fn a_name_that_is_none_for_a_group_is_refused_and_nothing_changes() {
    let registry = MigrationRegistry::new();
    for name in ["", " ", "Checkout", "a b", "-a", "a/b", &"a".repeat(65)] {
        let refused = registry.register(controller("cart"), &["checkout", name]).unwrap_err();
        assert!(matches!(refused, RegisterError::Group(_)), "{name:?}: {refused}");
        assert!(refused.to_string().contains("is not the name of a group"), "{refused}");
    }
    assert!(registry.ids().is_empty() && registry.groups().is_empty());
}

#[test]
fn an_unknown_group_is_refused_and_the_known_ones_are_named() {
    let registry = MigrationRegistry::new();
    let refused = |name: &str| registry.group(name).unwrap_err();
    assert_eq!(refused("checkout").to_string(), "no migration is in a group `checkout`; there are no groups");
    registry.register(controller("cart"), &["checkout"]).unwrap();
    assert_eq!(refused("checkut").to_string(), "no migration is in a group `checkut`; there is checkout");
    let groups: Vec<_> = (0..30).map(|number| format!("group-{number:02}")).collect();
    let groups: Vec<_> = groups.iter().map(String::as_str).collect();
    registry.register(controller("twenty"), &groups[..19]).unwrap();
    assert!(refused("checkut").to_string().ends_with("group-17, group-18"), "all twenty");
    registry.register(controller("search"), &groups).unwrap();
    let error = refused(&"\u{1b}x".repeat(10_000));
    assert_eq!(error.known().len(), 31);
    let text = error.to_string();
    assert!(text.contains("there are checkout, group-00") && text.ends_with("group-18 and 11 more"), "{text}");
    assert!(text.len() < 700 && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_was_removed_is_gone_with_its_group_and_can_be_registered_again() {
    let registry = MigrationRegistry::new();
    registry.register(controller("cart"), &["checkout"]).unwrap();
    let group = registry.group("checkout").unwrap();
    let cart = registry.remove("cart").unwrap();
    assert!(registry.remove("cart").is_none() && registry.remove("?").is_none());
    assert!(registry.get("cart").is_none() && registry.group("checkout").is_err() && group.ids().is_empty());
    registry.register(cart, &["checkout"]).unwrap();
    assert_eq!(names(group.ids()), ["cart"], "a group looks anew");
}

/// Real threads: they register different ids at once, while others read, and none is lost.
#[test]
fn many_threads_register_and_read_at_once() {
    let registry = MigrationRegistry::new();
    thread::scope(|scope| {
        for part in 0..4 {
            let registry = registry.clone();
            scope.spawn(move || {
                for number in 0..25 {
                    registry.register(controller(&format!("m{part}-{number}")), &["all"]).unwrap();
                    let (ids, inside) = (registry.ids(), registry.group("all").unwrap().ids());
                    assert!(ids.is_sorted() && inside.len() >= ids.len(), "{ids:?} {inside:?}");
                }
            });
        }
    });
    assert_eq!(registry.ids().len(), 100);
}

/// Compiles only while handles can go to other threads.
#[test]
fn handles_are_send_and_sync_and_so_are_their_futures() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    fn crosses_threads<T: Send>(_: &T) {}
    shared::<MigrationRegistry>();
    shared::<Group>();
    let registry = MigrationRegistry::new();
    registry.register(controller("cart"), &["checkout"]).unwrap();
    let group = registry.group("checkout").unwrap();
    crosses_threads(&group.transition(SystemMode::Parallel, "ana", "compare"));
    crosses_threads(&group.emergency_rollback("ana", "stop"));
}
