//! Workers that are killed and stopped at any moment, over the same items: each item is completed once, and none is lost.

mod check;
mod log;
mod supervisor;
mod worker;

pub use check::{Tally, check};
pub use log::{Event, Log, read};
pub use supervisor::{Plan, supervise};
pub use worker::{Job, work};

/// The migration whose items are processed.
pub const MIGRATION: &str = "claimed";

/// The name of an item.
#[must_use]
pub fn item(number: u32) -> String {
    format!("item {number}")
}
