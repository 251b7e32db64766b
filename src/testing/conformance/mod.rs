//! The laws of [`StateStore`](crate::StateStore), [`ClaimStore`](crate::store::ClaimStore) and
//! [`DiscrepancyStore`](crate::store::DiscrepancyStore) as checks for a host's own store.

mod audit;
mod capability;
mod factory;
mod macros;
mod planted;
mod state;
mod table;
mod tools;
mod violation;

pub use audit::the_audit_is_gapless_and_paged;
pub use capability::{Capabilities, Capability, Limits};
pub use factory::{FactoryError, Pause, StoreFactory, Stores};
pub use planted::Planted;
pub use state::{
    a_refused_write_changes_nothing, absent_is_none, creating_is_exclusive, repeating_an_operation_is_safe,
};
pub use table::{ALL, Check};
pub use violation::Violation;
