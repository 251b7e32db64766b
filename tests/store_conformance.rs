//! `MemoryStore` keeps every law that the conformance kit checks.

use std::time::Duration;

use cutover::MemoryStore;
use cutover::store::async_trait;
use cutover::testing::ManualClock;
use cutover::testing::conformance::{ALL, Capabilities, Capability, FactoryError, StoreFactory, Stores};

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
