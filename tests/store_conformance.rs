//! `MemoryStore` keeps every law that the conformance kit checks, and so it does behind `SlowStore` and `FailingStore`.
#![cfg(feature = "testing")]

use std::sync::Arc;
use std::time::Duration;

use cutover::MemoryStore;
use cutover::Runtime;
use cutover::store::async_trait;
use cutover::testing::conformance::{
    ALL, Capabilities, Capability, FactoryError, Limits, StoreFactory, Stores, racing_writers_with_seed,
};
use cutover::testing::{FailingStore, ManualClock, SlowStore, VirtualRuntime};

/// Stores whose leases run out by a clock that only `wait` moves.
#[derive(Default)]
struct Memory {
    clock: ManualClock,
}

fn stores(store: &MemoryStore) -> Stores {
    Stores::new(store.clone(), store.clone()).with_claims(store.clone()).with_discrepancies(store.clone())
}

#[async_trait]
impl StoreFactory for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities::of(&[Capability::Claims, Capability::Discrepancies, Capability::Watch])
    }

    async fn fresh(&self) -> Result<Stores, FactoryError> {
        Ok(stores(&MemoryStore::with_clock(self.clock.clone())))
    }

    async fn reopen(&self, opened: &Stores) -> Result<Stores, FactoryError> {
        Ok(stores(opened.context::<MemoryStore>()?))
    }

    async fn wait(&self, duration: Duration) {
        self.clock.advance(duration);
    }
}

mod on_threads {
    cutover::conformance_tests!(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        super::Memory::default()
    );
}

mod without_tokio {
    cutover::conformance_tests!(block_on = futures::executor::block_on, super::Memory::default());
}

#[test]
fn the_macro_makes_a_test_of_every_check() {
    let made: &[&str] = cutover::conformance_tests!(@names [listed]);
    let listed: Vec<&str> = ALL.iter().map(|check| check.name).collect();
    assert_eq!(made, listed);
}

/// Stores behind calls that take a while, so that every call waits and every future can be dropped half way.
#[derive(Default)]
struct Slow {
    runtime: VirtualRuntime,
}

type SlowMemory = FailingStore<SlowStore<MemoryStore>>;

impl Slow {
    fn stores(&self, store: MemoryStore) -> Stores {
        let slow = SlowStore::new(store.clone(), self.runtime.clone(), Duration::from_millis(1));
        let slow: SlowMemory = FailingStore::new(slow, self.runtime.clone());
        Stores::new(slow.clone(), store).with_claims(slow)
    }
}

#[async_trait]
impl StoreFactory for Slow {
    fn capabilities(&self) -> Capabilities {
        Capabilities::of(&[Capability::Claims, Capability::Watch])
    }

    async fn fresh(&self) -> Result<Stores, FactoryError> {
        Ok(self.stores(MemoryStore::with_clock(self.runtime.clock())))
    }

    async fn reopen(&self, opened: &Stores) -> Result<Stores, FactoryError> {
        Ok(self.stores(opened.context::<MemoryStore>()?.clone()))
    }

    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(self.runtime.clone())
    }

    fn limits(&self) -> Limits {
        Limits { items: 100, ..Limits::default() }
    }
}

#[test]
fn slow_stores_keep_the_laws_in_virtual_time() {
    for check in ALL {
        let slow = Slow::default();
        slow.runtime.run(check.run(&slow)).unwrap_or_else(|violation| panic!("{violation}"));
    }
}

#[test]
fn racing_writers_lose_nothing_under_any_of_20_seeds() {
    for seed in 0..20 {
        let slow = Slow::default();
        let raced = slow.runtime.run(racing_writers_with_seed(&slow, seed));
        raced.unwrap_or_else(|violation| panic!("{violation}"));
    }
}

/// Cannot make a store.
struct Unreachable;

#[async_trait]
impl StoreFactory for Unreachable {
    fn capabilities(&self) -> Capabilities {
        Capabilities::of(&[
            Capability::Claims,
            Capability::Discrepancies,
            Capability::Watch,
            Capability::Plant,
            Capability::Broken,
            Capability::Pause,
            Capability::Disconnect,
        ])
    }

    async fn fresh(&self) -> Result<Stores, FactoryError> {
        Err("the backend is not there".into())
    }

    async fn reopen(&self, _opened: &Stores) -> Result<Stores, FactoryError> {
        Err("the backend is not there".into())
    }
}

#[test]
fn a_backend_that_is_not_there_fails_every_check() {
    for check in ALL {
        let violation = futures::executor::block_on(check.run(&Unreachable)).expect_err(check.name);
        assert_eq!((violation.check, violation.law), (check.name, check.law));
    }
}
