//! Keeps migrations of [`cutover`] in one SQLite file: [`SqliteStore`].
//!
//! The file is shared by the processes of one machine, so it fits a rolling restart, and it can be looked into with the
//! `sqlite3` program while it is in use. It must not be on a network file system. README.md says what is guaranteed and what
//! is not, what grows, and how to keep it small.
//!
//! # Errors
//! | what happened | at opening ([`SqliteError`]) | in a call ([`StoreError`](cutover::StoreError)) |
//! |---|---|---|
//! | other processes hold the lock for too long | `Unavailable` | `Unavailable` |
//! | too many calls wait | | `Unavailable` |
//! | the file is gone | | `Unavailable` |
//! | the file may not grow further (`max_bytes`) | | `Unavailable` |
//! | the device fails or is full during a commit | `Unavailable` | `OutcomeUnknown` |
//! | the file is damaged or not a database | `Corrupt` | `Corrupt` |
//! | it is a database of another application | `Foreign` | `Corrupt` |
//! | a newer version wrote it | `NewerSchema` | `UnknownFormat` |
//! | this process may not use it, or others may | `Denied`, `SharedFile`, `SharedFolder`, `SymbolicLink`, `NotAFile` | `Denied` |
//! | a change does not follow the audit | | `Denied` |

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

mod builder;
mod claims;
mod discrepancies;
mod error;
mod failure;
mod lane;
mod link;
mod place;
mod schema;
mod state;
mod store;
mod watch;

pub use builder::SqliteBuilder;
pub use error::SqliteError;
pub use store::SqliteStore;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
