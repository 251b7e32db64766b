//! One switch moves every migration of a group, and a store that fails holds up no other one.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use cutover::control::{ChangeError, Changed, Group};
use cutover::observe::Event;
use cutover::store::MigrationId;
use cutover::testing::{FailingStore, Fault, SlowStore, VirtualRuntime};
use cutover::{
    Clock, MemoryStore, MigrationController, MigrationRegistry, Observer, Percentage, Runtime, Side, StateStore,
    SystemMode,
};
use futures::FutureExt;
use futures::future::BoxFuture;

type Store = FailingStore<SlowStore<MemoryStore>>;
type Answers = Vec<(MigrationId, Result<Changed, ChangeError>)>;

/// In another order than that of the ids.
const MEMBERS: [&str; 4] = ["stock", "cart", "payment", "invoice"];
const SORTED: [&str; 4] = ["cart", "invoice", "payment", "stock"];
/// How long a call of a store takes, there and back.
const CALL: Duration = Duration::from_millis(100);

/// Four migrations in the group `checkout` and one outside of it, all served by new, with a store each.
struct Shop {
    runtime: VirtualRuntime,
    registry: MigrationRegistry,
    stores: BTreeMap<String, Store>,
}

impl Shop {
    fn new() -> Self {
        let runtime = VirtualRuntime::new();
        let mut shop = Self { registry: MigrationRegistry::new(), stores: BTreeMap::new(), runtime };
        for id in MEMBERS {
            shop.add(id, &["checkout"]);
        }
        shop.add("search", &["other"]);
        shop
    }

    fn add(&mut self, id: &str, groups: &[&str]) {
        let slow = SlowStore::new(MemoryStore::new(), self.runtime.clone(), CALL / 2);
        let store = FailingStore::new(slow, self.runtime.clone());
        self.stores.insert(id.to_owned(), store.clone());
        self.registry.register(self.ramped(id, store), groups).unwrap();
    }

    fn ramped(&self, id: &str, store: Store) -> MigrationController {
        let builder = MigrationController::builder(id, store);
        let builder = builder.runtime(self.runtime.clone()).clock(self.runtime.clock());
        let controller = self.runtime.run(builder.open()).unwrap();
        self.runtime.run(controller.transition(SystemMode::GradualRollout, "ana", "ramp")).unwrap();
        self.runtime.run(controller.set_rollout(Percentage::HUNDRED, "ana", "ramp")).unwrap();
        controller
    }

    fn checkout(&self) -> Group {
        self.registry.group("checkout").unwrap()
    }

    fn serves(&self, id: &str) -> Side {
        self.registry.get(id).unwrap().route("user-17").serve
    }

    fn stored_mode(&self, id: &str) -> SystemMode {
        self.runtime.run(self.stores[id].load(&id.parse().unwrap())).unwrap().unwrap().mode
    }

    fn took<T>(&self, call: impl Future<Output = T>) -> (T, Duration) {
        let started = self.runtime.clock().now();
        let answer = self.runtime.run(call);
        (answer, self.runtime.clock().now().since(started))
    }
}

fn ids<T>(answers: &[(MigrationId, T)]) -> Vec<&str> {
    answers.iter().map(|(id, _)| id.as_str()).collect()
}

fn find(answers: Answers, id: &str) -> Result<Changed, ChangeError> {
    answers.into_iter().find(|(found, _)| found.as_str() == id).unwrap().1
}

#[test]
fn an_emergency_holds_in_every_member_at_once_and_is_stored_where_the_store_takes_it() {
    for fault in [Fault::Hang, Fault::Unavailable, Fault::Panic, Fault::Corrupt] {
        let shop = Shop::new();
        shop.stores["cart"].set_standing(Some(fault));
        let stored = shop.checkout().emergency_rollback("ana", "wrong totals");
        assert!(MEMBERS.iter().all(|id| shop.serves(id) == Side::Legacy), "{fault:?}");
        assert_eq!((ids(&stored), shop.serves("search")), (SORTED.to_vec(), Side::New));
        shop.runtime.run(shop.runtime.sleep(Duration::from_secs(1)));
        for (id, stored) in &stored {
            assert_eq!(stored.clone().now_or_never().is_some(), id.as_str() != "cart", "{fault:?}: {id}");
        }
        for id in ["invoice", "payment", "stock"] {
            assert_eq!(shop.stored_mode(id), SystemMode::EmergencyRollback, "{fault:?}");
        }
        shop.stores["cart"].heal();
        for (_, stored) in stored {
            shop.runtime.run(stored);
        }
        assert_eq!(shop.stored_mode("cart"), SystemMode::EmergencyRollback, "{fault:?}");
    }
}

/// Counts, whenever a task is spawned, how many migrations are still served by new.
#[derive(Debug, Clone)]
struct Inspecting {
    runtime: VirtualRuntime,
    registry: MigrationRegistry,
    on_new: Arc<Mutex<Vec<usize>>>,
}

impl Runtime for Inspecting {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let controllers = self.registry.ids().into_iter().filter_map(|id| self.registry.get(id.as_str()));
        let on_new = controllers.filter(|controller| controller.route("user-17").serve == Side::New).count();
        self.on_new.lock().unwrap().push(on_new);
        self.runtime.spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.runtime.sleep(duration)
    }
}

#[test]
fn an_emergency_holds_in_all_of_them_before_the_first_store_is_touched() {
    type Switch = fn(&MigrationRegistry);
    let switches: [Switch; 3] = [
        |registry| drop(registry.group("checkout").unwrap().emergency_rollback("ana", "wrong totals")),
        |registry| drop(registry.emergency_rollback_all("ana", "wrong totals")),
        |registry| {
            let checkout = registry.group("checkout").unwrap();
            let to = SystemMode::EmergencyRollback;
            drop(checkout.transition(to, "ana", "wrong totals").now_or_never());
        },
    ];
    for switch in switches {
        let (runtime, registry) = (VirtualRuntime::new(), MigrationRegistry::new());
        let inspecting = Inspecting { runtime: runtime.clone(), registry: registry.clone(), on_new: Arc::default() };
        for id in MEMBERS {
            let opened = MigrationController::builder(id, MemoryStore::new()).runtime(inspecting.clone()).open();
            let controller = runtime.run(opened).unwrap();
            for mode in [SystemMode::GradualRollout, SystemMode::NewOnly] {
                runtime.run(controller.transition(mode, "ana", "they agree")).unwrap();
            }
            registry.register(controller, &["checkout"]).unwrap();
        }
        inspecting.on_new.lock().unwrap().clear();
        switch(&registry);
        assert_eq!(*inspecting.on_new.lock().unwrap(), [0, 0, 0, 0]);
    }
}

#[test]
fn an_emergency_of_all_reaches_every_group_and_those_in_none() {
    let mut shop = Shop::new();
    shop.add("mail", &[]);
    let stored = shop.registry.emergency_rollback_all("ana", "fire");
    assert_eq!(ids(&stored), ["cart", "invoice", "mail", "payment", "search", "stock"]);
    assert!(shop.stores.keys().all(|id| shop.serves(id) == Side::Legacy));
}

#[test]
fn a_refused_or_failing_member_stops_no_other_and_the_order_is_that_of_the_ids() {
    let shop = Shop::new();
    let cart = shop.registry.get("cart").unwrap();
    shop.runtime.run(cart.emergency_rollback("ben", "wrong totals"));
    shop.stores["payment"].set_standing(Some(Fault::Unavailable));
    let answers = shop.runtime.run(shop.checkout().transition(SystemMode::NewOnly, "ana", "they agree"));
    assert_eq!(ids(&answers), SORTED);
    let verdicts: Vec<_> =
        answers.iter().map(|(_, answer)| answer.as_ref().map(|changed| changed.after.mode)).collect();
    assert!(matches!(verdicts[0], Err(ChangeError::Transition(_))), "{verdicts:?}");
    assert!(matches!(verdicts[2], Err(ChangeError::Store(_))), "{verdicts:?}");
    assert!(matches!((&verdicts[1], &verdicts[3]), (Ok(SystemMode::NewOnly), Ok(SystemMode::NewOnly))));
    assert_eq!(shop.registry.get("search").unwrap().mode(), SystemMode::GradualRollout);
}

#[test]
fn bad_texts_change_nothing_in_any_member() {
    let shop = Shop::new();
    let answers = shop.runtime.run(shop.checkout().transition(SystemMode::NewOnly, "ana", " "));
    assert!(answers.iter().all(|(_, answer)| matches!(answer, Err(ChangeError::Text(_)))));
    assert!(MEMBERS.iter().all(|id| shop.stored_mode(id) == SystemMode::GradualRollout));
}

#[test]
fn all_members_change_at_the_same_time() {
    let shop = Shop::new();
    let stock = shop.registry.get("stock").unwrap();
    let (_, alone) = shop.took(stock.transition(SystemMode::NewOnly, "ana", "they agree"));
    let (answers, together) = shop.took(shop.checkout().transition(SystemMode::Parallel, "ana", "compare again"));
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()), "{answers:?}");
    assert_eq!(together, alone, "as long as one takes");
}

#[test]
fn a_transition_to_the_emergency_says_which_members_have_stored_it() {
    let shop = Shop::new();
    shop.stores["invoice"].set_standing(Some(Fault::Hang));
    let checkout = shop.checkout();
    let switch = checkout.transition(SystemMode::EmergencyRollback, "ana", "wrong totals");
    let (answers, took) = shop.took(switch);
    assert_eq!((ids(&answers), took), (SORTED.to_vec(), Duration::from_secs(2)), "one deadline of a store call");
    assert!(MEMBERS.iter().all(|id| shop.serves(id) == Side::Legacy));
    let unstored: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_err()).map(|(id, _)| id.as_str()).collect();
    assert_eq!(unstored, ["invoice"]);
    let changed = find(answers, "cart").unwrap();
    assert_eq!((changed.before.mode, changed.before.rollout), (SystemMode::GradualRollout, Percentage::HUNDRED));
    assert_eq!(changed.after.mode, SystemMode::EmergencyRollback);
}

#[test]
fn what_is_registered_during_a_switch_is_left_alone_and_is_in_the_next_one() {
    let mut shop = Shop::new();
    let checkout = shop.checkout();
    let mut switch = Box::pin(checkout.transition(SystemMode::Parallel, "ana", "compare again"));
    assert!(switch.as_mut().now_or_never().is_none(), "under way");
    shop.add("refund", &["checkout"]);
    shop.registry.remove("stock").unwrap();
    let answers = shop.runtime.run(switch);
    assert_eq!(ids(&answers), SORTED);
    assert_eq!(shop.serves("refund"), Side::New);
    let stored = checkout.emergency_rollback("ana", "wrong totals");
    assert_eq!(ids(&stored), ["cart", "invoice", "payment", "refund"]);
    assert_eq!(shop.serves("refund"), Side::Legacy);
}

/// Looks into the registry whenever it is told something.
#[derive(Clone, Default)]
struct Curious(Arc<OnceLock<MigrationRegistry>>, Arc<Mutex<Vec<usize>>>);

impl Observer for Curious {
    fn observe(&self, _source: &str, _event: &Event) {
        if let Some(registry) = self.0.get() {
            self.1.lock().unwrap().push(registry.statuses().len());
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

#[test]
fn whoever_hears_of_a_switch_may_use_the_registry() {
    let (runtime, registry, curious) = (VirtualRuntime::new(), MigrationRegistry::new(), Curious::default());
    let builder = MigrationController::builder("cart", MemoryStore::new()).runtime(runtime.clone());
    let controller = runtime.run(builder.observe(curious.clone()).open()).unwrap();
    registry.register(controller, &["checkout"]).unwrap();
    curious.0.set(registry.clone()).unwrap();
    drop(registry.group("checkout").unwrap().emergency_rollback("ana", "wrong totals"));
    assert_eq!(*curious.1.lock().unwrap(), [1]);
}
