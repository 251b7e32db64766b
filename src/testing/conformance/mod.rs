//! The laws of [`StateStore`](crate::StateStore), [`ClaimStore`](crate::store::ClaimStore) and
//! [`DiscrepancyStore`](crate::store::DiscrepancyStore) as checks for a host's own store.
//!
//! A host writes a [`StoreFactory`], and [`conformance_tests!`](crate::conformance_tests) makes one test of each check:
//!
//! ```
//! use cutover::store::async_trait;
//! use cutover::testing::ManualClock;
//! use cutover::testing::conformance::{Capabilities, Capability, FactoryError, StoreFactory, Stores};
//! use std::time::Duration;
//! # use cutover::MemoryStore as MyStore;
//!
//! #[derive(Default)]
//! struct Factory {
//!     clock: ManualClock,
//! }
//!
//! fn stores(store: &MyStore) -> Stores {
//!     // The last argument is what `reopen` needs. Here it is the store; elsewhere a path, or the name of a schema.
//!     Stores::new(store.clone(), store.clone()).with_claims(store.clone())
//! }
//!
//! #[async_trait]
//! impl StoreFactory for Factory {
//!     fn capabilities(&self) -> Capabilities {
//!         Capabilities::of(&[Capability::Claims, Capability::Watch])
//!     }
//!
//!     async fn fresh(&self) -> Result<Stores, FactoryError> {
//!         Ok(stores(&MyStore::with_clock(self.clock.clone())))
//!     }
//!
//!     async fn reopen(&self, opened: &Stores) -> Result<Stores, FactoryError> {
//!         Ok(stores(opened.context::<MyStore>()?))
//!     }
//!
//!     // Leases run out by the store's clock. A server's needs no such method: the kit then really waits.
//!     async fn wait(&self, duration: Duration) {
//!         self.clock.advance(duration);
//!     }
//! }
//!
//! mod laws {
//!     cutover::conformance_tests!(#[tokio::test(flavor = "multi_thread")] super::Factory::default());
//! }
//! # use cutover::testing::conformance::ALL;
//! # for check in ALL {
//! #     futures::executor::block_on(check.run(&Factory::default())).unwrap();
//! # }
//! ```
//!
//! The checks are plain functions, so that any other runner can call them; [`ALL`] lists them. They panic nowhere, answer
//! with a [`Violation`], need no particular executor, and see a store only through its traits and through what the factory
//! does to it. Races are real ones where the factory's [`runtime`](StoreFactory::runtime) has several threads.
//!
//! A check that needs what the factory does not declare passes only if that is really absent. Nothing is skipped.
//!
//! The kit grows with the laws: a minor version may add checks, and a store may then be found to break one.

mod apart;
mod audit;
mod cancellation;
mod capability;
mod claims;
mod discrepancies;
mod factory;
mod faults;
mod leases;
mod macros;
mod planted;
mod race;
mod state;
mod table;
mod tools;
mod values;
mod violation;
mod watch;

pub use apart::{a_restart_loses_nothing, fresh_stores_are_apart, handles_see_each_other, migrations_are_apart};
pub use audit::the_audit_is_gapless_and_paged;
pub use cancellation::{
    dropping_a_batch_is_safe, dropping_a_claim_is_safe, dropping_a_read_is_safe, dropping_a_write_is_safe,
};
pub use capability::{Capabilities, Capability, Limits};
pub use claims::{
    completed_is_final, items_are_apart, no_item_is_granted_twice, one_claim_wins, only_the_holder_acts,
    the_record_decides_who_claims,
};
pub use discrepancies::{
    discrepancies_are_apart, discrepancies_are_bounded, discrepancies_are_merged, discrepancies_are_paged,
    discrepancies_survive, racing_batches_lose_nothing,
};
pub use factory::{FactoryError, Pause, StoreFactory, Stores};
pub use faults::{a_cut_connection_comes_back, an_unreachable_store_is_unavailable, what_cannot_be_read_is_an_error};
pub use leases::{
    a_lease_lasts_as_renewed, a_lease_that_ran_out_is_lost, claims_survive_a_restart, claims_that_ran_out_are_listed,
    repeating_a_claim_is_safe, times_of_clients_move_no_lease, tokens_only_grow,
};
pub use planted::Planted;
pub use race::{
    a_change_after_reading_is_noticed, a_pause_in_a_write_loses_nothing, racing_writers_lose_nothing,
    racing_writers_with_seed, repeating_at_once_is_safe,
};
pub use state::{
    a_refused_write_changes_nothing, absent_is_none, creating_is_exclusive, repeating_an_operation_is_safe,
};
pub use table::{ALL, Check};
pub use values::{large_numbers_survive, the_chain_survives, values_survive, what_is_too_large_is_refused_whole};
pub use violation::Violation;
pub use watch::changes_wake_those_who_watch;
