//! Measures cutover side by side with other crates, and shows how each behaves when something fails.
//!
//! A [`Comparison`] is a floor, what cutover offers, and its peers, all doing the same work. `peers` runs each peer in a process of
//! its own, in turns with the floor and with cutover, and makes BENCHMARKS.md of the results. What the column "guarantees" says is
//! what the tests of this package have seen.
#![expect(clippy::unwrap_used, reason = "a tool of this repository: what cannot be set up ends the run")]

pub mod alone;
pub mod dual;
pub mod flags;
pub mod harness;
pub mod latency;
pub mod report;

mod catalogue;
mod subject;
mod traffic;

pub use catalogue::{Comparison, comparison, comparisons};
pub use subject::{Entry, Guarantee, Role, Subject, Worker};
