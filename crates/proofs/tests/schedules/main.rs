//! The code of the controller and of the store keeps its promises in random schedules.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod claims;
mod emergencies;
mod explore;
mod following;
mod refreshing;
mod registry;
mod store;
