#![doc = include_str!("../README.md")]
#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

mod claims;
mod connections;
#[cfg(feature = "deadpool")]
mod deadpool;
mod decide;
mod discrepancies;
mod error;
mod listen;
mod names;
mod sql;
mod state;
mod store;

pub use connections::{Connections, Lent, Reconnecting};
pub use error::PostgresError;
pub use listen::Notifications;
pub use names::{NameError, Names};
pub use store::PostgresStore;

/// Re-exported, so that a host's `impl Connections` and its transactions need no dependency of their own.
pub use {async_trait::async_trait, tokio_postgres};
