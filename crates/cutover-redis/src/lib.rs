//! Keeps migrations of [`cutover`] in Redis: [`RedisStore`] is its `StateStore`, `ClaimStore` and `DiscrepancyStore`.
//!
//! ```no_run
//! use cutover::MigrationController;
//! use cutover_redis::RedisStore;
//!
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! let client = redis::Client::open("redis://127.0.0.1/")?;
//! let store = RedisStore::new(client.get_connection_manager().await?).watched_by(client);
//! let search = MigrationController::open("search", store).await?;
//! # Ok(()) }
//! ```
//!
//! Redis 7.0 or newer. It is the weaker of the stores that processes on several machines can share: Redis acknowledges a write
//! before its replicas have it, so a failover can lose acknowledged writes. A controller notices that and keeps the safer mode;
//! claims cannot. The README says what that means and how to configure Redis.

mod claims;
mod connection;
mod discrepancies;
mod fault;
mod keys;
mod script;
mod state;
mod store;

pub use keys::PrefixError;
pub use store::RedisStore;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
