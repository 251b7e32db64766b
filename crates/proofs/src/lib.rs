//! Exhaustive models of the protocols of `cutover`: every order of every step within a bounded scope.
//!
//! The models use the crate's own transition table and routing table. See the README of this package for what is proved,
//! how far, and what is left out.
#![expect(clippy::indexing_slicing, reason = "a model that counts its instances wrongly must stop")]

pub mod claims;
pub mod control;
mod report;

pub use report::{Report, explore, refute};
